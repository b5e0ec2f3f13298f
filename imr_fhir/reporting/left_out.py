"""How many of what stand in no figure, and why: never counted in silence."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from imr_fhir.reporting.counting import ALL, Cell
from imr_fhir.reporting.disclosure import Sum

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Kind:
    """``reasons``: "counted", then why the others are not, each with its cell of ``LeftOut.counts``."""

    name: str
    all: Cell
    reasons: tuple[tuple[str, Cell], ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    kinds: tuple[Kind, ...]
    counts: Mapping[Cell, int]
    sums: tuple[Sum[Cell], ...]


def left_out(connection: "DuckDBPyConnection") -> LeftOut:
    """Of each kind in the export; after `prepare`."""
    query = (files("imr_fhir.reporting") / "sql" / "left_out.sql").read_text(encoding="utf-8")
    kinds: list[Kind] = []
    counts: dict[Cell, int] = {}
    for name, rows in groupby(connection.execute(query).fetchall(), key=itemgetter(0)):
        found = {reason: n for _, reason, n in rows}
        kind = Kind(name, _cell(name, ALL), tuple((reason, _cell(name, reason)) for reason in found))
        counts |= {cell: found[reason] for reason, cell in kind.reasons} | {kind.all: sum(found.values())}
        kinds.append(kind)
    return LeftOut(tuple(kinds), counts, tuple((kind.all, [cell for _, cell in kind.reasons]) for kind in kinds))


TABLE = "rows of the hospital's table of courses"
# Of what is counted of these kinds, or of what a figure counts, the other is all or some.
_FIGURES = (
    (("goals",), "goals 6 months old"),
    (("goals",), "goals begun in a course"),
    (("courses", TABLE), "courses"),
)


def linked(counts: Mapping[Cell, int], left_out: LeftOut) -> tuple[list[Sum[Cell]], dict[Cell, int]]:
    """What a reader can form of a figure's number and of how many are counted: goals that are younger, courses that
    neither an episode nor the hospital's table tells of. As sums, and the counts of the rests, which stand nowhere."""
    sums: list[Sum[Cell]] = []
    rests: dict[Cell, int] = {}
    for kinds, quantity in _FIGURES:
        counted = [cell for kind in kinds if (cell := _cell(kind, "counted")) in left_out.counts]
        read = sum(left_out.counts[each] for each in counted)
        for cell, n in counts.items() if counted else ():
            if cell.quantity == quantity and (cell.unit, cell.quarter) == (ALL, ALL):
                # fewer than are counted only of goals, which are one kind
                more, parts = (cell, [*counted]) if n >= read else (counted[0], [cell])
                if rest := abs(n - read):
                    other = Cell(f"{' and '.join(kinds)} counted, and {quantity}", ALL, ALL, cell.rater)
                    rests[other] = rest
                    parts.append(other)
                sums.append((more, parts))
    return sums, rests


def _cell(kind: str, reason: str) -> Cell:
    return Cell(f"{kind} read: {reason}", ALL, ALL, "")
