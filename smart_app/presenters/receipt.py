"""A filing as its page shows it: what is saved, part by part, what was written, and what can be done now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from imr_fhir.scale import NA, RATERS, Rater, scale
from smart_app.language import Words
from smart_app.store.filing import Filing, Part
from smart_app.store.filing_states import State

# Of a filing: the page's title and, where the state itself says enough, its sentence.
_TITLES: Mapping[State, str] = {
    State.DONE: "filing.saved.title",
    State.UNKNOWN: "filing.unknown.title",
    State.REFUSED: "filing.refused.title",
    State.DUPLICATE: "filing.duplicate.title",
    State.WITHDRAWN: "filing.withdrawn.title",
}
_SENTENCES: Mapping[State, str] = {
    State.DONE: "filing.saved",
    State.UNKNOWN: "save.unknown",
    State.REFUSED: "filing.refused",
    State.DUPLICATE: "filing.duplicate",
    State.WITHDRAWN: "filing.withdrawn",
}
_PART_STATES: Mapping[State, str] = {
    State.PART_OK: "filing.state.saved",
    State.DONE: "filing.state.saved",
    State.UNKNOWN: "filing.state.unknown",
    State.REFUSED: "filing.state.refused",
    State.DUPLICATE: "filing.state.other",
    State.WITHDRAWN: "filing.state.withdrawn",
}
# What a person may do from each state: (value of the button, its message).
_ACTIONS: Mapping[State, tuple[tuple[str, str], ...]] = {
    State.SEALED: (("send", "filing.try"), ("drop", "filing.drop")),
    State.PART_OK: (("send", "filing.try"),),
    State.WAITING: (("send", "filing.try"),),
    State.UNKNOWN: (("send", "filing.look"), ("there", "filing.there"), ("again", "filing.again")),
    State.REFUSED: (("drop", "filing.drop"),),
    State.DUPLICATE: (("drop", "filing.drop"),),
}
KEPT_DAYS = 30


@dataclass(frozen=True)
class PartLine:
    name: str
    state: str
    reference: str
    url: str


@dataclass(frozen=True)
class Action:
    do: str
    label: str


@dataclass(frozen=True)
class Receipt:
    title: str
    sentence: str
    said: str  # what the EHR said, where it refused or is not there
    parts: tuple[PartLine, ...]
    actions: tuple[Action, ...]
    asks_reason: bool
    record: tuple[tuple[str, str], ...]
    post_to: str
    next_url: str
    next_label: str


@dataclass(frozen=True)
class Waiting:
    url: str
    name: str
    when: str
    state: str


def part_lines(words: Words, filing: Filing, record_link: str) -> tuple[PartLine, ...]:
    """``record_link``: the site's address of a resource, with ``{type}`` and ``{id}``, or ""."""
    return tuple(_part_line(words, filing, part, record_link) for part in filing.parts if not part.replaced)


def _part_line(words: Words, filing: Filing, part: Part, record_link: str) -> PartLine:
    there = part.receipt if part.receipt and part.receipt.id else None
    return PartLine(
        name=words.say(_name_of(part.type, filing)),
        state=words.say(_PART_STATES.get(part.state, "filing.state.not")),
        reference=f"{there.type}/{there.id}" if there else "",
        url=record_link.format(type=there.type, id=there.id) if there and record_link else "",
    )


def _name_of(resource_type: str, filing: Filing) -> str:
    if resource_type == "Observation":
        kind = filing.details["kind"]
        return "filing.part.score" if kind in ("response", "correction", "withdrawal") else "filing.part.note"
    names = {"QuestionnaireResponse": "response", "Goal": "goal", "Provenance": "provenance"}
    return f"filing.part.{names[resource_type]}"


def title(words: Words, filing: Filing) -> str:
    return words.say(_TITLES.get(filing.state, "filing.waiting.title"))


def sentence(words: Words, filing: Filing) -> str:
    key = _SENTENCES.get(filing.state)
    return words.say(key) if key else words.say("filing.waiting")


def actions(words: Words, filing: Filing, *, settled: bool) -> tuple[Action, ...]:
    """``settled``: the reply was lost long enough ago for "send again" and "it is there" to be offered."""
    offered = _ACTIONS.get(filing.state, ())
    if filing.state is State.UNKNOWN and not settled:
        offered = offered[:1]
    if filing.state in (State.REFUSED, State.DUPLICATE) and any(part.state is State.PART_OK for part in filing.parts):
        offered = ()
    return tuple(Action(do, words.say(label)) for do, label in offered)


def waiting(words: Words, filing: Filing, url: str) -> Waiting:
    at = datetime.fromisoformat(filing.details["at"])
    return Waiting(
        url=url,
        name=words.say(f"filing.kind.{filing.details['kind']}", day=words.day(at)),
        when=words.time(at),
        state=title(words, filing),
    )


def record(words: Words, bodies: Mapping[int, bytes]) -> tuple[tuple[str, str], ...]:
    """What was written, readable and printable, from the sealed bytes themselves."""
    return tuple(line for body in bodies.values() for line in _lines(words, json.loads(body)))


def _lines(words: Words, resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    kind = resource["resourceType"]
    if kind == "QuestionnaireResponse":
        yield from _answers(words, resource)
    elif kind == "Goal":
        yield words.say("filing.part.goal"), resource["description"]["text"]
    elif kind == "Observation" and "valueString" in resource:
        yield resource["code"]["coding"][0]["display"], resource["valueString"]
    elif kind == "Observation" and "valueCodeableConcept" in resource:
        yield resource["code"]["coding"][0]["display"], resource["valueCodeableConcept"]["coding"][0]["display"]
        for component in resource.get("component", ()):
            if "valueString" in component:
                yield component["code"]["coding"][0]["display"], component["valueString"]


def _answers(words: Words, resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    rater: Rater = next(each for each in RATERS if scale(each).canonical == resource["questionnaire"])
    form = scale(rater)
    groups = {item["linkId"]: item for item in resource["item"]}
    for answered in groups.get("imr", {}).get("item", ()):
        item = form.item(int(answered["linkId"]))
        code = answered["answer"][0]["valueCoding"]["code"]
        anchor = next(each for each in item.anchors if each.code == code)
        number = "" if anchor.rating == NA else f" ({anchor.rating})"
        yield f"{item.number}. {item.label.in_(words.language)}", anchor.text.in_(words.language) + number
    if "comment" in groups:
        yield words.say("form.comment"), groups["comment"]["answer"][0]["valueString"]
