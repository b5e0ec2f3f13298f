"""Which answers differ since another time, in the anchors' words: never better or worse, never a sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from imr_fhir.change import CALENDAR_ITEMS, Move
from imr_fhir.scale import GROUPS, RATERS, Rater, Scale
from smart_app.language import Words
from smart_app.presenters.items import anchor, label, quoted

_OPEN = 6  # items; the others are folded


@dataclass(frozen=True, slots=True)
class Moved:
    rater: Rater
    name: str
    text: str  # "from “A little” to “Some”"
    small: str  # what must be known of it


@dataclass(frozen=True, slots=True)
class MovedItem:
    numbers: tuple[int, ...]  # several for what changes with the calendar
    label: str
    moves: tuple[Moved, ...]


@dataclass(frozen=True, slots=True)
class Since:
    """What is different since one earlier time; ``items`` empty where all answers are the same."""

    title: str
    items: tuple[MovedItem, ...]
    more: tuple[MovedItem, ...]  # folded


def since(
    words: Words,
    title: str,
    moves: Mapping[Rater, tuple[Move, ...]],
    forms: Mapping[Rater, tuple[Scale, Scale]],
    names: Mapping[Rater, str],
) -> Since:
    """Both raters' moves, item by item in the order of the items' groups (social first). ``forms``: the versions that
    were answered before and after."""
    by_item: dict[int, list[Moved]] = {}
    for rater in RATERS:
        for move in moves.get(rater, ()):
            by_item.setdefault(move.item, []).append(_moved(words, move, rater, forms[rater], names[rater]))
    items = []
    for _, numbers in GROUPS:
        found = tuple(number for number in numbers if number in by_item)
        if not found or found[0] not in CALENDAR_ITEMS:
            items += [MovedItem((number,), label(words, number), tuple(by_item[number])) for number in found]
        else:
            items.append(_with_the_calendar(words, {number: by_item[number] for number in found}))
    return Since(title, tuple(items[:_OPEN]), tuple(items[_OPEN:]))


def _with_the_calendar(words: Words, by_item: Mapping[int, list[Moved]]) -> MovedItem:
    """Both times since in one line a rater, and what must be known of them once."""
    said: dict[Rater, list[str]] = {}
    names: dict[Rater, str] = {}
    for number, found in by_item.items():
        for each in found:
            said.setdefault(each.rater, []).append(f"{label(words, number)} {each.text}")
            names[each.rater] = each.name
    lines = tuple(Moved(rater, names[rater], "; ".join(said[rater]), "") for rater in RATERS if rater in said)
    return MovedItem(tuple(by_item), words.say("moved.time"), lines)


def _moved(words: Words, move: Move, rater: Rater, forms: tuple[Scale, Scale], name: str) -> Moved:
    then, now = forms
    text = words.say(
        "moved.from_to",
        before=quoted(words, anchor(words, then, move.item, move.before)),
        after=quoted(words, anchor(words, now, move.item, move.after)),
    )
    if move.kind == "goal":
        return Moved(rater, name, words.say("moved.goal"), text)
    return Moved(rater, name, text, "")
