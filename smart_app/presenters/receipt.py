"""A filing as its page shows it: what is saved, part by part, and what can be done now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from imr_fhir.response import Response
from smart_app.delivery import to_print
from smart_app.language import Words
from smart_app.placing import Down, place_now
from smart_app.plan import Plan
from smart_app.presenters.scales import tags, tile, untested, unverified
from smart_app.presenters.versions import Column, Versions
from smart_app.presenters.written import Written
from smart_app.rungs import SOURCE
from smart_app.step_down import next_rung
from smart_app.store.filing import Filing, Part
from smart_app.store.filing_states import TARGETS, Event, State

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
    State.DUPLICATE: ("choose", "correct", "send", "drop"),
}
# What this EHR takes nowhere: all of it, or the rest.
_KEPT_HERE: Mapping[str, tuple[str, ...]] = {"printed": ("printed", "drop"), "rest": ("printed",)}
_FEW = 5  # parts of one kind that are shown one by one
ACTS = frozenset(
    {"send", "there", "again", "drop", "apart", "without", "choose", "correct", "down", "change", "printed"}
)
WITH_REASON = frozenset({"there", "again", "drop", "choose", "correct"})
# An act by another name in one state, and what is said more of it.
_LABELS: Mapping[tuple[str, State], str] = {
    ("send", State.UNKNOWN): "look",
    ("send", State.DUPLICATE): "look",
    ("drop", State.DUPLICATE): "withdraw_mine",
    ("drop", State.PART_OK): "drop_rest",
    ("drop", State.UNKNOWN): "drop_unknown",
    ("printed", State.SEALED): "done_printing",
    ("printed", State.PART_OK): "done_printing",
}
_EXPLAINED = frozenset({"look", "there", "again", "choose", "correct", "withdraw_mine", "drop_rest", "drop_unknown"})


@dataclass(frozen=True)
class PartLine:
    name: str
    state: str
    reference: str
    url: str


@dataclass(frozen=True)
class PartGroup:
    """``summary`` folds many lines that differ in nothing but their reference, "" where they are few."""

    summary: str
    lines: tuple[PartLine, ...]


@dataclass(frozen=True)
class Action:
    """``with_reason``: it is a decision about the record, so the person says why."""

    do: str
    label: str
    what: str
    with_reason: bool


@dataclass(frozen=True)
class Receipt:
    title: str
    sentence: str
    about: tuple[str, ...]  # what it is, by whom and when; of a rating whose, and its figures
    marks: tuple[str, ...]  # what must be known of the scale's words wherever they are shown
    facts: tuple[str, ...]
    said: str  # why it is not saved, in English, from this app or the EHR
    why: str  # a person's reason for taking it back
    by: str  # whose filing it is, where it is another user's
    parts: tuple[PartGroup, ...]
    actions: tuple[Action, ...]
    asks_reason: bool  # for whatever is done
    reason: str  # as it was typed
    error: str
    which_error: str  # of several in the record none was chosen
    prints: bool  # it is kept here to be printed
    blind: bool  # what was written opens by a press of its own
    record: tuple[Written, ...]
    versions: tuple[Versions, ...]  # what the record has instead, beside it
    choices: tuple[Column, ...]
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


def part_groups(words: Words, filing: Filing, record_link: str) -> tuple[PartGroup, ...]:
    """``record_link``: the site's address of a resource, with ``{type}`` and ``{id}``, or ""."""
    found: dict[tuple[str, str], list[PartLine]] = {}
    for part in filing.kept:
        if part.request.get("rung") != SOURCE:  # none, before there were rungs
            line = _part_line(words, part, record_link)
            found.setdefault((part.request["name"], line.state), []).append(line)
    return tuple(PartGroup(_summary(words, name, lines), tuple(lines)) for (name, _), lines in found.items())


def _summary(words: Words, name: str, lines: Sequence[PartLine]) -> str:
    if len(lines) <= _FEW:
        return ""
    more, state = len(lines), lines[0].state
    if name == "figure":
        return words.say("filing.many.figure", n=more, state=state)
    return words.say("filing.many", n=more, what=lines[0].name, state=state)


def _part_line(words: Words, part: Part, record_link: str) -> PartLine:
    there = part.receipt if part.receipt and part.receipt.id else None
    return PartLine(
        name=words.say(f"filing.part.{part.request['name']}"),
        state=words.say(_part_state(part)),
        reference=f"{there.type}/{there.id}" if there else "",
        url=record_link.format(type=there.type, id=there.id) if there and record_link else "",
    )


def _part_state(part: Part) -> str:
    word = part.receipt.word if part.receipt else ""
    if word == "chosen" and part.receipt and not part.receipt.id:
        return "filing.state.left"
    if part.unsent:
        return "filing.state.printed"
    return f"filing.state.{word}" if word else _PART_STATES.get(part.state, "filing.state.not")


def state_of(filing: Filing) -> str:
    """The beginning of the keys of its title and its sentence."""
    if to_print(filing):
        return {State.SEALED: "printed", State.PART_OK: "rest"}.get(filing.state, _STATES[filing.state])
    if filing.state is State.WITHDRAWN and any(part.state is State.UNKNOWN for part in filing.kept):
        return "ended"
    return _STATES[filing.state]


def title(words: Words, filing: Filing) -> str:
    return words.say(f"filing.{state_of(filing)}.title")


def sentence(
    words: Words,
    filing: Filing,
    *,
    here: bool = True,
    blind: bool = False,
    placed: bool = False,
    compared: bool = True,
) -> str:
    """``here``: it is this patient's; else one's whose record was merged into this one. ``blind``: nothing of what was
    written is on the page. ``placed``: what had no place in the record may have one now. ``compared``: what the record
    has otherwise is on the page."""
    state = state_of(filing)
    by_word = {receipt.word for receipt in filing.receipts if receipt.word}
    if not here:
        there = state if state in ("partly", "unknown", "ended") else ""
        return words.say(f"filing.held.here.{there}".rstrip("."))
    if filing.held:
        return words.say(f"filing.held.{filing.held}")
    if state == "unknown":
        return words.say("save.unknown")
    if state == "duplicate" and not (compared or blind):
        return words.say("filing.duplicate.none")
    if state == "duplicate" and any(part.request["if_match"] for part in filing.parts):
        return words.say("filing.changed")
    if state == "saved" and by_word:
        return words.say("filing.chosen" if "chosen" in by_word else "filing.vouched")
    if placed:
        return words.say("filing.printed.placed")
    return words.say("filing.printed.blind" if state == "printed" and blind else f"filing.{state}")


def marks(words: Words, rating: Response) -> tuple[str, ...]:
    """Of the words of the scale, as they are shown in ``words``."""
    return (*unverified(words, rating.form), *untested(words, rating))


def about(words: Words, rating: Response, whose: str, by: str) -> tuple[str, ...]:
    """What a printed page must say of a rating by itself. ``by``: the name of who recorded it."""
    shown = tile(words, rating, "", None)
    mean = f"{shown.mean} {shown.scale}" if shown.mean else ""
    figures = (mean, shown.sum, shown.items, *tags(words, rating))
    return " · ".join(filter(None, (whose, by, shown.day))), " · ".join(filter(None, figures))


def act_line(words: Words, filing: Filing) -> str:
    """What it is where it is no new rating, by whom and when: on paper a withdrawal must not look like a rating."""
    kind, at = filing.details["kind"], datetime.fromisoformat(filing.details["at"])
    return (
        "" if kind == "response" else f"{words.say(f'filing.kind.{kind}', day=words.day(at))} · {filing.details['by']}"
    )


def facts(words: Words, filing: Filing, zone: ZoneInfo, *, settled: bool, here: bool = True) -> tuple[str, ...]:
    """Of a lost reply: when, what it means, and what can be done. ``here``: as of ``sentence``, which says it there."""
    if filing.state is not State.UNKNOWN or filing.lost is None or not here:
        return ()
    lost = filing.lost.astimezone(zone)
    sent = words.say("filing.unknown.sent", day=words.day(lost), time=words.time(lost))
    return (sent,) if settled else (sent, words.say("filing.unknown.soon"))


def said(filing: Filing) -> str:
    return filing.reason if filing.state in (State.UNKNOWN, State.WAITING, State.REFUSED, State.DUPLICATE) else ""


def why(filing: Filing) -> str:
    return filing.reason if filing.state is State.WITHDRAWN else ""


def actions(
    words: Words, filing: Filing, plan: Plan, *, settled: bool, here: bool = True, blind: bool = False
) -> tuple[Action, ...]:
    """``plan``: of this launch. ``settled``: the reply was lost so long ago that "send again" and "it is there" may be
    offered. ``here``: as of ``sentence``; elsewhere it can be taken back, and nothing else. ``blind``: the page shows
    nothing of what was written, so nobody has printed it.
    """
    offered = _KEPT_HERE.get(state_of(filing), _ACTIONS.get(filing.state, ()))
    if filing.state is State.UNKNOWN and not settled:
        offered = offered[:1]
    if filing.state in (State.WAITING, State.PART_OK) and filing.held in ("merged", "ahead"):
        # it, or the rest, may never go, or not with a right time: once it is printed, or written anew, it can end
        offered = (*offered, "drop")
    down = next_rung(filing, plan)
    if down:
        offered = (down.do, *offered)
    if not here:
        ends = (filing.state, Event.WITHDRAW) in TARGETS and (settled or filing.state is not State.UNKNOWN)
        offered = ("drop",) if ends else ()
    return tuple(_action(words, do, filing.state, down) for do in offered if not (blind and do == "printed"))


def _action(words: Words, do: str, state: State, down: Down | None) -> Action:
    label = _LABELS.get((do, state), "try" if do == "send" else do)
    if do == "down" and down:
        label = _down_label(down)
    what = words.say(f"filing.{label}.what") if label in _EXPLAINED else ""
    return Action(do, words.say(f"filing.{label}"), what, do in WITH_REASON)


def choices(actions: tuple[Action, ...], versions: tuple[Versions, ...]) -> tuple[Column, ...]:
    """The versions that may be picked or corrected, where that is offered: those of the first part that clashes, which
    the others follow; a score must not be picked where the answers are another patient's."""
    if "choose" not in {action.do for action in actions}:
        return ()
    return tuple(column for each in versions[:1] for column in each.columns if column.pick)


def _down_label(down: Down) -> str:
    return "down.score" if (down.artefact, down.rung) == ("score", "print") else f"down.{down.rung}"


def waiting(words: Words, filing: Filing, url: str, plan: Plan) -> Waiting:
    """``plan``: of this launch."""
    at = datetime.fromisoformat(filing.details["at"])
    return Waiting(
        url=url,
        name=words.say(f"filing.kind.{filing.details['kind']}", day=words.day(at)),
        when=words.time(at),
        state=words.say("filing.placed") if place_now(filing, plan) else title(words, filing),
        by=filing.details["by"],
    )
