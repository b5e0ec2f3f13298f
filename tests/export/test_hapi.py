"""On a FHIR server that nobody here wrote: each level, the run after, and the same by search."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.transport import Transport
from imr_fhir.reporting.export.asked import Asked
from imr_fhir.reporting.export.export import Options, export
from imr_fhir.reporting.export.manifest import is_whole
from tests.export.bulk_server import KEY, lines
from tests.export.canary import NATIONAL_NUMBER
from tests.export.hospital import NOW, group, patients

PREFIX = "exported"
COUNT = 3
HOW_MANY = {
    "Patient": 3, "EpisodeOfCare": 3, "Encounter": 3, "QuestionnaireResponse": 3, "Observation": 6, "Goal": 3,
    "Provenance": 3, "AuditEvent": 3,
}  # fmt: skip


def soon(seconds: float) -> None:
    """HAPI has it ready after six seconds, and asks not to be asked for two minutes."""
    time.sleep(min(seconds, 2))


@pytest.fixture(scope="module")
def hapi(hapi_base: str) -> Iterator[str]:
    resources = [*patients(COUNT, PREFIX), group(COUNT, PREFIX)]
    _transaction(hapi_base, [(each, "PUT") for each in resources])
    yield hapi_base
    _transaction(hapi_base, [(each, "DELETE") for each in reversed(resources)])


def _transaction(base: str, changes: list[tuple[dict[str, Any], str]]) -> None:
    entries = [
        {"request": {"method": method, "url": f"{each['resourceType']}/{each['id']}"}}
        | ({"resource": each} if method == "PUT" else {})
        for each, method in changes
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = requests.post(base, json=bundle, headers={"Content-Type": "application/fhir+json"}, timeout=60)
    assert answer.status_code == 200, answer.text


def fetch(base: str, folder: Path, how: Any, **asked: Any) -> dict[str, Any]:
    client = FhirClient(Transport([base.removesuffix("/fhir")], allow_loopback_http=True), base)
    asking = Asked(base, **{"pseudonyms": KEY, **asked})
    return export(client, folder, asking, Options(how, wait=soon), now=NOW).manifest


def ours(folder: Path) -> dict[str, int]:
    """How many of each type are of our patients; others may be on the server too."""
    whose = {KEY.id("Patient", f"{PREFIX}{number}") for number in range(1, COUNT + 1)}
    return {
        name: sum(any(each in json.dumps(one) for each in whose) for one in lines(folder, name)) for name in HOW_MANY
    }


@pytest.mark.parametrize(
    "given", [{"level": "group", "group": f"g-{PREFIX}"}, {"level": "patient"}, {"level": "system"}]
)
def test_each_level_gives_all_that_is_imr_and_nothing_of_a_person(
    hapi: str, tmp_path: Path, given: dict[str, Any]
) -> None:
    manifest = fetch(hapi, tmp_path / "out", "bulk", **given)
    assert is_whole(manifest), manifest
    # of a group HAPI gives no Provenance: what ours target is no Patient
    expected = {**HOW_MANY, "Provenance": 0} if given["level"] == "group" else HOW_MANY
    assert ours(tmp_path / "out") == expected
    if given["level"] == "group":
        received = {name: each["received"] for name, each in manifest["runs"][0]["resources"].items()}
        assert received == {**expected, "Questionnaire": received["Questionnaire"]}
    everything = "".join(path.read_text() for path in (tmp_path / "out").iterdir())
    assert "anary" not in everything
    assert NATIONAL_NUMBER not in everything
    if given["level"] == "system":
        fetch(hapi, tmp_path / "search", "search", level="system")
        for name in HOW_MANY:
            by_id = {each["id"]: each for each in lines(tmp_path / "out", name)}
            assert {each["id"]: each for each in lines(tmp_path / "search", name)} == by_id, name


def test_a_later_run_has_the_changed_goal_once(hapi: str, tmp_path: Path) -> None:
    given: dict[str, Any] = {"level": "group", "group": f"g-{PREFIX}", "types": ("Patient", "Goal")}
    fetch(hapi, tmp_path / "out", "bulk", **given)
    [goal] = [each for each in patients(1, PREFIX) if each["resourceType"] == "Goal"]
    _transaction(hapi, [({**goal, "lifecycleStatus": "on-hold"}, "PUT")])
    manifest = fetch(hapi, tmp_path / "out", "bulk", **given)
    assert manifest["runs"][1]["resources"]["Goal"]["received"] == 1
    found = {each["id"]: each["lifecycleStatus"] for each in lines(tmp_path / "out", "Goal")}
    assert len(lines(tmp_path / "out", "Goal")) == 3
    assert found[KEY.id("Goal", goal["id"])] == "on-hold"
