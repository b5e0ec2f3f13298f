"""Small numbers that a report does not show, and those besides that would give them away.

The one place that decides it: counts go in with all sums that a reader could form of them, and out comes what to hide.
A percentage, mean or interval is shown where all counts that it rests on are.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar

from imr_fhir.reporting.bounds import Bounds
from imr_fhir.reporting.equations import Equations
from imr_fhir.reporting.programme import Programme

Key = TypeVar("Key", bound=Hashable)

THRESHOLD = 5  # numbers under this are not shown (RULES, the report's figures)

Sum = tuple[Key, Sequence[Key]]  # a total and its parts


def hidden(
    counts: Mapping[Key, int],
    sums: Iterable[Sum[Key]],
    threshold: int = THRESHOLD,
    *,
    rank: Callable[[Key], Any] = lambda _: 0,
    unseen: Collection[Key] = frozenset(),
) -> frozenset[Key]:
    """The keys of ``counts`` that may not be shown, given that each of ``sums`` holds and is known to the reader.
    ``unseen`` stand nowhere themselves.

    Hidden are counts under ``threshold``. Of the others one is shown after the other, those of the lowest ``rank``
    first, then the largest; but not one by which, with all that is shown till then, a small count could be told:

    - its value, by solving all sums together (`Equations`);
    - that it is under ``threshold``, since no count is under nought (`Bounds`).

    At last a linear programme over all of it (`Programme`) tries each: where a small count can be no other whole
    number, the numbers that press upon it are hidden too, those of the highest ``rank`` first, then the smallest.

    What the sums tell of a count whatever the numbers are (nobody can have been compared in the first week) is no
    secret. Raises ValueError for a sum that does not hold: then something was counted wrong.
    """
    rows = _rows(counts, sums)
    of: dict[Key, list[tuple[Hashable, Mapping[Key, int]]]] = {}
    for number, row in enumerate(rows):
        for key in row:
            of.setdefault(key, []).append((number, row))
    equations = Equations(rows)
    bounds = Bounds(counts, lambda key: chain(of.get(key, ()), equations.of(key)))
    bounds.know((), about=counts)
    small = {key for key, count in counts.items() if count < threshold}
    secret = {key for key in small if not bounds.under(key, threshold)} - equations.told()
    bounds.keep(dict.fromkeys(secret, threshold))
    shown: set[Key] = set()
    candidates = counts.keys() - small - set(unseen)

    def order(key: Key) -> Any:
        return rank(key), -counts[key], str(key)

    for key in sorted(candidates, key=order):
        telling = equations.telling(key)
        if key in shown or (secret.isdisjoint(telling) and bounds.know((key, *telling))):
            equations.show(key)
            shown |= {key, *candidates.intersection(telling)}  # what is told anyway can be shown too
    pressing: set[Key] = _pressing(Programme(counts, rows, shown), secret, order)
    return frozenset(counts.keys() - shown | pressing)


def _pressing(programme: Programme[Key], secret: Collection[Key], order: Callable[[Key], Any]) -> set[Key]:
    """What is to be hidden besides so that none of ``secret`` is told, the last by ``order`` first."""
    found: set[Key] = set()
    for key in sorted(programme.suspects(secret), key=order):
        while pressing := programme.pressing(key):
            last = max(pressing, key=order)
            programme.hide(last)
            found.add(last)
    return found


def _rows(counts: Mapping[Key, int], sums: Iterable[Sum[Key]]) -> list[dict[Key, int]]:
    """Each sum once, as coefficients: the parts less their total are nought."""
    found: dict[frozenset[Key], dict[Key, int]] = {}
    for total, parts in sums:
        if counts[total] != sum(counts[part] for part in parts):
            raise ValueError(f"{total} is {counts[total]}, but its parts are {[counts[part] for part in parts]}.")
        row = {total: -1, **dict.fromkeys(parts, 1)}
        found[frozenset(row)] = {key: row[key] for key in sorted(row, key=str)}
    return sorted(found.values(), key=str)  # in one order: the same numbers, the same report
