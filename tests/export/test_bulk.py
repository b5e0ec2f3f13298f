"""Bulk Data against a server that does one thing wrong, or as the specification lets it."""

import hashlib
import json
import os
import re
import resource as limits
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from imr_fhir.errors import BadReply, ExportError, ExportLost, Forbidden, RefusedUrl
from imr_fhir.reporting.export.manifest import is_whole
from tests.export.bulk_server import KEY, ROOMY, Bulk, Step, client, lines, ndjson, run, running
from tests.export.hospital import patients
from tests.wire_server import Exchange

TYPES = ("Patient", "QuestionnaireResponse", "Goal", "Observation")
GOALS = tuple(each for each in patients(3) if each["resourceType"] == "Goal")


def of(*types: str, count: int = 2) -> list[tuple[str, bytes]]:
    return [(kind, ndjson(*(each for each in patients(count) if each["resourceType"] == kind))) for kind in types]


def answer(status: int, body: Any = b"", headers: dict[str, str] | None = None) -> Step:
    return lambda exchange: exchange.answer(status, body, headers)


def outcome(code: str, severity: str = "error") -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code, "diagnostics": "Kari"}]}


def test_an_export_is_files_a_type_and_a_manifest_with_counts_and_checksums(tmp_path: Path) -> None:
    with running(Bulk(of(*TYPES))) as bulk:
        manifest = run(bulk, tmp_path / "out")
    folder = tmp_path / "out"
    assert json.loads((folder / "manifest.json").read_text()) == manifest
    assert [each["name"] for each in manifest["files"]] == [f"{kind}-00001.ndjson" for kind in sorted(TYPES)]
    for each in manifest["files"]:
        data = (folder / each["name"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (each["bytes"], each["sha256"])
        assert data.count(b"\n") == each["count"]
    # of two patients: two scores, two reviews, and two blood pressures that are no IMR
    observed = manifest["runs"][0]["resources"]["Observation"]
    assert (observed["received"], observed["kept"], observed["leftOut"]) == (6, 4, {"not-imr": 2})
    assert is_whole(manifest)
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["manifest.json", *(each["name"] for each in manifest["files"])]
    )
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert bulk.asked("DELETE /fhir/job")


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"level": "group", "group": "g-p"}, "/fhir/Group/g-p/$export"),
        ({"level": "patient"}, "/fhir/Patient/$export"),
        ({"level": "system"}, "/fhir/$export"),
    ],
)
@pytest.mark.parametrize("post", [False, True])
def test_three_levels_by_get_and_post(tmp_path: Path, given: dict[str, Any], path: str, post: bool) -> None:
    with running(Bulk(of("Goal"))) as bulk:
        run(bulk, tmp_path / "out", post=post, since="2026-01-01T00:00:00Z", types=("Goal", "Patient"), **given)
        [kickoff] = bulk.asked(f"{'POST' if post else 'GET'} {path}")
    assert kickoff.headers["prefer"] == "respond-async"
    if post:
        parameters = [tuple(each.values()) for each in kickoff.json()["parameter"]]
        assert ("_type", "Goal,Patient") in parameters
        assert ("_since", "2026-01-01T00:00:00Z") in parameters
    else:
        assert "_type=Goal%2CPatient&_since=2026-01-01T00%3A00%3A00Z&_typeFilter=Goal%3Fcategory" in kickoff.path


def test_what_changed_between_the_last_run_and_since_would_be_lost(tmp_path: Path) -> None:
    """The folder would say that it is complete, and nothing would tell what it lacks."""
    folder = tmp_path / "out"
    with running(Bulk(of("Goal"))) as bulk:
        run(bulk, folder)
        with pytest.raises(ExportError, match="is complete up to 2026-11-27T04:00:00") as refused:
            run(bulk, folder, since="2027-01-01T00:00:00Z")
    assert "Leave --since out" in refused.value.next_step


def test_get_is_followed_by_post_where_the_server_takes_no_get(tmp_path: Path) -> None:
    with running(Bulk(of("Goal"), steps={"GET /fhir/Patient/$export": [answer(405)]})) as bulk:
        assert run(bulk, tmp_path / "out")["files"]
        assert bulk.asked("POST /fhir/Patient/$export")


def test_what_the_server_does_not_take_is_asked_for_less_exactly(tmp_path: Path) -> None:
    steps = {"GET /fhir/Patient/$export": [answer(400, outcome("not-supported"))] * 2}
    with running(Bulk([*of("Goal"), ("Condition", b"{}\n")], steps=steps)) as bulk:
        manifest = run(bulk, tmp_path / "out", types=("Goal",))
        asked = [each.path for each in bulk.asked("GET /fhir/Patient/$export")]
    assert ["_typeFilter" in path for path in asked] == [True, False, False]
    assert ["_type=" in path for path in asked] == [True, True, False]
    assert len(manifest["runs"][0]["notes"]) == 2
    assert not bulk.asked("GET /file/output/1")  # of a type that was not asked for


def test_it_waits_as_long_as_the_server_says(tmp_path: Path) -> None:
    begun = datetime(2026, 11, 27, 4, tzinfo=UTC)
    date = {
        name: format_datetime(begun + timedelta(seconds=s), usegmt=True)
        for name, s in (("Date", 0), ("Retry-After", 40))
    }
    steps = [
        answer(202, b"", {"Retry-After": "17", "X-Progress": "half"}),
        answer(202, b"", date),
        answer(429, outcome("throttled"), {"Retry-After": "90"}),
        answer(202),
        answer(503, b"", {"Retry-After": "33"}),
        answer(502, b"<html>gateway</html>"),
    ]
    waits: list[float] = []
    with running(Bulk(of("Goal"), steps={"GET /fhir/job": steps})) as bulk:
        run(bulk, tmp_path / "out", waits=waits)
        assert len(bulk.asked("GET /fhir/job")) == 7
    assert waits[1:4] == [17, 40, 90]
    assert waits[5:] == [33, 4]


def test_a_kick_off_that_is_too_much_now_is_tried_again(tmp_path: Path) -> None:
    waits: list[float] = []
    steps = {"GET /fhir/Patient/$export": [answer(429, b"", {"Retry-After": "21"})]}
    with running(Bulk(of("Goal"), steps=steps)) as bulk:
        run(bulk, tmp_path / "out", waits=waits)
    assert waits[0] == 21


def test_the_token_is_renewed_while_waiting_and_goes_to_files_only_where_they_want_it(tmp_path: Path) -> None:
    tokens = ["old", "new"]
    steps = {"GET /fhir/job": [answer(202), answer(401)], "GET /file/output/0": [answer(401)]}
    for wanted in (True, False):
        given = {name: list(step) for name, step in steps.items() if wanted or "file" not in name}
        with running(Bulk(of("Goal"), token=wanted, steps=given)) as bulk:
            asking = client(bulk, token=lambda: tokens[0], renew=lambda refused: tokens[1])
            run(bulk, tmp_path / str(wanted), client=asking)
            assert [each.headers["authorization"] for each in bulk.asked("GET /fhir/job")][-1] == "Bearer new"
            files = [each.headers.get("authorization") for each in bulk.asked("GET /file/")]
        assert files == (["Bearer old", "Bearer new"] if wanted else [None])


def test_files_on_another_host_are_fetched_only_where_it_is_allowed_and_told_nothing(tmp_path: Path) -> None:
    with running(Bulk(of("Goal"))) as files, running(Bulk(of("Goal"), files_at=files.server.origin)) as bulk:
        with pytest.raises(RefusedUrl, match="not one of this site's hosts"):
            run(bulk, tmp_path / "out")
        assert not files.server.requests
        run(bulk, tmp_path / "out", client=client(bulk, files.server.origin, token=lambda: "secret"))
        [request] = files.server.requests
    assert not {"authorization", "subscription-key"} & set(request.headers)
    assert request.headers["accept"] == "application/fhir+ndjson"
    assert len(lines(tmp_path / "out", "Goal")) == 2


@pytest.mark.parametrize(
    ("secret", "sent"),
    [({"headers": {"Authorization": "Basic a2FyaTpj"}}, "Basic a2FyaTpj"), ({"token": lambda: "t"}, "Bearer t")],
    ids=["password", "token"],
)
def test_a_secret_is_not_sent_to_another_host_that_says_how_far_the_export_is(
    tmp_path: Path, secret: dict[str, Any], sent: str
) -> None:
    with running(Bulk(of("Goal"))) as other, running(Bulk(of("Goal"))) as bulk:
        elsewhere = {"Content-Location": f"{other.server.origin}/fhir/job"}
        bulk.steps["GET /fhir/Patient/$export"] = [answer(202, b"", elsewhere)]
        asking = client(bulk, other.server.origin, **secret)
        run(bulk, tmp_path / "out", client=asking)
        assert other.asked("GET /fhir/job")
        assert not any("authorization" in each.headers for each in other.server.requests)
        assert {each.headers["authorization"] for each in bulk.asked("GET /fhir/")} == {sent}


def test_what_is_no_address_of_the_export_is_refused(tmp_path: Path) -> None:
    with running(Bulk(of("Goal"))) as bulk:
        bulk.steps["GET /fhir/Patient/$export"] = [answer(202, b"", {"Content-Location": "https://[job"})]
        with pytest.raises(RefusedUrl):
            run(bulk, tmp_path / "out")


def cut(at: int) -> Callable[[Bulk], Step]:
    """The connection breaks after ``at`` bytes of the file."""

    def of_bulk(bulk: Bulk) -> Step:
        def step(exchange: Exchange) -> None:
            data = bulk.file(exchange.request)
            tag = f'ETag: "{len(data)}"\r\n' if bulk.ranges else ""
            exchange.sock.sendall(f"HTTP/1.1 200 OK\r\n{tag}Content-Length: {len(data)}\r\n\r\n".encode() + data[:at])
            exchange.close = True

        return step

    return of_bulk


@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_that_breaks_off_is_gone_on_with_or_fetched_anew(tmp_path: Path, ranges: bool) -> None:
    goals = of("Goal", count=200)
    with running(Bulk(goals, ranges=ranges)) as bulk:
        bulk.steps["GET /file/output/0"] = [cut(100_000)(bulk)]
        manifest = run(bulk, tmp_path / "out")
        asked = [each.headers.get("range") for each in bulk.asked("GET /file/")]
    assert len(lines(tmp_path / "out", "Goal")) == 200 == manifest["runs"][0]["resources"]["Goal"]["received"]
    assert (asked[1] is not None) == ranges
    if ranges:
        assert 0 < int(asked[1].removeprefix("bytes=").rstrip("-")) <= 100_000


def test_a_server_that_can_t_be_reached_any_more_is_gone_on_with_by_the_next_run(tmp_path: Path) -> None:
    def reset(exchange: Exchange) -> None:
        exchange.reset()

    with running(Bulk(of("Patient", "Goal"))) as bulk:
        bulk.steps["GET /file/output/1"] = [reset] * 6
        with pytest.raises(ExportError, match="Run the same command again: it goes on from here"):
            run(bulk, tmp_path / "out")
        assert not (tmp_path / "out" / "manifest.json").exists()
        run(bulk, tmp_path / "out")
        assert len(bulk.asked("GET /fhir/Patient/$export")) == 1
        assert len(bulk.asked("GET /file/output/0")) == 1
    assert (len(lines(tmp_path / "out", "Patient")), len(lines(tmp_path / "out", "Goal"))) == (2, 2)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([answer(202), answer(404, outcome("not-found"))], "ran out"),
        ([answer(202), answer(500, outcome("exception"))], "gave the export up"),
    ],
)
def test_an_export_that_is_lost_at_the_server_begins_anew_next_time(
    tmp_path: Path, steps: list[Step], said: str
) -> None:
    with running(Bulk(of("Goal"), steps={"GET /fhir/job": steps})) as bulk:
        with pytest.raises(ExportLost, match=f"{said}.*begins anew"):
            run(bulk, tmp_path / "out")
        run(bulk, tmp_path / "out")
        assert len(bulk.asked("GET /fhir/Patient/$export")) == 2
    assert len(lines(tmp_path / "out", "Goal")) == 2


def test_a_file_that_ran_out_begins_the_export_anew(tmp_path: Path) -> None:
    with running(Bulk(of("Goal"), steps={"GET /file/output/0": [answer(404)]})) as bulk:
        with pytest.raises(ExportLost, match="no longer gives Goal-00001"):
            run(bulk, tmp_path / "out")
        run(bulk, tmp_path / "out")
    assert len(lines(tmp_path / "out", "Goal")) == 2


def test_a_log_in_without_the_right_to_is_told_and_nothing_is_searched_instead(tmp_path: Path) -> None:
    steps = {"GET /fhir/Patient/$export": [answer(403, outcome("forbidden"))]}
    with running(Bulk([], steps=steps)) as bulk, pytest.raises(Forbidden):
        run(bulk, tmp_path / "out")
    assert not bulk.asked("GET /fhir/Patient?")


BAD_LINES: dict[str, tuple[bytes, str, str]] = {
    "truncated": (ndjson(*GOALS)[:-30], "no-json", "not JSON"),
    "no JSON": (ndjson(GOALS[0]) + b"<html>\n" + ndjson(*GOALS[1:2]), "no-json", "resource 2: .*not JSON"),
    "a name twice": (b'{"resourceType":"Goal","id":"1","id":"2"}\n' + ndjson(*GOALS[:2]), "no-json", "a name twice"),
    "a list": (b"[]\n" + ndjson(*GOALS[:2]), "no-json", "no FHIR resource"),
    "another type": (ndjson({"resourceType": "Patient", "id": "1"}, *GOALS[:2]), "other-type", "no Goal"),
    "without id": (ndjson({**GOALS[2], "id": None}, *GOALS[:2]), "no-id", "no id"),
    "too long": (b'{"resourceType":"' + b"x" * 10_000_000 + b'"}\n' + ndjson(*GOALS[:2]), "too-long", "too long"),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_what_can_t_be_read_is_counted_and_told_where_it_stands(tmp_path: Path, name: str) -> None:
    data, why, said = BAD_LINES[name]
    with running(Bulk([("Goal", data)])) as bulk:
        manifest = run(bulk, tmp_path / "out", client=client(bulk, limits=ROOMY))
    [goals] = [each for name, each in manifest["runs"][0]["resources"].items() if name == "Goal"]
    assert (goals["received"], goals["kept"], goals["leftOut"]) == (3, 2, {why: 1})
    assert not is_whole(manifest)
    assert re.search(said, manifest["runs"][0]["faults"][0])
    assert "Kari" not in str(manifest)


def test_fewer_resources_than_the_server_says_are_missing(tmp_path: Path) -> None:
    with running(Bulk(of("Goal"))) as bulk:
        counted = bulk.manifest()
        counted["output"][0]["count"] = 5
        bulk.steps["GET /fhir/job"] = [answer(200, counted)]
        manifest = run(bulk, tmp_path / "out")
    assert manifest["runs"][0]["resources"]["Goal"]["leftOut"] == {"missing": 3}
    assert not is_whole(manifest)


def test_errors_of_the_server_are_counted_without_its_words(tmp_path: Path) -> None:
    errors = [ndjson(outcome("exception"), outcome("informational", "information"))]
    with running(Bulk(of("Goal"), error=errors)) as bulk:
        manifest = run(bulk, tmp_path / "out")
    assert manifest["runs"][0]["serverErrors"] == {"error": 1, "information": 1}
    assert "Kari" not in str(manifest)
    assert not is_whole(manifest)


def test_an_export_of_nothing_is_whole(tmp_path: Path) -> None:
    with running(Bulk([])) as bulk:
        manifest = run(bulk, tmp_path / "out")
    assert manifest["files"] == []
    assert is_whole(manifest)
    assert sorted(manifest["runs"][0]["resources"]["Goal"].items()) == [
        ("kept", 0), ("leftOut", {}), ("received", 0), ("refused", {})
    ]  # fmt: skip


@pytest.mark.parametrize(
    "manifest",
    [
        b"<html>",
        [],
        {},
        {"transactionTime": "now", "output": []},
        {"transactionTime": "2026-11-27T04:00:00Z", "output": [{"type": "Goal"}]},
    ],
)
def test_a_list_of_files_that_is_none_is_told(tmp_path: Path, manifest: Any) -> None:
    with running(Bulk([], steps={"GET /fhir/job": [answer(200, manifest)]})) as bulk, pytest.raises(BadReply):
        run(bulk, tmp_path / "out")


# The next run


def test_a_later_run_asks_for_what_has_changed_and_each_resource_stands_once_in_its_latest_form(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with running(Bulk(of("Patient", "Goal", count=3))) as bulk:
        run(bulk, folder)
    changed = {**GOALS[0], "lifecycleStatus": "completed"}
    removed = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"request": {"method": "DELETE", "url": f"Goal/{GOALS[1]['id']}"}}],
    }
    with running(Bulk([("Goal", ndjson(changed))], deleted=[ndjson(removed)], time="2026-11-28T04:00:00Z")) as later:
        _same_server(folder, later)
        manifest = run(later, folder)
        [kickoff] = later.asked("GET /fhir/Patient/$export")
    assert "_since=2026-11-27T04%3A00%3A00.000Z" in kickoff.path
    goals = {each["id"]: each["lifecycleStatus"] for each in lines(folder, "Goal")}
    assert goals == {KEY.id("Goal", "g-p1"): "completed", KEY.id("Goal", "g-p3"): "active"}
    assert len(lines(folder, "Patient")) == 3
    assert manifest["transactionTime"] == "2026-11-28T04:00:00Z"
    assert (manifest["runs"][1]["replaced"], manifest["runs"][1]["deletedOnServer"]) == (2, 1)
    for each in manifest["files"]:
        data = (folder / each["name"]).read_bytes()
        assert (data.count(b"\n"), hashlib.sha256(data).hexdigest()) == (each["count"], each["sha256"])


def _same_server(folder: Path, bulk: Bulk) -> None:
    """The export in ``folder`` as if it were of this server: each has a port of its own."""
    path = folder / "manifest.json"
    found = json.loads(path.read_text())
    found["asked"]["base"] = f"{bulk.server.origin}/fhir"
    path.write_text(json.dumps(found))


def test_what_is_no_imr_any_more_does_not_stay(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with running(Bulk(of("Patient", "Goal", count=3))) as bulk:
        run(bulk, folder)
    diet = {**GOALS[0], "category": [{"text": "diet"}]}
    with running(Bulk([("Goal", ndjson(diet))], time="2026-11-28T04:00:00Z")) as later:
        _same_server(folder, later)
        manifest = run(later, folder)
    assert {goal["id"] for goal in lines(folder, "Goal")} == {KEY.id("Goal", "g-p2"), KEY.id("Goal", "g-p3")}
    assert manifest["runs"][1]["replaced"] == 1


def test_a_file_that_is_listed_twice_is_fetched_once(tmp_path: Path) -> None:
    class Twice(Bulk):
        def manifest(self) -> dict[str, Any]:
            found = super().manifest()
            return {**found, "output": found["output"] * 2}

    with running(Twice(of("Goal", count=3))) as bulk:
        manifest = run(bulk, tmp_path / "out")
    assert len(lines(tmp_path / "out", "Goal")) == 3
    assert "The server listed 1 files twice: each was fetched once." in manifest["runs"][0]["notes"]


def test_another_question_is_not_mixed_in(tmp_path: Path) -> None:
    with running(Bulk(of("Goal"))) as bulk:
        run(bulk, tmp_path / "out")
        before = (tmp_path / "out" / "manifest.json").read_bytes()
        with pytest.raises(ExportError, match=r"asked for otherwise \(free text\)"):
            run(bulk, tmp_path / "out", free_text=True)
        assert (tmp_path / "out" / "manifest.json").read_bytes() == before
        manifest = run(bulk, tmp_path / "out", free_text=True, anew=True)
    assert len(manifest["runs"]) == 1
    assert lines(tmp_path / "out", "Goal")[0]["description"]["text"]


# The folder


def test_a_folder_of_something_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o700)
    (tmp_path / "out" / "Goal-00001.ndjson").write_text("mine")
    with running(Bulk(of("Goal"))) as bulk, pytest.raises(ExportError, match="holds other files"):
        run(bulk, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["Goal-00001.ndjson"]
    assert (tmp_path / "out" / "Goal-00001.ndjson").read_text() == "mine"


def test_a_folder_that_others_may_open_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o755)
    with running(Bulk([])) as bulk, pytest.raises(ExportError, match="chmod 700"):
        run(bulk, tmp_path / "out")


def test_one_export_at_a_time(tmp_path: Path) -> None:
    with running(Bulk(of("Goal"))) as bulk:

        def second(exchange: Exchange) -> None:
            with pytest.raises(ExportError, match="Another export is under way"):
                run(bulk, tmp_path / "out")
            bulk.rightly(exchange, "GET /fhir/job")

        bulk.steps["GET /fhir/job"] = [second]
        run(bulk, tmp_path / "out")
        assert not bulk.steps["GET /fhir/job"]
    assert len(lines(tmp_path / "out", "Goal")) == 2


def test_raw_lines_are_kept_as_they_came_where_asked_for_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir(mode=0o700)
    with running(Bulk(of("Patient", "Observation"))) as bulk:
        run(bulk, tmp_path / "out", raw=tmp_path / "raw")
        assert (tmp_path / "raw" / "Patient-00001.ndjson").read_bytes() == bulk.output[0][1]
        assert (tmp_path / "raw" / "Observation-00001.ndjson").read_bytes() == bulk.output[1][1]
    assert (tmp_path / "raw" / "Patient-00001.ndjson").stat().st_mode & 0o777 == 0o600


def test_a_disk_that_fills_up_leaves_what_was_there_and_is_gone_on_with(tmp_path: Path) -> None:
    """The limit on a file's size stands for the disk's: the system refuses to write in the same way."""
    goals = of("Patient", "Goal", count=60)
    with running(Bulk(goals)) as bulk:
        soft, hard = limits.getrlimit(limits.RLIMIT_FSIZE)
        limits.setrlimit(limits.RLIMIT_FSIZE, (20_000, hard))
        try:
            with pytest.raises(ExportError, match=r"no room left on the disk.*goes on from here"):
                run(bulk, tmp_path / "out")
        finally:
            limits.setrlimit(limits.RLIMIT_FSIZE, (soft, hard))
        assert not (tmp_path / "out" / "manifest.json").exists()
        run(bulk, tmp_path / "out")
        assert len(bulk.asked("GET /fhir/Patient/$export")) == 1
    assert (len(lines(tmp_path / "out", "Patient")), len(lines(tmp_path / "out", "Goal"))) == (60, 60)


def test_a_break_while_it_is_put_together_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is killed before each file that is moved, in turn; the next run ends with the same."""
    folder = tmp_path / "out"

    class Killed(BaseException):
        pass

    replace = os.replace
    with running(Bulk(of("Patient", "Goal", count=3))) as bulk:
        run(bulk, folder)
        bulk.output = [*of("Patient"), ("Goal", ndjson({**GOALS[0], "lifecycleStatus": "completed"}))]
        bulk.time = "2026-11-28T04:00:00Z"
        kills = 0
        for number in range(1, 9):
            moved = iter(range(1, 100))

            def killing(source: Any, target: Any, *, number: int = number, moved: Iterator[int] = moved) -> None:
                if ("/ready/" in f"{source}{target}" or "manifest" in str(target)) and next(moved) == number:
                    raise Killed
                replace(source, target)

            with monkeypatch.context() as patched:
                patched.setattr(os, "replace", killing)
                try:
                    run(bulk, folder)
                except Killed:
                    kills += 1
            run(bulk, folder)
            goals = {each["id"]: each["lifecycleStatus"] for each in lines(folder, "Goal")}
            assert goals == {KEY.id("Goal", f"g-p{n}"): "completed" if n == 1 else "active" for n in (1, 2, 3)}
            assert not (folder / ".export").exists()
    assert kills >= 4


def test_a_break_while_the_work_is_thrown_away_leaves_nothing_to_go_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed when all is moved and half of the folder of work is gone."""
    folder, rmtree = tmp_path / "out", shutil.rmtree

    class Killed(BaseException):
        pass

    def half(path: Path) -> None:
        if (path / "ready").exists():
            rmtree(path / "ready")
            raise Killed
        rmtree(path)

    with running(Bulk(of("Patient", "Goal", count=3))) as bulk:
        with monkeypatch.context() as patched:
            patched.setattr(shutil, "rmtree", half)
            with pytest.raises(Killed):
                run(bulk, folder)
        assert len(run(bulk, folder)["runs"]) == 2
    assert len(lines(folder, "Goal")) == 3
    assert not (folder / ".export").exists()


def test_one_that_came_twice_hides_none_that_is_missing(tmp_path: Path) -> None:
    """The server counts three, and so do its lines."""
    goals = {goal["id"]: goal for goal in GOALS[:3]}

    def listed(exchange: Exchange) -> None:
        entries = [{"resource": {"resourceType": "Goal", "id": own}} for own in goals]
        exchange.answer(200, {"resourceType": "Bundle", "type": "searchset", "total": 3, "entry": entries})

    with running(Bulk([("Goal", ndjson(GOALS[0], GOALS[1])), ("Goal", ndjson(GOALS[0]))])) as bulk:
        bulk.steps["GET /fhir/Goal"] = [listed, listed]
        bulk.steps["GET /fhir/Goal/g-p3"] = [lambda exchange: exchange.answer(200, goals["g-p3"])]
        manifest = run(bulk, tmp_path / "out", types=("Goal",))
    assert manifest["runs"][0]["missing"]["Goal"]["ids"] == [KEY.id("Goal", "g-p3")]
