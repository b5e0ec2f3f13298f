"""When ratings are due in a course, and what became of each due occasion."""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

from imr_fhir.course import Course
from imr_fhir.documented import Document
from imr_fhir.history import day, listed
from imr_fhir.response import Response
from imr_fhir.scale import Rater

MONTHS_BETWEEN = 3  # the programme's own interval
OPENS_BEFORE = timedelta(days=14)
CLOSES_AFTER = timedelta(days=28)
FIRST_OPENS_BEFORE = timedelta(days=28)
_ONE_DAY = timedelta(days=1)

OutcomeCode = Literal["not-today", "declined", "too-unwell", "not-asked"]
State = Literal["ahead", "open", "answered", "stopped", "not-today", "declined", "too-unwell", "not-asked", "missed"]


@dataclass(frozen=True, slots=True)
class DueOccasion:
    """All days are included in their windows."""

    k: int  # 0 at the start of the course
    due: date
    opens: date  # due window: rated in time
    closes: date
    answering_opens: date  # answering window: rated at this occasion and no other
    answering_closes: date


@dataclass(frozen=True, slots=True)
class DueOutcome:
    """What became of a due occasion where it was not answered: never silence."""

    outcome: OutcomeCode
    recorded: date
    new_date: date | None = None  # when to ask again


@dataclass(frozen=True, slots=True)
class Standing:
    """How one rater stands at one due occasion."""

    state: State
    timely: bool = False  # answered within the due window
    ask_on: date | None = None  # when to ask again after an outcome
    document: date | None = None  # the day of a rating that is in the record as a document, and nowhere else


@lru_cache(maxsize=4096)  # ten years of a course are asked for again and again
def add_months(start: date, months: int) -> date:
    """The same day ``months`` later, or the last of a shorter month: 31 January and 3 months give 30 April."""
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    return date(year, month, min(start.day, monthrange(year, month)[1]))


def occasions(course: Course, until: date) -> tuple[DueOccasion, ...]:
    """The due occasions of ``course`` whose window has opened by ``until``, while the course runs.

    Left out is one whose whole due window falls into a time on hold.
    """
    found = []
    k = 0
    while course.runs(_due(course, k)) and (occasion := _occasion(course, k)).opens <= until:
        if not any(hold.covers(occasion.opens, occasion.closes) for hold in course.on_hold):
            found.append(occasion)
        k += 1
    return tuple(found)


def current(course: Course, today: date) -> DueOccasion | None:
    """The occasion whose due window is open today; None between two, and while the course is on hold."""
    opened = occasions(course, today)
    return opened[-1] if opened and today <= opened[-1].closes and course.status != "onhold" else None


def next_due(course: Course, today: date) -> DueOccasion | None:
    """The first occasion whose due window opens after today; None where the course will not run then, or is on hold."""
    if course.status == "onhold":
        return None
    ahead = occasions(course, add_months(max(today, course.start), 2 * MONTHS_BETWEEN))
    return next((occasion for occasion in ahead if occasion.opens > today), None)


def standing(
    occasion: DueOccasion,
    rater: Rater,
    responses: Iterable[Response],
    outcomes: Iterable[DueOutcome] = (),
    *,
    today: date,
    documents: Iterable[Document] = (),
) -> Standing:
    """How ``rater`` stands at ``occasion``: an answer decides, then the latest outcome recorded (of one day the last of
    ``outcomes``), then the calendar.

    ``documents`` that stand (`documented.standing`) say that and when there was an answer; nothing else of them
    is known here.
    An outcome with a new date holds until that day, "not today" without one until the next day; then the occasion is
    open again. Past its windows the outcome stands.
    """
    own = [
        response
        for response in listed(responses)
        if response.rater == rater
        and occasion.answering_opens <= day(response) <= min(occasion.answering_closes, today)
    ]
    whole = next((response for response in own if response.complete), None)
    if whole:
        return Standing("answered", timely=occasion.opens <= day(whole) <= occasion.closes)
    told = [
        each
        for each in sorted(documents, key=lambda each: each.day)
        if each.rater == rater and occasion.answering_opens <= each.day <= min(occasion.answering_closes, today)
    ]
    written = next((each.day for each in told if each.complete), None)
    if written:
        return Standing("answered", timely=occasion.opens <= written <= occasion.closes, document=written)
    if own or told:
        return Standing("stopped", document=None if own else told[0].day)
    recorded = [
        outcome
        for outcome in outcomes
        if occasion.answering_opens <= outcome.recorded <= min(occasion.answering_closes, today)
    ]
    if recorded:
        last = sorted(recorded, key=lambda outcome: outcome.recorded)[-1]
        ask_on = last.new_date or (last.recorded + _ONE_DAY if last.outcome == "not-today" else None)
        until = occasion.answering_closes if last.new_date else occasion.closes
        return Standing("open" if ask_on and ask_on <= today <= until else last.outcome, ask_on=ask_on)
    if today < occasion.opens:
        return Standing("ahead")
    return Standing("open" if today <= occasion.closes else "missed")


def _due(course: Course, k: int) -> date:
    return add_months(course.start, MONTHS_BETWEEN * k)


def _occasion(course: Course, k: int) -> DueOccasion:
    due = _due(course, k)
    # The first window opens 28 days before the start, where a First may lie; so must its answering window.
    opens = due - (OPENS_BEFORE if k else FIRST_OPENS_BEFORE)
    return DueOccasion(
        k=k,
        due=due,
        opens=opens,
        closes=due + CLOSES_AFTER,
        answering_opens=opens,
        answering_closes=_due(course, k + 1) - OPENS_BEFORE - _ONE_DAY,
    )
