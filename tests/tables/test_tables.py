"""Files to tables: what can't be counted is left out and told of, in the fast way and in the slow one."""

import csv
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from imr_fhir.artefacts import view_definitions
from imr_fhir.errors import TablesError, ViewError
from imr_fhir.reporting.duck import connection
from imr_fhir.reporting.lines import LeftOut
from imr_fhir.reporting.tables import write_tables
from tests.tables.made import ids, ndjson, patient, rows, view

PATIENTS = view("people", "Patient", id="id", family="name.family.first()", active="active")
GOALS = {**view("wishes", "Goal", id="id", status="lifecycleStatus"), "where": [{"path": "lifecycleStatus = 'active'"}]}

LEVEL = {"resourceType": "Goal", "target": [{"detailQuantity": {"value": 3.5}}]}
LEVEL_PATH = "target.detail.ofType(Quantity).value.first()"


def left_out(folder: Path, out: Path, definition: dict[str, Any] = PATIENTS) -> list[LeftOut]:
    (source,) = write_tables(folder, out, definitions=[definition]).sources
    assert source.lines == source.read + source.left.counts.total()
    return source.left.named


def test_a_byte_order_mark_says_nothing(tmp_path: Path) -> None:
    """On any line: files that were put together have one in the middle."""
    ndjson(tmp_path / "Patient.ndjson", patient("1"), "\ufeff" + json.dumps(patient("2")), patient("3"))
    assert left_out(tmp_path, tmp_path) == []
    assert ids(rows(tmp_path / "people.parquet")) == ["1", "2", "3"]


def test_a_sound_folder(tmp_path: Path) -> None:
    ndjson(tmp_path / "in" / "Patient-00001.ndjson", patient("1", active=True), patient("2"))
    ndjson(tmp_path / "in" / "Patient-00002.ndjson", patient("3", name=[{"family": "Å"}]))
    ndjson(tmp_path / "in" / "PatientX-1.ndjson", patient("4"))
    (tmp_path / "in" / "Patient.ndjson.gz").write_bytes(b"packed")
    made = write_tables(tmp_path / "in", tmp_path / "out", definitions=[PATIENTS])
    (table,) = made.tables
    assert (table.name, table.rows, table.files) == ("people", 3, (tmp_path / "out" / "people.parquet",))
    assert rows(*table.files) == [
        {"id": "1", "family": None, "active": True},
        {"id": "2", "family": None, "active": None},
        {"id": "3", "family": "Å", "active": None},
    ]
    (source,) = made.sources
    assert (source.lines, source.read, source.left.named) == (3, 3, [])
    assert made.unread == ("Patient.ndjson.gz", "PatientX-1.ndjson")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["people.parquet"]


@pytest.mark.parametrize(
    ("line", "reason", "detail"),
    [
        ('{"resourceType": "Patient", "id": "bad", "na', "not JSON", ""),
        ("nonsense", "not JSON", ""),
        ("null", "not JSON", "no object"),
        ("[]", "not JSON", "no object"),
        ('{"resourceType": "Patient", "id": "b"} {"resourceType": "Patient", "id": "c"}', "not JSON", ""),
        ('{"resourceType": "Patient", "id": "bad", "active": NaN}', "not JSON", ""),
        ('{"resourceType": "Patient", "id": "bad", "name": [{"family": "\\ud800"}]}', "not UTF-8", ""),
        ('{"resourceType": "Goal", "id": "bad"}', "other resource type", "Goal"),
        ('{"id": "bad"}', "other resource type", "none"),
        ('{"resourceType": "Patient"}', "no id", ""),
        ('{"resourceType": "Patient", "id": "bad", "active": true, "active": false}', "key twice", "active"),
        ('{"resourceType": "Patient", "id": "bad", "name": [{"family": "a", "family": "b"}]}', "key twice", "family"),
        ('{"resourceType": "Patient", "id": "bad", "name": {"family": "a"}}', "other shape", "name"),
        ('{"resourceType": "Patient", "id": "bad", "name": ["a"]}', "other shape", "name"),
    ],
)
@pytest.mark.parametrize("definition", [PATIENTS, {**PATIENTS, "where": [{"path": "id != 'x'"}]}], ids=["all", "where"])
def test_a_bad_line_is_left_out_and_told_of(
    line: str, reason: str, detail: str, definition: dict[str, Any], tmp_path: Path
) -> None:
    ndjson(tmp_path / "Patient.ndjson", patient("1"), line, patient("2"))
    own = next((own for own in ("bad", "b") if f'"id": "{own}"' in line), "")
    assert left_out(tmp_path, tmp_path, definition) == [LeftOut("Patient.ndjson", 2, reason, detail, own)]  # type: ignore[arg-type]
    assert ids(rows(tmp_path / "people.parquet")) == ["1", "2"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"resourceType": "Goal", "id": "bad", "name": [{"family": "G"}]}', "other resource type"),
        ('{"resourceType": "Goal", "id": "bad"}', "other resource type"),
        ('{"id": "bad"}', "other resource type"),
        ('{"resourceType": "Patient"}', "no id"),
        (json.dumps(patient("b")) + json.dumps(patient("c")), "not JSON"),
        (json.dumps(patient("1", name=[{"family": "old"}])), "older version"),
        (json.dumps(patient("2")), "older version"),
    ],
)
def test_a_line_without_a_row_counts_too(line: str, reason: str, tmp_path: Path) -> None:
    """Of a table with a row a name: patients without one have none."""
    names = {"forEach": "name", "column": [{"name": "family", "path": "family"}]}
    definition = {**PATIENTS, "select": [{"column": [{"name": "id", "path": "id"}]}, names]}
    people = [patient("1", name=[{"family": "a"}, {"family": "b"}]), patient("2"), patient("3")]
    ndjson(tmp_path / "sound" / "Patient.ndjson", *people, "", " ")
    (source,) = write_tables(tmp_path / "sound", tmp_path, definitions=[definition]).sources
    assert (source.lines, source.read) == (3, 3)
    ndjson(tmp_path / "bad" / "Patient.ndjson", line, *people)
    (out,) = left_out(tmp_path / "bad", tmp_path, definition)
    assert (out.line, out.reason) == (1, reason)
    assert [tuple(row.values()) for row in rows(tmp_path / "people.parquet")] == [("1", "a"), ("1", "b")]


def test_a_file_that_was_cut_off(tmp_path: Path) -> None:
    file = ndjson(tmp_path / "Patient.ndjson", patient("1"), patient("2", name=[{"family": "x"}]))
    file.write_bytes(file.read_bytes()[:-10])
    assert left_out(tmp_path, tmp_path) == [LeftOut("Patient.ndjson", 2, "cut off", id="2")]


def test_a_last_line_without_its_end_is_whole(tmp_path: Path) -> None:
    file = ndjson(tmp_path / "Patient.ndjson", patient("1"), "", patient("2"))
    file.write_bytes(file.read_bytes().rstrip(b"\n"))
    assert left_out(tmp_path, tmp_path) == []
    assert ids(rows(tmp_path / "people.parquet")) == ["1", "2"]


def test_the_newest_version_counts(tmp_path: Path) -> None:
    def version(id_: str, family: str, **meta: str) -> dict[str, Any]:
        return patient(id_, meta=meta, name=[{"family": family}])

    ndjson(
        tmp_path / "Patient-00001.ndjson",
        version("1", "new", lastUpdated="2026-02-01T10:00:00+02:00"),
        version("2", "old", versionId="9"),
        version("3", "old"),
        patient("4"),
    )
    ndjson(
        tmp_path / "Patient-00002.ndjson",
        version("1", "old", lastUpdated="2026-02-01T07:59:59Z"),
        version("2", "new", versionId="10"),
        version("3", "new"),
    )
    assert left_out(tmp_path, tmp_path) == [
        LeftOut("Patient-00001.ndjson", 2, "older version", id="2"),
        LeftOut("Patient-00001.ndjson", 3, "older version", id="3"),
        LeftOut("Patient-00002.ndjson", 1, "older version", id="1"),
    ]
    found = {row["id"]: row["family"] for row in rows(tmp_path / "people.parquet")}
    assert found == {"1": "new", "2": "new", "3": "new", "4": None}


def test_an_older_version_that_a_view_would_not_show_counts_against_it_too(tmp_path: Path) -> None:
    goal = {"resourceType": "Goal", "id": "1"}
    ndjson(
        tmp_path / "Goal.ndjson",
        {**goal, "lifecycleStatus": "active", "meta": {"versionId": "1"}},
        {**goal, "lifecycleStatus": "cancelled", "meta": {"versionId": "2"}},
    )
    assert [out.line for out in left_out(tmp_path, tmp_path, GOALS)] == [1]
    assert rows(tmp_path / "wishes.parquet") == []


def test_a_key_twice_that_no_table_reads_moves_nothing(tmp_path: Path) -> None:
    ndjson(tmp_path / "Patient.ndjson", '{"resourceType": "Patient", "id": "1", "gender": "male", "gender": "other"}')
    assert left_out(tmp_path, tmp_path) == []


def test_an_empty_export_gives_empty_tables(tmp_path: Path) -> None:
    made = write_tables(tmp_path, tmp_path / "out", formats=("parquet", "csv"))
    assert {table.rows for table in made.tables} == {0}
    assert len(made.tables) == len(view_definitions())
    assert (
        tmp_path / "out" / "patients.csv"
    ).read_text() == "id,version_id,last_updated,active,test,deceased,deceased_at\n"


def test_names_with_brackets(tmp_path: Path) -> None:
    folder = tmp_path / "export [1]*"
    ndjson(folder / "Patient-[1].ndjson", patient("1"))
    ndjson(folder / "Patient-1.ndjson", patient("2"))
    made = write_tables(folder, folder / "[out]?", definitions=[PATIENTS])
    assert made.sources[0].files == ("Patient-1.ndjson", "Patient-[1].ndjson")
    assert ids(rows_of(made.tables[0].files[0])) == ["1", "2"]


def rows_of(file: Path) -> list[dict[str, Any]]:
    plain = file.parent.parent.parent / "plain.parquet"
    plain.write_bytes(file.read_bytes())
    return rows(plain)


def test_cells_of_csv_are_no_formulas_and_numbers_are_short(tmp_path: Path) -> None:
    texts = ["=1+1", " +x", "-1", "@a", "\tb", "\rc", "＝d", "\u00a0=e", "f=g", "", 'a,"b"\nc', "3-4"]
    goals = [
        {
            "resourceType": "Goal",
            "id": str(n),
            "description": {"text": text},
            "target": [{"detailQuantity": {"value": 3.5}}],
        }
        for n, text in enumerate(texts)
    ]
    ndjson(tmp_path / "Goal.ndjson", *goals)
    definition = view(
        "wishes", "Goal", id="id", text="description.text", level="target.detail.ofType(Quantity).value.first()"
    )
    write_tables(tmp_path, tmp_path, definitions=[definition], formats=("csv",))
    with (tmp_path / "wishes.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["text"] for row in found] == [f"'{text}" for text in texts[:8]] + texts[8:]
    assert {row["level"] for row in found} == {"3.5"}
    assert not (tmp_path / "wishes.parquet").exists()


def test_a_persons_own_words_only_where_asked_for(tmp_path: Path) -> None:
    definition = next(each for each in view_definitions() if each["name"] == "goals")
    code = {"system": "https://w3id.org/imr-fhir/CodeSystem/imr", "code": "goal"}
    goal = {"resourceType": "Goal", "id": "1", "category": [{"coding": [code]}], "description": {"text": "my words"}}
    ndjson(tmp_path / "Goal.ndjson", goal)
    write_tables(tmp_path, tmp_path, definitions=[definition])
    assert b"my words" not in (tmp_path / "goals.parquet").read_bytes()
    assert "text" not in rows(tmp_path / "goals.parquet")[0]
    write_tables(tmp_path, tmp_path, definitions=[definition], with_free_text=True)
    assert rows(tmp_path / "goals.parquet")[0]["text"] == "my words"


def test_what_the_data_say_stands_in_no_error(tmp_path: Path) -> None:
    ndjson(tmp_path / "Patient.ndjson", patient("1", name=[{"family": "Secret"}, {"family": "Secreter"}]))
    with pytest.raises(TablesError, match=r"column family, path name\.family: has several values") as told:
        write_tables(tmp_path, tmp_path, definitions=[view("people", "Patient", family="name.family")])
    assert "Secret" not in str(told.value)
    assert told.value.__cause__ is None
    assert list(tmp_path.glob("*.parquet")) == []


def test_a_number_that_is_no_integer_is_left_out(tmp_path: Path) -> None:
    ndjson(tmp_path / "Patient.ndjson", patient("1", multipleBirthInteger=2), patient("2", multipleBirthInteger=2.5))
    definition = view("births", "Patient", id="id", birth="multipleBirth.ofType(integer)")
    assert left_out(tmp_path, tmp_path, definition) == [
        LeftOut("Patient.ndjson", 2, "other shape", "multipleBirthInteger", "2")
    ]
    assert rows(tmp_path / "births.parquet") == [{"id": "1", "birth": 2}]


def test_decimals_have_six_places(tmp_path: Path) -> None:
    numbers = ["3.60", "0.1", "123456789.12345", "1e-6", "-2.35", "0.0000015", "-2.6666665", "2.6666664999"]
    found = ["3.6", "0.1", "123456789.12345", "0.000001", "-2.35", "0.000002", "-2.666667", "2.666666"]
    lines = [json.dumps({**LEVEL, "id": f"1{n}"}).replace("3.5", text) for n, text in enumerate(numbers)]
    ndjson(tmp_path / "Goal.ndjson", *lines)
    write_tables(tmp_path, tmp_path, definitions=[view("levels", "Goal", level=LEVEL_PATH)])
    assert [row["level"] for row in rows(tmp_path / "levels.parquet")] == [Decimal(number) for number in found]


def test_an_instant_is_in_utc(tmp_path: Path) -> None:
    said = ["2026-02-01T01:00:00.123456789+02:00", "2026-02-01T01:00:00Z", "2016-12-31T23:59:60Z", "soon"]
    people = [patient(str(number), meta={"lastUpdated": text}) for number, text in enumerate(said)]
    ndjson(tmp_path / "Patient.ndjson", *people)
    write_tables(tmp_path, tmp_path, definitions=[view("people", "Patient", id="id", updated="meta.lastUpdated")])
    found = ["2026-01-31T23:00:00.123456Z", "2026-02-01T01:00:00.000000Z", *said[2:]]  # what is none stays
    assert [row["updated"] for row in rows(tmp_path / "people.parquet")] == found


@pytest.mark.parametrize("blank", ["", " ", "\t\r\n", "\u2003\u2028", "\u3000"])
def test_text_of_spaces_alone_is_none(blank: str, tmp_path: Path) -> None:
    texts = [blank, f"{blank}a{blank}", f"{blank}å", f"{blank}\u00a0", f"{blank}\u200b", f"{blank}😀"]
    ndjson(tmp_path / "Patient.ndjson", *(patient(str(n), name=[{"family": text}]) for n, text in enumerate(texts)))
    write_tables(tmp_path, tmp_path, definitions=[PATIENTS])
    assert [row["family"] for row in rows(tmp_path / "people.parquet")] == [None, *texts[1:]]


def test_views_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ViewError, match="Several views are named 'people'"):
        write_tables(tmp_path, tmp_path, definitions=[PATIENTS, PATIENTS])


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(TablesError, match="There is no folder"):
        write_tables(tmp_path / "none", tmp_path)


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TablesError, match=r"The tables can't be written to .*: File exists") as raised:
        write_tables(tmp_path, tmp_path / "file")
    assert raised.value.next_step == "Make room there, or give another folder."


def test_a_disk_that_fills_up(tmp_path: Path) -> None:
    """No file may grow past 4 kB: the error says so, and nothing half made is left."""
    ndjson(tmp_path / "Patient.ndjson", *(patient(f"{n:040}{n * 7919}") for n in range(2000)))
    script = (
        "import resource, sys; from pathlib import Path; from imr_fhir.reporting.tables import write_tables\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "write_tables(Path(sys.argv[1]), Path(sys.argv[1], 'out'))"
    )
    ran = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert "TablesError: The tables of Patient can't be made: IOException" in ran.stderr
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY (SELECT 1) TO '{outside}/x.csv'",
        "ATTACH '{outside}/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '9GB'",
        "SELECT * FROM read_text('{inside}/../secret')",
    ],
)
def test_duckdb_is_locked_down(statement: str, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret").write_text("x")
    with connection([inside]) as duck:
        duck.execute(f"COPY (SELECT 1) TO '{inside}/x.csv'")
        with pytest.raises((duckdb.PermissionException, duckdb.InvalidInputException, duckdb.IOException)):
            duck.execute(statement.format(inside=inside, outside=tmp_path))


def test_the_same_files_give_the_same_tables_fast_and_slow(tmp_path: Path) -> None:
    """One line more that is left out changes nothing of the others."""
    people = [patient(str(n), active=n % 2 == 0, name=[{"family": f"f{n}"}]) for n in range(50)]
    ndjson(tmp_path / "fast" / "Patient.ndjson", *people)
    ndjson(tmp_path / "slow" / "Patient.ndjson", *people, "{")
    for way in ("fast", "slow"):
        write_tables(tmp_path / way, tmp_path / way, definitions=[PATIENTS])
    assert rows(tmp_path / "fast" / "people.parquet") == rows(tmp_path / "slow" / "people.parquet")
