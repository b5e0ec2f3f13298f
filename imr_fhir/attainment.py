"""How far a goal was attained, in the eyes of the patient and of the practitioner, side by side."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

Judge = Literal["patient", "practitioner"]


@dataclass(frozen=True, slots=True)
class AttainmentRating:
    goal: str  # key of the Goal
    by: Judge
    level: int  # -2 to +2, as goal attainment scaling has them
    rated: date


@dataclass(frozen=True, slots=True)
class Attainment:
    """The latest level by each; deliberately without a mean, a difference or a T-score."""

    goal: str
    patient: AttainmentRating | None
    practitioner: AttainmentRating | None


def side_by_side(ratings: Iterable[AttainmentRating]) -> tuple[Attainment, ...]:
    """The latest level of each judge for each goal, goals in the order in which they were first rated."""
    latest: dict[str, dict[Judge, AttainmentRating]] = {}
    for rating in sorted(ratings, key=lambda rating: rating.rated):
        latest.setdefault(rating.goal, {})[rating.by] = rating
    return tuple(Attainment(goal, by.get("patient"), by.get("practitioner")) for goal, by in latest.items())
