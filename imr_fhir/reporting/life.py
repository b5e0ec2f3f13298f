"""One patient of an export as the rules read one: what stands, without what a report drops."""

from dataclasses import dataclass, field
from datetime import date

from imr_fhir.course import Course
from imr_fhir.due import DueOutcome
from imr_fhir.response import Response


@dataclass(frozen=True, slots=True)
class Review:
    on: date
    result: str  # done | partly | not-yet | not-wanted
    by: str  # type of who said it: Patient, Practitioner, ...; "" where it is not recorded
    of_step: bool  # one of the goal's steps was reviewed


@dataclass(frozen=True, slots=True)
class RecoveryGoal:
    """A goal, not a step, as it is at the export."""

    id: str
    start: date | None
    lifecycle: str
    achievement: str
    status_date: date | None
    theirs: bool  # expressed by the patient
    reviews: tuple[Review, ...] = ()


@dataclass(frozen=True, slots=True)
class Life:
    """All days are by the site's clock. ``table``: the hospital's own rows of courses."""

    patient: str  # id
    died: date | None = None
    episodes: tuple[Course, ...] = ()
    table: tuple[Course, ...] = ()
    responses: tuple[Response, ...] = ()  # begun ones too
    outcomes: tuple[DueOutcome, ...] = ()
    seen_first: frozenset[str] = field(default=frozenset())  # ids of responses that the other rater saw before rating
    goals: tuple[RecoveryGoal, ...] = ()
