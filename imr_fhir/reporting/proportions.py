"""The report's proportions, a line a number: what is shown of each, for the page, CSV and JSON alike."""

from collections.abc import Iterator
from typing import NamedTuple

from imr_fhir.reporting.counting import Cell, Part
from imr_fhir.reporting.figures import figure
from imr_fhir.reporting.report import Report
from imr_fhir.reporting.statistics import wilson


class Line(NamedTuple):
    """``n`` and ``of`` are None where they are hidden; the share and its 95 % interval then are too."""

    figure: str
    part: str
    total: str  # of what: "due", "offered"
    row: str
    unit: str  # "all", "" where none is recorded
    quarter: str  # "2026-Q1", "all"
    rater: str  # "" where none is meant
    n: int | None
    of: int | None
    share: float | None
    low: float | None
    high: float | None
    of_interest: bool


def proportions(report: Report) -> Iterator[Line]:
    """By figure and part, then unit, quarter and rater, then row; what the figure is about comes first."""
    for part in report.counted.parts:
        interest = figure(part.figure).of_interest
        rows = sorted(part.rows, key=lambda row: row not in interest)
        for place in sorted({cell[1:] for cell in report.counted.counts if cell.quantity == part.total}, key=_place):
            of = report.shown(Cell(part.total, *place))
            for row in rows:
                yield _line(part, row, place, report.shown(Cell(row, *place)), of, row in interest or not interest)


def _place(place: tuple[str, ...]) -> tuple[tuple[bool, str], ...]:
    return tuple((name != "all", name) for name in place)


def _line(part: Part, row: str, place: tuple[str, ...], n: int | None, of: int | None, of_interest: bool) -> Line:
    interval = wilson(n, of) if n is not None and of is not None else None
    unit, quarter, rater = place
    about = (part.figure, part.part, part.total, row, unit, quarter, rater, n, of)
    if n is None or not of or interval is None:
        return Line(*about, None, None, None, of_interest)
    return Line(*about, n / of, interval.low, interval.high, of_interest)
