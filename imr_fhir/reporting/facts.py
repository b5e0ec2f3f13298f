"""What the rules say of one patient, as rows that the report's figures count: the same rules as on the panel.

Each row names its course, unit and the date that places it in a quarter; a figure is a query over these rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from imr_fhir.change import CannotSay, Change, change
from imr_fhir.course import Course, course_of, courses, firsts_of, responses_in
from imr_fhir.due import DueOccasion, DueOutcome, add_months, occasions, standing
from imr_fhir.history import day, history
from imr_fhir.pairing import Pair, pairs
from imr_fhir.reporting.life import Life
from imr_fhir.response import Response
from imr_fhir.scale import RATERS, Rater
from imr_fhir.scoring import rated_items

YEAR_LATER = timedelta(days=42)  # a rating at 12 months is one from 6 weeks before to 6 weeks after
MONTHS = (3, 6, 9, 12)


class CourseFact(NamedTuple):
    course: int
    patient: str
    unit: str  # "" where nothing says it
    source: str  # episode | table | gap
    start: date
    end: date | None
    ending: str  # ongoing | completed | moved | died | left | ended (nothing says how)
    silent: bool  # runs, and the last due window that closed did so with nothing
    standing_3: str  # ending by month 3, with "silent" for an ongoing one; "" where month 3 is after the export
    standing_6: str
    standing_9: str
    standing_12: str


class OccasionFact(NamedTuple):
    course: int
    unit: str
    rater: str
    k: int
    due: date
    state: str  # answered | stopped | incomplete | declined | too-unwell | not-today | not-asked | nothing
    timely: bool
    offered: bool  # an offer, or a response of any status, in the answering window


class ChangeFact(NamedTuple):
    course: int
    unit: str
    start: date  # of the course
    rater: str
    reason: str  # why nothing can be said; "" where two ratings can be compared
    items: int | None  # rated both times
    delta_sum: int | None
    delta_calendar: int | None  # the share of items 9 and 10
    flag: str  # higher | lower | within, at T; "" where nothing can be said
    flag_narrow: str  # the same at the lower end of T's band
    flag_wide: str  # the same at its upper end
    items_12: int | None  # to the rating at 12 months; empty where there is none that can be compared
    delta_sum_12: int | None
    delta_calendar_12: int | None


class PairFact(NamedTuple):
    course: int
    unit: str
    pair: int
    on: date  # the client's day
    seen_first: bool
    latest_blind: bool
    client: float | None  # mean of the rated items, unrounded; None of one that is not complete
    clinician: float | None


class PairItemFact(NamedTuple):
    pair: int
    item: int
    client: int
    clinician: int


class Facts(NamedTuple):
    courses: list[CourseFact]
    occasions: list[OccasionFact]
    changes: list[ChangeFact]
    pairs: list[PairFact]
    pair_items: list[PairItemFact]


def facts(life: Life, exported: date, number: int) -> tuple[Sequence[Course], Facts]:
    """The patient's courses and their rows; ``exported`` is the day of the export at the site, ``number`` that of the
    first course in the whole report. A pair has the number of its course times 1,000 and its own."""
    found = Facts([], [], [], [], [])
    all_courses = courses(life.episodes, life.responses, life.table, today=exported)
    for own, course in enumerate(all_courses, number):
        within = responses_in(course, life.responses)
        closed = [each for each in occasions(course, exported) if each.closes < exported and not _died(life, each)]
        rated = [row for occasion in closed for row in _occasion(own, course, occasion, life, within)]
        found.occasions.extend(rated)
        found.courses.append(_course(own, course, life, rated, {each.k: each.closes for each in closed}, exported))
        firsts = firsts_of(course, within)
        for rater in RATERS:
            found.changes.append(_change(own, course, rater, within, firsts.get(rater)))
        _pairs(own, course, life, all_courses, found)
    return all_courses, found


def _died(life: Life, occasion: DueOccasion) -> bool:
    return life.died is not None and life.died < occasion.opens


def _course(
    number: int, course: Course, life: Life, rated: Sequence[OccasionFact], closes: Mapping[int, date], exported: date
) -> CourseFact:
    end, ending = _ending(course, life.died)

    def by(cutoff: date) -> str:
        if end is not None and end <= cutoff:
            return ending
        last = max((k for k, closed in closes.items() if closed < cutoff), default=None)
        return "silent" if last is not None and all(r.state == "nothing" for r in rated if r.k == last) else "ongoing"

    months = {month: add_months(course.start, month) for month in MONTHS}
    return CourseFact(
        number,
        life.patient,
        course.unit,
        course.source,
        course.start,
        end,
        ending,
        by(exported) == "silent",
        *(by(cutoff) if cutoff <= exported else "" for cutoff in months.values()),
    )


def _ending(course: Course, died: date | None) -> tuple[date | None, str]:
    """Its last day and how it ended. Death ends it where nobody wrote an end."""
    if died is not None and (course.end is None or died <= course.end):
        return died, "died"
    if course.end is None:
        return None, "ongoing"
    if course.reason in ("moved", "died"):
        return course.end, course.reason
    return course.end, {"finished": "completed", "left": "left"}.get(course.status, "ended")


def _occasion(
    number: int, course: Course, occasion: DueOccasion, life: Life, within: Sequence[Response]
) -> Iterator[OccasionFact]:
    outcome = _last_outcome(occasion, life.outcomes)
    for rater in RATERS:
        answered = standing(occasion, rater, within, today=occasion.answering_closes)
        any_status = [
            each
            for each in life.responses
            if each.rater == rater and occasion.answering_opens <= day(each) <= occasion.answering_closes
        ]
        state = _state(answered.state, any_status, outcome)
        offered = bool(any_status) or outcome not in ("", "not-asked")
        yield OccasionFact(number, course.unit, rater, occasion.k, occasion.due, state, answered.timely, offered)


def _state(standing_state: str, any_status: Sequence[Response], outcome: str) -> str:
    if standing_state == "answered":
        return "answered"
    if any(response.status == "stopped" for response in any_status):
        return "stopped"
    return "incomplete" if any_status else outcome or "nothing"


def _last_outcome(occasion: DueOccasion, outcomes: Sequence[DueOutcome]) -> str:
    within = [each for each in outcomes if occasion.answering_opens <= each.recorded <= occasion.answering_closes]
    return max(within, key=lambda each: each.recorded).outcome if within else ""


def _change(
    number: int, course: Course, rater: Rater, within: Sequence[Response], first: Response | None
) -> ChangeFact:
    own = [response for response in within if response.rater == rater]
    said = change(own, first=first)
    later = _at_a_year(own, first)
    about = (number, course.unit, course.start, rater)
    year = (None, None, None) if later is None else (len(later.items), later.sum_change, later.calendar)
    if isinstance(said, CannotSay):
        return ChangeFact(*about, said.reason, None, None, None, "", "", "", *year)
    narrow, wide = said.parameters.band
    return ChangeFact(
        *about, "", len(said.items), said.sum_change, said.calendar,
        said.flag, _flag(said, narrow), _flag(said, wide), *year,
    )  # fmt: skip


def _flag(change: Change, threshold: Decimal) -> str:
    """As `Parameters.exceeded_by`, at another threshold of the mean."""
    if abs(change.sum_change) <= threshold * len(change.items):
        return "within"
    return "higher" if change.sum_change > 0 else "lower"


def _at_a_year(own: Sequence[Response], first: Response | None) -> Change | None:
    """The change from ``first`` to the complete rating nearest to 12 months after it, where they can be compared."""
    if first is None:
        return None
    wanted = add_months(day(first), 12)
    near = [r for r in history(own).counting if r.complete and abs(day(r) - wanted) <= YEAR_LATER]
    if not near:
        return None
    found = change([first, min(near, key=lambda r: abs(day(r) - wanted))], first=first)
    return found if isinstance(found, Change) else None


def _pairs(number: int, course: Course, life: Life, all_courses: Sequence[Course], found: Facts) -> None:
    own = [response for response in life.responses if course_of(response, all_courses) == course]
    paired = pairs(own, [course]).pairs
    blind = [pair for pair in paired if not _seen_first(pair, life.seen_first)]
    for place, pair in enumerate(paired):
        key = number * 1_000 + place
        found.pairs.append(
            PairFact(
                number,
                course.unit,
                key,
                day(pair.client),
                pair not in blind,
                bool(blind) and pair == blind[-1],
                _mean(pair.client),
                _mean(pair.clinician),
            )
        )
        both = rated_items(pair.client.ratings) & rated_items(pair.clinician.ratings)
        found.pair_items.extend(
            PairItemFact(key, item, pair.client.ratings[item], pair.clinician.ratings[item]) for item in sorted(both)
        )


def _seen_first(pair: Pair, seen: frozenset[str]) -> bool:
    return pair.client.id in seen or pair.clinician.id in seen


def _mean(response: Response) -> float | None:
    rated = rated_items(response.ratings)
    return sum(response.ratings[item] for item in rated) / len(rated) if response.complete else None
