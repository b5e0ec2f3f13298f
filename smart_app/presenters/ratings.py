"""Every rating that the record holds, the latest first: those that count, and those that don't with the reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from imr_fhir.history import LISTED, copies, in_time
from imr_fhir.response import Response
from imr_fhir.scale import Rater
from smart_app.language import Words
from smart_app.presenters.scales import language_of, tags


@dataclass(frozen=True, slots=True)
class RatingRow:
    link: str  # in the app's addresses
    rater: Rater
    name: str
    day: str
    figure: str
    tags: tuple[str, ...]
    changeable: bool  # may be corrected or withdrawn from here


def rating_rows(
    words: Words,
    responses: Iterable[Response],
    *,
    names: Mapping[Rater, str],
    superseded: frozenset[str],
    ahead: Collection[Response],
    hidden: Collection[Response],
    figures: Mapping[str, str],
    may_write: bool,
) -> tuple[RatingRow, ...]:
    """One row a response.

    ``superseded`` are the keys of those that a later rating within 28 days replaced, ``figures`` the figures by key.
    """
    responses = tuple(responses)
    several_languages = len({response.language for response in responses}) > 1
    copied = frozenset(one.key for found in copies(responses) for one in found)
    return tuple(
        RatingRow(
            link=response.link,
            rater=response.rater,
            name=names[response.rater],
            day=words.short_day(response.measured),
            figure=figures[response.key],
            tags=(
                *_tags(words, response, superseded, copied, several_languages=several_languages),
                *((words.say("rating.ahead"),) if response in ahead else ()),
            ),
            changeable=may_write and bool(response.id) and response.status in LISTED and response not in hidden,
        )
        for response in sorted(responses, key=in_time, reverse=True)
    )


def _tags(
    words: Words, response: Response, superseded: frozenset[str], copied: frozenset[str], *, several_languages: bool
) -> tuple[str, ...]:
    found = tags(words, response)
    if several_languages or not response.language:
        found += (language_of(words, response),)
    if response.status == "in-progress":
        found += (words.say("rating.unfinished"),)
    if response.kept != "form":
        found += (words.say(f"rating.kept.{response.kept}"),)
    if response.key in superseded:
        found += (words.say("rating.copy" if response.key in copied else "rating.superseded"),)
    return found
