"""What `check` tries is what the app asks for: all that a whole life of the app searches for and writes is tried."""

import sys
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

import imr_fhir.ehr
import imr_fhir.loader
from imr_fhir.checking.watch import WatchedClient
from imr_fhir.ehr.ladder import LADDERS
from tests.checking.hospital import PATIENT, VISIT, hospital, listening
from tests.ehrs.flow import whole_flow
from tests.running import running

LOADER = Path(imr_fhir.loader.__file__).parent
EHR = Path(imr_fhir.ehr.__file__).parent
TOP = EHR.parents[1]
Searches = set[tuple[str, tuple[str, ...]]]


def _of(asked: list[tuple[str, str, tuple[str, ...]]]) -> Searches:
    return {(kind, tuple(sorted(names))) for method, kind, names in asked if method == "GET" and names}


def _written(asked: list[tuple[str, str, tuple[str, ...]]]) -> set[tuple[str, str]]:
    return {(method, kind) for method, kind, _ in asked if method in ("POST", "PUT")}


def test_each_search_and_write_of_the_app_is_tried(tmp_path: Path) -> None:
    by_app: list[tuple[str, str, tuple[str, ...]]] = []
    (tmp_path / "app").mkdir()
    with running(tmp_path / "app", observation_shape="members") as run:
        run.hospital.app.wsgi_app = listening(run.hospital.app.wsgi_app, by_app)  # type: ignore[method-assign]
        whole_flow(run, "generic")
    with hospital(tmp_path / "checked", "generic") as checked:
        checked.check(patient=PATIENT, encounter=VISIT, write=True)
        missing = _of(by_app) - _of(checked.asked)
        unwritten = _written(by_app) - _written(checked.asked)
    assert len(_of(by_app)) >= 6, "the app searches for something"
    assert not missing
    assert not unwritten


def test_each_rung_that_is_written_is_tried_or_told_why_not(tmp_path: Path) -> None:
    types = {rung.creates for ladder in LADDERS.values() for rung in ladder if rung.creates}
    with hospital(tmp_path, "generic") as checked:
        report = checked.check(patient=PATIENT, encounter=VISIT, write=True)
    told = {each.what.partition(":")[0] for each in report.findings if each.area == "write"}
    assert types <= told


def test_each_place_in_the_code_that_searches_is_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a search that no flow above happens to need is tried too."""
    passed: set[str] = set()
    search = WatchedClient.search

    def noted(self: WatchedClient, *arguments: Any, **options: Any) -> Any:
        frame: Any = sys._getframe(1)
        while frame:
            passed.add(Path(frame.f_code.co_filename).name)
            frame = frame.f_back
        return search(self, *arguments, **options)

    def at_once(_: WatchedClient, call: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(call())
        return done

    monkeypatch.setattr(WatchedClient, "search", noted)
    monkeypatch.setattr(WatchedClient, "beside", at_once)  # in this thread, so that who asks is seen
    with hospital(tmp_path, "generic") as checked:
        checked.check(patient=PATIENT, write=True)
    places = {path.name for path in EHR.glob("*.py") if "client.search" in path.read_text(encoding="utf-8")}
    elsewhere = {
        path.name
        for path in (TOP / "smart_app").rglob("*.py")
        if "client.search" in path.read_text(encoding="utf-8") and path.parent.name not in ("sandbox", "stories")
    }
    assert places == {"chart.py", "changes.py", "forms.py", "lookup.py", "scores.py"}
    loading = {path.name for path in LOADER.glob("*.py") if "client.search" in path.read_text(encoding="utf-8")}
    # what a rollback asks is looked through page by page (relied_on.py), and says itself what can't be seen
    assert loading == {"there.py"}
    assert loading <= passed
    # members of a score ask as the chart does, by patient and code
    assert places - passed == {"scores.py"}
    assert not elsewhere
