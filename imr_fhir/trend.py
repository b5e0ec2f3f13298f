"""One rater's scores over time, as the chart draws them: points, lines that break, and a band around each start."""

from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from imr_fhir.change import parameters_of
from imr_fhir.course import Course, course_of, first_of
from imr_fhir.due import occasions
from imr_fhir.history import day, history, listed
from imr_fhir.parameters import PARAMETERS, Parameters
from imr_fhir.response import Response
from imr_fhir.scale import RATING_MAX, Rater

_SCALE = Decimal(1), Decimal(RATING_MAX)


@dataclass(frozen=True, slots=True)
class Point:
    day: date  # its place on a true time axis
    mean: Decimal
    sum: int
    rated: int  # items: 15, or 14 without item 13
    response_key: str


Line = tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Start:
    """A course's First of this rater, marked, with the band of ±T around it: what stays inside can be chance."""

    point: Point
    low: Decimal | None  # of the mean, within the scale's 1 to 5; None where there are no parameters
    high: Decimal | None
    until: date  # where the band ends: the course's end, or today


@dataclass(frozen=True, slots=True)
class Trend:
    rater: Rater
    points: tuple[Point, ...]
    lines: tuple[Line, ...]  # of means; a point alone is a line of one
    sum_lines: tuple[Line, ...]  # break also where the number of items rated differs
    starts: tuple[Start, ...]


def trend(
    rater: Rater,
    responses: Iterable[Response],
    courses: Sequence[Course],
    *,
    today: date,
    table: Iterable[Parameters] = PARAMETERS,
) -> Trend:
    """The complete ratings of ``rater`` that count, by time.

    A line goes on from one to the next where no due occasion of their course lies between them without one; so it
    breaks where an occasion is missing or was stopped early, and between two courses.
    """
    table = tuple(table)
    own = [response for response in listed(responses) if response.rater == rater]
    by_course: dict[Course | None, list[Response]] = {}
    for response in own:
        by_course.setdefault(course_of(response, courses), []).append(response)
    placed = sorted(
        (entry for course, together in by_course.items() for entry in _placed(course, together)),
        key=lambda entry: entry.point.day,
    )
    points = tuple(entry.point for entry in placed)
    joined = [
        one.course is not None and one.course == other.course and other.occasion - one.occasion <= 1
        for one, other in pairwise(placed)
    ]
    same_items = [one.rated == other.rated for one, other in pairwise(points)]
    return Trend(
        rater=rater,
        points=points,
        lines=_lines(points, joined),
        sum_lines=_lines(points, [a and b for a, b in zip(joined, same_items, strict=True)]),
        starts=tuple(
            _start(first, course, today, parameters_of(first, table))
            for course in courses
            if (first := first_of(course, own, rater)) is not None
        ),
    )


@dataclass(frozen=True, slots=True)
class _Placed:
    point: Point
    course: Course | None
    occasion: int  # how many of the course's due occasions had begun; those on hold are not due, so none is missed


def _placed(course: Course | None, together: Sequence[Response]) -> Iterator[_Placed]:
    due = occasions(course, day(together[-1])) if course else ()
    begun = [occasion.answering_opens for occasion in due]
    for response in history(together).counting:
        if response.complete:
            yield _Placed(_point(response), course, bisect(begun, day(response)))


def _point(response: Response) -> Point:
    score = response.score
    assert score.sum is not None  # only complete ratings are drawn
    assert score.mean is not None
    return Point(day(response), score.mean, score.sum, score.rated, response.key)


def _lines(points: Sequence[Point], joined: Sequence[bool]) -> tuple[Line, ...]:
    breaks = [0, *(place for place, goes_on in enumerate(joined, 1) if not goes_on), len(points)]
    return tuple(tuple(points[start:end]) for start, end in pairwise(breaks) if start < end)


def _start(first: Response, course: Course, today: date, parameters: Parameters | None) -> Start:
    point = _point(first)
    until = course.end or today
    if parameters is None:
        return Start(point, None, None, until)
    lowest, highest = _SCALE
    return Start(
        point, max(point.mean - parameters.threshold, lowest), min(point.mean + parameters.threshold, highest), until
    )
