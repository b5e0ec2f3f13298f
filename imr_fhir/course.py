"""A patient's courses of IMR: from EpisodeOfCare, from the hospital's table, or from gaps between responses."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from typing import Any, Literal

from imr_fhir.element import NEXT_STEP, Element, require_patient, resource
from imr_fhir.errors import ResourceError
from imr_fhir.fhir_time import last_day
from imr_fhir.history import day, history, listed
from imr_fhir.response import Response
from imr_fhir.scale import Rater

CourseStatus = Literal["offered", "active", "onhold", "finished", "left", "ended"]  # ended: it is not said how
CourseSource = Literal["episode", "table", "gap"]

BEFORE_START = timedelta(days=28)  # a First may be rated this long before the course begins
GAP = timedelta(days=274)  # nine months: one missed occasion must not end a course

# R4 episode-of-care-status; entered-in-error is no course.
EPISODE_STATUS: Mapping[str, CourseStatus] = {
    "planned": "offered",
    "waitlist": "offered",
    "active": "active",
    "onhold": "onhold",
    "finished": "finished",
    "cancelled": "left",
}
# The reasons that a hospital's table may give for an end and that are no leaving.
END_REASONS: Mapping[str, CourseStatus] = {"": "ended", "completed": "finished", "moved": "ended", "died": "ended"}


@dataclass(frozen=True, slots=True)
class Span:
    start: date
    end: date | None  # the last day; None while it lasts

    def covers(self, first: date, last: date) -> bool:
        return _covers(self.start, self.end, first, last)


@dataclass(frozen=True, slots=True)
class Course:
    start: date
    end: date | None  # the last day; None while it lasts
    status: CourseStatus
    unit: str  # reference of the Organization, or its name; "" where nothing says it
    source: CourseSource  # "gap": neither episode nor table told of it, and the screen says so
    reason: str = ""  # of its end, as the table has it
    offered: date | None = None
    on_hold: tuple[Span, ...] = ()

    def runs(self, when: date) -> bool:
        return self.status != "offered" and _covers(self.start, self.end, when, when)

    def takes(self, when: date) -> bool:
        """Whether a rating of this day belongs to it: from 28 days before its start to its end."""
        return _covers(self.start - BEFORE_START, self.end, when, when)


@dataclass(frozen=True, slots=True)
class CourseRow:
    """A row of the table that a hospital supplies where its EHR has no EpisodeOfCare."""

    patient: str
    unit: str
    offered: date | None
    start: date | None  # None: offered, not begun
    end: date | None
    reason: str  # of the end: "completed", "moved", "died", or the hospital's own word for leaving


def row_course(row: CourseRow) -> Course | None:
    """The course of a row; None where it has no start. Raises ResourceError for an end before the start."""
    if row.start is None:
        return None
    status: CourseStatus = "active" if row.end is None else END_REASONS.get(row.reason, "left")
    course = Course(row.start, row.end, status, row.unit, "table", row.reason, row.offered)
    return _ordered(course, f"The row of patient {row.patient} in the table of courses")


def episode_course(episode: Mapping[str, Any], *, patient: str, zone: tzinfo) -> Course | None:
    """The course of an EpisodeOfCare; None where it has not begun and has no date yet, or was entered in error.

    ``zone`` is the site's, since an EHR may give midnight there in UTC, which is the day before.
    Raises ResourceError, WrongPatient.
    """
    found = resource(episode, "EpisodeOfCare", ResourceError)
    require_patient(found, "patient", patient)
    code = found.code("status", (*EPISODE_STATUS, "entered-in-error"))
    period = found.one("period")
    start, end = _days(period, zone) if period else (None, None)
    if code == "entered-in-error" or (start is None and code in ("planned", "waitlist", "cancelled")):
        return None
    if start is None:
        raise found.fault(f"is {code}, but has no period.start")
    if end is None and code in ("finished", "cancelled"):
        raise found.fault(f"is {code}, but has no period.end")
    past = [(entry.text("status"), entry.one("period")) for entry in found.many("statusHistory")]
    spans = [(status, *_days(span, zone)) for status, span in past if span]
    organization = found.one("managingOrganization")
    course = Course(
        start=start,
        end=end,
        status=EPISODE_STATUS[code],
        unit=(organization.text("reference") or organization.text("display")) if organization else "",
        source="episode",
        offered=min((since for status, since, _ in spans if status == "planned" and since), default=None),
        on_hold=tuple(Span(since, until) for status, since, until in spans if status == "onhold" and since),
    )
    return _ordered(course, found.path)


def courses(
    episodes: Iterable[Course], responses: Iterable[Response], table: Iterable[Course] = (), *, today: date
) -> tuple[Course, ...]:
    """The patient's courses by start: the episodes; without any, the table's; without either, from gaps.

    Over 274 days without a response of either rater begin a new one; one that nothing followed for so long has ended.
    """
    known = tuple(episodes) or tuple(table)
    if known:
        return tuple(sorted(known, key=lambda course: course.start))
    days = [day(response) for response in listed(responses)]
    spans: list[tuple[date, date]] = []  # first and last day with a response
    for when in days:
        if spans and when - spans[-1][1] <= GAP:
            spans[-1] = spans[-1][0], when
        else:
            spans.append((when, when))
    return tuple(
        Course(first, None, "active", "", "gap")
        if (first, last) == spans[-1] and today - last <= GAP
        else Course(first, last, "ended", "", "gap")
        for first, last in spans
    )


def course_of(response: Response, courses: Sequence[Course]) -> Course | None:
    """The one course in which it was rated: the latest begun of those running that day, else the next to begin.

    None where none ran and none began within 28 days.
    """
    when = day(response)
    running = [course for course in courses if course.start <= when and course.takes(when)]
    if running:
        return max(running, key=lambda course: course.start)
    return min((course for course in courses if course.takes(when)), key=lambda course: course.start, default=None)


def responses_in(course: Course, responses: Iterable[Response]) -> tuple[Response, ...]:
    """Those that stand from 28 days before the course's start to its end, of both raters, in time order.

    One rated before its start, while another course still ran, is among the responses of both.
    """
    return tuple(response for response in listed(responses) if course.takes(day(response)))


def firsts_of(course: Course, responses: Iterable[Response]) -> dict[Rater, Response]:
    """Each rater's earliest complete rating from 28 days before the course's start; none for one who has none."""
    found: dict[Rater, Response] = {}
    for response in history(responses_in(course, responses)).counting:
        if response.complete:
            found.setdefault(response.rater, response)
    return found


def first_of(course: Course, responses: Iterable[Response], rater: Rater) -> Response | None:
    """The same of one rater."""
    return firsts_of(course, responses).get(rater)


def _covers(start: date, end: date | None, first: date, last: date) -> bool:
    """A function of its own: a Span for each question would cost a panel more than the answers."""
    return start <= first and (end is None or last <= end)


def _days(period: Element, zone: tzinfo) -> tuple[date | None, date | None]:
    start, end = _day(period, "start", zone), _day(period, "end", zone)
    return start, end and last_day(end)


def _day(period: Element, name: str, zone: tzinfo) -> date | None:
    if "T" not in period.text(name):  # a date alone is that day everywhere
        return period.day(name)
    moment = period.moment(name)
    return moment.astimezone(zone).date() if moment else None


def _ordered(course: Course, what: str) -> Course:
    if course.end is not None and course.end < course.start:
        raise ResourceError(f"{what} ends on {course.end}, before it starts on {course.start}.", next_step=NEXT_STEP)
    return course
