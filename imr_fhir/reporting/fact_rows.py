"""The rows that the report's figures count, a type a table; `facts` makes them from one patient's life.

Each names its course, unit ("" where nothing says it) and the date that places it in a quarter.
"""

from datetime import date
from typing import NamedTuple


class CourseFact(NamedTuple):
    course: int
    patient: str
    unit: str  # "" where nothing says it
    source: str  # episode | table | gap
    start: date
    end: date | None  # the last day on which it takes a rating, also of one whose patient had died
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
    recorded: bool  # an offer, whatever became of it


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


class GoalFact(NamedTuple):
    goal: str  # id
    course: int | None  # in which it was begun
    unit: str
    start: date
    theirs: bool  # expressed by the patient
    outcome: str  # achieved | not-wanted | "" for neither
    judged_by: str  # who said that it was achieved: Patient, Practitioner, ...; "" where no review says it
    followed_up: bool  # a review from 14 days to 6 months after the start
    blocks: int  # full 30-day blocks in which it was active
    blocks_reviewed: int


class Facts(NamedTuple):
    courses: list[CourseFact]
    occasions: list[OccasionFact]
    changes: list[ChangeFact]
    pairs: list[PairFact]
    pair_items: list[PairItemFact]
    goals: list[GoalFact]
