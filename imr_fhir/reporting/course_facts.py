"""A course and its due occasions, as rows: how it stands, and what became of each occasion for each rater."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from operator import itemgetter

from imr_fhir.course import Course
from imr_fhir.due import DueOccasion, DueOutcome, add_months, occasions, standing
from imr_fhir.history import day
from imr_fhir.reporting.fact_rows import CourseFact, OccasionFact
from imr_fhir.reporting.life import Life
from imr_fhir.response import Response
from imr_fhir.scale import RATERS

MONTHS = (3, 6, 9, 12)


def course_facts(
    number: int, course: Course, life: Life, courses: Sequence[Course], exported: date
) -> tuple[CourseFact, list[OccasionFact]]:
    """``courses``: all of the patient's. An occasion counts once its due window has closed. Out are those on hold for
    all of it, and those that the patient did not live to see open."""
    closed = [each for each in occasions(course, exported) if each.closes < exported and not _died(life, each)]
    dated = sorted(((day(each), each) for each in life.responses), key=itemgetter(0))
    within = [(when, each) for when, each in dated if _its(when, course, courses)]
    outcomes = sorted(
        (each for each in life.outcomes if _its(each.recorded, course, courses)), key=lambda each: each.recorded
    )
    rated = [row for occasion in closed for row in _occasion(number, course, occasion, within, outcomes)]
    days = [*(when for when, _ in within), *(each.recorded for each in outcomes)]
    quiet = {each.closes: not any(each.opens <= when <= each.closes for when in days) for each in closed}
    return _course(number, course, life, quiet, exported), rated


def _its(when: date, course: Course, courses: Sequence[Course]) -> bool:
    """Whether what happened on this day can be of one of the course's occasions. An answering window does not end with
    the course, but with another one that takes the day."""
    return course.takes(when) or not any(other.takes(when) for other in courses)


def _died(life: Life, occasion: DueOccasion) -> bool:
    return life.died is not None and life.died < occasion.opens


def _course(number: int, course: Course, life: Life, quiet: Mapping[date, bool], exported: date) -> CourseFact:
    """``quiet``: by the last day of each due window that has closed, in order, whether nothing happened in it."""
    end, ending = _ending(course, life.died)

    def by(cutoff: date) -> str:
        if end is not None and end <= cutoff:
            return ending
        past = [nothing for closes, nothing in quiet.items() if closes < cutoff]
        return "silent" if past and past[-1] else "ongoing"

    months = {month: add_months(course.start, month) for month in MONTHS}
    return CourseFact(
        number,
        life.patient,
        course.unit,
        course.source,
        course.start,
        course.end,
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
    number: int,
    course: Course,
    occasion: DueOccasion,
    within: Sequence[tuple[date, Response]],
    outcomes: Sequence[DueOutcome],
) -> Iterator[OccasionFact]:
    """``within``: the course's responses of any status, by day; ``outcomes`` by day too."""
    opens, closes = occasion.answering_opens, occasion.answering_closes
    first, last = (cut(within, when, key=itemgetter(0)) for cut, when in ((bisect_left, opens), (bisect_right, closes)))
    here = [each for _, each in within[first:last]]
    said = [each.outcome for each in outcomes if opens <= each.recorded <= closes]
    asked = any(outcome != "not-asked" for outcome in said)
    for rater in RATERS:
        own = [each for each in here if each.rater == rater]
        stands = standing(occasion, rater, own, today=closes)
        state = _state(stands.state, own, said[-1] if said else "nothing")
        yield OccasionFact(
            number, course.unit, rater, occasion.k, occasion.due, state, stands.timely, bool(own) or asked, asked
        )


def _state(stands: str, own: Sequence[Response], otherwise: str) -> str:
    """``own``: the rater's responses in the answering window, of any status."""
    if stands == "answered":
        return "answered"
    if any(response.status == "stopped" for response in own):
        return "stopped"
    return "incomplete" if own else otherwise
