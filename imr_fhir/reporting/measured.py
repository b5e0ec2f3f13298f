"""The figures that are no proportions: change of the scores, and how far the two raters agree."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from imr_fhir.reporting.counting import ALL, Cell
from imr_fhir.reporting.disclosure import Sum
from imr_fhir.reporting.figures import figure
from imr_fhir.reporting.statistics import Agreement, Interval, mean_interval, quadratic_kappa, score_agreement
from imr_fhir.scale import ITEM_COUNT

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

KAPPA_FROM = 30  # pairs
CLASSES = (ALL, "stayed", "left", "silent")
DISTANCES = ("equal", "1 apart", "2 or more apart")
_NOT_BOTH = "not rated by both"
_SAME_AS = "to the latest, all items"  # the line without items 9 and 10 is of the same courses


class ChangeLine(NamedTuple):
    """Of the mean change on the scale from 1 to 5, positive where the later rating is higher."""

    part: str  # "to the latest, all items"
    standing: str  # all | stayed | left | silent
    unit: str
    rater: str
    n: int
    mean: float
    interval: Interval | None
    sd: float | None  # None of one
    median: float

    @property
    def cell(self) -> Cell:
        return Cell(f"{self.part}: {self.standing}", self.unit, ALL, self.rater)


@dataclass(frozen=True, slots=True)
class ItemAgreement:
    item: int
    counts: Mapping[str, int]  # by DISTANCES
    mean_difference: float | None  # client less clinician; None of no pair
    kappa: float | None  # None under 30 pairs, and where nothing differs

    @property
    def cells(self) -> tuple[Cell, ...]:
        return tuple(_item_cell(self.item, distance) for distance in DISTANCES)


@dataclass(frozen=True, slots=True)
class Measured:
    """``counts`` and ``sums``: what the figures rest on, for `disclosure`. ``rests``: what stands nowhere, and can be
    had by subtraction alone."""

    change: tuple[ChangeLine, ...]
    items: tuple[ItemAgreement, ...]
    scores: Agreement | None
    counts: Mapping[Cell, int]
    sums: tuple[Sum[Cell], ...]
    rests: frozenset[Cell]


PAIRS, BLIND, SEEN_FIRST, LATEST, SCORES, _INCOMPLETE = (
    Cell(name, ALL, ALL, "")
    for name in ("pairs", "blind pairs", "pairs seen first", "latest blind pairs", "complete ones", "incomplete ones")
)


def measure(connection: "DuckDBPyConnection") -> Measured:
    """Over the tables of facts."""
    change = tuple(
        ChangeLine(part, row.removeprefix(f"{part}: "), unit, rater, n, mean, _interval(n, mean, sd), sd, median)
        for part, _, row, unit, _, rater, n, mean, sd, median in connection.execute(
            f"FROM ({figure('change').sql}) ORDER BY ALL"
        ).fetchall()
    )
    together: dict[int, dict[tuple[int, int], int]] = {item: {} for item in range(1, ITEM_COUNT + 1)}
    for item, client, clinician, n in connection.execute(figure("agreement").sql).fetchall():
        together[item][client, clinician] = n
    items = tuple(_item(item, levels) for item, levels in together.items())
    latest = connection.execute("SELECT client, clinician FROM pair_fact WHERE latest_blind").fetchall()
    pairs = connection.execute("SELECT seen_first FROM pair_fact").fetchall()
    seen_first = sum(seen for (seen,) in pairs)
    scores = [(client, clinician) for client, clinician in latest if client is not None and clinician is not None]
    counts = {line.cell: line.n for line in change}
    counts |= {PAIRS: len(pairs), BLIND: len(pairs) - seen_first, SEEN_FIRST: seen_first, LATEST: len(latest)}
    counts |= {SCORES: len(scores), _INCOMPLETE: len(latest) - len(scores)}
    sums: list[Sum[Cell]] = [(PAIRS, (BLIND, SEEN_FIRST)), (LATEST, (SCORES, _INCOMPLETE))]
    sums += _change_sums(counts, change)
    rests = {_INCOMPLETE}
    for each in items:
        counts |= {cell: each.counts[distance] for cell, distance in zip(each.cells, DISTANCES, strict=True)}
        rest = _item_cell(each.item, _NOT_BOTH)
        rests.add(rest)
        counts[rest] = len(latest) - sum(each.counts.values())
        sums.append((LATEST, (*each.cells, rest)))
    return Measured(change, items, score_agreement(scores), counts, tuple(sums), frozenset(rests))


def _interval(n: int, mean: float, sd: float | None) -> Interval | None:
    return mean_interval(n, mean, sd) if sd is not None else None


def _item_cell(item: int, distance: str) -> Cell:
    return Cell(f"item {item}: {distance}", ALL, ALL, "")


def _item(item: int, levels: Mapping[tuple[int, int], int]) -> ItemAgreement:
    n = sum(levels.values())
    counts = dict.fromkeys(DISTANCES, 0)
    for (client, clinician), count in levels.items():
        counts[DISTANCES[min(abs(client - clinician), 2)]] += count
    difference = sum((client - clinician) * count for (client, clinician), count in levels.items()) / n if n else None
    return ItemAgreement(item, counts, difference, quadratic_kappa(levels) if n >= KAPPA_FROM else None)


def _change_sums(counts: dict[Cell, int], lines: tuple[ChangeLine, ...]) -> list[Sum[Cell]]:
    """Classes of a unit, units of a class, and the lines that are of the same courses; missing ones are none."""
    parts = {line.part for line in lines}
    units = sorted({line.unit for line in lines} - {ALL})
    raters = {line.rater for line in lines}
    sums: list[Sum[Cell]] = []
    for part in sorted(parts):
        for rater in sorted(raters):

            def cell(standing: str, unit: str, part: str = part, rater: str = rater) -> Cell:
                found = Cell(f"{part}: {standing}", unit, ALL, rater)
                counts.setdefault(found, 0)
                return found

            sums += [(cell(ALL, unit), [cell(standing, unit) for standing in CLASSES[1:]]) for unit in (*units, ALL)]
            sums += [(cell(standing, ALL), [cell(standing, unit) for unit in units]) for standing in CLASSES]
            whole = part.replace("without items 9 and 10", "all items")
            if whole != part:
                sums += [
                    (cell(standing, unit), [cell(standing, unit, whole)])
                    for standing in CLASSES
                    for unit in (*units, ALL)
                ]
            elif part == _SAME_AS:
                compared = [Cell("can be compared", unit, ALL, rater) for unit in (*units, ALL)]
                sums += [(same, [cell(ALL, same.unit)]) for same in compared]
    return sums
