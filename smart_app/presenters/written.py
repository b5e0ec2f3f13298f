"""What was written, readable and printable, from the resources themselves: those sealed here, or the record's."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from imr_fhir import goal as goals
from imr_fhir import record, response
from imr_fhir.ehr.scores import has_code
from imr_fhir.element import plain_reference
from imr_fhir.errors import ResourceError
from imr_fhir.goal import Goal
from imr_fhir.record import OUTCOMES, RESULTS, TAPS, DueOutcome, Factor, Note, Prompt, Review, SeenFirst
from imr_fhir.response import Response
from imr_fhir.scale import NA
from smart_app.goal_form import GOAL_RESULTS
from smart_app.language import Words
from smart_app.presenters.goal_history import WHY
from smart_app.presenters.items import anchor
from smart_app.sealing import name_of

_NONE: Mapping[str, str] = {}
_FEW = 5  # references that a person may look for one by one


@dataclass(frozen=True, slots=True)
class Written:
    term: str
    text: str


def written(words: Words, bodies: Iterable[bytes], patient: str) -> tuple[Written, ...]:
    """Of all parts of a filing of the patient with this id."""
    resources = [json.loads(body, parse_float=Decimal) for body in bodies]
    there = {f"Goal/{each['id']}": each for each in resources if each["resourceType"] == "Goal" and "id" in each}
    texts = {reference: resource["description"]["text"] for reference, resource in there.items()}
    whole = {reference for reference, resource in there.items() if name_of(resource) == "goal"}
    # A review is told with the words of its goal or step, whose change goes with it; what helps is not.
    reviews = (each for each in resources if each["resourceType"] == "Observation" and name_of(each) == "review")
    reviewed = {focus["reference"] for review in reviews for focus in review["focus"]}
    gone = [each for each in resources if _is_withdrawn(each)]
    shown = [one for one in resources if f"{one['resourceType']}/{one.get('id')}" not in reviewed and one not in gone]
    return (
        *_why(words, resources),
        *_withdrawal(words, gone, patient),
        *_replaced(words, resources),
        *(line for resource in shown for line in of(words, resource, patient, texts, whole)),
    )


def _is_withdrawn(resource: Mapping[str, Any]) -> bool:
    return "entered-in-error" in (resource.get("status"), resource.get("lifecycleStatus"))


def _why(words: Words, resources: Iterable[Mapping[str, Any]]) -> Iterator[Written]:
    """Why it was corrected or withdrawn, in the person's words."""
    for resource in resources:
        if resource["resourceType"] == "Provenance":
            for reason in resource.get("reason", ()):
                yield Written(words.say("filing.why"), reason["text"])


def _replaced(words: Words, resources: Sequence[Mapping[str, Any]]) -> Iterator[Written]:
    """The document that a correction replaces, and whether it is marked as that."""
    marked = {f"{each['resourceType']}/{each.get('id')}" for each in resources if each.get("status") == "superseded"}
    for resource in resources:
        for related in resource.get("relatesTo", ()) if "id" not in resource else ():
            old = related["target"]["reference"]
            key = "plan.documents.marked" if old in marked else "plan.documents.current"
            yield Written(words.say("filing.replaces", reference=old), words.say(key, reference=old))


def _withdrawal(words: Words, gone: Sequence[Mapping[str, Any]], patient: str) -> Iterator[Written]:
    """What is taken back, and what the record calls it: of answers that do not count, which they were and no more."""
    for resource in gone:
        if resource["resourceType"] == "QuestionnaireResponse":
            found = response.from_resource(resource, patient=patient)
            yield Written(found.form.title.in_(words.language), words.day(found.measured))
        elif resource["resourceType"] == "DocumentReference":
            yield Written(words.say("filing.part.document"), str(resource.get("description", "")))
        elif resource["resourceType"] == "Goal" or has_code(resource, record.TOKENS):
            yield from of(words, resource, patient)
    there = [f"{each['resourceType']}/{each['id']}" for each in gone if "id" in each]
    if there:
        many = words.say("filing.in_error.many", n=len(there))
        yield Written(words.say("filing.in_error"), ", ".join(there) if len(there) <= _FEW else many)


def of(
    words: Words,
    resource: Mapping[str, Any],
    patient: str,
    texts: Mapping[str, str] = _NONE,
    whole: Collection[str] = (),
) -> Iterator[Written]:
    """Of one resource; nothing of a score, which says what the answers say, or of who wrote it.

    ``texts`` and ``whole``: see ``note_lines``. What the record has may be no resource of ours: then why not.
    """
    kind = resource["resourceType"]
    try:
        if kind == "QuestionnaireResponse":
            yield from answer_lines(words, response.from_resource(resource, patient=patient))
        elif kind == "Goal":
            found = goals.from_resource(resource, patient=patient)
            yield Written(words.say("filing.part.step" if found.parent else "filing.part.goal"), _goal(words, found))
        elif kind == "Observation" and has_code(resource, record.TOKENS):
            yield from note_lines(words, record.from_resource(resource, patient=patient), texts, whole)
    except ResourceError as error:
        yield Written(f"{kind}/{resource.get('id', '')}", error.message)


def _goal(words: Words, goal: Goal) -> str:
    """Its words, and what else was chosen for it: all that a printed page keeps of it."""
    area = words.say(f"goals.area.{goal.category}") if goal.category else ""
    by = words.say("goals.by", day=words.day(goal.due)) if goal.due else ""
    whose = "" if goal.theirs or goal.parent else f"{words.say('goals.theirs')} {words.say('goals.theirs.no')}"
    more = " · ".join(filter(None, (area, by, whose)))
    return f"{goal.text}\n{more}" if more else goal.text


def answer_lines(words: Words, said: Response) -> Iterator[Written]:
    """One a question that was answered, and the comment."""
    form = said.form
    for number, rating in said.ratings.items():
        figure = "" if rating == NA else f" ({rating})"
        label = form.item(number).label.in_(words.language)
        yield Written(f"{number}. {label}", anchor(words, form, number, rating) + figure)
    if said.comment:
        yield Written(words.say("form.comment.asked"), said.comment)


def note_lines(words: Words, note: Note, texts: Mapping[str, str], whole: Collection[str] = ()) -> Iterator[Written]:
    """``texts``: the words of goals by reference; ``whole``: those of them that are no steps, of which other words
    were chosen."""
    if isinstance(note, Factor):
        yield Written(words.say(f"filing.part.{note.kind}"), note.text)
    elif isinstance(note, Review):
        results = _named(RESULTS, words.parts("step.options"))
        if plain_reference(note.focus) in whole:
            results |= {result: words.say(f"goals.review.goal.{said}") for said, result in GOAL_RESULTS.items()}
        yield Written(texts.get(plain_reference(note.focus), words.say("filing.part.review")), results[note.result])
        for key, name in WHY:
            if text := getattr(note, name):
                yield Written(words.say(key), text)
    elif isinstance(note, Prompt):
        when = words.short_day(note.follow_up) if note.follow_up else ""
        yield Written(words.say("filing.part.prompt"), _named(TAPS, words.parts("today.taps", when=when))[note.tap])
    elif isinstance(note, SeenFirst):
        yield Written(words.say("filing.part.seen-first"), note.response)
    elif isinstance(note, DueOutcome):
        outcomes = _named(OUTCOMES, [words.say(f"due.option.{code}") for code in OUTCOMES])
        later = f" {words.say('due.ask_on', date=words.day(note.new_date))}" if note.new_date else ""
        yield Written(words.say("filing.part.due-outcome"), outcomes[note.outcome] + later)


def _named(codes: Collection[str], texts: Collection[str]) -> dict[str, str]:
    return dict(zip(codes, texts, strict=True))
