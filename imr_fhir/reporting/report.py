"""The report of one export: its figures as far as they may be shown, and what was left out of them and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from imr_fhir.course import CourseRow
from imr_fhir.reporting.counting import Cell, Counted, count
from imr_fhir.reporting.disclosure import THRESHOLD, hidden
from imr_fhir.reporting.fact_tables import make_fact_tables
from imr_fhir.reporting.left_out import LeftOut, left_out, linked
from imr_fhir.reporting.lives import lives, prepare
from imr_fhir.reporting.measured import Measured, measure
from imr_fhir.reporting.ranks import ranks

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Report:
    """``hidden``: what may not be shown, of all counts of the report together. ``unmerged``: ids of patients whose
    record another one replaces, and nobody can tell which, by what is wrong."""

    exported: date
    zone: str
    counted: Counted
    measured: Measured
    left_out: LeftOut
    hidden: frozenset[Cell]
    unmerged: Mapping[str, tuple[str, ...]]
    threshold: int = THRESHOLD

    def shown(self, cell: Cell) -> int | None:
        """The number of ``cell``; None where it is hidden."""
        counts = (self.counted.counts, self.measured.counts, self.left_out.counts)
        return None if cell in self.hidden else next(found[cell] for found in counts if cell in found)


def make_report(
    connection: "DuckDBPyConnection",
    *,
    exported: date,
    zone: tzinfo,
    course_types: tuple[str, ...] = (),
    table: Sequence[CourseRow],
    work: Path,
) -> Report:
    """Over the tables of docs/tables.md in ``connection``, which it adds to.

    ``exported``: the day of the export at the site, whose ``zone`` decides on which day something was.
    ``course_types``: "system|code" of the episodes that are IMR; none: each of them is. ``table``: the hospital's own
    rows of courses. ``work``: a folder in which it may write.
    """
    prepare(connection, zone=str(zone), exported=exported, course_types=course_types, table=table)
    make_fact_tables(connection, lives(connection, zone), exported, work)
    counted, measured, without = count(connection), measure(connection), left_out(connection)
    links, others = linked(counted.counts, without)
    counts = {**counted.counts, **measured.counts, **without.counts, **others}
    secret = hidden(
        counts,
        [*counted.sums, *measured.sums, *without.sums, *links],
        rank=ranks(counted.parts),
        unseen=counted.rests | measured.rests | others.keys(),
    )
    return Report(exported, str(zone), counted, measured, without, secret, _unmerged(connection))


def _unmerged(connection: "DuckDBPyConnection") -> dict[str, tuple[str, ...]]:
    query = "SELECT fault, list(id ORDER BY id) FROM unmerged GROUP BY fault ORDER BY fault"
    return {fault: tuple(ids) for fault, ids in connection.execute(query).fetchall()}
