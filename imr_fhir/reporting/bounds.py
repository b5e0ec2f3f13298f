"""How far a reader can narrow down what is not shown, knowing that no count is under nought.

From equation to equation: a part is at most its total less what the others are at least, and so on, until nothing
changes. As strong as a reader with pencil and paper and patience; `programme` is stronger.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Row = Mapping[Key, int]  # an equation's coefficients

_SMALL = 64  # a larger coefficient stands for a fraction
_FEW, _STEP = 60, 1.15  # beyond a few, a bound that moves less is not worth following


class Bounds(Generic[Key]):
    """Of keys of which nothing is known at first but that none is negative."""

    def __init__(
        self, counts: Mapping[Key, int], rows_of: Callable[[Key], Iterable[tuple[Hashable, Row[Key]]]]
    ) -> None:
        """``rows_of``: the equations that a key stands in, each with a name; they hold of ``counts``."""
        self._counts, self._rows_of = counts, rows_of
        self._low: dict[Key, int] = {}
        self._high: dict[Key, int] = {}
        self._undo: list[tuple[Key, int | None, int | None]] = []
        self._least: Mapping[Key, int] = {}

    def under(self, key: Key, limit: int) -> bool:
        """Whether it is known that the count is under ``limit``."""
        return key in self._high and self._high[key] < limit

    def keep(self, least: Mapping[Key, int]) -> None:
        """From now on no upper bound of these keys may fall under what stands here."""
        self._least = least

    def know(self, keys: Iterable[Key], *, about: Iterable[Key] = ()) -> bool:
        """What follows from these counts too. False, and nothing has changed, where a bound would fall too far.

        ``about``: keys whose equations tell something although nothing of them is new.
        """
        self._undo = [(key, self._low.get(key), self._high.get(key)) for key in about]
        told = all(self._narrow(key, self._counts[key], self._counts[key]) for key in keys)
        waiting: deque[tuple[Hashable, Row[Key]]] = deque()
        queued: set[Hashable] = set()
        followed = 0  # of self._undo: whose equations are queued
        while told:
            for key, _, _ in self._undo[followed:]:
                for name, row in self._rows_of(key):
                    if name not in queued:
                        queued.add(name)
                        waiting.append((name, row))
            followed = len(self._undo)
            if not waiting:
                return True
            name, row = waiting.popleft()
            queued.discard(name)
            told = self._follow(row)
        for key, low, high in reversed(self._undo):
            _restore(self._low, key, low)
            _restore(self._high, key, high)
        return False

    def _narrow(self, key: Key, low: int, high: int | None) -> bool:
        """Take what is narrower than before, and not just by a little; False where that is too narrow."""
        old_low, old_high = self._low.get(key), self._high.get(key)
        higher = low > (old_low or 0) * (1 if low < _FEW else _STEP)
        lower = high is not None and (old_high is None or high < old_high / (1 if high < _FEW else _STEP))
        if higher or lower:
            self._undo.append((key, old_low, old_high))
            if higher:
                self._low[key] = low
            if lower and high is not None:
                self._high[key] = high
                return high >= self._least.get(key, 0)
        return True

    def _follow(self, row: Row[Key]) -> bool:
        """What the others of an equation leave to each."""
        if any(abs(by) > _SMALL for by in row.values()):
            return True
        whole = least = most = no_least = no_most = 0
        for key, by in row.items():
            whole += by * self._counts[key]
            low, high = self._low.get(key, 0), self._high.get(key)
            for_least, for_most = (low, high) if by > 0 else (high, low)
            if for_least is None:
                no_least += 1
            else:
                least += by * for_least
            if for_most is None:
                no_most += 1
            else:
                most += by * for_most
        if no_least > 1 and no_most > 1:
            return True
        room, lack = whole - least, most - whole  # none is negative where both are known
        for key, by in row.items():
            low, high = self._low.get(key, 0), self._high.get(key)
            up, no_up, down, no_down = (room, no_least, lack, no_most) if by > 0 else (lack, no_most, room, no_least)
            size = abs(by)
            top = None if no_up else low + up // size
            if high is not None:
                bottom = 0 if no_down else high - down // size
            else:
                bottom = 0 if no_down > 1 else -(down // size)
            if (bottom > low or (top is not None and (high is None or top < high))) and not self._narrow(
                key, bottom, top
            ):
                return False
        return True


def _restore(bounds: dict[Key, int], key: Key, value: int | None) -> None:
    if value is None:
        bounds.pop(key, None)
    else:
        bounds[key] = value
