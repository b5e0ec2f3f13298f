"""Spark and this machine make the same tables of the same export, row by row, and leave out the same lines."""

import gc
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from click.testing import CliRunner

from imr_fhir.artefacts import CODES, FIRST_COMPLETED, SHOWN_LANGUAGE
from imr_fhir.commands.report import report
from imr_fhir.errors import TablesError
from imr_fhir.reporting.export.ledger import private_folder
from imr_fhir.reporting.making_report import DATA, make
from imr_fhir.reporting.spark.jars import JAR, pathling_jar
from imr_fhir.reporting.spark.tables import write_tables_on_spark
from imr_fhir.reporting.tables import Written, write_tables
from imr_fhir.scale import scale
from tests import parts
from tests.reporting.population import EXPORTED, population, write_ndjson
from tests.tables.made import Json
from tests.tables.test_what_is_filed import resources

INSTANTS = (
    "2026-02-01T01:00:00Z", "2026-02-01T01:00:00.1+02:00", "2026-02-01T01:00:00.123456789+05:30",
    "2026-12-31T23:59:59.999999999Z", "2016-12-31T23:59:59.000-12:00", "1900-01-01T00:00:00.5+14:00",
)  # fmt: skip


def odd_resources() -> Iterator[Json]:
    """What other software may write, each of it FHIR."""
    response = {"resourceType": "QuestionnaireResponse", "status": "completed"}
    form, answers = scale("client"), f"{CODES}-client"
    coding = {"valueCoding": {"system": answers, "code": "01-3", "display": "Æ ✓ \u2028"}}
    yield {**response, "id": "bare"}
    yield {
        **response,
        "id": "full",
        "meta": {"versionId": "7", "lastUpdated": "2026-02-01T01:00:00.120+02:00"},
        "extension": [
            {"url": "http://other", "valueString": "x"},
            {"url": SHOWN_LANGUAGE, "valueCode": "nb"},
            {"url": FIRST_COMPLETED, "valueDateTime": "2025-02-01T10:00:00.5+01:00"},
            {"url": FIRST_COMPLETED, "valueDateTime": "2025-03"},
        ],
        "questionnaire": form.canonical,
        "identifier": {"value": "urn:uuid:1"},
        "authored": "2025-02",
        "item": [
            {"linkId": "comment", "answer": [{"valueString": 'Å, "sitat", 𝒳 \n ny linje'}]},
            {"linkId": "01", "answer": [coding]},
            {
                "linkId": "imr",
                "item": [
                    {"linkId": "01", "answer": [coding, {"valueCoding": {"code": "01-4"}}]},
                    {"linkId": "02"},
                    {"linkId": "03", "answer": [{"valueString": "three"}]},
                    {"linkId": "04", "answer": [{"valueInteger": 4}]},
                    {"linkId": "05", "answer": [{"valueCoding": {"display": "no code"}}]},
                    {"linkId": "06", "answer": [coding], "extension": [{"url": "http://o", "valueCode": "y"}]},
                ],
            },
            {"linkId": "imr", "item": [{"linkId": "07", "answer": [coding]}]},
            {"linkId": "other"},
        ],
    }
    for number, text in enumerate(("", " ", "\t\n", "\u2003\u2028", "\u00a0", "\u200b", " \n Æ  b \t\r\n")):
        comment = {"linkId": "comment", "answer": [{"valueString": text}]}
        said = {"language": text.strip(), "identifier": {"value": text}, "subject": {"reference": text}}
        yield {**response, **said, "id": f"blank-{number}", "item": [comment]}
    score = {"resourceType": "Observation", "status": "final"}
    of_other, of_ours = (
        {"system": "http://loinc.org", "code": "score-client"},
        {"system": CODES, "code": "score-client"},
    )
    for number, value in enumerate((2.6, 2.60, 3, 1e1, 0.000001, 123456.25, 8 / 3, 0.0000015, -2.6666665, 1e17 / 3)):
        yield {
            **score, "id": f"decimal-{number}", "code": {"coding": [of_other, of_ours, {"code": "score-clinician"}]},
            "valueQuantity": {"value": value}, "effectiveDateTime": "2025-02-01T10:00:00Z",
            "issued": "2025-02-01T10:00:00.123456Z", "note": [{"text": "one"}, {"text": "two"}],
        }  # fmt: skip
    for number, when in enumerate(INSTANTS):
        meta = {"versionId": "1", "lastUpdated": when}
        yield {**score, "id": f"instant-{number}", "meta": meta, "code": {"coding": [of_ours]}, "issued": when}
    yield {**score, "id": "period", "code": {"coding": [of_ours]}, "effectivePeriod": {"start": "2025"}}
    yield {**score, "id": "not-ours", "code": {"coding": [of_other], "text": "score-client"}}
    yield {
        **score, "id": "parts", "code": {"coding": [of_ours, of_ours]}, "valueString": "2.6",
        "component": [
            {"code": {"coding": [of_other]}, "valueInteger": 3},
            {"code": {"coding": [of_other, {"system": CODES, "code": "sum"}]}, "valueInteger": 33},
            {"code": {"coding": [{"system": CODES, "code": "rated"}]}, "valueQuantity": {"value": 2}},
            {"code": {"coding": [{"system": answers, "code": "04"}]}, "dataAbsentReason": {"text": "none"}},
        ],
    }  # fmt: skip


def write(folder: Path) -> None:
    """An export in which the goals' files have faults, and the others none."""
    folder.mkdir()
    every: list[Any] = [*population(12), *resources(), *odd_resources()]
    write_ndjson(every, folder)
    goal = next(each for each in every if each["resourceType"] == "Goal")
    newer = {**goal, "meta": {"versionId": "2", "lastUpdated": "2026-09-02T08:00:00Z"}, "lifecycleStatus": "on-hold"}
    bad = [
        '{"resourceType": "Goal", "id": "a",',
        '{"resourceType": "Patient", "id": "a"}',
        '{"resourceType": "Goal"}',
        '{"resourceType": "Goal", "id": "a", "target": 1}',
        json.dumps(newer),
        '\ufeff{"resourceType": "Goal", "id": "marked"}',
        '{"resourceType": "Goal", "id"',
    ]
    (folder / "Goal-[2].ndjson").write_text("\n\n".join(bad), encoding="utf-8")


pytestmark = pytest.mark.filterwarnings(  # py4j leaves its sockets to the garbage collector
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Written, Written]:
    parts.need(parts.SPARK)
    folder = tmp_path_factory.mktemp("spark")
    write(folder / "export")
    export, here, there = folder / "export", folder / "here" / "tables", folder / "there" / "tables"
    private_folder(here)
    private_folder(there)
    ours = write_tables(export, here, with_free_text=True)
    theirs = write_tables_on_spark(export, there, master="local[2]", with_free_text=True)
    gc.collect()
    return ours, theirs


def test_the_same_report(made: tuple[Written, Written], tmp_path: Path) -> None:
    figures = []
    for written in made:
        out = written.tables[0].files[0].parents[1]
        make(
            tmp_path, out, zone=ZoneInfo("Europe/Oslo"), now=EXPORTED, exported=EXPORTED.date(),
            write=lambda _, __, written=written: written,
        )  # fmt: skip
        figures.append(json.loads((out / DATA).read_text(encoding="utf-8")))
    assert figures[0] == figures[1]


def test_the_same_lines_are_left_out(made: tuple[Written, Written]) -> None:
    here, there = made
    assert there.sources == here.sources
    assert {source.resource for source in here.sources if source.left.counts} == {"Goal"}


def test_the_same_rows(made: tuple[Written, Written]) -> None:
    same_rows(*made)


def same_rows(here: Written, there: Written) -> None:
    assert [replace(table, files=()) for table in there.tables] == [replace(table, files=()) for table in here.tables]
    assert all(table.rows for table in here.tables), "each table has rows to compare"
    for ours, theirs in zip(here.tables, there.tables, strict=True):
        one, other = (duckdb.read_parquet(str(*table.files)) for table in (ours, theirs))
        assert one.types == other.types, ours.name
        assert one.columns == other.columns
        assert one.except_(other).fetchall() == other.except_(one).fetchall() == [], ours.name


def test_another_jar_is_not_run(tmp_path: Path) -> None:
    with pytest.raises(TablesError, match=r"There is no library-runtime"):
        pathling_jar(tmp_path, print)
    (tmp_path / JAR).write_bytes(b"other")
    with pytest.raises(TablesError, match="is not the library-runtime"):
        pathling_jar(tmp_path, print)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--engine", "spark"], "--engine spark needs --master"),
        (["--master", "yarn"], "go with --engine spark"),
        (["--engine", "spark", "--master", "yarn", "--spark-conf", "x"], "x has no value"),
    ],
)
def test_options_that_do_not_fit(options: list[str], said: str, tmp_path: Path) -> None:
    ran = CliRunner().invoke(report, [str(tmp_path), str(tmp_path / "out"), "--zone", "Europe/Oslo", *options])
    assert (ran.exit_code, said in ran.output) == (2, True), ran.output
