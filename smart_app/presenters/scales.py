"""One rater's rating at one occasion: its figures as they may be shown, and what can be said of change."""

from __future__ import annotations

from dataclasses import dataclass

from imr_fhir.change import CannotSay, Change
from imr_fhir.response import Response
from imr_fhir.scale import ITEM_COUNT, Rater, Scale
from imr_fhir.scoring import figures
from smart_app.language import Words

_FLAG = {"higher": "change.up", "lower": "change.down", "within": "change.within"}
_CANNOT = {
    "one_rating": "cannot.one",
    "incomplete": "cannot.incomplete",
    "too_close": "cannot.close",
    "version_unknown": "cannot.version_unknown",
    "version_changed": "cannot.version",
    "language_unknown": "cannot.language_unknown",
    "language_changed": "cannot.language",
    "rater_changed": "cannot.rater",
    "no_parameters": "cannot.parameters",
}


@dataclass(frozen=True, slots=True)
class Tile:
    rater: Rater
    name: str  # "Eva", "Clinician"
    day: str  # "" where there is no rating
    mean: str  # "3.6", "" unless complete
    scale: str  # "on a scale from 1 to 5"
    items: str  # "All 15 questions", "9 of 15 questions answered"
    sum: str  # "Sum 50 (14 to 70)"
    tags: tuple[str, ...]
    notes: tuple[str, ...]  # said in place of a rating: none in this period, hidden until you have rated
    change: tuple[str, ...]  # phrases, first the one that counts; () for an earlier occasion
    details: tuple[str, ...]  # what the change is made of, small


def tile(words: Words, response: Response, name: str, change: Change | CannotSay | None) -> Tile:
    """The tile of ``response``; ``change`` is None for an occasion that is not the latest: one flag a rater."""
    shown = figures(response.score) if response.complete else None
    phrases, details = ((), ()) if change is None else change_phrases(words, change)
    return Tile(
        rater=response.rater,
        name=name,
        day=words.day(response.measured),
        mean=words.number(shown.mean) if shown else "",
        scale=words.say("score.scale") if shown else "",
        items=_items(words, response),
        sum=words.say("score.sum", sum=shown.sum, low=shown.lowest, high=shown.highest) if shown else "",
        tags=(
            *tags(words, response),
            *_only_here(words, response),
            *language(words, response),
            *unverified(words, response.form),
        ),
        notes=(),
        change=phrases,
        details=details,
    )


def empty_tile(rater: Rater, name: str, *notes: str) -> Tile:
    """The tile of a rater who has no rating at this occasion, or whose rating may not be seen yet."""
    return Tile(rater, name, "", "", "", "", "", (), notes, (), ())


def tags(words: Words, response: Response) -> tuple[str, ...]:
    """What a reader must know of a rating besides its figures."""
    found = []
    if response.status == "stopped":
        found.append(words.say("rating.stopped"))
    if response.status == "amended":
        found.append(words.say("rating.corrected", date=words.day(response.authored)))
    return tuple(found)


def _only_here(words: Words, response: Response) -> tuple[str, ...]:
    return (words.say("rating.kept.print"),) if response.kept == "print" else ()


def language(words: Words, response: Response) -> tuple[str, ...]:
    """The mark of a rating that was given in another language than the one it is shown in."""
    return () if response.language == words.language else (language_of(words, response),)


def language_of(words: Words, response: Response) -> str:
    lang = response.language or "unknown"
    tested = lang in response.form.validated
    return words.say(f"rating.language.{lang}{'.validated' if tested else ''}")


def untested(words: Words, response: Response) -> tuple[str, ...]:
    """The mark of the instrument's words where they are shown in a translation that nobody has validated."""
    return () if response.form.validated_in(words.language) else (words.say("form.translation"),)


def unverified(words: Words, form: Scale) -> tuple[str, ...]:
    """The mark of a scale whose wording nobody had checked against the printed one."""
    return () if form.verified else (words.say("form.unverified"),)


def change_phrases(words: Words, change: Change | CannotSay) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The phrases of the clinical rules, and the small lines with the figure that they rest on."""
    if isinstance(change, CannotSay):
        return (words.say(_CANNOT[change.reason], n=change.missing),), ()
    phrases = [words.say(_FLAG[change.flag], month=words.month(change.first.measured))]
    if change.calendar_phrase:
        phrases.append(words.say("change.calendar"))
    if change.hard_time:
        phrases.append(words.say("change.hardtime"))
    if change.also_before:
        phrases.append(words.say("change.also"))
    details = [words.say("change.sum", k=signed(change.sum_change), month=words.month(change.first.measured))]
    if change.items14:
        details.append(words.say("change.items14"))
    details.append(words.say("change.time", k=signed(change.calendar)))
    return tuple(phrases), tuple(details)


def signed(points: int) -> str:
    """+3, −3, 0: with the minus sign, which a screen reader says and a line break respects."""
    return f"+{points}" if points > 0 else f"−{-points}" if points < 0 else "0"


def _items(words: Words, response: Response) -> str:
    if not response.complete:
        return words.say("score.answered", n=len(response.ratings), total=ITEM_COUNT)
    return words.say("score.na") if response.score.rated < ITEM_COUNT else words.say("score.all")
