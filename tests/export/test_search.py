"""Where the server makes no export: plain search, on the sandbox and against one that breaks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from imr_fhir.errors import BadReply, ExportError, NotFound, RefusedUrl, Unauthorized
from imr_fhir.reporting.export.manifest import is_whole
from tests.export.bulk_server import KEY, Bulk, Step, lines, run, running
from tests.export.hospital import group, patients
from tests.test_stories import Told, hospital_with_backend
from tests.wire_server import Exchange

ALL = patients(5)
PAGE = 2


class Searched(Bulk):
    """A server without $export: searches by patient, code system, category and time are all taken and not looked at,
    but for the patient; a page holds two. ``broken``: it gives no reply to an address that has this in it."""

    broken = ""

    def __init__(self, **steps: list[Step]) -> None:
        super().__init__([], steps={name.replace("_", " ", 1): each for name, each in steps.items()})

    def rightly(self, exchange: Exchange, asked: str) -> None:
        kind = asked.rpartition("/")[2]
        if self.broken and self.broken in exchange.request.path:
            exchange.reset()
        elif asked == "GET /fhir/Group/g-p":
            exchange.answer(200, group(3))
        elif asked.startswith("GET /fhir/") and kind[:1].isupper():
            exchange.answer(200, self.page(exchange.request.path, kind))
        else:
            exchange.answer(404, {"resourceType": "OperationOutcome", "issue": []})

    def page(self, path: str, kind: str) -> dict[str, Any]:
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        found = [each for each in ALL if each["resourceType"] == kind]
        if whose := query.get("patient") or query.get("_id"):
            found = [each for each in found if each["id"].endswith(whose)]
        begin = int(query.get("page", 0))
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
        bundle["entry"] = [{"resource": each} for each in found[begin : begin + PAGE]]
        if begin + PAGE < len(found):
            more = f"{'patient' if whose else 'x'}={whose or 1}&page={begin + PAGE}"
            bundle["link"] = [{"relation": "next", "url": f"{self.server.origin}/fhir/{kind}?{more}"}]
        return bundle


def answer(status: int, headers: dict[str, str] | None = None) -> Step:
    return lambda exchange: exchange.answer(status, {"resourceType": "OperationOutcome", "issue": []}, headers)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    for hospital in hospital_with_backend(tmp_path_factory.mktemp("told")):
        hospital.seed()
        yield hospital


def test_the_sandbox_gives_each_life_with_imr_page_by_page(told: Told, tmp_path: Path) -> None:
    with running(Bulk([])) as none:
        manifest = run(none, tmp_path / "out", client=told.client, level="system")
    counts = {name: (each["received"], each["kept"]) for name, each in manifest["runs"][0]["resources"].items()}
    kept = [each["id"] for each in lines(tmp_path / "out", "QuestionnaireResponse")]
    assert manifest["runs"][0]["how"] == "search"
    assert is_whole(manifest), manifest
    assert len(kept) == len(set(kept)) > 40
    assert counts["Questionnaire"] == (2, 2)
    assert counts["Goal"][1] > 5
    assert counts["EpisodeOfCare"][1] > 5
    for name, count in manifest["runs"][0]["onServer"].items():
        assert count in (None, counts[name][0]), name
    assert "no export of its own" in manifest["runs"][0]["notes"][-1]
    patients_there = {each["id"] for each in lines(tmp_path / "out", "Patient")}
    assert {f"{each['subject']['reference']}" for each in lines(tmp_path / "out", "Goal")} <= {
        f"Patient/{each}" for each in patients_there
    }


def test_a_later_run_on_the_sandbox_fetches_what_is_new(told: Told, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with running(Bulk([])) as none:
        before = run(none, folder, client=told.client, level="system", types=("Goal",))
        [goal, *_] = told.client.search("Goal", [("patient", "eva-berg")]).resources
        told.client.update({**goal, "lifecycleStatus": "on-hold"})
        manifest = run(none, folder, client=told.client, level="system", types=("Goal",))
    assert manifest["transactionTime"] >= before["transactionTime"]
    found = {each["id"]: each["lifecycleStatus"] for each in lines(folder, "Goal")}
    assert found[KEY.id("Goal", goal["id"])] == "on-hold"
    assert len(found) == len(lines(folder, "Goal")) == before["files"][0]["count"]


def test_all_pages_of_each_type(tmp_path: Path) -> None:
    with running(Searched()) as bulk:
        manifest = run(bulk, tmp_path / "out", types=("Patient", "Observation"))
        asked = [urlsplit(each.path) for each in bulk.asked("GET /fhir/Observation?")]
    assert len(lines(tmp_path / "out", "Patient")) == 5
    assert manifest["runs"][0]["resources"]["Observation"]["kept"] == 10
    assert "imr-client|" in parse_qs(asked[0].query)["code"][0]


def test_the_patients_of_a_group_each_once(tmp_path: Path) -> None:
    with running(Searched()) as bulk:
        run(bulk, tmp_path / "out", level="group", group="g-p", types=("Patient", "Goal"))
        asked = [parse_qs(urlsplit(each.path).query) for each in bulk.asked("GET /fhir/Goal?")]
    assert sorted(each["patient"] for each in asked) == [["p1"], ["p2"], ["p3"]]
    assert len(lines(tmp_path / "out", "Patient")) == len(lines(tmp_path / "out", "Goal")) == 3


def test_a_server_that_does_not_look_at_the_patient_gives_nobody_else_s(tmp_path: Path) -> None:
    with running(Searched()) as bulk:
        everybody = {
            "resourceType": "Bundle",
            "entry": [{"resource": each} for each in ALL if each["resourceType"] == "Goal"],
        }
        bulk.steps["GET /fhir/Goal"] = [lambda exchange: exchange.answer(200, everybody)] * 3
        manifest = run(bulk, tmp_path / "out", level="group", group="g-p", types=("Goal", "Questionnaire"))
    assert {each["id"] for each in lines(tmp_path / "out", "Goal")} == {KEY.id("Goal", f"g-p{n}") for n in (1, 2, 3)}
    assert manifest["runs"][0]["resources"]["Goal"]["leftOut"] == {"other-patient": 12}


def test_a_group_that_is_not_there_is_not_taken_for_all_patients(tmp_path: Path) -> None:
    with running(Searched()) as bulk:
        with pytest.raises(NotFound):
            run(bulk, tmp_path / "out", level="group", group="g-x")
        assert not bulk.asked("GET /fhir/Patient")


def test_a_group_without_patients_is_told(tmp_path: Path) -> None:
    empty = {"resourceType": "Group", "id": "g-p"}
    steps: dict[str, list[Step]] = {"GET_/fhir/Group/g-p": [lambda exchange: exchange.answer(200, empty)]}
    with running(Searched(**steps)) as bulk, pytest.raises(ExportError, match="lists no patients"):
        run(bulk, tmp_path / "out", level="group", group="g-p")


def test_a_busy_server_is_waited_for(tmp_path: Path) -> None:
    waits: list[float] = []
    steps = {"GET_/fhir/Patient": [answer(429, {"Retry-After": "44"}), answer(503, {"Retry-After": "9"})]}
    with running(Searched(**steps)) as bulk:
        run(bulk, tmp_path / "out", waits=waits, types=("Patient",))
    assert waits == [44, 9]
    assert len(lines(tmp_path / "out", "Patient")) == 5


def test_a_search_that_the_server_does_not_take_is_asked_wider_and_cut_here(tmp_path: Path) -> None:
    with running(Searched(**{"GET_/fhir/Observation": [answer(400)]})) as bulk:
        manifest = run(bulk, tmp_path / "out", types=("Observation",))
        asked = [parse_qs(urlsplit(each.path).query) for each in bulk.asked("GET /fhir/Observation?")]
    assert ["code" in each for each in asked[:2]] == [True, False]
    assert manifest["runs"][0]["resources"]["Observation"]["leftOut"] == {"not-imr": 5}


@pytest.mark.parametrize(("status", "whole"), [(403, False), (404, False)])
def test_a_type_that_is_not_given_is_told_and_the_rest_fetched(tmp_path: Path, status: int, whole: bool) -> None:
    with running(Searched(**{"GET_/fhir/AuditEvent": [answer(status)]})) as bulk:
        manifest = run(bulk, tmp_path / "out", types=("Patient", "AuditEvent"))
    assert manifest["runs"][0]["resources"]["AuditEvent"]["unavailable"] == f"The server refused it ({status})."
    assert is_whole(manifest) == whole
    assert len(lines(tmp_path / "out", "Patient")) == 5


def test_what_comes_on_two_pages_stands_once(tmp_path: Path) -> None:
    def again(bulk: Bulk) -> Step:
        return lambda exchange: exchange.answer(200, bulk.page("/fhir/Patient?page=1", "Patient"))  # type: ignore[attr-defined]

    with running(Searched()) as bulk:
        bulk.steps["GET /fhir/Patient"] = [lambda exchange: bulk.rightly(exchange, "GET /fhir/Patient"), again(bulk)]
        manifest = run(bulk, tmp_path / "out", types=("Patient",))
    assert len(lines(tmp_path / "out", "Patient")) == 5
    assert manifest["runs"][0]["resources"]["Patient"]["leftOut"] == {"twice": 1}


def test_pages_that_lead_in_a_circle_end(tmp_path: Path) -> None:
    def round_again(bulk: Bulk) -> Step:
        bundle = {
            "resourceType": "Bundle",
            "link": [{"relation": "next", "url": f"{bulk.server.origin}/fhir/Patient?x=1"}],
        }
        return lambda exchange: exchange.answer(200, bundle)

    with running(Searched()) as bulk:
        bulk.steps["GET /fhir/Patient"] = [round_again(bulk)] * 5
        with pytest.raises(BadReply, match="circle"):
            run(bulk, tmp_path / "out", types=("Patient",))


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("given", [{}, {"level": "group", "group": "g-p"}])
def test_a_search_that_broke_off_is_gone_on_with_where_it_was(tmp_path: Path, given: Any, gone: bool) -> None:
    """``gone``: the server has forgotten the page meanwhile."""

    with running(Searched()) as bulk:
        bulk.broken = "patient=p3" if given else "page=4"  # type: ignore[attr-defined]
        with pytest.raises(ExportError, match="goes on from here"):
            run(bulk, tmp_path / "out", types=("Goal",), **given)
        kept = (tmp_path / "out" / ".export" / "state.json").read_text()
        assert "p2" not in kept  # no id of a patient, nor an address that names one
        assert '"given": 2' in kept if given else '"given": 4' in kept
        before, bulk.broken = len(bulk.asked("GET /fhir/Goal")), ""  # type: ignore[attr-defined]
        bulk.steps["GET /fhir/Goal"] = [answer(410)] if gone and not given else []
        run(bulk, tmp_path / "out", types=("Goal",), **given)
        asked = bulk.asked("GET /fhir/Goal")[before:]
    assert len(lines(tmp_path / "out", "Goal")) == len({each["id"] for each in lines(tmp_path / "out", "Goal")})
    assert len(lines(tmp_path / "out", "Goal")) == (3 if given else 5)
    if not gone:
        assert ("patient=p3" if given else "page=4") in asked[0].path


def test_a_type_that_fails_ends_the_others_where_they_are(tmp_path: Path) -> None:
    """Else Ctrl-C, too, would wait until all pages of all types had come."""
    pages = 0

    def without_end(exchange: Exchange) -> None:
        nonlocal pages
        pages += 1
        link = {"relation": "next", "url": f"{bulk.server.origin}/fhir/Patient?page={pages}"}
        exchange.answer(200, {"resourceType": "Bundle", "link": [link] if pages < 5_000 else []})

    with running(Searched(**{"GET_/fhir/Goal": [answer(401)]})) as bulk:
        bulk.steps["GET /fhir/Patient"] = [without_end] * 5_000
        with pytest.raises(Unauthorized):
            run(bulk, tmp_path / "out", types=("Patient", "Goal"))
    assert pages < 5_000


def test_a_next_page_elsewhere_is_not_fetched(tmp_path: Path) -> None:
    elsewhere = {
        "resourceType": "Bundle",
        "link": [{"relation": "next", "url": "https://other.example/fhir/Patient?page=2"}],
    }
    steps: dict[str, list[Step]] = {"GET_/fhir/Patient": [lambda exchange: exchange.answer(200, elsewhere)]}
    with running(Searched(**steps)) as bulk, pytest.raises(RefusedUrl):
        run(bulk, tmp_path / "out", types=("Patient",))
