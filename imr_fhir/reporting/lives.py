"""The patients of an export, one after another, from its tables: what a query can sort out is sorted out in `sql/`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, tzinfo
from importlib.resources import files
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

from imr_fhir.artefacts import BASE, VERSION
from imr_fhir.course import EPISODE_STATUS, Course, CourseRow, Span, row_course
from imr_fhir.due import DueOutcome
from imr_fhir.reporting.life import Life, RecoveryGoal, Review
from imr_fhir.response import Response
from imr_fhir.scale import ITEM_COUNT, RATERS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_QUERIES = {
    "rating": """SELECT patient, id, kept, rater, status, epoch(measured), rated_by, language, answers
                 FROM rating WHERE left_out = '' ORDER BY patient, measured, id""",
    "episode": """SELECT patient, start, "end", status, unit, offered, holds
                  FROM episode WHERE left_out = '' ORDER BY patient, start, id""",
    "row": """SELECT patient, unit, offered, start, "end", reason
              FROM table_row WHERE left_out = '' ORDER BY patient, start, "end", unit""",
    "outcome": "SELECT patient, outcome, day FROM outcome WHERE left_out = '' ORDER BY patient, day, moment, id",
    "seen": "SELECT patient, rating FROM seen WHERE patient IS NOT NULL ORDER BY patient, rating",
    "wish": """SELECT patient, id, start, lifecycle, achievement, status_date, theirs
               FROM wish WHERE left_out = '' ORDER BY patient, start, id""",
    "review": """SELECT patient, goal, day, result, "by", of_step
                 FROM review WHERE left_out = '' ORDER BY patient, day, id""",
    "patient": "SELECT id, died FROM patient WHERE NOT test AND id NOT IN (SELECT id FROM merged) ORDER BY id",
}
_ROW = {
    "patient": "VARCHAR", "unit": "VARCHAR", "offered": "DATE", "start": "DATE", "end": "DATE", "reason": "VARCHAR",
}  # fmt: skip
_AT_ONCE = 10_000


def prepare(
    connection: "DuckDBPyConnection",
    *,
    zone: str,
    exported: date,
    course_types: Iterable[str] = (),
    table: Sequence[CourseRow] = (),
) -> None:
    """Sort out the tables of ``connection`` (docs/tables.md): what stands, and why the rest is left out.

    ``zone``: the site's ("Europe/Oslo"), which decides on which day a rating was. ``exported``: the day of the export
    there. ``course_types``: "system|code" of the episodes that are IMR; none: each of them is. ``table``: the
    hospital's own rows of courses.
    """
    said = {"zone": zone, "exported": exported, "base": BASE, "version": VERSION, "course_types": list(course_types)}
    for name, value in said.items():
        connection.execute(f"SET VARIABLE {name} = ?", [value])
    columns = {name: [getattr(row, name) for row in table] for name in _ROW}
    unnested = ", ".join(f'unnest(${name}::{kind}[]) AS "{name}"' for name, kind in _ROW.items())
    connection.execute(f"CREATE OR REPLACE TABLE given_row AS SELECT {unnested}", columns)
    for name in ("ratings", "lives"):
        connection.execute((files("imr_fhir.reporting") / "sql" / f"{name}.sql").read_text(encoding="utf-8"))


def lives(connection: "DuckDBPyConnection", zone: tzinfo) -> Iterator[Life]:
    """Each patient of whom anything stands, by id; after `prepare`."""
    streams = {name: _Stream(connection, query) for name, query in _QUERIES.items()}
    while (patient := min((s.next for s in streams.values() if s.next is not None), default=None)) is not None:
        rows = {name: stream.take(patient) for name, stream in streams.items()}
        yield _life(patient, rows, zone)


class _Stream:
    """The rows of a query by their first column, in order, a patient at a time."""

    def __init__(self, connection: "DuckDBPyConnection", query: str) -> None:
        self._groups = groupby(_rows(connection.cursor().execute(query)), key=itemgetter(0))
        self.next: str | None = None
        self._group: Iterator[tuple[Any, ...]] = iter(())
        self._advance()

    def take(self, patient: str) -> list[tuple[Any, ...]]:
        if self.next != patient:
            return []
        taken = list(self._group)
        self._advance()
        return taken

    def _advance(self) -> None:
        self.next, self._group = next(self._groups, (None, iter(())))


def _rows(result: "DuckDBPyConnection") -> Iterator[tuple[Any, ...]]:
    while rows := result.fetchmany(_AT_ONCE):
        yield from rows


def _life(patient: str, rows: Mapping[str, list[tuple[Any, ...]]], zone: tzinfo) -> Life:
    reviews: dict[str, list[Review]] = {}
    for _, goal, on, result, by, of_step in rows["review"]:
        reviews.setdefault(goal, []).append(Review(on, result, by, of_step))
    return Life(
        patient=patient,
        died=rows["patient"][0][1] if rows["patient"] else None,
        episodes=tuple(_course(row) for row in rows["episode"]),
        table=tuple(filter(None, (row_course(CourseRow(*row)) for row in rows["row"]))),
        responses=tuple(_response(row, zone) for row in rows["rating"]),
        outcomes=tuple(DueOutcome(outcome, on) for _, outcome, on in rows["outcome"]),
        seen_first=frozenset(seen for _, seen in rows["seen"]),
        goals=tuple(
            RecoveryGoal(key, start, lifecycle, achievement, status_date, theirs, tuple(reviews.get(key, ())))
            for _, key, start, lifecycle, achievement, status_date, theirs in rows["wish"]
        ),
    )


def _response(row: tuple[Any, ...], zone: tzinfo) -> Response:
    patient, key, kept, rater, status, seconds, rated_by, language, answers = row
    measured = datetime.fromtimestamp(seconds, zone)
    return Response(
        rater=rater, status=status, ratings=unpacked(answers), comment="", identifier="", id=key, version_id="",
        patient=patient, source=rated_by or "", author="", encounter="", measured=measured, authored=measured,
        language=language, questionnaire=_CANONICAL[rater], kept="form" if kept == "form" else "components",
    )  # fmt: skip


_CANONICAL = {rater: f"{BASE}/Questionnaire/imr-{rater}|{VERSION}" for rater in RATERS}


def unpacked(answers: int) -> dict[int, int]:
    """Ratings by item from 15 octal digits, item 15 first: 0 none, 1 not applicable, 2 to 6 the ratings 1 to 5."""
    digits = f"{answers:0{ITEM_COUNT}o}"
    return {item: int(digit) - 1 for item, digit in enumerate(reversed(digits), 1) if digit != "0"}


def _course(row: tuple[Any, ...]) -> Course:
    _, start, end, status, unit, offered, holds = row
    on_hold = tuple(Span(hold["start"], hold["end"]) for hold in holds)
    return Course(start, end, EPISODE_STATUS[status], unit, "episode", "", cast(date | None, offered), on_hold)
