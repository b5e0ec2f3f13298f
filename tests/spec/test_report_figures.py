"""The report's figures, one patient at a time: what a due occasion, a course, a pair and a goal count as.

Day 0 is the start of the course, 1 January 2026; due dates follow every three months (days 90, 181, 273). The export is
on day 400 unless said. The states of a rater's due occasions stand in order, k = 0 first.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from imr_fhir.course import Span
from imr_fhir.due import DueOutcome
from imr_fhir.reporting.fact_rows import Facts
from imr_fhir.reporting.facts import facts
from imr_fhir.reporting.life import Life, RecoveryGoal, Review
from tests.spec.build import answers, client, clinician, course, d, stopped, sum_of

EXPORT = 400


def of(exported: int = EXPORT, **said: Any) -> Facts:
    return facts(Life(patient="anna", **({"episodes": (course(),)} | said)), d(exported), 1)


def begun(on: int) -> Any:
    return client(on, {1: 3}, status="in-progress")


def said(outcome: str, on: int) -> DueOutcome:
    return DueOutcome(outcome, d(on))


def held(since: int) -> Mapping[str, Any]:
    return {"episodes": (course(on_hold=(Span(d(since), d(120)),)),)}


TWICE = (course(end=100), course(105))
IN_PART = client(90, answers(without=[4]))
NO = (said("declined", 91),)
LATER_NO = (said("not-today", 90), said("declined", 99))
LATER_NOT_ASKED = (said("not-today", 90), said("not-asked", 99))

SHORT = (course(end=100),)
NO_LATER = (said("declined", 101),)

# What happened, and the client's occasions: state ("." is nothing), "!" in time, "o" offered.
OCCASIONS: list[tuple[str, Mapping[str, Any], str]] = [
    ("nothing at all", {}, ". . . . ."),
    ("answered on the due date", {"responses": (client(90),)}, ". answered!o . . ."),
    ("first window opens 28 days before", {"responses": (client(-28),)}, "answered!o . . . ."),
    ("29 days before is no rating of the course", {"responses": (client(-29),)}, ". . . . ."),
    ("14 days before the due date", {"responses": (client(76),)}, ". answered!o . . ."),
    ("15 days before is late for the one before", {"responses": (client(75),)}, "answeredo . . . ."),
    ("28 days after", {"responses": (client(118),)}, ". answered!o . . ."),
    ("29 days after is answered, not in time", {"responses": (client(119),)}, ". answeredo . . ."),
    ("a correction moves nothing", {"responses": (client(90, status="amended"),)}, ". answered!o . . ."),
    ("stopped", {"responses": (stopped(90),)}, ". stoppedo . . ."),
    ("stopped, then answered", {"responses": (stopped(90), client(95))}, ". answered!o . . ."),
    ("begun and left", {"responses": (begun(90),)}, ". incompleteo . . ."),
    ("answered in part, handed in as whole", {"responses": (IN_PART,)}, ". incompleteo . . ."),
    ("declined", {"outcomes": NO}, ". declinedo . . ."),
    ("too unwell", {"outcomes": (said("too-unwell", 91),)}, ". too-unwello . . ."),
    ("not asked is no offer", {"outcomes": (said("not-asked", 91),)}, ". not-asked . . ."),
    ("not today, then declined: the last", {"outcomes": LATER_NO}, ". declinedo . . ."),
    ("not today, then not asked: offered once", {"outcomes": LATER_NOT_ASKED}, ". not-askedo . . ."),
    ("declined, and answered all the same", {"outcomes": NO, "responses": (client(95),)}, ". answered!o . . ."),
    ("the other rater's answer is none", {"responses": (clinician(90),)}, ". . . . ."),
    ("a due window still open does not count", {"exported": 118}, "."),
    ("closed yesterday", {"exported": 119}, ". ."),
    ("on hold for the whole due window: out", held(70), ". . . ."),
    ("on hold for a part of it", held(80), ". . . . ."),
    ("answered when the course had ended", {"episodes": SHORT, "responses": (client(101),)}, ". answered!o"),
    ("when its answering window had too", {"episodes": SHORT, "responses": (client(167),)}, ". ."),
    ("the next course takes the answer", {"episodes": TWICE, "responses": (client(101),)}, ". . answered!o . ."),
    ("the next course takes the outcome", {"episodes": TWICE, "outcomes": NO_LATER}, ". . declinedo . ."),
    ("offered, its day past: no course", {"episodes": (course(status="offered"),)}, ""),
    ("begins after the export: no course", {"episodes": (course(401),)}, ""),
    ("the course ended before the second due date", {"episodes": (course(end=89),)}, "."),
    ("died before the window", {"died": d(75)}, "."),
    ("died within it", {"died": d(76)}, ". ."),
]  # fmt: skip


@pytest.mark.parametrize(("case", "life", "states"), OCCASIONS, ids=[case for case, _, _ in OCCASIONS])
def test_occasions(case: str, life: Mapping[str, Any], states: str) -> None:
    rows = [row for row in of(**life).occasions if row.rater == "client"]
    found = (f"{row.state}{'!' * row.timely}{'o' * row.offered}" for row in rows)
    assert " ".join(found).replace("nothing", ".") == states


def ended(on: int, **how: Any) -> Mapping[str, Any]:
    return {"episodes": (course(end=on, **how),), "responses": EVERY}


DECLINED = (said("declined", 181),)
EVERY = tuple(client(on) for on in (0, 90, 181, 273, 365))
LATE = (client(0), client(119), *EVERY[2:])  # the second a day after its due window
# The course, and how it stands at months 3, 6, 9 and 12 ("-": the export is before), and whether it is silent now.
COURSES: list[tuple[str, Mapping[str, Any], str, bool]] = [
    ("runs, answered throughout", {"responses": EVERY}, "ongoing ongoing ongoing ongoing", False),
    ("runs, nothing ever", {}, "silent silent silent silent", True),
    ("fell silent after the second", {"responses": EVERY[:2]}, "ongoing ongoing silent silent", True),
    ("declined is not silent", {"responses": EVERY[:2], "outcomes": DECLINED}, "ongoing ongoing ongoing silent", True),
    ("answered, the due window over", {"responses": LATE}, "ongoing silent ongoing ongoing", False),
    ("only begun is not silent", {"responses": (*EVERY[:1], begun(90))}, "ongoing ongoing silent silent", True),
    ("finished", ended(150), "ongoing completed completed completed", False),
    ("left", ended(150, status="left"), "ongoing left left left", False),
    ("left on the day of month 3", ended(90, status="left"), "left left left left", False),
    ("moved", ended(150, status="ended", reason="moved"), "ongoing moved moved moved", False),
    ("ended, nothing says how", ended(150, status="ended"), "ongoing ended ended ended", False),
    ("died, whatever the course says", {**ended(150, status="left"), "died": d(150)}, "ongoing died died died", False),
    ("died, and nobody ended it", {"died": d(150), "responses": EVERY}, "ongoing died died died", False),
    ("begun four months before the export", {"exported": 125, "responses": EVERY}, "ongoing - - -", False),
]  # fmt: skip


@pytest.mark.parametrize(("case", "life", "standing", "silent"), COURSES, ids=[row[0] for row in COURSES])
def test_courses(case: str, life: Mapping[str, Any], standing: str, silent: bool) -> None:
    (row,) = of(**life).courses
    found = " ".join(each or "-" for each in (row.standing_3, row.standing_6, row.standing_9, row.standing_12))
    assert (found, row.silent) == (standing, silent)


# Ratings of the client, and: reason, items, sum of changes, flag at T, at the band's lower and upper end. T is 0.7367
# of 15 items (12 points), its band 0.62 to 0.87 (10 and 14 points).
CHANGES = [
    ("one rating", (client(0),), ("one_rating", None, None, "", "", "")),
    ("9 points up", (client(0, sum_of(36)), client(90, sum_of(45))), ("", 15, 9, "within", "within", "within")),
    ("10 points up", (client(0, sum_of(35)), client(90, sum_of(45))), ("", 15, 10, "within", "higher", "within")),
    ("12 points up", (client(0, sum_of(33)), client(90, sum_of(45))), ("", 15, 12, "higher", "higher", "within")),
    ("14 points down", (client(0, sum_of(50)), client(90, sum_of(36))), ("", 15, -14, "lower", "lower", "lower")),
    ("another language", (client(0), client(90, language="nb")), ("language_changed", None, None, "", "", "")),
]  # fmt: skip


@pytest.mark.parametrize(("case", "responses", "expected"), CHANGES, ids=[row[0] for row in CHANGES])
def test_change(case: str, responses: Any, expected: tuple[Any, ...]) -> None:
    (row,) = [row for row in of(responses=responses).changes if row.rater == "client"]
    assert (row.reason, row.items, row.delta_sum, row.flag, row.flag_narrow, row.flag_wide) == expected


# Days of the client's ratings after a first on day 0, and the sum of changes to the one at 12 months (day 365, give or
# take 42); each later rating is a point higher than the one before.
AT_A_YEAR = [
    ((90, 181), None),
    ((322,), None),
    ((323,), 1),
    ((407,), 1),
    ((408,), None),
    ((330, 370), 2),
    ((362, 395), 1),
]


@pytest.mark.parametrize(("days", "change"), AT_A_YEAR)
def test_change_at_a_year(days: tuple[int, ...], change: int | None) -> None:
    later = tuple(client(on, sum_of(41 + place)) for place, on in enumerate(days))
    (row,) = [r for r in of(500, responses=(client(0, sum_of(40)), *later)).changes if r.rater == "client"]
    assert row.delta_sum_12 == change


# The pairs: day of the client's, "s" seen first, "*" the latest blind one.
PAIRS = [
    ("one pair", (client(0), clinician(3)), frozenset(), "0*"),
    ("two pairs", (client(0), clinician(3), client(90), clinician(99)), frozenset(), "0 90*"),
    ("the later was seen first", (client(0), clinician(3), client(90), clinician(99)), {"client-90"}, "0* 90s"),
    ("seen first the other way", (client(0), clinician(3)), {"clinician-3"}, "0s"),
    ("too far apart", (client(0), clinician(29)), frozenset(), ""),
]  # fmt: skip


@pytest.mark.parametrize(("case", "responses", "seen", "expected"), PAIRS, ids=[row[0] for row in PAIRS])
def test_pairs(case: str, responses: Any, seen: Any, expected: str) -> None:
    rows = of(responses=responses, seen_first=frozenset(seen)).pairs
    shown = " ".join(f"{(row.on - d(0)).days}{'s' * row.seen_first}{'*' * row.latest_blind}" for row in rows)
    assert shown == expected


def goal(**said: Any) -> RecoveryGoal:
    fields = {"id": "g", "start": d(0), "lifecycle": "active", "achievement": "", "status_date": None, "theirs": True}
    return RecoveryGoal(**(fields | said))


def review(on: int, result: str = "partly", by: str = "Patient", of_step: bool = False) -> Review:
    return Review(d(on), result, by, of_step)


DONE = {"lifecycle": "completed", "achievement": "achieved", "status_date": d(65)}
NOT_WANTED = {"lifecycle": "cancelled", "status_date": d(40), "reviews": (review(40, "not-wanted"),)}

# A goal begun on day 0, and: followed up, full 30-day blocks, those with a review, outcome, who judged.
GOALS = [
    ("never reviewed", goal(), (False, 13, 0, "", "")),
    ("reviewed after 13 days", goal(reviews=(review(13),)), (False, 13, 1, "", "")),
    ("after 14", goal(reviews=(review(14),)), (True, 13, 1, "", "")),
    ("after 6 months to the day", goal(reviews=(review(181),)), (True, 13, 1, "", "")),
    ("a day later", goal(reviews=(review(182),)), (False, 13, 1, "", "")),
    ("a step reviewed", goal(reviews=(review(20, of_step=True),)), (True, 13, 1, "", "")),
    ("twice in one block", goal(reviews=(review(31), review(59))), (True, 13, 1, "", "")),
    ("in two blocks", goal(reviews=(review(59), review(60))), (True, 13, 2, "", "")),
    ("in the block that is not full", goal(reviews=(review(395),)), (False, 13, 0, "", "")),
    ("achieved, said by the patient", goal(**DONE, reviews=(review(65, "done"),)), (True, 2, 0, "achieved", "Patient")),
    ("achieved, no review says by whom", goal(**DONE), (False, 2, 0, "achieved", "")),
    ("a step done is not the goal", goal(reviews=(review(20, "done", of_step=True),)), (True, 13, 1, "", "")),
    ("over on a day after the export", goal(**(DONE | {"status_date": d(2000)})), (False, 13, 0, "achieved", "")),
    ("not wanted any more", goal(**NOT_WANTED), (True, 1, 0, "not-wanted", "")),
]  # fmt: skip


@pytest.mark.parametrize(("case", "goal", "expected"), GOALS, ids=[row[0] for row in GOALS])
def test_goals(case: str, goal: RecoveryGoal, expected: tuple[Any, ...]) -> None:
    (row,) = of(goals=(goal,)).goals
    assert (row.followed_up, row.blocks, row.blocks_reviewed, row.outcome, row.judged_by) == expected
