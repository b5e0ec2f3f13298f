"""Small numbers that a report does not show, and those besides that would give them away by subtraction.

The one place that decides it: counts go in with all sums that a reader could form of them, and out comes what to hide.
A percentage, mean or interval is shown where all counts that it rests on are.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

THRESHOLD = 5  # numbers under this are not shown (RULES, the report's figures)
_PRIME = 2**61 - 1  # elimination in whole numbers; the sums have coefficients of 1 only

Sum = tuple[Key, Sequence[Key]]  # a total and its parts


def hidden(counts: Mapping[Key, int], sums: Iterable[Sum[Key]], threshold: int = THRESHOLD) -> frozenset[Key]:
    """The keys of ``counts`` that may not be shown, given that each of ``sums`` holds and is known to the reader.

    Hidden are counts under ``threshold``; then, until nothing more is needed, the smallest other in a sum where one
    hidden count stands alone, where the hidden parts together are under ``threshold``, or where several sums together
    would tell one. Raises ValueError for a sum that does not hold: then something was counted wrong.
    """
    lines = [(total, tuple(parts)) for total, parts in sums]
    for total, parts in lines:
        if counts[total] != sum(counts[part] for part in parts):
            raise ValueError(f"{total} is {counts[total]}, but its parts are {[counts[part] for part in parts]}.")
    small = {key for key, count in counts.items() if count < threshold}
    secret = set(small)
    while more := _too_open(counts, lines, secret, threshold) or _told(counts, lines, secret, small):
        secret.add(more)
    return frozenset(secret)


def _too_open(
    counts: Mapping[Key, int], lines: Sequence[tuple[Key, tuple[Key, ...]]], secret: set[Key], threshold: int
) -> Key | None:
    """What to hide next, since one sum by itself says too much."""
    for total, parts in lines:
        within = [part for part in parts if part in secret]
        alone = len(within) + (total in secret) == 1
        few = within and total not in secret and sum(counts[part] for part in within) < threshold
        if (alone or few) and (candidate := _smallest(counts, (total, *parts), secret)) is not None:
            return candidate
    return None


def _told(
    counts: Mapping[Key, int], lines: Sequence[tuple[Key, tuple[Key, ...]]], secret: set[Key], small: set[Key]
) -> Key | None:
    """What to hide next, since all sums together determine a small number."""
    for key in _determined([[k for k in (total, *parts) if k in secret] for total, parts in lines], lines) & small:
        for total, parts in lines:
            if key in (total, *parts) and (candidate := _smallest(counts, (total, *parts), secret)) is not None:
                return candidate
    return None


def _smallest(counts: Mapping[Key, int], line: Sequence[Key], secret: set[Key]) -> Key | None:
    """Of a line's counts that are shown: the smallest part, its total last."""
    shown = [key for key in line[1:] if key not in secret] or [key for key in line[:1] if key not in secret]
    return min(shown, key=lambda key: (counts[key], str(key)), default=None)


def _determined(unknowns: Sequence[Sequence[Key]], lines: Sequence[tuple[Key, tuple[Key, ...]]]) -> set[Key]:
    """The unknowns that the sums have one solution for, by elimination to reduced rows."""
    rows: dict[Key, dict[Key, int]] = {}  # by pivot; no pivot stands in another's row
    for names, (total, _) in zip(unknowns, lines, strict=True):
        row = {name: (-1 if name == total else 1) for name in names}
        for pivot in [name for name in row if name in rows]:
            _subtract(row, rows[pivot], row[pivot])
        if not row:
            continue
        pivot = next(iter(row))
        inverse = pow(row[pivot], -1, _PRIME)
        row = {name: value * inverse % _PRIME for name, value in row.items()}
        for other in rows.values():
            if pivot in other:
                _subtract(other, row, other[pivot])
        rows[pivot] = row
    return {pivot for pivot, row in rows.items() if len(row) == 1}


def _subtract(row: dict[Key, int], other: Mapping[Key, int], times: int) -> None:
    for name, value in other.items():
        left = (row.get(name, 0) - times * value) % _PRIME
        if left:
            row[name] = left
        else:
            row.pop(name, None)
