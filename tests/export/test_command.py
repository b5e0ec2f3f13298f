"""`imr-fhir export` as its user has it: what it says, how it ends, and that nothing of a person is in what it wrote."""

import json
import logging
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from imr_fhir.cli import main
from imr_fhir.commands.exits import Exit
from tests.export.bulk_server import Bulk, ndjson, running
from tests.export.canary import MARKS
from tests.export.hospital import patients
from tests.wire_server import Exchange

KINDS = ("Patient", "EpisodeOfCare", "Encounter", "QuestionnaireResponse", "Observation", "Goal", "Provenance",
         "AuditEvent")  # fmt: skip


def all_of(count: int) -> list[tuple[str, bytes]]:
    return [(kind, ndjson(*(each for each in patients(count) if each["resourceType"] == kind))) for kind in KINDS]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """These servers are ready when they are asked."""
    monkeypatch.setattr("imr_fhir.reporting.export.bulk.FIRST_WAIT", 0)


def imr_fhir(bulk: Bulk, tmp_path: Path, *words: str) -> Result:
    given = [f"{bulk.server.origin}/fhir", str(tmp_path / "out"), *words]
    if "--keep-ids" not in words and "--pseudonym-key" not in words:
        given += ["--pseudonym-key", str(tmp_path / "hospital" / "pseudonyms.key")]
    return CliRunner().invoke(main, ["export", *given])


def test_it_says_what_is_there_and_what_was_left_out(tmp_path: Path) -> None:
    with running(Bulk(all_of(2))) as bulk:
        done = imr_fhir(bulk, tmp_path)
        again = imr_fhir(bulk, tmp_path)
    assert done.exit_code == Exit.DONE, done.output
    assert "Observation                   4   2 left out: no IMR\n" in done.stdout
    assert f"{tmp_path}/out/manifest.json: as of 2026-11-27T04:00:00.000Z" in done.stdout
    assert "A new key of pseudonyms is in" in done.stderr
    assert again.exit_code == Exit.DONE
    assert "Goal                          2   2 new\n" in again.stdout
    assert again.stderr == ""


def test_for_a_script_it_is_one_json_value(tmp_path: Path) -> None:
    with running(Bulk(all_of(1))) as bulk:
        done = imr_fhir(bulk, tmp_path, "--json")
    assert json.loads(done.stdout) == json.loads((tmp_path / "out" / "manifest.json").read_text())


def test_nothing_of_a_person_is_in_what_it_wrote_said_or_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Through a break in the middle too; the same with dates moved."""

    def half(exchange: Exchange) -> None:
        data = bulk.file(exchange.request)
        exchange.sock.sendall(
            f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data[: len(data) // 2]
        )
        exchange.close = True

    with caplog.at_level(logging.DEBUG), running(Bulk(all_of(3))) as bulk:
        bulk.steps["GET /file/output/3"] = [half, lambda exchange: exchange.answer(400, patients(1)[0])]
        broken = imr_fhir(bulk, tmp_path)
        assert broken.exit_code == Exit.FAILED, broken.output
        _require_clean(tmp_path)
        done = imr_fhir(bulk, tmp_path)
        moved = imr_fhir(bulk, tmp_path, "--shift-dates", "--anew")
    assert (done.exit_code, moved.exit_code) == (Exit.DONE, Exit.DONE), done.output + moved.output
    _require_clean(tmp_path)
    for said in (broken.output, done.output, moved.output, caplog.text):
        assert not any(mark in said for mark in (*MARKS, "anary"))


def _require_clean(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 2
    for path in files:
        data = path.read_text()
        assert not any(mark in data for mark in (*MARKS, "anary", "Patient/p1")), path


def test_words_leave_where_asked_for(tmp_path: Path) -> None:
    with running(Bulk(all_of(1))) as bulk:
        imr_fhir(bulk, tmp_path, "--with-free-text", "--keep-ids")
    written = "".join(path.read_text() for path in (tmp_path / "out").iterdir())
    assert written.count(MARKS[4]) == 4  # comment, note of the score, goal, reason
    assert "Patient/p1" in written
    assert MARKS[0] not in written


def test_what_is_not_whole_ends_otherwise(tmp_path: Path) -> None:
    with running(Bulk([("Goal", b"<html>\n")])) as bulk:
        done = imr_fhir(bulk, tmp_path)
    assert done.exit_code == Exit.PARTLY
    assert "Goal                          0   1 left out: not readable !" in done.stdout
    assert "Goal-00001.ndjson, resource 1: This is not JSON that we read" in done.stdout


def test_code_systems_that_stay_behind_are_named_but_not_in_the_folder(tmp_path: Path) -> None:
    [goal] = [each for each in patients(1) if each["resourceType"] == "Goal"]
    goal["category"].append({"coding": [{"system": "urn:oid:1.2.3.4", "code": "17"}]})
    with running(Bulk([("Goal", ndjson(goal))])) as bulk:
        done = imr_fhir(bulk, tmp_path)
        assert "1 codes of urn:oid:1.2.3.4 stayed behind. If they are no person's words, --code-system" in done.stderr
        assert "1.2.3.4" not in "".join(path.read_text() for path in (tmp_path / "out").iterdir())
        allowed = imr_fhir(bulk, tmp_path, "--code-system", "urn:oid:1.2.3.4", "--anew")
    assert "stayed behind" not in allowed.stderr
    assert '"code":"17"' in (tmp_path / "out" / "Goal-00001.ndjson").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--keep-ids", "--shift-dates"], "--shift-dates needs the key"),
        (["--group", "1", "--system"], "--group and --system"),
        (["--since", "yesterday"], "'yesterday' is not a time"),
        (["--type", "Condition"], "'Condition' is not one of"),
    ],
)
def test_a_wrong_command_line(tmp_path: Path, words: list[str], said: str) -> None:
    with running(Bulk([])) as bulk:
        done = imr_fhir(bulk, tmp_path, *words)
        assert not bulk.server.requests
    assert done.exit_code == Exit.USAGE
    assert said in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--pseudonym-key", "{out}/keys/pseudonyms.key"], "may leave the hospital. Name another place with --pseudo"),
        (["--keep-raw", "{out}/raw"], "may leave the hospital. Name another place with --keep-raw"),
        (["--pseudonym-key", "{folder}/open.key"], "Run: chmod 600"),
        (["--pseudonym-key", "{folder}/broken.key"], "does not hold a key"),
        (["--group", "a/b"], "is no id of a Group"),
    ],
)
def test_a_key_or_folder_that_would_give_it_away_is_refused(tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "open.key").write_text("a" * 44)
    (tmp_path / "open.key").chmod(0o644)
    (tmp_path / "broken.key").write_text("no key")
    (tmp_path / "broken.key").chmod(0o600)
    with running(Bulk([])) as bulk:
        done = imr_fhir(bulk, tmp_path, *(word.format(out=tmp_path / "out", folder=tmp_path) for word in words))
        assert not bulk.asked("GET /fhir/Patient")
    assert done.exit_code == Exit.FAILED
    assert said in done.stderr


def test_the_key_is_the_hospital_s_alone_and_the_same_names_come_of_it(tmp_path: Path) -> None:
    key = tmp_path / "hospital" / "pseudonyms.key"
    with running(Bulk(all_of(1))) as bulk:
        imr_fhir(bulk, tmp_path)
        first = (tmp_path / "out" / "Goal-00001.ndjson").read_text()
        assert key.stat().st_mode & 0o777 == 0o600
        imr_fhir(bulk, tmp_path, "--anew")
        assert (tmp_path / "out" / "Goal-00001.ndjson").read_text() == first
        key.unlink()
        other = imr_fhir(bulk, tmp_path)
        assert "asked for otherwise (pseudonyms)" in other.stderr
        imr_fhir(bulk, tmp_path, "--anew")
    assert (tmp_path / "out" / "Goal-00001.ndjson").read_text() != first


COURSES = """patient;unit;offered;start;end;reason
p1;Nordlys DPS;2026-01-05;2026-02-02;2026-11-02;completed
Patient/p2;Nordlys DPS;;2026-03-02;2026-05-04;Ville ikke mer
p9;Nordlys DPS;;2026-03-02;;
p1;Sør;2026-01-05;;;
p2;=1+1;;2026-13-02;;
p2;Sør;;2026-05-04;2026-03-02;
Kari Canarynordmann;Sør;;2026-03-02;;
p2;Sør;;0001-01-01;;
"""


def test_the_hospital_s_own_courses_leave_like_the_rest(tmp_path: Path) -> None:
    (tmp_path / "courses.csv").write_text(COURSES, encoding="utf-8-sig")
    with running(Bulk(all_of(2))) as bulk:
        done = imr_fhir(bulk, tmp_path, "--courses", str(tmp_path / "courses.csv"))
    assert done.exit_code == Exit.PARTLY, done.output
    assert (
        "Courses (table)               3   left out: 4 rows not readable, 1 of patients not in the export"
        in done.stdout
    )
    for row in (6, 9):  # 0001-01-01 is what some software writes where there is no day
        assert f"The table of courses, row {row}: its start is no date of the form 2025-02-03." in done.stdout
    text = (tmp_path / "out" / "courses.csv").read_text()
    header, *rows = text.splitlines()
    assert header == "patient,unit,offered,start,end,reason"
    assert sorted(row.split(",", 2)[2] for row in rows) == [
        ",2026-03-02,2026-05-04,left", "2026-01-05,,,", "2026-01-05,2026-02-02,2026-11-02,completed",
    ]  # fmt: skip
    patients_there = (tmp_path / "out" / "Patient-00001.ndjson").read_text()
    assert all(row.split(",")[0] in patients_there for row in rows)
    assert "Nordlys" not in text
    assert "anary" not in done.output


def test_a_table_of_courses_with_ids_goes_with_the_export_that_it_was_of(tmp_path: Path) -> None:
    (tmp_path / "courses.csv").write_text("patient,unit,offered,start,end,reason\np1,Nordlys DPS,,2026-03-02,,\n")
    with running(Bulk(all_of(1))) as bulk:
        imr_fhir(bulk, tmp_path, "--courses", str(tmp_path / "courses.csv"), "--keep-ids", "--with-unit-names")
        assert "\np1,Nordlys DPS," in (tmp_path / "out" / "courses.csv").read_text()
        done = imr_fhir(bulk, tmp_path, "--anew")
    assert done.exit_code == Exit.DONE, done.output
    assert not (tmp_path / "out" / "courses.csv").exists()


def test_raw_files_of_an_earlier_run_are_not_written_over(tmp_path: Path) -> None:
    with running(Bulk(all_of(2))) as bulk:
        imr_fhir(bulk, tmp_path, "--keep-raw", str(tmp_path / "raw"))
        before = {path.name: path.read_bytes() for path in (tmp_path / "raw").iterdir()}
        bulk.output = all_of(1)
        again = imr_fhir(bulk, tmp_path, "--keep-raw", str(tmp_path / "raw"))
        assert again.exit_code == Exit.FAILED
        assert "raw holds files already, which would be written over. Name a new folder" in again.stderr
        assert {path.name: path.read_bytes() for path in (tmp_path / "raw").iterdir()} == before
        other = imr_fhir(bulk, tmp_path, "--keep-raw", str(tmp_path / "later"))
    assert other.exit_code == Exit.DONE, other.output


def test_what_goes_on_keeps_its_raw_files_where_it_began(tmp_path: Path) -> None:
    with running(Bulk(all_of(1))) as bulk:
        bulk.steps["GET /file/output/3"] = [lambda exchange: exchange.answer(400, b"")]
        assert imr_fhir(bulk, tmp_path, "--keep-raw", str(tmp_path / "raw")).exit_code == Exit.FAILED
        none = imr_fhir(bulk, tmp_path)
        assert f"keeps raw files in {tmp_path / 'raw'}. Go on with --keep-raw {tmp_path / 'raw'}, or" in none.stderr
        done = imr_fhir(bulk, tmp_path, "--keep-raw", str(tmp_path / "raw"))
    assert done.exit_code == Exit.DONE, done.output
    raw = {path.name: path.read_bytes() for path in (tmp_path / "raw").iterdir()}
    assert {f"{kind}-00001.ndjson": data for kind, data in all_of(1)}.items() <= raw.items()


def test_moved_dates_are_not_told_by_what_is_new(tmp_path: Path) -> None:
    """What is new since yesterday has yesterday's date: where it says another one, the difference is the secret."""
    output = [
        (kind, data.replace(b'"meta": {', b'"meta": {"lastUpdated": "2026-11-26T02:00:00Z", '))
        for kind, data in all_of(1)
    ]
    with running(Bulk(output)) as bulk:
        assert imr_fhir(bulk, tmp_path, "--shift-dates").exit_code == Exit.DONE
        again = imr_fhir(bulk, tmp_path, "--shift-dates")
        assert again.exit_code == Exit.FAILED
        assert "would tell by how much its dates were moved. Where dates are moved everything is" in again.stderr
        assert imr_fhir(bulk, tmp_path, "--shift-dates", "--anew").exit_code == Exit.DONE
    written = "".join(path.read_text() for path in (tmp_path / "out").glob("*.ndjson"))
    assert "lastUpdated" not in written
    assert '"authored"' in written


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who owns it reads it, though it is 0700."""
    (tmp_path / "out").mkdir(mode=0o700)
    own = os.geteuid()
    monkeypatch.setattr("imr_fhir.reporting.export.ledger.os.geteuid", lambda: own + 1)
    with running(Bulk(all_of(1))) as bulk:
        done = imr_fhir(bulk, tmp_path)
    assert "out belongs to another user of this machine. Name a new folder." in done.stderr
    assert not list((tmp_path / "out").iterdir())


def test_units_by_name_are_no_formulas(tmp_path: Path) -> None:
    (tmp_path / "courses.csv").write_text("patient,unit,offered,start,end,reason\np1,=1+1,,2026-03-02,,\n")
    with running(Bulk(all_of(1))) as bulk:
        imr_fhir(bulk, tmp_path, "--courses", str(tmp_path / "courses.csv"), "--with-unit-names")
    assert ",'=1+1," in (tmp_path / "out" / "courses.csv").read_text()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"patient,unit,start\n", "has no column offered, end, reason"),
        (b"", "has no column patient"),
        ("patient,unit\nå".encode("latin-1"), "is not UTF-8"),
        (b"patient,unit,offered,start,end,reason\np1," + b"x" * 200_000 + b",,2025-01-01,,\n", "is no CSV from line"),
    ],
)
def test_a_table_that_is_none_is_told_before_the_server_is_asked(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "courses.csv").write_bytes(data)
    with running(Bulk([])) as bulk:
        done = imr_fhir(bulk, tmp_path, "--courses", str(tmp_path / "courses.csv"))
        assert not bulk.server.requests
    assert (done.exit_code, said in done.stderr) == (Exit.FAILED, True), done.stderr


def test_how_the_hospital_names_its_table_does_not_leave(tmp_path: Path) -> None:
    table = tmp_path / "kari-nordmann.csv"
    table.write_text("patient,unit,offered,start,end,reason\np1,,,x,,\n")
    with running(Bulk(all_of(1))) as bulk:
        imr_fhir(bulk, tmp_path, "--courses", str(table))
    said = (tmp_path / "out" / "manifest.json").read_text()
    assert "The table of courses, row 2" in said
    assert "kari" not in said


def test_what_another_version_wrote_is_begun_anew_as_it_says(tmp_path: Path) -> None:
    with running(Bulk(all_of(1))) as bulk:
        imr_fhir(bulk, tmp_path)
        (tmp_path / "out" / "manifest.json").write_text("{}")
        refused = imr_fhir(bulk, tmp_path)
        assert (refused.exit_code, "Begin anew with --anew" in refused.stderr) == (Exit.FAILED, True)
        assert imr_fhir(bulk, tmp_path, "--anew").exit_code == Exit.DONE


def test_moved_dates_move_the_courses_too(tmp_path: Path) -> None:
    (tmp_path / "courses.csv").write_text("patient,unit,offered,start,end,reason\np1,a,,2026-08-03,,\n")
    with running(Bulk(all_of(1))) as bulk:
        imr_fhir(bulk, tmp_path, "--courses", str(tmp_path / "courses.csv"), "--shift-dates")
    start = (tmp_path / "out" / "courses.csv").read_text().splitlines()[1].split(",")[3]
    assert start < "2026-08-03"
    assert f'"start":"{start}"' in (tmp_path / "out" / "EpisodeOfCare-00001.ndjson").read_text()
