"""The page on which a patient who has opened the app begins: the goal first, then the questions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from imr_fhir.ehr.chart import Problem
from imr_fhir.history import LISTED, day
from imr_fhir.response import Response
from smart_app.language import Words
from smart_app.presenters.goals import GoalsView


@dataclass(frozen=True, slots=True)
class OwnGoal:
    """``missing``: why no goal can be told of, which is not the same as that there is none."""

    text: str = ""
    next: str = ""
    missing: str = ""


def own_goal(words: Words, goals: GoalsView, problems: Iterable[Problem]) -> OwnGoal:
    """The goal begun last, with its next step."""
    if goals.first:
        return OwnGoal(goals.first.text, goals.first.next)
    missing = [problem for problem in problems if problem.about.partition("/")[0] == "Goal"]
    return OwnGoal(missing=not_shown(words, missing[0].reason) if missing else "")


def not_shown(words: Words, reason: str) -> str:
    return words.say("own.goals.missing", reason=reason).strip()


def answered_on(today: date, responses: Iterable[Response]) -> int:
    """How many questions the patient's latest own answers of this day hold, 0 where there are none."""
    own = [one for one in responses if one.rater == "client" and one.status in LISTED and day(one) == today]
    return len(max(own, key=lambda one: one.measured).ratings) if own else 0
