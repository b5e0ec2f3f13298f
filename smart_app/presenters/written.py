"""What was written, readable and printable, from the resources themselves: those sealed here, or the record's."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from imr_fhir import goal as goals
from imr_fhir import record, response
from imr_fhir.errors import ResourceError
from imr_fhir.record import OUTCOMES, RESULTS, TAPS, DueOutcome, Factor, Note, Prompt, Review, SeenFirst
from imr_fhir.response import Response
from imr_fhir.scale import NA, scale
from smart_app.language import Words
from smart_app.presenters.goal_history import WHY
from smart_app.presenters.items import anchor

_NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Written:
    term: str
    text: str


def written(words: Words, bodies: Iterable[bytes], patient: str) -> tuple[Written, ...]:
    """Of all parts of a filing of the patient with this id."""
    resources = [json.loads(body, parse_float=Decimal) for body in bodies]
    texts = {
        f"Goal/{resource['id']}": resource["description"]["text"]
        for resource in resources
        if resource["resourceType"] == "Goal" and "id" in resource
    }
    # A review is told with the words of its goal or step, whose change goes with it.
    reviewed = {focus["reference"] for resource in resources for focus in resource.get("focus", ())}
    shown = [one for one in resources if f"{one['resourceType']}/{one.get('id')}" not in reviewed]
    return tuple(line for resource in shown for line in of(words, resource, patient, texts))


def of(words: Words, resource: Mapping[str, Any], patient: str, texts: Mapping[str, str] = _NONE) -> Iterator[Written]:
    """Of one resource; nothing of a score, which says what the answers say, or of who wrote it.

    ``texts``: the words of goals by reference. What the record has may be no resource of ours: then why not.
    """
    kind = resource["resourceType"]
    try:
        if kind == "QuestionnaireResponse":
            yield from answer_lines(words, response.from_resource(resource, patient=patient))
        elif kind == "Goal":
            found = goals.from_resource(resource, patient=patient)
            yield Written(words.say("filing.part.step" if found.parent else "filing.part.goal"), found.text)
        elif kind == "Observation" and _codes(resource) & set(record.CODES):
            yield from note_lines(words, record.from_resource(resource, patient=patient), texts)
    except ResourceError as error:
        yield Written(f"{kind}/{resource.get('id', '')}", error.message)


def _codes(resource: Mapping[str, Any]) -> set[str]:
    return {coding.get("code") for coding in resource.get("code", {}).get("coding", ())}


def answer_lines(words: Words, said: Response) -> Iterator[Written]:
    """One a question that was answered, and the comment."""
    form = scale(said.rater)
    for number, rating in said.ratings.items():
        figure = "" if rating == NA else f" ({rating})"
        label = form.item(number).label.in_(words.language)
        yield Written(f"{number}. {label}", anchor(words, said.rater, number, rating) + figure)
    if said.comment:
        yield Written(words.say("form.comment.asked"), said.comment)


def note_lines(words: Words, note: Note, texts: Mapping[str, str]) -> Iterator[Written]:
    """``texts``: the words of goals by reference."""
    if isinstance(note, Factor):
        yield Written(words.say(f"filing.part.{note.kind}"), note.text)
    elif isinstance(note, Review):
        results = _named(RESULTS, words.parts("step.options"))
        yield Written(texts.get(note.focus, words.say("filing.part.review")), results[note.result])
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
        yield Written(words.say("filing.part.due-outcome"), outcomes[note.outcome])


def _named(codes: Collection[str], texts: Collection[str]) -> dict[str, str]:
    return dict(zip(codes, texts, strict=True))
