"""What a reader with a linear programme can work out of all that a report shows (HiGHS solves it).

Stronger than `bounds`, which goes from sum to sum, and slower: it is asked last, about what that let pass.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from imr_fhir.errors import ReportError
from imr_fhir.reporting.duck import INSTALL

if TYPE_CHECKING:
    from highspy import Highs, HighsSolution

Key = TypeVar("Key", bound=Hashable)

_PRIMAL = 4  # HiGHS' number for it
_NEAR = 1e-5  # the solver's own tolerance is a hundredth of it


class Programme(Generic[Key]):
    """Of ``counts``, all hidden but ``shown``. ``rows``: coefficients of keys whose counts, so weighted, sum to nought.

    Raises ReportError where HiGHS is not installed, or can't solve it.
    """

    def __init__(self, counts: Mapping[Key, int], rows: Sequence[Mapping[Key, int]], shown: Iterable[Key]) -> None:
        try:
            import highspy
            import numpy as np
        except ModuleNotFoundError as error:
            raise ReportError("HiGHS is not installed.", next_step=INSTALL) from error
        self._counts = counts
        self._at = {key: place for place, key in enumerate(counts)}
        self._shown = set(shown)
        self._most = 10.0 * max(counts.values(), default=0) + 100  # nobody knows one; it lets each end be somewhere
        self._optimal = highspy.HighsModelStatus.kOptimal
        self._places = np.arange(len(counts), dtype=np.int32)
        self._cost = np.zeros(len(counts))
        self._solver = silent_solver()
        # Only costs change, and bounds that get wider: what solved the last one is where the next one begins.
        self._solver.setOptionValue("presolve", "off")
        self._solver.setOptionValue("simplex_strategy", _PRIMAL)
        own = np.fromiter(counts.values(), dtype=float, count=len(counts))
        fixed = np.fromiter((key in self._shown for key in counts), dtype=bool, count=len(counts))
        self._solver.addVars(len(counts), np.where(fixed, own, 0.0), np.where(fixed, own, self._most))
        self._solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
        nought = np.zeros(len(rows))
        starts = np.cumsum([0, *map(len, rows)][:-1], dtype=np.int32)
        places = np.fromiter((self._at[key] for row in rows for key in row), dtype=np.int32)
        by = np.fromiter((by for row in rows for by in row.values()), dtype=float)
        self._solver.addRows(len(rows), nought, nought, len(by), starts, places, by)

    def suspects(self, keys: Collection[Key]) -> set[Key]:
        """Those of ``keys`` that no few solutions together show to be open: `pressing` tells of each."""
        left = set(keys)
        while left and (moved := self._moved(self._solve(dict.fromkeys(left, 1.0)), left)):
            left -= moved
        return left - self._moved(self._solve(dict.fromkeys(left, -1.0)), left)

    def pressing(self, key: Key) -> set[Key]:
        """The shown keys without whose numbers ``key`` might be another: those with a price in its dual. None where it
        can be another whole number, and none where the sums themselves tell it."""
        found: set[Key] = set()
        for way in (1.0, -1.0):
            solution = self._solve({key: way})
            if self._moved(solution, (key,)):
                return set()
            prices = solution.col_dual
            found |= {each for each in self._shown if abs(prices[self._at[each]]) > _NEAR}
        return found

    def hide(self, key: Key) -> None:
        self._shown.discard(key)
        self._solver.changeColBounds(self._at[key], 0.0, self._most)

    def _moved(self, solution: "HighsSolution", keys: Collection[Key]) -> set[Key]:
        """Those of ``keys`` that are another whole number there, or beyond it."""
        values = solution.col_value
        return {key for key in keys if abs(values[self._at[key]] - self._counts[key]) > 1 - _NEAR}

    def _solve(self, towards: Mapping[Key, float]) -> "HighsSolution":
        self._cost.fill(0.0)
        for key, by in towards.items():
            self._cost[self._at[key]] = by
        self._solver.changeColsCost(len(self._cost), self._places, self._cost)
        self._solver.run()
        if (status := self._solver.getModelStatus()) != self._optimal:
            raise ReportError(
                f"Whether the sums of the report tell a small number could not be found out ({status.name}).",
                next_step="Nothing was written. Tell those who keep this program.",
            )
        return self._solver.getSolution()


def silent_solver() -> "Highs":
    """HiGHS that says nothing: its constructor greets on standard output, which is for the command's result."""
    import highspy

    class Silent(highspy.Highs):
        def enableCallbacks(self) -> None:
            self.setOptionValue("output_flag", False)
            super().enableCallbacks()  # type: ignore[no-untyped-call]

    return Silent()  # type: ignore[no-untyped-call]
