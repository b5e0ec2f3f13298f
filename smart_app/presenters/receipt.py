"""A filing as its page shows it: what is saved, part by part, and what can be done now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from smart_app.delivery import next_rung
from smart_app.language import Words
from smart_app.presenters.written import Written
from smart_app.store.filing import Filing, Part
from smart_app.store.filing_states import State

# Of a filing: the beginning of the keys of its title and its sentence.
_STATES: Mapping[State, str] = {
    State.SEALED: "waiting",
    State.SENDING: "unknown",
    State.PART_OK: "partly",
    State.UNKNOWN: "unknown",
    State.WAITING: "waiting",
    State.REFUSED: "refused",
    State.DUPLICATE: "duplicate",
    State.DONE: "saved",
    State.WITHDRAWN: "withdrawn",
}
_PART_STATES: Mapping[State, str] = {
    State.PART_OK: "filing.state.saved",
    State.DONE: "filing.state.saved",
    State.UNKNOWN: "filing.state.unknown",
    State.SENDING: "filing.state.unknown",
    State.REFUSED: "filing.state.refused",
    State.DUPLICATE: "filing.state.other",
    State.WITHDRAWN: "filing.state.withdrawn",
}
# What a person may do from each state, the likeliest first.
_ACTIONS: Mapping[State, tuple[str, ...]] = {
    State.SEALED: ("send", "drop"),
    State.PART_OK: ("send",),
    State.WAITING: ("send",),
    State.UNKNOWN: ("send", "there", "again"),
    State.REFUSED: ("drop",),
    State.DUPLICATE: ("drop",),
}
ACTS = frozenset({"send", "there", "again", "drop", "apart", "without"})
WITH_REASON = frozenset({"there", "again", "drop"})


@dataclass(frozen=True)
class PartLine:
    name: str
    state: str
    reference: str
    url: str


@dataclass(frozen=True)
class Action:
    """``with_reason``: it is a decision about the record, so the person says why."""

    do: str
    label: str
    with_reason: bool


@dataclass(frozen=True)
class Receipt:
    title: str
    sentence: str
    said: str  # why it is not saved, in English, from this app or the EHR
    why: str  # a person's reason for taking it back
    by: str  # whose filing it is, where it is another user's
    parts: tuple[PartLine, ...]
    actions: tuple[Action, ...]
    asks_reason: bool  # for whatever is done
    error: str
    blind: bool  # what was written opens by a press of its own
    record: tuple[Written, ...]
    there: tuple[Written, ...]  # what the record has instead
    post_to: str
    again_url: str
    next_url: str
    next_label: str


@dataclass(frozen=True)
class Waiting:
    url: str
    name: str
    when: str
    state: str
    by: str


def part_lines(words: Words, filing: Filing, record_link: str) -> tuple[PartLine, ...]:
    """``record_link``: the site's address of a resource, with ``{type}`` and ``{id}``, or ""."""
    return tuple(_part_line(words, part, record_link) for part in filing.parts if not part.replaced)


def _part_line(words: Words, part: Part, record_link: str) -> PartLine:
    there = part.receipt if part.receipt and part.receipt.id else None
    return PartLine(
        name=words.say(f"filing.part.{part.request['name']}"),
        state=words.say(_PART_STATES.get(part.state, "filing.state.not")),
        reference=f"{there.type}/{there.id}" if there else "",
        url=record_link.format(type=there.type, id=there.id) if there and record_link else "",
    )


def title(words: Words, filing: Filing) -> str:
    return words.say(f"filing.{_STATES[filing.state]}.title")


def sentence(words: Words, filing: Filing) -> str:
    state = _STATES[filing.state]
    if filing.held:
        return words.say(f"filing.held.{filing.held}")
    if state == "unknown":
        return words.say("save.unknown")
    if state == "duplicate" and any(part.request["if_match"] for part in filing.parts):
        return words.say("filing.changed")
    return words.say(f"filing.{state}")


def said(filing: Filing) -> str:
    return filing.reason if filing.state in (State.UNKNOWN, State.WAITING, State.REFUSED, State.DUPLICATE) else ""


def why(filing: Filing) -> str:
    return filing.reason if filing.state is State.WITHDRAWN else ""


def actions(words: Words, filing: Filing, *, settled: bool) -> tuple[Action, ...]:
    """``settled``: the reply was lost long enough ago for "send again" and "it is there" to be offered."""
    offered = _ACTIONS.get(filing.state, ())
    if filing.state is State.UNKNOWN and not settled:
        offered = offered[:1]
    if filing.state is State.WAITING and filing.held == "merged":
        offered = (*offered, "drop")  # it may never go: once it is printed, or written anew elsewhere, it can end
    if rung := next_rung(filing):
        offered = (rung, *offered)
    label = {"send": "look" if filing.state is State.UNKNOWN else "try"}
    return tuple(Action(do, words.say(f"filing.{label.get(do, do)}"), do in WITH_REASON) for do in offered)


def waiting(words: Words, filing: Filing, url: str) -> Waiting:
    at = datetime.fromisoformat(filing.details["at"])
    return Waiting(
        url=url,
        name=words.say(f"filing.kind.{filing.details['kind']}", day=words.day(at)),
        when=words.time(at),
        state=title(words, filing),
        by=filing.details["by"],
    )
