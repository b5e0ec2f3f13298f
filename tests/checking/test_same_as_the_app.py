"""What `check` tries is what the app asks for: all that a whole life of the app searches for and writes is tried."""

from pathlib import Path

from imr_fhir.ehr.ladder import LADDERS
from tests.checking.hospital import PATIENT, VISIT, hospital, listening
from tests.ehrs.flow import whole_flow
from tests.running import running

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
