"""Item by item: each answer in the anchors' words, and on one track where both raters are now and where each began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from imr_fhir.change import CALENDAR_ITEMS
from imr_fhir.response import Response
from imr_fhir.scale import GROUPS, NA, RATERS, Rater, Scale, scale
from smart_app.language import Words
from smart_app.presenters.tracks import Marks, Track, rating_on_track, track

_NEUTRAL = (3, 4)  # the client's own version says "my" of these


@dataclass(frozen=True, slots=True)
class Answer:
    """What one rater said, or both where their two versions have the same words, now and from the start."""

    raters: tuple[Rater, ...]
    names: str  # "Eva", "Eva, Clinician"
    now: str  # the anchor's words
    began: str  # "" where it is the same, or the rating shown is the first


@dataclass(frozen=True, slots=True)
class ItemRow:
    number: int
    label: str
    track: Track | None
    spoken: str  # the track in a sentence
    answers: tuple[Answer, ...]
    note: str  # "Time since: changes with the calendar"
    talk: bool  # offered as something to talk about


@dataclass(frozen=True, slots=True)
class ItemGroup:
    key: str
    title: str
    rows: tuple[ItemRow, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What one rater's row shows; ``now`` None where there is no rating that may be seen."""

    now: Response | None
    first: Response | None

    def began(self) -> Response | None:
        """The first rating, where it is another than the one shown."""
        return self.first if self.first is not None and self.first != self.now else None


def item_groups(
    words: Words, shown: Mapping[Rater, Shown], names: Mapping[Rater, str], talk: frozenset[int]
) -> tuple[ItemGroup, ...]:
    """All items, the social ones together and first; ``talk`` are the items offered as something to talk about."""
    return tuple(
        ItemGroup(
            key,
            words.say("social.title" if key == "social" else f"group.{key}"),
            tuple(_row(words, number, shown, names, number in talk) for number in numbers),
        )
        for key, numbers in GROUPS
    )


def label(words: Words, number: int) -> str:
    """The instrument's name of an item, in the checked version's words; of a "my" that both read, a neutral one."""
    if number in _NEUTRAL:
        return words.say(f"items.label.{number}")
    return scale("client").item(number).label.in_(words.language)


def anchor(words: Words, form: Scale, number: int, rating: int) -> str:
    """The words that stand for ``rating`` in the rater's own version, and in that which was answered."""
    return form.item(number).anchor(rating).text.in_(words.language)


def quoted(words: Words, text: str) -> str:
    return words.say("today.quote", text=text)


def _row(words: Words, number: int, shown: Mapping[Rater, Shown], names: Mapping[Rater, str], talk: bool) -> ItemRow:
    now = {rater: _rating(shown[rater].now, number) for rater in RATERS}
    first = {rater: _rating(shown[rater].began(), number) for rater in RATERS}
    marks = Marks(
        client=rating_on_track(now["client"]),
        clinician=rating_on_track(now["clinician"]),
        client_first=rating_on_track(first["client"]),
        clinician_first=rating_on_track(first["clinician"]),
    )
    return ItemRow(
        number=number,
        label=label(words, number),
        track=track(marks, wide=talk),
        spoken=_spoken(words, now, first, names),
        answers=_answers(words, number, now, first, shown, names),
        note=words.say("moved.time") if number in CALENDAR_ITEMS and _moved(now, first) else "",
        talk=talk,
    )


def _rating(response: Response | None, number: int) -> int | None:
    return None if response is None else response.ratings.get(number)


def _moved(now: Mapping[Rater, int | None], first: Mapping[Rater, int | None]) -> bool:
    return any(None not in (now[rater], first[rater]) and now[rater] != first[rater] for rater in RATERS)


def _answers(
    words: Words,
    number: int,
    now: Mapping[Rater, int | None],
    first: Mapping[Rater, int | None],
    shown: Mapping[Rater, Shown],
    names: Mapping[Rater, str],
) -> tuple[Answer, ...]:
    found = tuple(
        _answer(words, number, rater, rating, first[rater], shown[rater], names)
        for rater in RATERS
        if (rating := now[rater]) is not None
    )
    same = now["client"] == now["clinician"] and len({(each.now, each.began) for each in found}) == 1
    return (replace(found[0], raters=RATERS, names=", ".join(each.names for each in found)),) if same else found


def _answer(
    words: Words,
    number: int,
    rater: Rater,
    now: int,
    first: int | None,
    shown: Shown,
    names: Mapping[Rater, str],
) -> Answer:
    form, began_form = (one.form if one else scale(rater) for one in (shown.now, shown.began()))
    began = first if first not in (None, now) else None
    return Answer(
        raters=(rater,),
        names=names[rater],
        now=quoted(words, anchor(words, form, number, now)),
        began="" if began is None else quoted(words, anchor(words, began_form, number, began)),
    )


def _spoken(
    words: Words,
    now: Mapping[Rater, int | None],
    first: Mapping[Rater, int | None],
    names: Mapping[Rater, str],
) -> str:
    parts = []
    for rater in RATERS:
        rating, began = rating_on_track(now[rater]), rating_on_track(first[rater])
        if rating is None and now[rater] == NA:
            parts.append(words.say("track.na", name=names[rater]))
        elif rating is not None:
            key = "track.now" if began is None else "track.both"
            parts.append(words.say(key, name=names[rater], now=rating, first=began))
        elif began is not None:
            parts.append(words.say("track.first", name=names[rater], first=began))
    return "; ".join(parts)
