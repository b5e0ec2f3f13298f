"""Earlier reviews of a goal and its steps, latest first, in the person's own words."""

from __future__ import annotations

from dataclasses import dataclass

from imr_fhir.ehr.chart import Chart
from imr_fhir.element import plain_reference
from imr_fhir.goal import Goal, steps_of
from imr_fhir.record import RESULTS, Review
from smart_app.language import Words

# Message -> field of a review.
WHY = (
    ("goals.why.helped", "helped"),
    ("goals.why.person", "hindered_person"),
    ("goals.why.around", "hindered_around"),
    ("goals.why.services", "hindered_services"),
)


@dataclass(frozen=True)
class WhyLine:
    label: str
    text: str


@dataclass(frozen=True)
class HistoryLine:
    day: str
    text: str
    result: str
    why: tuple[WhyLine, ...]


def history(words: Words, chart: Chart, goal: Goal) -> tuple[HistoryLine, ...]:
    """All reviews that stand, of ``goal`` and of each of its steps."""
    family = (goal, *steps_of(goal, chart.goals))
    texts = {f"Goal/{each.id}": each.text for each in family}
    labels = dict(zip(RESULTS, words.parts("step.options"), strict=True))
    reviews = [
        note
        for note in chart.notes
        if isinstance(note, Review) and plain_reference(note.focus) in texts and note.status != "entered-in-error"
    ]
    return tuple(
        HistoryLine(
            day=words.day(note.said),
            text=texts[plain_reference(note.focus)],
            result=labels[note.result],
            why=tuple(WhyLine(words.say(key), text) for key, name in WHY if (text := getattr(note, name))),
        )
        for note in sorted(reviews, key=lambda note: note.said, reverse=True)
    )
