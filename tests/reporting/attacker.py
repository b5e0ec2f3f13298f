"""Somebody who wants to know what a report hides: its sums as a programme, solved by HiGHS.

Shares nothing with what decides on hiding but the silent solver. Knows each sum, each number shown, and that no count
is under nought; and, where it is asked to know that (`whole`), that counts are whole numbers: longer to solve.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import highspy
import numpy as np

from imr_fhir.reporting.programme import silent_solver

Sum = tuple[Any, Sequence[Any]]
Interval = tuple[float, float]
ENOUGH = 100_000.0  # no count is more: so each end is somewhere


def intervals(
    counts: Mapping[Any, int],
    sums: Iterable[Sum],
    hidden: Collection[Any],
    wanted: Collection[Any],
    *,
    whole: bool = False,
) -> dict[Any, Interval]:
    """What each of ``wanted`` may be at least and at most; only narrow ones, whose most is under 5."""
    found: dict[Any, Interval] = {}
    for keys, lines in _apart(counts, sums):
        own = [key for key in keys if key in wanted]
        if own:
            found |= _Programme(counts, lines, [key for key in keys if key in hidden], whole).narrow(own)
    return found


def open_to(counts: Mapping[Any, int], sums: Iterable[Sum], wanted: Collection[Any]) -> set[Any]:
    """Those of ``wanted`` that may be 5 and more where nothing is shown at all: what the others are is no secret."""
    lines = list(sums)
    return set(wanted) - intervals(counts, lines, counts.keys(), wanted).keys()


def _apart(counts: Mapping[Any, int], sums: Iterable[Sum]) -> list[tuple[list[Any], list[Sum]]]:
    """Keys that no sum joins, each with its sums."""
    root = {key: key for key in counts}

    def of(key: Hashable) -> Any:
        while root[key] != key:
            root[key] = root[root[key]]
            key = root[key]
        return key

    lines = list(sums)
    for total, parts in lines:
        for part in parts:
            root[of(part)] = of(total)
    found: dict[Any, tuple[list[Any], list[Sum]]] = {}
    for key in counts:
        found.setdefault(of(key), ([], []))[0].append(key)
    for line in lines:
        found[of(line[0])][1].append(line)
    return list(found.values())


@dataclass
class _Programme:
    counts: Mapping[Any, int]
    lines: Sequence[Sum]
    hidden: Sequence[Any]
    whole: bool
    solver: Any = field(init=False)

    def __post_init__(self) -> None:
        self.solver = silent_solver()
        self.at = {key: place for place, key in enumerate(self.hidden)}
        n = len(self.hidden)
        self.solver.addVars(n, np.zeros(n), np.full(n, ENOUGH))
        if self.whole:
            kinds = np.array([highspy.HighsVarType.kInteger] * n)
            self.solver.changeColsIntegrality(n, np.arange(n, dtype=np.int32), kinds)
        for total, parts in self.lines:
            left = float(sum(self.counts[part] for part in parts if part not in self.at))
            known = 0.0 if total in self.at else float(self.counts[total])
            row = {self.at[part]: 1.0 for part in parts if part in self.at}
            if total in self.at:
                row[self.at[total]] = -1.0
            places, by = np.array(list(row), dtype=np.int32), np.array(list(row.values()))
            self.solver.addRow(known - left, known - left, len(row), places, by)

    def narrow(self, wanted: Sequence[Any]) -> dict[Any, Interval]:
        wide: set[Any] = set()
        found: dict[Any, Interval] = {}
        for key in wanted:
            if key in wide:
                continue
            values = self._end(key, highspy.ObjSense.kMaximize)
            wide |= {each for each, value in zip(self.hidden, values, strict=True) if value > 4.999}
            if key not in wide:
                least = self._end(key, highspy.ObjSense.kMinimize)
                found[key] = least[self.at[key]], values[self.at[key]]
        return found

    def _end(self, key: Any, sense: Any) -> list[float]:
        """What all are where this one is least, or most."""
        place = self.at[key]
        self.solver.changeObjectiveSense(sense)
        self.solver.changeColCost(place, 1.0)
        self.solver.run()
        assert self.solver.getModelStatus() == highspy.HighsModelStatus.kOptimal, self.solver.getModelStatus()
        values: list[float] = list(self.solver.getSolution().col_value)
        self.solver.changeColCost(place, 0.0)
        return values
