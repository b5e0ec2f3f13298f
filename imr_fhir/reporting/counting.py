"""Runs the figures' queries and adds what a reader can add up: margins, totals, and numbers that two figures share."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import duckdb

from imr_fhir.reporting.disclosure import Sum
from imr_fhir.reporting.figures import figures

ALL = "all"
# Of an occasion with one of these states there was an offer; the second ones are how a unit records offers.
_ANSWERS = ("answered", "stopped", "incomplete")
_OFFERS = ("declined", "too-unwell", "not-today")


class Cell(NamedTuple):
    """What one number is of: a quantity, in a unit, a quarter and by a rater ("" where none is meant); or in all."""

    quantity: str
    unit: str
    quarter: str
    rater: str


class Part(NamedTuple):
    """Rows that sum to a total, in the order in which they are shown."""

    figure: str
    part: str
    total: str
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """``counts`` with their margins, and each of the ``sums`` that a reader can form: for `disclosure`."""

    parts: tuple[Part, ...]
    counts: Mapping[Cell, int]
    sums: tuple[Sum[Cell], ...]


def count(connection: duckdb.DuckDBPyConnection) -> Counted:
    """Each figure's numbers over the tables of facts. Raises ValueError where two figures count one quantity unlike."""
    parts: dict[tuple[str, str, str], dict[str, None]] = {}
    counts: dict[Cell, int] = {}
    for figure in figures():
        for part, total, row, *where, n in connection.execute(f"FROM ({figure.sql}) ORDER BY ALL").fetchall():
            parts.setdefault((figure.name, part, total), {})[row] = None
            if counts.setdefault(Cell(row, *where), n) != n:
                raise ValueError(
                    f"Figure {figure.name} counts {n} of {Cell(row, *where)}, and another figure does not."
                )
    whole = tuple(Part(*about, tuple(rows)) for about, rows in sorted(parts.items(), key=_place))
    before = 0
    while before != len(counts):  # a row of one part can be the total of another
        before = len(counts)
        for each in whole:
            _complete(each, counts)
    margins = list(_margins(counts))
    sums = (*margins, *(line for each in whole for line in _sums(each, counts)), *_same(counts))
    return Counted(whole, counts, sums)


def _place(part: tuple[tuple[str, str, str], Any]) -> tuple[int, list[str]]:
    """The figures' own order; within one, "month 3" before "month 12"."""
    (name, about, _), _ = part
    return [each.name for each in figures()].index(name), [run.zfill(4) for run in re.split(r"(\d+)", about)]


def _complete(part: Part, counts: dict[Cell, int]) -> None:
    """Every row of the part wherever one of them or their total is, none being a number too; and their total.

    The total can be there alone: where nobody was offered anything, "offered" is a row, nought, of another part.
    """
    places = {cell[1:] for cell in counts if cell.quantity in (*part.rows, part.total)}
    for place in places:
        for row in part.rows:
            counts.setdefault(Cell(row, *place), 0)
        counts[Cell(part.total, *place)] = sum(counts[Cell(row, *place)] for row in part.rows)


def _margins(counts: dict[Cell, int]) -> Iterator[Sum[Cell]]:
    """All units of a quarter, all quarters of a unit, and all of both: put into ``counts``, and told as sums."""
    for axis in ("quarter", "unit"):
        lines: dict[Cell, list[Cell]] = {}
        for cell in counts:
            lines.setdefault(cell._replace(**{axis: ALL}), []).append(cell)
        for total, cells in lines.items():
            counts[total] = sum(counts[cell] for cell in cells)
            yield total, cells
    lines = {}
    for cell in counts:
        if cell.unit == ALL and cell.quarter != ALL:
            lines.setdefault(cell._replace(quarter=ALL), []).append(cell)
    yield from lines.items()


def _sums(part: Part, counts: Mapping[Cell, int]) -> Iterator[Sum[Cell]]:
    for cell in counts:
        if cell.quantity == part.total:
            yield cell, [cell._replace(quantity=row) for row in part.rows]


def _same(counts: Mapping[Cell, int]) -> Iterator[Sum[Cell]]:
    """Numbers under two names: of each unit that records offers, and of all for what makes it such a unit."""
    twins = {f"offered: {state}": state for state in (*_ANSWERS, *_OFFERS)} | {"due, offers recorded": "due"}
    for cell in counts:
        twin = twins.get(cell.quantity)
        if twin and (cell.unit != ALL or twin in _OFFERS):
            yield cell, [cell._replace(quantity=twin)]
