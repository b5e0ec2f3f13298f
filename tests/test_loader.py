"""Loading the artefacts: all of them once, nothing twice, on any FHIR server."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from imr_fhir.artefacts import artefact_resources
from imr_fhir.cli import main
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.ehr.transport import Transport
from imr_fhir.errors import Forbidden
from imr_fhir.loader.load import Loaded, load
from tests.small_ehr import SmallEhr, small_ehr
from tests.wire_server import Exchange

ALL = [f"{resource['resourceType']}/{resource['id']}" for resource in artefact_resources()]


@pytest.fixture
def ehr() -> Iterator[SmallEhr]:
    with small_ehr() as running:
        yield running


def offers(ehr: SmallEhr, *interactions: str) -> None:
    rest = {"mode": "server", "interaction": [{"code": code} for code in interactions]}
    statement = {"resourceType": "CapabilityStatement", "rest": [rest]}

    def metadata(exchange: Exchange) -> bool:
        if exchange.request.path == "/fhir/metadata":
            exchange.answer(200, statement)
            return True
        return False

    ehr.before = metadata


def loaded(ehr: SmallEhr) -> tuple[Loaded, ...]:
    return load(
        FhirClient(Transport([ehr.origin], allow_loopback_http=True), f"{ehr.origin}/fhir"), artefact_resources()
    )


def writes(ehr: SmallEhr) -> Counter[str]:
    return Counter(request.split("/")[0] for request in ehr.requests if not request.startswith("GET"))


def test_one_transaction_where_the_server_has_them(ehr: SmallEhr) -> None:
    offers(ehr, "transaction")
    assert loaded(ehr) == tuple(Loaded(reference, "created") for reference in ALL)
    assert writes(ehr) == {"POST": 1}
    assert sorted(ehr.store) == sorted(ALL)


def test_one_by_one_in_order_where_it_has_not(ehr: SmallEhr) -> None:
    offers(ehr, "search-system")
    assert {each.action for each in loaded(ehr)} == {"created"}
    assert [request.removeprefix("PUT ") for request in ehr.requests if request.startswith("PUT")] == ALL


@pytest.mark.parametrize("interactions", [("transaction",), ()])
def test_a_second_run_writes_nothing(ehr: SmallEhr, interactions: tuple[str, ...]) -> None:
    offers(ehr, *interactions)
    loaded(ehr)
    ehr.requests.clear()
    for reference, resource in ehr.store.items():
        resource["text"] = {"status": "generated", "div": f"<div>{reference}</div>"}  # as servers do
    assert loaded(ehr) == tuple(Loaded(reference, "unchanged") for reference in ALL)
    assert writes(ehr) == {}
    assert "GET metadata" not in ehr.requests


@pytest.mark.parametrize("interactions", [("transaction",), ()])
def test_only_what_differs_is_written_over_the_version_that_was_read(
    ehr: SmallEhr, interactions: tuple[str, ...]
) -> None:
    offers(ehr, *interactions)
    loaded(ehr)
    edited = ehr.store["Questionnaire/imr-client-0.1.0"]
    edited["title"] = "Edited by hand"
    edited["meta"]["versionId"] = "7"
    matches: list[str] = []

    def watch(exchange: Exchange) -> bool:
        matches.extend(value for name, value in exchange.request.headers.items() if name == "if-match")
        if exchange.request.path == "/fhir" and exchange.request.method == "POST":
            matches.extend(entry["request"]["ifMatch"] for entry in exchange.request.json()["entry"])
        return before(exchange)

    before, ehr.before = ehr.before, watch
    changed = [each for each in loaded(ehr) if each.action != "unchanged"]
    assert changed == [Loaded("Questionnaire/imr-client-0.1.0", "updated")]
    assert matches == ['W/"7"']
    assert ehr.store["Questionnaire/imr-client-0.1.0"]["title"] != "Edited by hand"


def test_a_server_that_refuses(ehr: SmallEhr) -> None:
    def refuse(exchange: Exchange) -> bool:
        if exchange.request.method == "PUT":
            exchange.answer(403)
        return exchange.request.method == "PUT" or metadata(exchange)

    offers(ehr)
    metadata, ehr.before = ehr.before, refuse
    with pytest.raises(Forbidden):
        loaded(ehr)


# The command


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["load", *arguments])


def test_the_command_says_what_it_did(ehr: SmallEhr) -> None:
    offers(ehr, "transaction")
    first, second = (run(f"{ehr.origin}/fhir/") for _ in range(2))
    assert first.exit_code == second.exit_code == 0
    assert f"created    {ALL[0]}" in first.output
    assert first.output.endswith(f"{len(ALL)} written, 0 already there.\n")
    assert second.output.endswith(f"0 written, {len(ALL)} already there.\n")


def test_the_command_takes_a_token_from_a_file(ehr: SmallEhr, tmp_path: Path) -> None:
    tokens: set[str] = set()

    def watch(exchange: Exchange) -> bool:
        tokens.add(exchange.request.headers.get("authorization", ""))
        return metadata(exchange)

    offers(ehr, "transaction")
    metadata, ehr.before = ehr.before, watch
    (tmp_path / "token").write_text("abc\n")
    assert run(f"{ehr.origin}/fhir", "--token-file", str(tmp_path / "token")).exit_code == 0
    assert run(f"{ehr.origin}/fhir").exit_code == 0
    assert tokens == {"Bearer abc", ""}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:1/fhir", "Nothing was sent"),
        ("http://ehr.example/fhir", "https"),
        ("ehr.example/fhir", "not one that we call"),
    ],
)
def test_the_command_ends_in_a_sentence(url: str, said: str) -> None:
    result = run(url)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert said in result.output
    assert result.output.count("\n") == 1


@pytest.mark.hapi
def test_on_hapi(hapi_base: str) -> None:
    client = FhirClient(Transport([hapi_base.removesuffix("/fhir")], allow_loopback_http=True), hapi_base)
    one = json.loads(write_json(artefact_resources()[0]))
    client.update({**one, "title": "Edited by hand"})
    first, second = load(client, artefact_resources()), load(client, artefact_resources())
    assert first[0].action == "updated"
    assert {each.action for each in second} == {"unchanged"}
    assert [each.reference for each in second] == ALL
