"""What servers do that is not as it should be: each ends in a sentence, and nothing is half done without being said."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from imr_fhir.artefacts import LOADED, VERSION, artefact_resources, content_hash
from imr_fhir.cli import main
from imr_fhir.errors import Forbidden
from imr_fhir.loader.load import load
from imr_fhir.loader.plan import marked
from tests.loader.conftest import client_of, empty, kept, older, put
from tests.loader.front import Front, front_of
from tests.loader.test_servers import ALL, CLIENT, SAID, ended
from tests.servers.medplum import Medplum
from tests.small_ehr import SmallEhr, small_ehr
from tests.wire_server import Exchange, serve

Command = Callable[..., Result]


def told(url: str, *options: str) -> str:
    """The one sentence in which it ends."""
    result = CliRunner().invoke(main, ["load", url, "--record", os.devnull, *options])
    assert result.exit_code == 1, result.output
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    return result.output


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:1/fhir", "Nothing was sent"),
        ("http://ehr.example/fhir", "https"),
    ],
)
def test_an_address_that_can_not_be_called(url: str, said: str) -> None:
    assert said in told(url)


PAGE = b"<html><body>Please try again later</body></html>"
R5 = {"resourceType": "CapabilityStatement", "fhirVersion": "5.0.0"}
EMPTY = {"resourceType": "Bundle", "type": "searchset"}


@pytest.mark.parametrize(
    ("answers", "said", "next_step"),
    [
        ({}, "gave no CapabilityStatement, so this is no FHIR server's address", "Give the FHIR base"),
        (
            {"": (200, PAGE, {"Content-Type": "text/html"})},
            "The EHR answered with text/html where FHIR's JSON was asked for",
            "Give the FHIR base",
        ),
        ({"metadata": R5, "": EMPTY}, "speaks FHIR 5.0.0; the app and its artefacts are R4", "the R4 address"),
        ({"metadata": {"resourceType": "Patient"}, "": (400, b"")}, "did not answer with a CapabilityStatement", ""),
        ({"metadata": (401, b""), "": (401, b"")}, "(401)", "--token-file, --user or --client-id"),
        ({"metadata": {**R5, "fhirVersion": "4.0.1"}, "": (403, b"")}, "(403)", "system/Questionnaire.crus"),
    ],
)
def test_what_is_no_server_for_it(answers: dict[str, Any], said: str, next_step: str) -> None:
    def script(exchange: Exchange) -> None:
        asked = exchange.request.path.removeprefix("/fhir/").partition("?")[0]
        found = answers.get(asked, answers.get("", (404, PAGE, {"Content-Type": "text/html"})))
        exchange.answer(*found) if isinstance(found, tuple) else exchange.answer(200, found)

    with serve(script) as server:
        sentence = told(f"{server.origin}/fhir", "--yes")
    assert said in sentence
    assert next_step in sentence
    assert {request.method for request in server.requests} == {"GET"}


def test_a_token_that_may_only_read(sandbox: Front, command: Command) -> None:
    def refuses(exchange: Exchange) -> bool:
        if exchange.request.method == "PUT":
            exchange.answer(403)
        return exchange.request.method == "PUT"

    sandbox.before = refuses
    refused = ended(command(sandbox, "--yes", "--one-by-one"), 1)
    assert "Nothing was written." in refused.output
    assert "The log-in needs the scopes system/CodeSystem.crus" in refused.output
    sandbox.before = lambda exchange: exchange.request.method == "POST" and exchange.answer(403) is None
    assert isinstance(load(client_of(sandbox), artefact_resources()).error, Forbidden)


def gives_ids(front: Front) -> None:
    """A server that lets nobody choose an id, as Medplum's cloud."""

    def refuses(exchange: Exchange) -> bool:
        path, body = exchange.request.path.removeprefix("/fhir/"), exchange.request.body
        if exchange.request.method == "PUT" and front.ask("GET", f"/{path}").status_code == 404:
            exchange.answer(404)
            return True
        if exchange.request.method == "POST" and path in ("", "/fhir"):
            entries = exchange.request.json()["entry"]
            new = [each for each in entries if each["request"]["method"] == "PUT" and "ifMatch" not in each["request"]]
            if new:
                exchange.answer(400)
            return bool(new)
        assert exchange.request.method != "POST" or b'"id"' not in body.split(b'"meta"')[0]
        return False

    front.before = refuses


@pytest.mark.parametrize("options", [(), ("--one-by-one",)])
def test_a_server_that_gives_its_own_ids(sandbox: Front, command: Command, options: tuple[str, ...]) -> None:
    gives_ids(sandbox)
    ended(command(sandbox, "--yes", *options), 0)
    found = sandbox.ask("GET", "/Questionnaire?url=https://w3id.org/imr-fhir/Questionnaire/imr-client").json()
    (form,) = (entry["resource"] for entry in found["entry"])
    assert form["id"] != CLIENT.partition("/")[2]
    assert content_hash(form) == SAID[CLIENT]
    ended(command(sandbox, "--yes", *options), 0)
    assert sandbox.writes == {}
    ended(command(sandbox, "--rollback", "--yes"), 0)
    assert kept(sandbox, f"Questionnaire/{form['id']}")["status"] == "retired"


@pytest.mark.parametrize("options", [(), ("--one-by-one",)])
def test_a_real_server_that_gives_its_own_ids(
    medplum_server: Medplum, command: Command, options: tuple[str, ...]
) -> None:
    with front_of(medplum_server.strict) as front:
        empty(front)
        ended(command(front, "--yes", *options), 0)
        assert front.ask("GET", f"/{CLIENT}").status_code == 404
        assert f"{len(ALL)} are there as they should be" in ended(command(front), 0).output
        assert f"{len(ALL)} deleted." in ended(command(front, "--rollback", "--yes"), 0).output
        assert f"{len(ALL)} to create" in ended(command(front), 0).output


def test_a_server_that_says_it_in_its_own_way(tmp_path: Path) -> None:
    """Shown once; known by the record from then on; without it, it is not known from an edit."""

    def shortens(resource: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in resource.items() if name not in ("purpose", "text")}

    def metadata(exchange: Exchange) -> bool:
        if exchange.request.path == "/fhir/metadata":
            exchange.answer(200, {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"})
        return exchange.request.path == "/fhir/metadata"

    with small_ehr() as ehr:
        ehr.changes, ehr.before = shortens, metadata
        run = ["load", f"{ehr.origin}/fhir", "--yes", "--record", str(tmp_path / "record.jsonl")]
        first = ended(CliRunner().invoke(main, run), 3)
        assert f"created   {CLIENT}, but the server keeps it in another way:" in first.output
        assert "kept (nothing)" in first.output
        assert f"{len(ALL)} are there as they should be" in ended(CliRunner().invoke(main, run), 0).output
        run[-1] = str(tmp_path / "other.jsonl")
        ended(CliRunner().invoke(main, run), 3)
        assert writes_of(ehr) == len(ALL)


def writes_of(ehr: SmallEhr) -> int:
    return sum(not request.startswith("GET") for request in ehr.requests)


def test_killed_in_the_middle_it_goes_on_and_back(sandbox: Front, tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    run = [sys.executable, "-c", "from imr_fhir.cli import main; main()", "load", sandbox.base, "--yes", "--one-by-one"]
    loading = subprocess.Popen([*run, "--record", str(record)], stdout=subprocess.DEVNULL)

    def kills(exchange: Exchange) -> bool:
        if sandbox.writes["PUT"] == 4:  # it has been carried out, and nobody is there for the answer
            loading.send_signal(signal.SIGKILL)
            loading.wait()
        return False

    sandbox.after = kills
    assert loading.wait(60) == -signal.SIGKILL
    sandbox.right()
    with record.open("ab") as torn:
        torn.write(b'{"row":"sen')
    again = ["load", sandbox.base, "--yes", "--record", str(record)]
    went_on = ended(CliRunner().invoke(main, again), 0)
    assert f"{len(ALL) - 4} written" in went_on.output
    assert "4 are there as they should be" in went_on.output
    undone = ended(CliRunner().invoke(main, [*again, "--rollback"]), 0)
    assert f"{len(ALL)} retired." in undone.output


def test_a_rollback_that_breaks_off_goes_on(sandbox: Front, command: Command) -> None:
    ended(command(sandbox, "--yes"), 0)
    seen = []

    def breaks(exchange: Exchange) -> bool:
        if exchange.request.method == "PUT":
            seen.append(exchange)
            if len(seen) > 5:
                exchange.answer(503)
                return True
        return False

    sandbox.before = breaks
    broken = ended(command(sandbox, "--rollback", "--yes"), 4)
    assert "5 retired." in broken.output
    assert "To go on, run the same command again." in broken.output
    sandbox.right()
    assert f"{len(ALL) - 5} retired." in ended(command(sandbox, "--rollback", "--yes"), 0).output


def test_answers_that_can_not_be_seen_keep_the_form(sandbox: Front, command: Command) -> None:
    ended(command(sandbox, "--yes"), 0)

    def refuses(exchange: Exchange) -> bool:
        if "/QuestionnaireResponse" in exchange.request.path:
            exchange.answer(403)
        return "/QuestionnaireResponse" in exchange.request.path

    sandbox.before = refuses
    left = ended(command(sandbox, "--rollback", "--yes"), 3)
    assert "Whether QuestionnaireResponses point to it can't be seen" in left.output
    assert "system/QuestionnaireResponse.s" in left.output
    assert sandbox.writes == {}


@pytest.mark.parametrize("kind", ["Observation", "Goal"])
@pytest.mark.parametrize("status", [400, 403, 503])
def test_scores_and_goals_that_can_not_be_seen_keep_their_codes(
    sandbox: Front, command: Command, kind: str, status: int
) -> None:
    ended(command(sandbox, "--yes"), 0)
    sandbox.before = lambda exchange: f"/{kind}?" in exchange.request.path and exchange.answer(status) is None
    left = ended(command(sandbox, "--rollback", "--yes"), 3)
    assert f"CodeSystem/imr-0.1.0: Whether {kind}s use its codes can't be seen" in left.output
    assert f"system/{kind}.s" in left.output
    assert sandbox.writes == {}


def test_a_server_that_has_no_goals_and_can_not_search_by_profile(sandbox: Front, command: Command) -> None:
    """Then there are none, and those that name a profile of ours have our codes too."""
    ended(command(sandbox, "--yes"), 0)

    def has_none(exchange: Exchange) -> bool:
        path = exchange.request.path
        if path == "/fhir/metadata":
            rest = [{"mode": "server", "resource": [{"type": "Observation", "interaction": [{"code": "search-type"}]}]}]
            exchange.answer(200, {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": rest})
            return True
        if "/Goal?" in path or "_profile=" in path:
            exchange.answer(404 if "/Goal?" in path else 400)
            return True
        return False

    sandbox.before = has_none
    assert f"{len(ALL)} to delete" in ended(command(sandbox, "--rollback"), 0).output


def test_an_old_version_that_is_not_ours_is_not_retired(sandbox: Front, command: Command) -> None:
    for each in older():
        put(sandbox, each)  # without our tag
    found = ended(command(sandbox, "--yes", "--retire", "0.0.9", "--leave-conflicts"), 3)
    assert "Questionnaire/imr-client-0.0.9 is not as this command wrote it" in found.output
    assert kept(sandbox, "Questionnaire/imr-client-0.0.9")["status"] == "active"


def test_a_version_to_retire_that_is_not_there(sandbox: Front, command: Command) -> None:
    assert "nothing of version 0.0.1" in ended(command(sandbox, "--retire", "0.0.1"), 0).output
    assert "only older ones" in ended(command(sandbox, "--retire", VERSION), 2).output
    assert "give one of them" in ended(command(sandbox, "--retire", "0.0.1", "--rollback"), 2).output


def test_a_translated_form_is_newer_than_the_rest(
    sandbox: Front, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It alone has a version of its own then, and the one before it can be retired."""
    ended(command(sandbox, "--yes"), 0)
    translated = [
        {**each, "id": "imr-client-0.2.0", "version": "0.2.0"}
        if each["url"].endswith("Questionnaire/imr-client")
        else each
        for each in artefact_resources()
    ]
    for module in ("load", "load_report"):
        monkeypatch.setattr(import_module(f"imr_fhir.commands.{module}"), "artefact_resources", lambda: translated)
    done = ended(command(sandbox, "--yes", "--retire", VERSION), 0)
    assert f"version {VERSION} and 0.2.0" in done.output
    assert kept(sandbox, "Questionnaire/imr-client-0.2.0")["status"] == "active"
    assert kept(sandbox, CLIENT)["status"] == "retired"
    assert f"{len(ALL) - 1} are there as they should be" in done.output


def test_a_newer_one_is_not_retired(sandbox: Front, command: Command) -> None:
    newer = next(each for each in artefact_resources() if f"{each['resourceType']}/{each['id']}" == CLIENT)
    put(sandbox, marked({**newer, "id": "imr-client-0.10.0", "version": "0.10.0"}))
    done = ended(command(sandbox, "--yes", "--retire", "0.10.0"), 0)
    assert "nothing of version 0.10.0 that is older" in done.output
    assert kept(sandbox, "Questionnaire/imr-client-0.10.0")["status"] == "active"


def test_a_rollback_without_a_record_says_that_there_is_none(sandbox: Front, command: Command, tmp_path: Path) -> None:
    said = ended(command(sandbox, "--rollback"), 1).output
    assert f"There is no record {tmp_path / 'record.jsonl'}. Name the record" in said


def test_the_hospitals_labels_stay_on_what_is_updated(sandbox: Front, command: Command) -> None:
    label = {"system": "https://hospital.example/labels", "code": "reviewed"}
    form = artefact_resources()[-2] | {"title": "As it was"}
    ours = {"system": LOADED, "code": content_hash(form)}
    put(sandbox, form | {"meta": {"tag": [label, ours], "security": [label]}})
    ended(command(sandbox, "--yes"), 0)
    meta = kept(sandbox, CLIENT)["meta"]
    assert meta["tag"] == [label, {"system": LOADED, "code": SAID[CLIENT]}]
    assert meta["security"] == [label]


class TestRecord:
    def test_it_is_for_its_owner_alone(self, sandbox: Front, command: Command, tmp_path: Path) -> None:
        ended(command(sandbox), 0)
        assert not (tmp_path / "record.jsonl").exists()
        ended(command(sandbox, "--yes"), 0)
        assert stat.S_IMODE((tmp_path / "record.jsonl").stat().st_mode) == 0o600

    def test_each_server_has_its_own(self, tmp_path: Path) -> None:
        (tmp_path / "record").write_text('{"row":"apply","server":"https://other.example/fhir"}\n')
        result = CliRunner().invoke(main, ["load", "http://127.0.0.1:1/fhir", "--record", str(tmp_path / "record")])
        assert "is the record of https://other.example/fhir, not of http://127.0.0.1:1/fhir" in ended(result, 1).output

    def test_a_file_that_is_none(self, tmp_path: Path) -> None:
        (tmp_path / "record").write_text("name,value\n")
        result = CliRunner().invoke(main, ["load", "http://127.0.0.1:1/fhir", "--record", str(tmp_path / "record")])
        assert "line 1, is no record of this command" in ended(result, 1).output

    def test_where_it_can_not_be_written_nothing_is_sent(self, sandbox: Front, tmp_path: Path) -> None:
        nowhere = str(tmp_path / "not there" / "record")
        result = CliRunner().invoke(main, ["load", sandbox.base, "--yes", "--record", nowhere])
        assert "can't be written: No such file or directory" in ended(result, 1).output
        assert sandbox.writes == {}

    def test_it_stands_in_the_working_directory(
        self, sandbox: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        ended(CliRunner().invoke(main, ["load", sandbox.base, "--yes"]), 0)
        (found,) = tmp_path.iterdir()
        port = sandbox.base.rpartition(":")[2].partition("/")[0]
        assert found.name == f"imr-fhir-load-127.0.0.1-{port}-fhir.jsonl"

    def test_a_disk_that_fills_up_in_the_middle(
        self, sandbox: Front, command: Command, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written = []

        def full(path: Path, data: bytes) -> None:
            written.append(data)
            if len(written) > 4:
                raise OSError(28, "No space left on device")

        monkeypatch.setattr("imr_fhir.loader.record._append", full)
        broken = ended(command(sandbox, "--yes", "--one-by-one"), 4)
        assert f"It broke off: 2 of {len(ALL)} are in." in broken.output
        assert "can't be written: No space left on device" in broken.output
