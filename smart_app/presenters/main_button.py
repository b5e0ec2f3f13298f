"""Which of the panel's buttons is the main one, never two: what this visit is for, as far as the record can tell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from imr_fhir.course import Course
from imr_fhir.scale import Rater

MainButton = Literal["rate", "give", "together", "goal"]


def main_button(
    course: Course | None, waiting: Sequence[Rater], today: date, *, both_answered: bool, may_rate: bool
) -> MainButton:
    """``waiting``: who has not answered what is due; ``both_answered``: at the latest occasion, and both may be seen.

    The goal's once the course has ended: no more answers are asked for.
    """
    if course is not None and course.end is not None and course.end < today:
        return "goal"
    if both_answered and not waiting:
        return "together"
    if tuple(waiting) == ("client",) or not may_rate:
        return "give"
    return "rate"
