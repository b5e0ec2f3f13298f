"""A server that counts more than it gives: which are missing is told by id, where it can be known."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from imr_fhir.commands.export_told import told as said
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.transport import Transport
from imr_fhir.reporting.export import missing, search
from imr_fhir.reporting.export.asked import Asked
from imr_fhir.reporting.export.export import Options, export
from imr_fhir.reporting.export.manifest import is_whole
from tests.export.bulk_server import KEY
from tests.loader.front import Front, front_of
from tests.test_stories import hospital_with_backend
from tests.wire_server import Exchange


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Before the sandbox with its lives."""
    for hospital in hospital_with_backend(tmp_path_factory.mktemp("told")):
        hospital.seed()
        token = hospital.hospital.hospital.access_token("system/*.cruds")
        with front_of(hospital.hospital.fhir_base, token) as front:
            yield front


@pytest.fixture(autouse=True)
def _no_overlap(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is there was written before."""
    monkeypatch.setattr(search, "OVERLAP", timedelta(seconds=-5))
    front.right()


def ids_of(front: Front, resource_type: str) -> list[str]:
    found = front.ask("GET", f"/{resource_type}?_count=500").json()
    return [each["resource"]["id"] for each in found["entry"]]


def lose(front: Front, resource_type: str, *lost: str) -> None:
    """They are counted and listed, and in no page of whole resources."""

    def before(exchange: Exchange) -> bool:
        path = exchange.request.path.removeprefix("/fhir")
        if not path.startswith(f"/{resource_type}?") or "_summary" in path or "_elements" in path:
            return False
        bundle = front.ask("GET", path).json()
        bundle["entry"] = [each for each in bundle["entry"] if each["resource"]["id"] not in lost]
        exchange.answer(200, bundle)
        return True

    front.before = before


def run(front: Front, folder: Path, **given: Any) -> dict[str, Any]:
    client = FhirClient(Transport([front.base.removesuffix("/fhir")], allow_loopback_http=True), front.base)
    options = Options("search", anew=given.pop("anew", False), wait=lambda _: None)
    asked = Asked(front.base, **{"pseudonyms": KEY, "types": ("Goal",), "level": "patient", **given})
    return export(client, folder, asked, options, now=datetime.now(UTC)).manifest


def told(manifest: dict[str, Any], folder: Path) -> str:
    return "\n".join(said(manifest, folder))


def test_what_did_not_come_is_named_as_it_would_have_left(front: Front, tmp_path: Path) -> None:
    lost = ids_of(front, "Goal")[1:4]
    lose(front, "Goal", *lost)
    manifest = run(front, tmp_path / "out")
    pseudonyms = [KEY.id("Goal", own) for own in lost]
    assert sorted(manifest["runs"][0]["missing"]["Goal"]["ids"]) == sorted(pseudonyms)
    assert not is_whole(manifest)
    text = told(manifest, tmp_path)
    assert "Goal: 3 that the server has are missing here !: " in text
    assert all(each in text for each in pseudonyms)
    everything = "".join(path.read_text() for path in (tmp_path / "out").iterdir()) + text
    assert not any(own in everything for own in lost)


def test_under_their_own_ids_where_those_stay(front: Front, tmp_path: Path) -> None:
    lost = ids_of(front, "Goal")[:1]
    lose(front, "Goal", *lost)
    assert run(front, tmp_path / "out", pseudonyms=None)["runs"][0]["missing"]["Goal"]["ids"] == lost


def test_one_that_moved_to_a_page_that_was_had_is_named_though_the_counts_are_equal(
    front: Front, tmp_path: Path
) -> None:
    """One came twice in its place."""
    first, lost, *_ = ids_of(front, "Goal")

    def before(exchange: Exchange) -> bool:
        path = exchange.request.path.removeprefix("/fhir")
        if not path.startswith("/Goal?") or "_summary" in path or "_elements" in path:
            return False
        bundle = front.ask("GET", path).json()
        twice = next(each for each in bundle["entry"] if each["resource"]["id"] == first)
        bundle["entry"] = [twice if each["resource"]["id"] == lost else each for each in bundle["entry"]]
        exchange.answer(200, bundle)
        return True

    front.before = before
    run_ = run(front, tmp_path / "out")["runs"][0]
    assert run_["onServer"]["Goal"] == run_["resources"]["Goal"]["received"]
    assert run_["missing"]["Goal"]["ids"] == [KEY.id("Goal", lost)]


def test_it_is_told_again_until_it_is_there(front: Front, tmp_path: Path) -> None:
    [lost] = ids_of(front, "Goal")[:1]
    lose(front, "Goal", lost)
    run(front, tmp_path / "out")
    front.right()
    later = run(front, tmp_path / "out")
    assert later["runs"][1]["missing"]["Goal"]["ids"] == [KEY.id("Goal", lost)]
    assert not is_whole(later)
    assert run(front, tmp_path / "out", anew=True)["runs"][-1]["missing"] == {}


def test_what_was_written_since_is_no_loss(front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "OVERLAP", timedelta(hours=1))
    lose(front, "Goal", *ids_of(front, "Goal")[:2])
    manifest = run(front, tmp_path / "out")
    assert manifest["runs"][0]["missing"]["Goal"] == {"ids": [], "why": "", "later": 2, "ofNoPatient": 0}
    assert is_whole(manifest)
    assert "Goal: 2 were written since; the next run fetches them." in told(manifest, tmp_path)


def test_what_is_of_no_patient_is_no_loss_to_an_export_of_patients(front: Front, tmp_path: Path) -> None:
    goal = front.ask("GET", "/Goal?_count=1").json()["entry"][0]["resource"]
    own = front.ask("POST", "/Goal", json={**goal, "subject": {"display": "All of us"}}).headers["Location"]
    lose(front, "Goal", own.rpartition("/Goal/")[2].partition("/")[0])
    manifest = run(front, tmp_path / "out")
    assert manifest["runs"][0]["missing"]["Goal"]["ofNoPatient"] == 1
    assert is_whole(manifest)
    assert "Goal: 1 are of no patient; only --system fetches such." in told(manifest, tmp_path)
    everything = run(front, tmp_path / "all", level="system")
    assert len(everything["runs"][0]["missing"]["Goal"]["ids"]) == 1


def refuse(exchange: Exchange) -> bool:
    if "_elements" not in exchange.request.path:
        return False
    exchange.answer(403, {"resourceType": "OperationOutcome", "issue": []})
    return True


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda patch: patch.setattr(missing, "LISTED", 3), "more than 3 are too many to list"),
        (lambda patch: patch.setattr(missing, "LOOKED_AT", 1), "2 are not in the files, too many to tell which"),
        (None, "the server did not tell which (403)"),
    ],
)
def test_why_it_can_t_be_known(
    spoil: Callable[[pytest.MonkeyPatch], None] | None, why: str, front: Front, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    lose(front, "Goal", *ids_of(front, "Goal")[:2])
    if spoil:
        spoil(monkeypatch)
    else:
        losing = front.before
        front.before = lambda exchange: refuse(exchange) or losing(exchange)
    manifest = run(front, tmp_path / "out")
    assert manifest["runs"][0]["missing"]["Goal"]["ids"] == []
    assert why in manifest["runs"][0]["missing"]["Goal"]["why"]
    assert not is_whole(manifest)
    assert f"Goal: which the server has and did not give is not known !: {why}" in told(manifest, tmp_path)


def test_where_all_came_nothing_is_listed(front: Front, tmp_path: Path) -> None:
    front.asked.clear()
    assert run(front, tmp_path / "out")["runs"][0]["missing"] == {}
    assert not any("_elements" in each for each in front.asked)
