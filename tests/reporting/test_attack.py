"""No linear programme over all that a report shows finds a small number; and what readers need most is shown."""

from math import ceil, floor
from random import Random
from typing import Any

import pytest

from imr_fhir.reporting.counting import ALL, Cell
from imr_fhir.reporting.disclosure import THRESHOLD, hidden
from imr_fhir.reporting.report import Report
from tests.reporting.attacker import intervals, open_to
from tests.reporting.making import reported


def told(
    counts: dict[Any, int], sums: list[Any], secret: frozenset[Any], *, whole: bool = False
) -> dict[Any, tuple[float, float]]:
    """Small numbers that can be one whole number only, and not because nothing else could be if nothing was shown."""
    small = {key for key in secret if counts[key] < THRESHOLD}
    narrow = intervals(counts, sums, secret, small, whole=whole)
    suspects = {key for key, (low, high) in narrow.items() if floor(high + 0.001) <= ceil(low - 0.001)}
    return {key: narrow[key] for key in open_to(counts, sums, suspects)}


def sums_of(report: Report) -> tuple[dict[Cell, int], list[Any]]:
    """And what of a figure's number and of how many are counted follows."""
    parts = (report.counted, report.measured, report.left_out)
    counts = {cell: n for part in parts for cell, n in part.counts.items()}
    sums: list[Any] = [each for part in parts for each in part.sums]
    for kind, quantity in (
        ("goals", "goals 6 months old"),
        ("goals", "goals begun in a course"),
        ("courses", "courses"),
    ):
        counted = Cell(f"{kind} read: counted", ALL, ALL, "")
        for cell in [cell for cell in counts if cell.quantity == quantity and cell.unit == cell.quarter == ALL]:
            more, fewer = sorted((cell, counted), key=lambda key: -counts[key])
            rest = Cell(f"{quantity} less {kind}", ALL, ALL, cell.rater)
            counts[rest] = counts[more] - counts[fewer]
            sums.append((more, (fewer, rest)))
    return counts, sums


@pytest.mark.parametrize(("people", "seed"), [(25, 1), (40, 7), (30, 5)])
def test_no_small_number_of_a_report_can_be_worked_out(
    people: int, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = reported(people, seed, tmp_path_factory)
    report = made.report
    counts, sums = sums_of(report)
    assert all(cell in report.hidden for cell, n in counts.items() if n < THRESHOLD and " less " not in cell.quantity)
    hidden_too = {cell for cell in counts if " less " in cell.quantity and counts[cell]}
    assert told(counts, sums, (report.hidden | hidden_too) & counts.keys()) == {}
    for step in made.reconciliation.steps:
        if step.resource == "EpisodeOfCare":
            assert (report.shown(Cell("courses read: all", ALL, ALL, "")) is None) == ("read" in step.hidden)


def test_margins_are_shown_first(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Of 200 people: each quarter of all units in which 60 or more occasions were due says how many were answered."""
    report = reported(200, 7, tmp_path_factory).report
    due = {cell: n for cell, n in report.counted.counts.items() if cell.quantity == "due" and cell.unit == ALL}
    large = [cell for cell, n in due.items() if n >= 60]
    assert len(large) > 12
    for cell in large:
        assert None not in (report.shown(cell), report.shown(cell._replace(quantity="answered"))), cell


# Of two figures: in time, late, stopped and nothing, of each unit and quarter.
TABLES = [
    pytest.param((2, 2), [(0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 1), (4, 0, 0, 5)], id="few"),
    pytest.param((2, 2), [(20, 3, 1, 9), (9, 5, 0, 6), (6, 4, 3, 20), (20, 0, 1, 5)], id="several"),
    pytest.param(
        (2, 3),
        [(0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 5), (0, 0, 0, 0), (0, 0, 0, 5), (0, 0, 5, 0)],
        id="nearly none",
    ),
]


def system(size: tuple[int, int], cells: list[tuple[int, ...]]) -> tuple[dict[Any, int], list[Any]]:
    units, quarters = ([*map(str, range(n))] for n in size)
    counts: dict[Any, int] = {}
    for (unit, quarter), (in_time, late, stopped, nothing) in zip(
        ((u, q) for u in units for q in quarters), cells, strict=True
    ):
        said = {"in time": in_time, "late": late, "stopped": stopped, "nothing": nothing}
        said |= {"answered": in_time + late}
        said |= {"due": said["answered"] + stopped + nothing, "not in time": late + stopped + nothing}
        for name, n in said.items():
            for where in ((unit, quarter), (unit, ALL), (ALL, quarter), (ALL, ALL)):
                counts[name, *where] = counts.get((name, *where), 0) + n
    sums: list[Any] = []
    for name, *where in list(counts):
        for total, parts in (
            ("due", ("answered", "stopped", "nothing")),
            ("due", ("in time", "not in time")),
            ("answered", ("in time", "late")),
            ("not in time", ("late", "stopped", "nothing")),
        ):
            if name == total:
                sums.append(((name, *where), [(part, *where) for part in parts]))
        unit, quarter = where
        if unit == ALL:
            sums.append(((name, unit, quarter), [(name, each, quarter) for each in units]))
        if quarter == ALL:
            sums.append(((name, unit, quarter), [(name, unit, each) for each in quarters]))
    return counts, sums


@pytest.mark.parametrize(("size", "cells"), TABLES)
def test_nor_of_a_table_with_two_figures(size: tuple[int, int], cells: list[tuple[int, ...]]) -> None:
    counts, sums = system(size, cells)
    secret = hidden(counts, sums, rank=lambda key: (key[1] != ALL) + (key[2] != ALL))
    assert secret >= {key for key, n in counts.items() if n < THRESHOLD}
    assert told(counts, sums, secret, whole=True) == {}


# Of which numbers a table is made: nearly none, few, and nearly none beside large ones tell most.
KINDS = [(0, 0, 0, 0, 0, 1, 5), (0, 0, 0, 1, 2, 5, 9), (0, 1, 2, 3, 4, 5, 6, 7, 20), (0, 0, 0, 0, 5, 40)]


@pytest.mark.parametrize("seed", range(30, 60, 2))
def test_nor_of_any_other_with_whole_numbers(seed: int) -> None:
    chance = Random(seed)
    size = chance.randint(1, 3), chance.randint(1, 3)
    kind = chance.choice(KINDS)
    cells = [tuple(chance.choice(kind) for _ in range(4)) for _ in range(size[0] * size[1])]
    counts, sums = system(size, cells)
    secret = hidden(counts, sums, rank=lambda key: (key[1] != ALL) + (key[2] != ALL))
    assert told(counts, sums, secret, whole=True) == {}
