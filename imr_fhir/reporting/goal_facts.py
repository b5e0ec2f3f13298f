"""A recovery goal as a row: whose it is, how it was followed up, and what became of it."""

from collections.abc import Sequence
from datetime import date, timedelta

from imr_fhir.course import Course
from imr_fhir.due import add_months
from imr_fhir.reporting.fact_rows import GoalFact
from imr_fhir.reporting.life import RecoveryGoal

BLOCK = timedelta(days=30)
FIRST_FOLLOW_UP = timedelta(days=14)
LAST_FOLLOW_UP = 6  # months

_ACHIEVED = ("achieved", "sustaining")  # goal-achievement: to sustain is to have achieved
_OVER = ("completed", "cancelled", "rejected")


def goal_fact(goal: RecoveryGoal, start: date, courses: Sequence[tuple[int, Course]], exported: date) -> GoalFact:
    """``start``: the goal's; ``courses`` with their numbers. A review of one of its steps follows the goal up too."""
    number, unit = next(
        ((number, course.unit) for number, course in reversed(courses) if course.runs(start)), (None, "")
    )
    until = min(goal.status_date, exported) if goal.lifecycle in _OVER and goal.status_date else exported
    blocks = max(0, (until - start) // BLOCK)
    reviewed = {(review.on - start) // BLOCK for review in goal.reviews}
    latest = add_months(start, LAST_FOLLOW_UP)
    outcome = _outcome(goal)
    return GoalFact(
        goal.id, number, unit, start, goal.theirs, outcome, _judge(goal) if outcome == "achieved" else "",
        any(start + FIRST_FOLLOW_UP <= review.on <= latest for review in goal.reviews),
        blocks, len(reviewed & set(range(blocks))),
    )  # fmt: skip


def _outcome(goal: RecoveryGoal) -> str:
    if goal.achievement in _ACHIEVED:
        return "achieved"
    last = max((review for review in goal.reviews if not review.of_step), key=lambda review: review.on, default=None)
    not_wanted = goal.lifecycle == "cancelled" or (last is not None and last.result == "not-wanted")
    return "not-wanted" if not_wanted else ""


def _judge(goal: RecoveryGoal) -> str:
    done = [review for review in goal.reviews if review.result == "done" and not review.of_step]
    return max(done, key=lambda review: review.on).by if done else ""
