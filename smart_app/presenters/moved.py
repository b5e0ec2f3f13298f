"""Which answers differ since another time, in the anchors' words: never better or worse, never a sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from imr_fhir.change import Move
from imr_fhir.scale import GROUPS, RATERS, Rater
from smart_app.language import Words
from smart_app.presenters.items import anchor, label, quoted


@dataclass(frozen=True, slots=True)
class Moved:
    rater: Rater
    name: str
    text: str  # "from “A little” to “Some”"
    small: str  # what must be known of it


@dataclass(frozen=True, slots=True)
class MovedItem:
    number: int
    label: str
    moves: tuple[Moved, ...]


@dataclass(frozen=True, slots=True)
class Since:
    """What is different since one earlier time; ``items`` empty where all answers are the same."""

    title: str
    items: tuple[MovedItem, ...]


def since(words: Words, title: str, moves: Mapping[Rater, tuple[Move, ...]], names: Mapping[Rater, str]) -> Since:
    """Both raters' moves, item by item in the order of the items' groups (social first)."""
    by_item: dict[int, list[Moved]] = {}
    for rater in RATERS:
        for move in moves.get(rater, ()):
            by_item.setdefault(move.item, []).append(_moved(words, rater, move, names[rater]))
    return Since(
        title,
        tuple(
            MovedItem(number, label(words, number), tuple(by_item[number]))
            for _, numbers in GROUPS
            for number in numbers
            if number in by_item
        ),
    )


def _moved(words: Words, rater: Rater, move: Move, name: str) -> Moved:
    text = words.say(
        "moved.from_to",
        before=quoted(words, anchor(words, rater, move.item, move.before)),
        after=quoted(words, anchor(words, rater, move.item, move.after)),
    )
    if move.kind == "goal":
        return Moved(rater, name, words.say("moved.goal"), text)
    return Moved(rater, name, text, words.say("moved.time") if move.kind == "calendar" else "")
