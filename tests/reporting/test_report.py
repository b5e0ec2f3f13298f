"""A report from NDJSON to the page: what it says, what it hides, what it accounts for."""

import csv
import json
import re
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from imr_fhir.cli import main
from imr_fhir.reporting.counting import Cell
from imr_fhir.reporting.disclosure import THRESHOLD
from imr_fhir.reporting.faults import SHOWN
from imr_fhir.reporting.figures import figures
from imr_fhir.reporting.making_report import Made, make
from tests.reporting.making import DAY, ZONE, exported, report_of, reported
from tests.reporting.population import EXPORTED, population, write_ndjson


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return reported(120, 7, tmp_path_factory)


@pytest.fixture(scope="module")
def export(made: Made) -> Path:
    return made.files[0].parent.parent


def test_the_page_has_each_figure_with_its_definition_and_query(made: Made) -> None:
    page = made.files[0].read_text(encoding="utf-8")
    for figure in figures():
        assert f'id="{figure.name}"' in page
        assert figure.about["en"].definition.split(".")[0] in page.replace("&#39;", "'")
    assert page.count("The query that counts it") == len(figures()) + 2  # change and agreement


def test_the_page_loads_nothing_and_runs_nothing(made: Made) -> None:
    page = made.files[0].read_text(encoding="utf-8")
    assert not any(word in page for word in ("<script", 'http-equiv="refresh"', "src=", "@import", "url("))
    assert "default-src 'none'" in page


def test_no_number_under_the_threshold_is_in_any_file(made: Made) -> None:
    with made.files[1].open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 1000
    assert all(row["n"] == "" or int(row["n"]) >= THRESHOLD for row in rows)
    assert all(row["of"] == "" or int(row["of"]) >= THRESHOLD for row in rows)
    assert all(row["share"] == "" for row in rows if row["n"] == "" or row["of"] == "")
    data = json.loads(made.files[2].read_text(encoding="utf-8"))
    assert all(line["n"] is None or line["n"] >= THRESHOLD for line in data["proportions"])
    assert all(line["n"] >= THRESHOLD for line in data["change"])


def test_what_is_shown_of_a_total_does_not_leave_one_row_open(made: Made) -> None:
    """Of rows that sum to a total that is shown, either all are shown or two or more are hidden."""
    report = made.report
    for part in report.counted.parts:
        for cell in [cell for cell in report.counted.counts if cell.quantity == part.total]:
            rows = [report.shown(cell._replace(quantity=row)) for row in part.rows]
            if report.shown(cell) is not None:
                assert rows.count(None) != 1, (part, cell)


@pytest.mark.parametrize(
    ("all_of", "some", "later"),
    [
        ("courses", "begun 6 months ago", 0),
        ("can be compared", "comparable", 0),
        ("courses", "begun, month 3", 1),
        ("begun, month 3", "begun, month 6", 1),
        ("begun, month 6", "begun, month 9", 1),
        ("begun, month 9", "begun, month 12", 1),
    ],
)
def test_no_figure_tells_what_another_hides(all_of: str, some: str, later: int, made: Made) -> None:
    """Of courses that are old enough, two figures count the same: 6 courses here and 5 that can be compared there are
    one that can't. Of the others, the difference is how many are younger."""
    report, compared = made.report, 0
    for cell, n in report.counted.counts.items():
        quarter = _quarter(cell.quarter, later) if cell.quarter != "all" else "all"
        other = Cell(some, cell.unit, quarter, "" if "month" in some and "months" not in some else cell.rater)
        if cell.quantity != all_of or other not in report.counted.counts:
            continue
        there = report.counted.counts[other]
        shown = [report.shown(cell) is not None, report.shown(other) is not None]
        assert not (all(shown) and 0 < n - there < THRESHOLD), (cell, n, there)
        if n == there and cell.quarter < "2025-Q3":
            assert shown[0] == shown[1], (cell, n)
        compared += n > 0
    assert compared


def _quarter(quarter: str, later: int) -> str:
    year, number = (int(part) for part in quarter.split("-Q"))
    return f"{year + (number - 1 + later) // 4}-Q{(number - 1 + later) % 4 + 1}"


def test_every_line_is_accounted_for(made: Made) -> None:
    assert made.reconciliation.faults == ()
    assert {step.resource: step.lines for step in made.reconciliation.steps}["Patient"] == 120


def test_the_command_hides_what_the_page_hides(tmp_path: Path) -> None:
    """Of few people: a number that is hidden is said to be so, by name, and none under the threshold is said."""
    said = CliRunner().invoke(main, command(exported(25, tmp_path, seed=1))).output
    kinds = {line.partition(":")[0]: line for line in said.splitlines() if "; not counted: " in line}
    # 26 were read; of 22 or more a figure tells, so that the others would be told.
    assert kinds["Courses"] == (
        "Courses: how many read is not told, how many counted is not told; not counted: test patient (not told)."
    )
    assert "Ratings: 282 read, 126 counted; not counted: a score whose response is read (128), an " in kinds["Ratings"]
    assert "duplicate (not told), " in kinds["Ratings"]
    numbers = [int(n.replace(",", "")) for line in kinds.values() for n in re.findall(r"\b[\d,]*\d\b", line)]
    assert min(numbers) == THRESHOLD
    assert f"Not told is a number under {THRESHOLD}, and one that would tell it." in said


def test_the_command_tells_of_older_versions(tmp_path: Path) -> None:
    exported(25, tmp_path, seed=1)
    for name, often in (("QuestionnaireResponse", 6), ("Patient", 2)):
        file = tmp_path / f"{name}-00001.ndjson"
        lines = file.read_text(encoding="utf-8").splitlines()
        file.write_text("".join(f"{line}\n" for line in (*lines, *lines[:often])), encoding="utf-8")
    said = CliRunner().invoke(main, command(tmp_path))
    newest = "of each resource its newest counts."
    assert f"QuestionnaireResponse: older versions were left out (6); {newest}" in said.output
    assert f"Patient: older versions were left out (how many is not told); {newest}" in said.output
    assert said.exit_code == 0, said.output


def test_a_line_that_is_no_json_is_told_and_the_rest_counted(export: Path, tmp_path: Path) -> None:
    for file in export.glob("*.ndjson"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with (tmp_path / "Goal-00001.ndjson").open("a", encoding="utf-8") as goals:
        goals.write('{"resourceType": "Goal", "id": "cut')
    said = CliRunner().invoke(main, command(tmp_path))
    assert said.exit_code == 3, said.output
    assert "Not accounted for: Goal: fewer than 5 lines left out, cut off: which, is in " in said.output
    assert _lost(tmp_path) == {"Goal": [""]}  # cut off in its id
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Not every number is accounted for: faults told when this page was made: 1." in page


def _lost(folder: Path) -> dict[str, list[str]]:
    """Ids in the list beside the tables, by type."""
    path = folder / "out" / "tables" / "not-accounted-for.json"
    assert path.stat().st_mode & 0o077 == 0
    return {fault["resource"]: [each["id"] for each in fault["lost"]] for fault in json.loads(path.read_text())}


@pytest.mark.parametrize("lines", [THRESHOLD - 1, THRESHOLD, THRESHOLD + 3])
def test_lines_that_made_no_row_are_named_by_id(lines: int, export: Path, tmp_path: Path) -> None:
    """Few only in the list that stays with the tables; more on the screen too, some of them; a script gets all."""
    names = [f"broken-{number}" for number in range(lines)]

    def spoil(folder: Path) -> None:
        file = folder / "Goal-00001.ndjson"
        goals = file.read_bytes().splitlines()
        broken = [f'{{"resourceType": "Goal", "id": "{name}", "id": 1}}'.encode() for name in names[1:]]
        file.write_bytes(
            b"\n".join([*goals[lines:], f'{{"resourceType":"Goal","id":"{names[0]}"'.encode(), *broken, b""])
        )

    folder = spoiled(export, tmp_path, spoil)
    said = CliRunner().invoke(main, command(folder))
    assert said.exit_code == 3, said.output
    assert sorted(name for fault in _all_lost(folder) for name in fault) == sorted(names)
    script = json.loads(CliRunner().invoke(main, command(folder, "--json")).stdout)["faults"]
    shown = [name for name in names if name in said.output]
    told = [name for fault in script for name in fault["ids"] or ()]
    assert (len(shown), len(told)) == ((0, 0) if lines - 1 < THRESHOLD else (min(lines - 1, SHOWN), lines - 1))
    assert all(fault["count"] is None or fault["count"] >= THRESHOLD for fault in script)
    assert not any(f" {number} lines" in said.output for number in range(THRESHOLD))


def _all_lost(folder: Path) -> list[list[str]]:
    faults = json.loads((folder / "out" / "tables" / "not-accounted-for.json").read_text())
    return [[each["id"] for each in fault["lost"]] for fault in faults]


@pytest.mark.parametrize("count", [THRESHOLD - 1, THRESHOLD])
def test_what_the_server_did_not_give_is_named(count: int, export: Path, tmp_path: Path) -> None:
    ids = [f"{number:032x}" for number in range(count)]
    found = {"ids": ids, "why": "", "later": 1, "ofNoPatient": 2}
    unknown = {"ids": [], "why": "the server did not tell which (403)", "later": 0, "ofNoPatient": 0}

    def spoil(folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        manifest["runs"][0]["missing"] = {"Goal": found, "Patient": unknown}
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    folder = spoiled(export, tmp_path, spoil)
    said = CliRunner().invoke(main, command(folder))
    assert said.exit_code == 3, said.output
    assert _lost(folder) == {"Goal": ids, "Patient": []}
    number = "fewer than 5" if count < THRESHOLD else str(count)
    assert f"Not accounted for: Goal: {number} that the server has did not come: " in said.output
    assert all(each in said.output for each in ids) == (count >= THRESHOLD)
    assert "Patient: the server counted more than it gave. Which is not known: the server did not tell" in said.output


def test_what_came_and_could_not_be_read_at_the_export_is_told(export: Path, tmp_path: Path) -> None:
    def spoil(folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        manifest["runs"][0]["resources"]["Goal"] = {"received": 9, "kept": 2, "leftOut": {"no-json": 6, "not-imr": 1}}
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    said = CliRunner().invoke(main, command(spoiled(export, tmp_path, spoil)))
    assert "Goal: 6 came and could not be kept, or did not come whole. Ids can't be read" in said.output
    assert said.exit_code == 3


def test_the_list_of_an_earlier_report_does_not_stay(export: Path, tmp_path: Path) -> None:
    folder = spoiled(export, tmp_path, lambda f: (f / "Goal-00002.ndjson").write_text("") and None)
    CliRunner().invoke(main, command(folder))
    assert (folder / "out" / "tables" / "not-accounted-for.json").exists()
    (folder / "Goal-00002.ndjson").unlink()
    said = CliRunner().invoke(main, command(folder))
    assert said.exit_code == 0, said.output
    assert not (folder / "out" / "tables" / "not-accounted-for.json").exists()


def command(folder: Path, *more: str) -> list[str]:
    return ["report", str(folder), str(folder / "out"), "--zone", "Europe/Oslo", "--exported", DAY.isoformat(), *more]


def test_for_a_script_a_small_number_is_hidden_too(tmp_path: Path) -> None:
    exported(3, tmp_path)
    said = json.loads(CliRunner().invoke(main, command(tmp_path, "--json")).stdout)
    numbers = [n for step in said["steps"] for n in step.values() if isinstance(n, int)]
    assert all(n == 0 or n >= THRESHOLD for n in numbers), said["steps"]
    assert {"resource": "Patient", "on_server": None, "received": None, "kept": None, "lines": None, "older": None,
            "read": None, "hidden": ["lines", "older", "read"]} in said["steps"]  # fmt: skip


def manifest_of(folder: Path, **files: int) -> None:
    said = {
        "transactionTime": EXPORTED.isoformat(), "asked": {"episode_types": []}, "runs": [{"resources": {}}],
        "files": [{"name": f"{name}-00001.ndjson", "count": count} for name, count in files.items()],
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(said), encoding="utf-8")


def spoiled(export: Path, folder: Path, spoil: Callable[[Path], None]) -> Path:
    for file in export.glob("*.ndjson"):
        (folder / file.name).write_bytes(file.read_bytes())
    counts = {f.name.partition("-")[0]: len(f.read_bytes().splitlines()) for f in export.glob("*.ndjson")}
    manifest_of(folder, **counts)
    spoil(folder)
    return folder


SPOILED: list[tuple[str, Callable[[Path], None], str]] = [
    ("nothing", lambda _: None, "Every line of the export is accounted for."),
    (
        "a file is gone",
        lambda f: (f / "Goal-00001.ndjson").unlink(),
        "manifest.json names Goal-00001.ndjson, which is not",
    ),
    (
        "a file is new",
        lambda f: (f / "Goal-00002.ndjson").write_text("", encoding="utf-8") and None,
        "Goal-00002.ndjson is in the folder, and manifest.json does not name it",
    ),
    (
        "a line is gone",
        lambda f: (
            (f / "Patient-00001.ndjson").write_bytes(
                b"\n".join((f / "Patient-00001.ndjson").read_bytes().splitlines()[1:])
            )
            and None
        ),
        "Patient: fewer than 5 lines fewer than manifest.json counts. The files were changed after the export. Which",
    ),
]


@pytest.mark.parametrize(("case", "spoil", "told"), SPOILED, ids=[case for case, _, _ in SPOILED])
def test_the_folder_against_its_manifest(
    case: str, spoil: Callable[[Path], None], told: str, export: Path, tmp_path: Path
) -> None:
    folder = spoiled(export, tmp_path, spoil)
    said = CliRunner().invoke(main, command(folder))
    assert told in said.output
    assert said.exit_code == (0 if case == "nothing" else 3)


def test_an_empty_export_makes_a_report_that_says_so(tmp_path: Path) -> None:
    made = report_of(tmp_path)
    page = made.files[0].read_text(encoding="utf-8")
    assert page.count("Not recorded in this export.") == len(figures())


def test_the_tables_of_persons_are_open_to_nobody_else(made: Made) -> None:
    assert (made.files[0].parent / "tables").stat().st_mode & 0o077 == 0


def test_folders_with_brackets_in_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "export [2026]"
    folder.mkdir()
    exported(10, folder)
    made = make(folder, folder / "out [1]", zone=ZONE, now=EXPORTED, exported=DAY)
    assert made.reconciliation.faults == ()
    assert made.report.left_out.kinds


def test_nothing_says_when_it_was_exported(tmp_path: Path) -> None:
    said = CliRunner().invoke(main, ["report", str(tmp_path), str(tmp_path / "out"), "--zone", "Europe/Oslo"])
    assert said.exit_code == 1
    assert "has no manifest.json, so nothing says when it was exported. Give the day: --exported" in said.output


def test_moved_dates_make_tables_and_no_report(export: Path, tmp_path: Path) -> None:
    folder = spoiled(export, tmp_path, lambda _: None)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["asked"]["shift_dates"] = True
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    said = CliRunner().invoke(main, command(folder))
    assert said.exit_code == 1
    assert "were moved (--shift-dates), so no quarter and no closed window can be counted" in said.output
    assert (folder / "out" / "tables" / "responses.parquet").is_file()
    assert not (folder / "out" / "report.html").exists()


def test_what_duckdb_says_of_the_data_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise duckdb.ConversionException("Could not convert string 'Kari Nordmann' to INT64")

    monkeypatch.setattr("imr_fhir.reporting.making_report.make_report", fail)
    said = CliRunner().invoke(main, command(tmp_path))
    assert said.exit_code == 1
    assert "The figures can't be counted (ConversionException)." in said.output
    assert "Kari" not in said.output


@pytest.mark.parametrize("zone", ["Oslo", "Europe", "localtime", "posix/Europe/Oslo", ""])
def test_a_zone_that_there_is_none_of(zone: str, tmp_path: Path) -> None:
    said = CliRunner().invoke(main, ["report", str(tmp_path), str(tmp_path / "out"), "--zone", zone])
    assert said.exit_code == 2
    assert f"{zone} is no time zone" in said.output


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"runs": []}, id="no run"),
        pytest.param({"transactionTime": ""}, id="no time"),
        pytest.param({"asked": {}}, id="nothing asked for"),
        pytest.param({"files": "x"}, id="no files"),
        pytest.param({"files": [{"url": "https://ehr.example/1"}]}, id="a server's own"),
    ],
)
def test_a_manifest_of_something_else(changed: dict[str, object], tmp_path: Path) -> None:
    sound = {"transactionTime": "2026-09-15T03:00:00Z", "asked": {"episode_types": []}, "files": [], "runs": [{}]}
    (tmp_path / "manifest.json").write_text(json.dumps({**sound, **changed}), encoding="utf-8")
    said = CliRunner().invoke(main, command(tmp_path))
    assert said.exit_code == 1
    assert "manifest.json is no manifest of an export. Export again." in said.output


def test_where_no_report_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    given = ["report", str(tmp_path), str(tmp_path / "file" / "out"), "--zone", "Europe/Oslo", "--exported", str(DAY)]
    said = CliRunner().invoke(main, given)
    assert said.exit_code == 1
    assert "file/out: Not a directory. Make room there, or give another folder." in said.output


def test_where_the_page_can_t_be_written_though_the_tables_can(tmp_path: Path) -> None:
    (tmp_path / "out" / "report.html").mkdir(parents=True)
    said = CliRunner().invoke(main, command(tmp_path))
    assert said.exit_code == 1
    assert f"report can't be written to {tmp_path / 'out'}: Is a directory. Make room there," in said.output


def test_the_hospital_s_own_table_of_courses(tmp_path: Path) -> None:
    """Where the record has no EpisodeOfCare; its reasons tell who left. A test patient's row counts nowhere."""
    everything = [each for each in population(40) if each["resourceType"] != "EpisodeOfCare"]
    write_ndjson(everything, tmp_path)
    patients = [each for each in everything if each["resourceType"] == "Patient"][:12]
    real = [each for each in patients if "security" not in each["meta"]]
    rows = [f"{each['id']},North,,2025-01-07,2025-05-20,tired" for each in patients]
    head = "patient,unit,offered,start,end,reason"
    (tmp_path / "courses.csv").write_text("\n".join([head, *rows]), encoding="utf-8")
    made = make(tmp_path, tmp_path / "out", zone=ZONE, now=datetime.now(ZONE), exported=date(2026, 9, 15))
    left = [cell for cell in made.report.counted.counts if cell.quantity == "month 6: left" and cell.unit == "North"]
    assert sum(made.report.counted.counts[cell] for cell in left if cell.quarter == "all") == len(real) < 12


def test_a_unit_called_all_is_one_of_the_units_and_a_row_that_stands_twice_one_course(tmp_path: Path) -> None:
    everything = [each for each in population(40) if each["resourceType"] != "EpisodeOfCare"]
    write_ndjson(everything, tmp_path)
    patients = [each["id"] for each in everything if each["resourceType"] == "Patient"]
    rows = [f"{own},{'all' if place % 2 else 'South'},,2025-01-07,," for place, own in enumerate(patients)]
    head = "patient,unit,offered,start,end,reason"
    (tmp_path / "courses.csv").write_text("\n".join([head, *rows]), encoding="utf-8")
    counts = report_of(tmp_path).report.counted.counts
    due = {unit: counts[Cell("due", unit, "all", "client")] for unit in ("all", "“all”", "South")}
    assert due["all"] == due["“all”"] + due["South"]
    assert due["“all”"] > 50
    (tmp_path / "courses.csv").write_text("\n".join([head, *rows, *rows]), encoding="utf-8")
    assert report_of(tmp_path).report.counted.counts == counts


def test_rows_of_the_table_of_courses_that_say_no_course_are_told(tmp_path: Path) -> None:
    """By their rows, where there are few of them beside the tables alone; never what stands in them."""
    rows = ["patient,unit,offered,start,end,reason", "person-00001,North,,2025-01-07,,", "Ola N.,North,,2025-01-07,,"]
    path = exported(25, tmp_path) / "courses.csv"
    path.write_text("\n".join([*rows, "person-00002,North,,07.01.2025,,"]), encoding="utf-8")
    said = CliRunner().invoke(main, command(tmp_path))
    assert said.exit_code == 3, said.output
    assert (
        "The hospital's table of courses: fewer than 5 rows left out, which say no course: which, is in " in said.output
    )
    (fault,) = json.loads((tmp_path / "out" / "tables" / "not-accounted-for.json").read_text())
    assert [(each["file"], each["line"]) for each in fault["lost"]] == [("courses.csv", 3), ("courses.csv", 4)]
    assert "Ola N." not in said.output + json.dumps(fault)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (None, "manifest.json names courses.csv, which is not in the folder"),
        (6, "The hospital's table of courses: 14 rows fewer than manifest.json counts"),
        (20, "Every line of the export is accounted for."),
    ],
)
def test_the_table_of_courses_against_the_manifest(rows: int | None, told: str, export: Path, tmp_path: Path) -> None:
    """Without it the figures would be of the gaps between ratings, and nothing would say so."""

    def spoil(folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        manifest["courses"] = {"count": 20, "leftOut": {"unreadable": 1, "not-in-export": 40}, "faults": []}
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        if rows is not None:
            lines = [f"person-{n:05d},North,,2025-01-07,," for n in range(rows)]
            text = "\n".join(["patient,unit,offered,start,end,reason", *lines])
            (folder / "courses.csv").write_text(text, encoding="utf-8")

    folder = spoiled(export, tmp_path, spoil)
    said = CliRunner().invoke(main, command(folder))
    assert told in said.output
    steps = json.loads(CliRunner().invoke(main, command(folder, "--json")).stdout)["steps"]
    step = {name: n for name, n in steps[-1].items() if name not in ("on_server", "older", "hidden")}
    wanted = {"resource": "courses.csv", "received": 61, "kept": 20, "lines": rows or 0, "read": rows or 0}
    assert step == wanted


@pytest.mark.parametrize("people", [1, 2, 3, 5, 8, 13])
def test_a_small_place_has_a_report_too(people: int, tmp_path: Path) -> None:
    made = report_of(exported(people, tmp_path, seed=people))
    assert made.reconciliation.faults == ()
