"""What the panel is worked out from besides the chart: who looks, when and where, and what the app's store holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from imr_fhir.course import Course
from imr_fhir.pairing import PAIR_WINDOW
from imr_fhir.parameters import PARAMETERS, Parameters
from imr_fhir.scale import Rater
from smart_app.plan import Plan
from smart_app.store.filing import Filing

DraftKind = Literal["open", "earlier", "aside", "merged"]


@dataclass(frozen=True, slots=True)
class OpenDraft:
    """A form that was begun and not handed in; ``id`` of one that is only read here, with what to say of it (``kind``):
    on an earlier version of the form, set aside, or of a record that was merged into this one."""

    rater: Rater
    answered: int
    touched: date
    expires: date
    expiring: bool  # time to warn of its end
    kind: DraftKind = "open"
    id: str = ""


@dataclass(frozen=True, slots=True)
class OpenGoalDraft:
    """What was typed of a goal and not saved; ``page`` as of `GoalDraft`. ``merged``: for a record that was merged."""

    page: str
    touched: date
    expires: date
    expiring: bool
    merged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    today: date  # in the site's time zone
    may_write: bool  # a clinician; a reader sees and prints
    clinician_on: bool  # the site uses the clinician scale
    own_record: bool = False  # it is the patient who looks
    viewer: str = ""  # reference of who looks
    opened: frozenset[str] = frozenset()  # keys of the answers that were opened before rating in this launch
    occasion: str = ""  # key of the occasion asked for, "" for the latest
    pair_window: int = PAIR_WINDOW  # days
    drafts: tuple[OpenDraft, ...] = ()
    goal_drafts: tuple[OpenGoalDraft, ...] = ()
    clock_off: timedelta = timedelta()  # the EHR's clock, from ours
    outbox: tuple[Filing, ...] = ()  # what this user saved and the record does not have yet
    waiting: int = 0  # ... and may
    printed: int = 0  # ... and can take nowhere
    placed: int = 0  # ... and could take nowhere when they were saved, but now
    left: int = 0  # ... of records that were merged into this one
    plan: Plan | None = None  # None where nothing may be written
    table: tuple[Course, ...] = ()  # the hospital's own courses
    parameters: tuple[Parameters, ...] = PARAMETERS
