"""Runs the figures' queries and adds what a reader can add up: margins, totals, and numbers that two figures share."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from imr_fhir.reporting.disclosure import Sum
from imr_fhir.reporting.figures import figures

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ALL = "all"
# Of an occasion with one of these states there was an offer; the second ones are how a unit records offers.
_ANSWERS = ("answered", "stopped", "incomplete")
_OFFERS = ("declined", "too-unwell", "not-today")
_RECORDED = "due, offers recorded"
_TWINS = {f"offered: {state}": state for state in (*_ANSWERS, *_OFFERS)} | {_RECORDED: "due"}
_OTHERS = "{}, but not {}"
# Of what the first counts, the second counts some, so many quarters later (a course has its third month a quarter after
# its start): a reader has the rest by subtraction, and where that is none, the one number under two names.
_WITHIN = (
    ("courses", "begun 6 months ago", 0),
    ("can be compared", "comparable", 0),
    (_OTHERS.format("courses", "begun 6 months ago"), _OTHERS.format("can be compared", "comparable"), 0),
    ("courses", "begun 28 days ago", 0),
    ("courses", "begun, month 3", 1),
    ("begun, month 3", "begun, month 6", 1),
    ("begun, month 6", "begun, month 9", 1),
    ("begun, month 9", "begun, month 12", 1),
)


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
    """``counts`` with their margins, and each of the ``sums`` that a reader can form: for `disclosure`. ``rests``: what
    stands nowhere, and can be had by subtraction alone."""

    parts: tuple[Part, ...]
    counts: Mapping[Cell, int]
    sums: tuple[Sum[Cell], ...]
    rests: frozenset[Cell]


def count(connection: "DuckDBPyConnection") -> Counted:
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
    _add_rests(counts)
    margins = list(_margins(counts))
    unoffered = list(_unoffered(counts))
    counts |= {rest: sum(counts[part] for part in parts) for _, rest, parts in unoffered}
    sums = (
        *margins, *(line for each in whole for line in _sums(each, counts)), *_same(counts), *_within(counts),
        *((total, (total._replace(quantity=offered), rest)) for (total, offered), rest, _ in unoffered),
        *((rest, parts) for _, rest, parts in unoffered), *_late(whole, counts),
    )  # fmt: skip
    rests = {_OTHERS.format(all_of, some) for all_of, some, _ in _WITHIN} | {rest.quantity for _, rest, _ in unoffered}
    return Counted(whole, counts, sums, frozenset(cell for cell in counts if cell.quantity in rests))


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


def _unoffered(counts: Mapping[Cell, int]) -> Iterator[tuple[tuple[Cell, str], Cell, list[Cell]]]:
    """Of all units, what is counted in both and in those alone that record offers; the rest, and its units."""
    recording = {cell.unit for cell in counts if cell.quantity == _RECORDED}
    others = sorted({cell.unit for cell in counts if cell.quantity == "due"} - recording)
    for offered, twin in _TWINS.items():
        for cell in [cell for cell in counts if cell.quantity == offered and cell.unit == ALL and twin not in _OFFERS]:
            total = cell._replace(quantity=twin)
            rest = cell._replace(quantity=f"{twin}, where no offers are recorded")
            parts = [total._replace(unit=unit) for unit in others]
            yield (total, offered), rest, [part for part in parts if part in counts]


def _late(parts: Iterable[Part], counts: Mapping[Cell, int]) -> Iterator[Sum[Cell]]:
    """Not in time is late or not answered: follows from three of the other sums, and is told by none of them."""
    others = [row for part in parts if part.figure == "answered" and part.total == "due" for row in part.rows]
    for cell in counts:
        if cell.quantity == "not timely":
            found = (cell._replace(quantity=row) for row in ("late", *others) if row != "answered")
            yield cell, [part for part in found if part in counts]


def _same(counts: Mapping[Cell, int]) -> Iterator[Sum[Cell]]:
    """Numbers under two names: of each unit that records offers, and of all for what makes it such a unit."""
    for cell in counts:
        twin = _TWINS.get(cell.quantity)
        if twin and (cell.unit != ALL or twin in _OFFERS):
            yield cell, [cell._replace(quantity=twin)]


def _add_rests(counts: dict[Cell, int]) -> None:
    """Of `_WITHIN`, where there is any: put into ``counts``."""
    for all_of, some, later in _WITHIN:
        rests = {
            cell._replace(quantity=_OTHERS.format(all_of, some)): n - counts.get(_some(counts, cell, some, later), 0)
            for cell, n in counts.items()
            if cell.quantity == all_of
        }
        counts |= {cell: n for cell, n in rests.items() if n}


def _within(counts: Mapping[Cell, int]) -> Iterator[Sum[Cell]]:
    for all_of, some, later in _WITHIN:
        for cell in counts:
            if cell.quantity == all_of:
                parts = _some(counts, cell, some, later), cell._replace(quantity=_OTHERS.format(all_of, some))
                yield cell, [part for part in parts if part in counts]


def _some(counts: Mapping[Cell, int], cell: Cell, quantity: str, later: int) -> Cell:
    """Where the second of `_WITHIN` stands; it may be one that tells no raters apart."""
    quarter = cell.quarter
    if quarter != ALL and later:
        year, number = quarter.split("-Q")
        after = 4 * int(year) + int(number) - 1 + later
        quarter = f"{after // 4}-Q{after % 4 + 1}"
    found = cell._replace(quantity=quantity, quarter=quarter)
    return found if found in counts else found._replace(rater="")
