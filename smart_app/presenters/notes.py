"""The small Observations sorted by what they are about. Those entered in error count for nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from imr_fhir.due import DueOutcome as DueAnswer
from imr_fhir.element import local_type_and_id, plain_reference
from imr_fhir.record import DueOutcome, Factor, Note, Prompt, Review, SeenFirst
from imr_fhir.response import Response
from imr_fhir.talk import TalkPoint
from smart_app.presenters.goals import Said


def standing(notes: Iterable[Note]) -> tuple[Note, ...]:
    """Those that stand, in the order in which they were said."""
    return tuple(sorted((note for note in notes if note.status != "entered-in-error"), key=lambda note: note.said))


def said_of_goals(notes: Iterable[Note]) -> dict[str, Said]:
    """What stands about each goal and step, by Goal id."""
    about: dict[str, list[Factor | Review]] = {}
    for note in notes:
        if isinstance(note, Factor | Review):
            about.setdefault(local_type_and_id(note.focus)[1], []).append(note)
    return {goal: _said(found) for goal, found in about.items()}


def _said(notes: Sequence[Factor | Review]) -> Said:
    factors = [note for note in notes if isinstance(note, Factor)]
    last = next((note for note in reversed(notes) if isinstance(note, Review)), None)
    return Said(
        helps=tuple(note.text for note in factors if note.kind == "helps"),
        hinders=tuple(note.text for note in factors if note.kind != "helps"),
        result=last.result if last else "",
        reviewed=last.said.date() if last else None,
    )


def due_answers(notes: Iterable[Note]) -> tuple[DueAnswer, ...]:
    """What became of due occasions, in the order in which it was said: of one day the last counts."""
    said = sorted((note for note in notes if isinstance(note, DueOutcome)), key=lambda note: note.said)
    return tuple(
        DueAnswer(note.outcome, note.said.date(), note.new_date)  # type: ignore[arg-type]  # one of OUTCOMES
        for note in said
    )


def seen_first(notes: Iterable[Note], responses: Iterable[Response], viewer: str) -> frozenset[str]:
    """Keys of the responses that ``viewer`` (a reference) opened before rating."""
    own = [note for note in notes if isinstance(note, SeenFirst) and plain_reference(note.performer) == viewer]
    seen = {local_type_and_id(note.response) for note in own}
    return frozenset(response.key for response in responses if local_type_and_id(response.reference) in seen)


def prompt_of(point: TalkPoint, notes: Iterable[Note], response: Response) -> Prompt | None:
    """The tap on this line of "worth talking about today", if somebody has made one."""
    for note in notes:
        if (
            isinstance(note, Prompt)
            and (note.reason, note.item) == (point.reason, point.item)
            and local_type_and_id(note.response) == local_type_and_id(response.reference)
        ):
            return note
    return None


def answered(point: TalkPoint, notes: Iterable[Note], response: Response) -> bool:
    """Whether somebody has tapped this line of "worth talking about today"."""
    return prompt_of(point, notes, response) is not None
