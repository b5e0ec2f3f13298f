"""Small numbers that a report does not show, and those besides that would give them away by subtraction.

The one place that decides it: counts go in with all sums that a reader could form of them, and out comes what to hide.
A percentage, mean or interval is shown where all counts that it rests on are.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

THRESHOLD = 5  # numbers under this are not shown (RULES, the report's figures)
_PRIME = 2**61 - 1  # elimination in whole numbers; the sums have coefficients of 1 only

Sum = tuple[Key, Sequence[Key]]  # a total and its parts
Costs = Mapping[Key, tuple[bool, int, str]]  # what is hidden first costs least


def hidden(
    counts: Mapping[Key, int],
    sums: Iterable[Sum[Key]],
    threshold: int = THRESHOLD,
    *,
    unseen: Collection[Key] = frozenset(),
) -> frozenset[Key]:
    """The keys of ``counts`` that may not be shown, given that each of ``sums`` holds and is known to the reader.
    ``unseen`` stand nowhere themselves, so that it costs nothing to hide them.

    Hidden are counts under ``threshold``; then, until nothing more is needed, the smallest other in a sum where one
    hidden count stands alone, where the hidden parts together are under ``threshold``, or where several sums together
    would tell one. Raises ValueError for a sum that does not hold: then something was counted wrong.
    """
    lines = [(total, *parts) for total, parts in sums]
    for total, *parts in lines:
        if counts[total] != sum(counts[part] for part in parts):
            raise ValueError(f"{total} is {counts[total]}, but its parts are {[counts[part] for part in parts]}.")
    small = {key for key, count in counts.items() if count < threshold}
    secret = set(small)
    costs = {key: (key not in unseen, count, str(key)) for key, count in counts.items()}
    while _close(counts, lines, secret, threshold, costs) or _blur(costs, lines, secret, small):
        pass
    return frozenset(secret)


def _close(
    counts: Mapping[Key, int],
    lines: Sequence[Sequence[Key]],
    secret: set[Key],
    threshold: int,
    costs: Costs[Key],
) -> bool:
    """Hide more where one sum by itself says too much; whether anything was.

    A line with a key that was hidden just now waits for the next pass: its neighbours may need the same one.
    """
    new: set[Key] = set()
    for line in lines:
        within = [part for part in line[1:] if part in secret]
        alone = len(within) + (line[0] in secret) == 1
        few = within and line[0] not in secret and sum(counts[part] for part in within) < threshold
        if (alone or few) and new.isdisjoint(line):
            new |= _smallest(costs, line, secret)
    secret |= new
    return bool(new)


def _blur(costs: Costs[Key], lines: Sequence[Sequence[Key]], secret: set[Key], small: set[Key]) -> bool:
    """Hide more where all sums together determine a small number; whether anything was."""
    before = len(secret)
    told = _determined(lines, secret) & small
    for line in lines:
        if told & set(line) and (more := _smallest(costs, line, secret)):
            secret |= more
            told -= set(line)
    return len(secret) > before


def _smallest(costs: Costs[Key], line: Sequence[Key], secret: set[Key]) -> set[Key]:
    """Of a line's counts that are shown: the smallest part, its total last; nothing where all are hidden."""
    shown = [key for key in line[1:] if key not in secret] or [key for key in line[:1] if key not in secret]
    return {min(shown, key=costs.__getitem__)} if shown else set()


def _determined(lines: Sequence[Sequence[Key]], secret: set[Key]) -> set[Key]:
    """Those of ``secret`` that the sums have one solution for, by elimination to reduced rows."""
    rows: dict[Key, dict[Key, int]] = {}  # by pivot; no pivot stands in another's row
    holding: dict[Key, set[Key]] = {}  # where a key stands: pivots of rows
    for line in lines:
        row = {key: (-1 if key == line[0] else 1) for key in line if key in secret}
        for pivot in [key for key in row if key in rows]:
            _subtract(row, rows[pivot], row[pivot])
        if not row:
            continue
        pivot = min(row, key=lambda key: len(holding.get(key, ())))  # little to clear away
        inverse = pow(row[pivot], -1, _PRIME)
        row = {key: value * inverse % _PRIME for key, value in row.items()}
        for other in holding.pop(pivot, ()):
            before = set(rows[other])
            _subtract(rows[other], row, rows[other][pivot])
            for key in rows[other].keys() ^ before - {pivot}:
                holding.setdefault(key, set()).symmetric_difference_update({other})
        rows[pivot] = row
        for key in row.keys() - {pivot}:
            holding.setdefault(key, set()).add(pivot)
    return {pivot for pivot, row in rows.items() if len(row) == 1}


def _subtract(row: dict[Key, int], other: Mapping[Key, int], times: int) -> None:
    for key, value in other.items():
        left = (row.get(key, 0) - times * value) % _PRIME
        if left:
            row[key] = left
        else:
            row.pop(key, None)
