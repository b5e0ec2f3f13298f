"""The two raters' responses side by side: which belong together, and where the two see things differently."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from imr_fhir.change import CALENDAR_ITEMS
from imr_fhir.course import Course, course_of
from imr_fhir.history import day, days_apart, history, in_time, listed
from imr_fhir.response import Response
from imr_fhir.scale import NA, NA_ITEM
from imr_fhir.scoring import rated_items

PAIR_WINDOW = 28  # days between the two raters; a site may set another
OFFERED = 3  # gaps to talk about; more is no conversation
GAP_SIZE = 2
SOCIAL_ITEMS = (3, 4, 5, 12)  # first where gaps are equally large: the side of recovery that is lost most easily

GapKind = Literal["talk", "dates"]


@dataclass(frozen=True, slots=True)
class Pair:
    client: Response
    clinician: Response


@dataclass(frozen=True, slots=True)
class Pairing:
    """Each response that stands is in one of the three; all in time order (pairs by the client's)."""

    pairs: tuple[Pair, ...]
    unpaired: tuple[Response, ...]  # the other rater: "not rated in this window"
    superseded: tuple[Response, ...]  # the same rater rated again within 28 days


@dataclass(frozen=True, slots=True)
class Gap:
    item: int
    client: int
    clinician: int
    kind: GapKind  # "dates": items 9 and 10, look up the date together

    @property
    def size(self) -> int:
        return abs(self.client - self.clinician)


@dataclass(frozen=True, slots=True)
class Gaps:
    offered: tuple[Gap, ...]  # at most three, largest first
    folded: tuple[Gap, ...]  # the rest, in the same order
    medication: bool  # item 13 rated by one, not applicable for the other: "is medication prescribed?"


def pairs(responses: Iterable[Response], courses: Sequence[Course], window: int = PAIR_WINDOW) -> Pairing:
    """Pair the two raters' responses at most ``window`` days apart (that day included), within one course.

    The nearest first, then by the client's date, then by id; each response is in one pair at most. Responses in no
    course at all pair among themselves.
    """
    by_course: dict[Course | None, list[Response]] = {}
    for response in listed(responses):
        by_course.setdefault(course_of(response, courses), []).append(response)
    paired: list[Pair] = []
    unpaired: list[Response] = []
    superseded: list[Response] = []
    for together in by_course.values():
        sorted_out = history(together)
        found, alone = _greedy(sorted_out.counting, window)
        paired += found
        unpaired += alone
        superseded += sorted_out.superseded
    paired.sort(key=lambda pair: in_time(pair.client))
    return Pairing(tuple(paired), listed(unpaired), listed(superseded))


def gaps(pair: Pair) -> Gaps:
    """Where the two differ, among the items that both rated: from 2 apart, items 9 and 10 from 1."""
    client, clinician = pair.client.ratings, pair.clinician.ratings
    both = rated_items(client) & rated_items(clinician)
    found = [Gap(i, client[i], clinician[i], "dates" if i in CALENDAR_ITEMS else "talk") for i in both]
    counted = [gap for gap in found if gap.size >= (1 if gap.kind == "dates" else GAP_SIZE)]
    counted.sort(key=lambda gap: (-gap.size, gap.item not in SOCIAL_ITEMS, gap.item))
    answers = client.get(NA_ITEM), clinician.get(NA_ITEM)
    medication = NA in answers and None not in answers and answers != (NA, NA)
    return Gaps(tuple(counted[:OFFERED]), tuple(counted[OFFERED:]), medication)


def _greedy(counting: Sequence[Response], window: int) -> tuple[list[Pair], list[Response]]:
    clients = [response for response in counting if response.rater == "client"]
    clinicians = sorted((response for response in counting if response.rater == "clinician"), key=day)
    days = [day(response) for response in clinicians]
    candidates = [
        (days_apart(client, clinicians[place]), day(client), client.key, clinicians[place].key, ours, place)
        for ours, client in enumerate(clients)
        for place in _within(days, day(client), timedelta(days=window))
    ]
    free_clients, free_clinicians = set(range(len(clients))), set(range(len(clinicians)))
    found = []
    for *_, ours, place in sorted(candidates):
        if ours in free_clients and place in free_clinicians:
            free_clients.remove(ours)
            free_clinicians.remove(place)
            found.append(Pair(clients[ours], clinicians[place]))
    return found, [clients[i] for i in free_clients] + [clinicians[i] for i in free_clinicians]


def _within(days: Sequence[date], when: date, window: timedelta) -> range:
    return range(bisect_left(days, when - window), bisect_right(days, when + window))
