"""A patient's own record as IMR has it, in plain words: both raters' answers, each change with its reason, and all
else that was noted. Nothing of it is hidden (rule 20), also not what was taken back."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from imr_fhir.ehr.changes import Change, Changes
from imr_fhir.ehr.chart import Chart
from imr_fhir.element import plain_reference
from imr_fhir.history import in_time
from imr_fhir.record import Note
from imr_fhir.response import Response
from smart_app.language import Words
from smart_app.presenters.goals import GoalsView, goals_view
from smart_app.presenters.known import Known
from smart_app.presenters.notes import said_of_goals
from smart_app.presenters.occasions import figure
from smart_app.presenters.scales import language, tags, unverified
from smart_app.presenters.situation import Situation
from smart_app.presenters.status import DocumentLine, document_lines, problem_lines
from smart_app.presenters.written import Written, answer_lines, note_lines


@dataclass(frozen=True, slots=True)
class OwnRating:
    """``open_key``: the key with which it is opened before the own answers, "" where it is open. ``figure`` is "" where
    none is shown now."""

    title: str
    by: str
    tags: tuple[str, ...]
    changes: tuple[str, ...]
    answered: int
    figure: str
    lines: tuple[Written, ...]
    stored: str
    open_key: str


@dataclass(frozen=True, slots=True)
class OwnNote:
    day: str
    by: str
    tags: tuple[str, ...]
    lines: tuple[Written, ...]


@dataclass(frozen=True, slots=True)
class OwnRecord:
    goals: GoalsView
    ratings: tuple[OwnRating, ...]
    documents: tuple[DocumentLine, ...]  # ratings that are in the record as documents
    notes: tuple[OwnNote, ...]
    problems: tuple[str, ...]


def own_record(
    words: Words,
    chart: Chart,
    all_of: Known,
    situation: Situation,
    *,
    reasons: Changes | None,
    figures: bool,
) -> OwnRecord:
    """``reasons`` is None where the EHR did not show them; ``figures``: they may be shown now."""
    problems = problem_lines(words, chart, situation.today)
    if reasons is None:
        problems += (words.say("own.reasons.none"),)
    elif not reasons.whole:
        problems += (words.say("own.reasons.some"),)
    changed = reasons.found if reasons else ()
    said, name = said_of_goals(all_of.notes), all_of.names["client"]
    hidden = {response.key for response in all_of.hidden}
    return OwnRecord(
        goals=goals_view(words, chart.goals, said, name=name, today=situation.today),
        ratings=tuple(
            _rating(words, response, hidden, changed, figures=figures)
            for response in sorted(chart.responses, key=in_time, reverse=True)
        ),
        documents=document_lines(words, chart, all_of.names, may_write=False),
        notes=tuple(_notes(words, chart)),
        problems=problems,
    )


def _rating(
    words: Words, response: Response, hidden: Collection[str], reasons: Iterable[Change], *, figures: bool
) -> OwnRating:
    closed = response.key in hidden
    about = response.reference
    changed = [change for change in reasons if change.about == about]
    return OwnRating(
        title=words.say(f"own.rating.{response.rater}", date=words.day(response.measured)),
        by=_by(words, response),
        tags=_tags(words, response),
        changes=tuple(words.say("own.change", date=words.day(one.at), reason=one.reason) for one in changed),
        answered=len(response.ratings),
        figure=figure(words, response, ()) if figures and response.complete and not closed else "",
        lines=() if closed else tuple(answer_lines(words, response)),
        stored=words.say("own.stored", reference=about, version=response.version_id or "1"),
        open_key=response.key if closed else "",
    )


def _by(words: Words, response: Response) -> str:
    if response.rater == "clinician" or response.status == "amended":  # then its author is who corrected it
        return ""
    if not response.author:  # figures tell whose answers they are, not who typed them
        return ""
    return words.say("own.by.self" if _is_patient(response.author, response.patient) else "own.by.typed")


def _tags(words: Words, response: Response) -> tuple[str, ...]:
    taken_back = _taken_back(words, response.status)
    return (*tags(words, response), *taken_back, *language(words, response), *unverified(words, response.form))


def _is_patient(reference: str, patient: str) -> bool:
    return plain_reference(reference) == f"Patient/{patient}"


def _who(note: Note) -> str:
    if not note.performer:
        return "unknown"
    return "self" if _is_patient(note.performer, note.patient) else "clinician"


def _taken_back(words: Words, status: str) -> tuple[str, ...]:
    return (words.say("own.taken_back"),) if status == "entered-in-error" else ()


def _notes(words: Words, chart: Chart) -> Iterable[OwnNote]:
    texts = {f"Goal/{goal.id}": goal.text for goal in chart.goals}
    whole = {f"Goal/{goal.id}" for goal in chart.goals if not goal.parent}

    def when(note: Note) -> datetime:
        return note.said

    for note in sorted(chart.notes, key=when, reverse=True):
        by = words.say(f"own.note.{_who(note)}")
        lines = tuple(note_lines(words, note, texts, whole))
        yield OwnNote(words.day(note.said), by, _taken_back(words, note.status), lines)
