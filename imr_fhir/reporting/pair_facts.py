"""The two raters' pairs in a course, as rows: which is the latest rated blind, and its answers side by side."""

from collections.abc import Sequence

from imr_fhir.course import Course, course_of
from imr_fhir.history import day
from imr_fhir.pairing import Pair, pairs
from imr_fhir.reporting.fact_rows import PairFact, PairItemFact
from imr_fhir.reporting.life import Life
from imr_fhir.response import Response
from imr_fhir.scale import NA


def pair_facts(
    number: int, course: Course, life: Life, courses: Sequence[Course]
) -> tuple[list[PairFact], list[PairItemFact]]:
    """``courses``: all of the patient's. A pair's number is its course's times 1,000 and its place in it."""
    # "is": an episode that the record holds twice is two courses, and a response is of one
    own = [response for response in life.responses if course_of(response, courses) is course]
    paired = pairs(own, [course]).pairs
    blind = [pair for pair in paired if not _seen_first(pair, life.seen_first)]
    rows, items = [], []
    for place, pair in enumerate(paired):
        key = number * 1_000 + place
        latest = bool(blind) and pair == blind[-1]
        means = _mean(pair.client), _mean(pair.clinician)
        rows.append(PairFact(number, course.unit, key, day(pair.client), pair not in blind, latest, *means))
        theirs = pair.clinician.ratings
        both = ((item, ours, theirs.get(item, NA)) for item, ours in sorted(pair.client.ratings.items()))
        items += [PairItemFact(key, *each) for each in both if NA not in each[1:]]
    return rows, items


def _seen_first(pair: Pair, seen: frozenset[str]) -> bool:
    return pair.client.id in seen or pair.clinician.id in seen


def _mean(response: Response) -> float | None:
    rated = [rating for rating in response.ratings.values() if rating != NA]
    return sum(rated) / len(rated) if response.complete else None
