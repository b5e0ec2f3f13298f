"""What a reader can work out from sums alone: the sums over what is not shown, solved as far as they can be.

Gauss and Jordan's elimination in whole numbers modulo a prime, since sums have coefficients of 1. The rows say which
keys have one solution, and need no counts for it.
"""

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

_PRIME = 2**61 - 1
_HALF = _PRIME // 2
_MANY = 40  # of more, hardly a bound follows


class Equations(Generic[Key]):
    """Of keys that are all hidden at first; `show` takes one out."""

    def __init__(self, sums: Iterable[Mapping[Key, int]]) -> None:
        """``sums``: coefficients of keys whose counts, so weighted, sum to nought."""
        self._rows: dict[Key, dict[Key, int]] = {}  # by pivot; no pivot stands in another's row. Signed residues
        self._holding: dict[Key, dict[Key, None]] = {}  # where another key stands: pivots of rows, in order
        for each in sums:
            row: dict[Key, int] = {}
            _add(row, each, 1)
            for pivot in [key for key in row if key in self._rows]:
                _add(row, self._rows[pivot], -row[pivot])
            if row:
                self._put(row, row)

    def told(self) -> set[Key]:
        """The hidden keys that have one solution."""
        return {pivot for pivot, row in self._rows.items() if len(row) == 1}

    def telling(self, key: Key) -> list[Key]:
        """The other keys that would have one solution, besides those of `told`, if ``key`` were shown."""
        row = self._rows.get(key)
        if row is not None and len(row) > 1:  # another of the row becomes its pivot
            del self._rows[key]
            others = [other for other in row if other != key]
            for other in others:
                del self._holding[other][key]
            self._put(row, others)
        return [pivot for pivot in self._holding.get(key, ()) if len(self._rows[pivot]) == 2]

    def show(self, key: Key) -> None:
        """After `telling`."""
        self._rows.pop(key, None)
        for pivot in self._holding.pop(key, ()):
            del self._rows[pivot][key]

    def of(self, key: Key) -> Iterator[tuple[Hashable, Mapping[Key, int]]]:
        """The solved rows in which ``key`` stands, each with a name, as far as a bound may follow from them."""
        held = self._holding.get(key, ())
        for pivot in (key, *held) if len(held) <= _MANY else ():
            row = self._rows.get(pivot, {})
            if 1 < len(row) <= _MANY:
                yield ("solved", pivot), row

    def _put(self, row: Mapping[Key, int], candidates: Collection[Key]) -> None:
        """Add a row, under that of ``candidates`` which there is least to clear away of."""
        pivot = min(candidates, key=lambda key: len(self._holding.get(key, ())))
        inverse = pow(row[pivot], -1, _PRIME)
        own = {key: (value * inverse + _HALF) % _PRIME - _HALF for key, value in row.items()}
        for other in self._holding.pop(pivot, ()):
            cleared = self._rows[other]
            before = set(cleared)
            _add(cleared, own, -cleared[pivot])
            for key in own:
                if key != pivot and (key in cleared) != (key in before):
                    self._hold(key, other, stands=key in cleared)
        self._rows[pivot] = own
        for key in own:
            if key != pivot:
                self._hold(key, pivot, stands=True)

    def _hold(self, key: Key, pivot: Key, *, stands: bool) -> None:
        if stands:
            self._holding.setdefault(key, {})[pivot] = None
        else:
            del self._holding[key][pivot]


def _add(row: dict[Key, int], other: Mapping[Key, int], times: int) -> None:
    for key, value in other.items():
        if left := (row.get(key, 0) + times * value + _HALF) % _PRIME - _HALF:
            row[key] = left
        else:
            row.pop(key, None)
