"""Two versions of the same answers side by side, where somebody else was faster: nobody's are overwritten unseen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from imr_fhir.scale import Scale
from smart_app.language import Words
from smart_app.store.shown import Shown


@dataclass(frozen=True, slots=True)
class Said:
    ratings: Mapping[int, int]
    comment: str


@dataclass(frozen=True, slots=True)
class Difference:
    label: str
    there: str
    mine: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """``there`` names the other version; ``post_to`` is where one's own can be gone on with, "" where it can't."""

    lead: str
    there: str
    differences: tuple[Difference, ...]
    post_to: str
    onward: str
    onward_label: str
    shown: Shown | None = None  # with ``post_to``
    version: str = ""  # the other version's, with ``post_to``


def differences(words: Words, form: Scale, there: Said, mine: Said) -> tuple[Difference, ...]:
    """Only what is not the same."""

    def text(said: Said, number: int) -> str:
        rating = said.ratings.get(number)
        if rating is None:
            return words.say("items.no_answer")
        return form.item(number).anchor(rating).text.in_(words.language)

    found = [
        Difference(
            f"{item.number}. {item.label.in_(words.language)}", text(there, item.number), text(mine, item.number)
        )
        for item in form.items
        if there.ratings.get(item.number) != mine.ratings.get(item.number)
    ]
    if there.comment != mine.comment:
        none = words.say("items.no_answer")
        found.append(Difference(words.say("form.comment.asked"), there.comment or none, mine.comment or none))
    return tuple(found)
