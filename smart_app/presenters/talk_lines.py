"""Lines of "worth talking about today" that nobody has answered yet; each quotes what caused it and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from imr_fhir.change import sum_change
from imr_fhir.course import course_of, first_of
from imr_fhir.history import in_time, listed
from imr_fhir.parameters import Parameters
from imr_fhir.response import Response
from imr_fhir.scale import ITEM_COUNT
from imr_fhir.scoring import rated_items
from imr_fhir.talk import Since, TalkPoint, worth_talking
from smart_app.language import Words
from smart_app.presenters.items import anchor
from smart_app.presenters.known import Known
from smart_app.presenters.notes import answered


@dataclass(frozen=True, slots=True)
class TalkLine:
    title: str
    quote: str  # "" where the figures behind it may not be seen yet


@dataclass(frozen=True, slots=True)
class TalkStrip:
    """The lines that nobody has answered yet."""

    rating: str  # "rating of 3 November 2026": what they are about
    short: str  # all titles in one line
    lines: tuple[TalkLine, ...]


@dataclass(frozen=True, slots=True)
class Points:
    """The points of the client's latest rating, also of one that may not be seen otherwise."""

    latest: Response
    found: tuple[TalkPoint, ...]
    earlier: Mapping[Since, Response]  # what the total was compared with
    blind: bool  # the viewer has yet to rate


def latest_points(all_of: Known, parameters: Iterable[Parameters]) -> Points | None:
    """None where the client has not answered yet."""
    rated = (*all_of.visible, *all_of.hidden)
    own = [one for one in rated if one.rater == "client" and one not in all_of.ahead]
    if not own:
        return None
    latest = max(own, key=in_time)
    course = course_of(latest, all_of.courses)
    first = first_of(course, own, "client") if course else None
    whole = [one for one in listed(own) if one.complete and one is not latest]
    earlier: dict[Since, Response] = {"previous": whole[-1]} if whole else {}
    if first:
        earlier["first"] = first
    found = worth_talking(latest, own, first=first, table=parameters)
    return Points(latest, found, earlier, latest in all_of.hidden)


def talk_strip(words: Words, all_of: Known, parameters: Iterable[Parameters]) -> TalkStrip | None:
    """The lines that nobody has answered yet, None without one: only what caused a line is quoted."""
    points = latest_points(all_of, parameters)
    if points is None:
        return None
    still_open = [point for point in points.found if not answered(point, all_of.notes, points.latest)]
    if not still_open:
        return None
    lines = talk_lines(words, still_open, points.latest, points.earlier, blind=points.blind)
    return TalkStrip(
        rating=words.say("today.of", date=words.day(points.latest.measured)),
        short="; ".join(line.title[:1].lower() + line.title[1:] for line in lines),
        lines=lines,
    )


def talk_lines(
    words: Words,
    points: Iterable[TalkPoint],
    latest: Response,
    earlier: Mapping[Since, Response],
    *,
    blind: bool,
) -> tuple[TalkLine, ...]:
    """``earlier``: what the total was compared with. ``blind``: the viewer has yet to rate, and a sum is no answer."""
    return tuple(
        TalkLine(words.say(f"today.point.{point.reason}", n=point.item), _quote(words, point, latest, earlier, blind))
        for point in points
    )


def _quote(words: Words, point: TalkPoint, latest: Response, earlier: Mapping[Since, Response], blind: bool) -> str:
    if point.reason == "comment":
        return words.say("today.quote", text=latest.comment.strip())
    if point.reason == "stopped-early":
        return words.say("today.quote.stopped", answered=len(latest.ratings), total=ITEM_COUNT)
    if point.reason == "total-down":
        return "" if blind else _sums(words, earlier[point.since[0]], latest)
    assert point.item is not None
    assert point.rating is not None
    now = anchor(words, latest.form, point.item, point.rating)
    if point.before is None:
        return words.say("today.quote", text=now)
    before = anchor(words, point.before_form or latest.form, point.item, point.before)
    return words.say("today.quote.from_to", before=before, after=now)


def _sums(words: Words, earlier: Response, latest: Response) -> str:
    both = rated_items(earlier.ratings) & rated_items(latest.ratings)
    before = sum(earlier.ratings[item] for item in both)
    change, _ = sum_change(earlier, latest)
    return words.say("today.quote.sum", before=before, after=before + change)
