"""Which of several responses stand: in time order, without what was withdrawn, and which of two close ones counts."""

from bisect import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from operator import attrgetter

from imr_fhir.response import Response
from imr_fhir.scale import RATERS

LISTED = ("completed", "amended", "stopped")  # not in-progress, and not entered-in-error
CLOSE_DAYS = 28  # of two by one rater this close, one counts


@dataclass(frozen=True, slots=True)
class History:
    """Responses of one course, each part in time order."""

    counting: tuple[Response, ...]
    superseded: tuple[Response, ...]  # stay listed; never First, never in a pair


class Among(tuple[Response, ...]):
    """Responses of which one is looked up by its key: a tuple would compare it with each, for each on a page."""

    @cached_property
    def _by_key(self) -> Mapping[str, Sequence[Response]]:
        found: dict[str, list[Response]] = {}
        for each in self:
            found.setdefault(each.key, []).append(each)
        return found

    def __contains__(self, response: object) -> bool:
        return isinstance(response, Response) and response in self._by_key.get(response.key, ())


# Of a response, as functions: its day, and what orders it.
day: Callable[[Response], date] = attrgetter("day")
in_time: Callable[[Response], tuple[datetime, datetime, str]] = attrgetter("in_time")


def days_apart(one: Response, other: Response) -> int:
    return abs((day(one) - day(other)).days)


def listed(responses: Iterable[Response]) -> tuple[Response, ...]:
    """Those that stand (completed, amended or stopped) in time order. A corrected one stands with its correction."""
    return tuple(sorted((r for r in responses if r.status in LISTED), key=in_time))


def ahead(responses: Iterable[Response], today: date) -> Among:
    """Those that stand and are dated after ``today``: by a wrong clock or a slip of the year. They count for nothing
    yet, or such a one would be the latest until then, whatever is answered meanwhile."""
    return Among(response for response in listed(responses) if day(response) > today)


def copies(responses: Iterable[Response]) -> tuple[tuple[Response, ...], ...]:
    """Those that stand and are several of one identifier, by identifier: each is a rating of its own, and of two close
    ones one counts as of any other (``history``); which of them should be there a person has to say."""
    named: dict[str, list[Response]] = {}
    for response in listed(responses):
        if response.identifier:
            named.setdefault(response.identifier, []).append(response)
    return tuple(tuple(found) for found in named.values() if len(found) > 1)


def history(responses: Iterable[Response]) -> History:
    """Sort out responses of one course, of one rater or both: two by one rater within 28 days count once.

    Scanned from the latest back, the later complete one counts. One that was stopped counts only where the same
    rater has no complete one within 28 days: an attempt broken off does not push out a whole rating.
    """
    standing = listed(responses)
    counting = [False] * len(standing)
    for rater in RATERS:
        own = [place for place, response in enumerate(standing) if response.rater == rater]
        whole = _spaced(standing, [place for place in own if standing[place].complete])
        days = [day(standing[place]) for place in whole]
        alone = [p for p in own if not standing[p].complete and not _close(day(standing[p]), days)]
        for place in (*whole, *_spaced(standing, alone)):
            counting[place] = True
    return History(
        tuple(response for response, counts in zip(standing, counting, strict=True) if counts),
        tuple(response for response, counts in zip(standing, counting, strict=True) if not counts),
    )


def _spaced(standing: Sequence[Response], places: Sequence[int]) -> list[int]:
    """Of ``places``, those that lie over 28 days before the next one kept, scanned from the latest back; in order."""
    kept: list[int] = []
    for place in reversed(places):
        if not kept or days_apart(standing[place], standing[kept[-1]]) > CLOSE_DAYS:
            kept.append(place)
    return kept[::-1]


def _close(when: date, days: Sequence[date]) -> bool:
    """Whether one of ``days`` (in order) is within 28 days of ``when``."""
    place = bisect(days, when)
    return any(abs((near - when).days) <= CLOSE_DAYS for near in days[max(place - 1, 0) : place + 1])
