"""What a reader needs most: where not all numbers can be shown, those of a lower rank are."""

from collections import Counter
from collections.abc import Callable, Iterable

from imr_fhir.reporting.counting import ALL, Cell, Part
from imr_fhir.reporting.figures import figure
from imr_fhir.reporting.measured import LATEST

Rank = tuple[int, int, int]


def ranks(parts: Iterable[Part]) -> Callable[[Cell], Rank]:
    """All units and quarters first, then the margins (a quarter of all units, a unit over all quarters), then a unit's
    quarter. Among these what the shares are of, that of most figures first; then what a figure is about; then the rest.
    """
    parts = tuple(parts)
    totals = Counter(part.total for part in parts)
    of_interest = {row for part in parts for row in figure(part.figure).of_interest or part.rows}

    def rank(cell: Cell) -> Rank:
        place = (cell.unit != ALL) + (cell.quarter != ALL)
        if cell.quantity in totals:
            return place, 0, -totals[cell.quantity]
        if cell == LATEST:  # one number, that would take one of each question with it where few pairs lack an answer
            return place, 3, 0
        return place, 1 if cell.quantity in of_interest else 2, 0

    return rank
