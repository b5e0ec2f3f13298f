""" "Worth talking about today": a page at hand-back, before the panel. A prompt, no alarm; one tap ends each point."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest

from imr_fhir.ehr.ladder import DOCUMENTS
from imr_fhir.record import TAPS, Prompt
from imr_fhir.response import Response as Rating
from imr_fhir.scale import RATERS
from imr_fhir.talk import TalkPoint
from smart_app.access import with_launch
from smart_app.answering import read_day
from smart_app.auditing import audit
from smart_app.charting import read_with, waiting_ratings
from smart_app.language import say, words
from smart_app.noting import note, said
from smart_app.open_launch import Launch
from smart_app.presenters.known import Known
from smart_app.presenters.notes import prompt_of
from smart_app.presenters.talk_lines import Points, latest_points, talk_lines
from smart_app.saving import begin, plan_of

today = Blueprint("today", __name__, url_prefix="/l/<lid>/today")

FOLLOW_UP_DAYS = 7


@dataclass(frozen=True)
class PointView:
    """``answered``: what was tapped, "" while it is open."""

    key: str
    title: str
    quote: str
    answered: str


@dataclass(frozen=True)
class Page:
    lid: str
    of: str  # the answers that it is about, in the version that was read
    changed: bool  # others than the page that was tapped on was about
    points: tuple[PointView, ...]
    talked: str
    follow: str
    known: str
    when: str
    waiting: bool  # what the points are about is not in the record yet, so neither can be what is tapped
    closed: str  # why nothing can be tapped: this record takes no notes, "" where it does
    unread: (
        str  # that newer answers are in the record as a document, which nobody here has read; "" where there are none
    )
    together: bool
    rate: bool


@today.get("")
@with_launch("clinician")
def page(launch: Launch) -> str:
    all_of, points = _read(launch)
    return render_template("today/today.html", page=_page(launch, all_of, points))


@today.post("")
@with_launch("clinician")
def tap(launch: Launch) -> Any:
    """Talked about, will follow up, known already: a small Observation, once a point."""
    all_of, points = _read(launch)
    given = request.form.get("tap", "")
    found = {_key(point): point for point in points.found} if points else {}
    key = request.form.get("point", "")
    point = found.get(key)
    if points is not None and request.form.get("of", _of(points)) != _of(points):
        return render_template("today/today.html", page=_page(launch, all_of, points, changed=True)), 409
    if point is None or points is None or given not in TAPS or not points.latest.id:
        raise BadRequest
    if not prompt_of(point, all_of.notes, points.latest):
        act, reference = begin(launch), points.latest.reference
        follow_up = _when(launch) if given == "will-follow-up" else None
        made = Prompt(
            response=reference, reason=point.reason, tap=given, item=point.item, follow_up=follow_up, **said(act)
        )
        # until the record has the first tap its page offers all three
        note(launch, act, made, once=f"prompt {reference} {_key(point)} {given} {follow_up or ''}")
    return redirect(url_for("today.page", lid=launch.id, _anchor=f"point-{key}"), 303)  # on from where one was


def _when(launch: Launch) -> date:
    given = request.form.get("when", "")
    try:
        return read_day(given) if given else launch.today + timedelta(days=FOLLOW_UP_DAYS)
    except ValueError as error:
        raise BadRequest from error


def _read(launch: Launch) -> tuple[Known, Points | None]:
    """Also of answers that the record has not taken yet, or as a document alone: what is worth talking about must be
    hidden neither by a failed filing nor by an EHR that takes documents only."""
    all_of, situation = read_with(launch, waiting_ratings(launch), documented=True)
    audit("view", launch, purpose="worth talking about today")
    return all_of, latest_points(all_of, situation.parameters)


def _key(point: TalkPoint) -> str:
    return f"{point.reason}-{point.item or 0:02}"


def _of(points: Points) -> str:
    return f"{points.latest.key} {points.latest.version_id}"


def _page(launch: Launch, all_of: Known, points: Points | None, *, changed: bool = False) -> Page:
    shown: tuple[PointView, ...] = ()
    if points:
        lines = talk_lines(words(), points.found, points.latest, points.earlier, blind=points.blind)
        shown = tuple(
            PointView(_key(point), line.title, line.quote, _answered(point, all_of, points.latest))
            for point, line in zip(points.found, lines, strict=True)
        )
    newest = all_of.occasions[0] if all_of.occasions else None
    seen = [all_of.seen(newest, rater) for rater in RATERS] if newest else [None]
    both = all(one is not None and one.kept not in DOCUMENTS for one in seen)  # else that page can show none of it
    talked, _, known_already = words().parts("today.taps", when="")
    return Page(
        lid=launch.id,
        of=_of(points) if points else "",
        changed=changed,
        points=shown,
        talked=talked,
        follow=say("today.follow"),
        known=known_already,
        when=(launch.today + timedelta(days=FOLLOW_UP_DAYS)).isoformat(),
        waiting=points is not None and not points.latest.id and points.latest.kept not in DOCUMENTS,
        closed=_closed(launch, points),
        unread=_unread(all_of, points),
        together=both,
        rate=bool(all_of.hidden) and launch.site.allow_unverified_clinician_scale,
    )


def _closed(launch: Launch, points: Points | None) -> str:
    if plan_of(launch).rung("review") != "note":
        return say("plan.notes.none")
    documented = points is not None and not points.latest.id and points.latest.kept in DOCUMENTS
    return say("today.documented") if documented else ""


def _unread(all_of: Known, points: Points | None) -> str:
    """Of answers that are not here any more and that the record has as a document: that nobody looked through them."""
    newest = max((each.day for each in all_of.documents if each.rater == "client"), default=None)
    if newest is None or (points and points.latest.measured.date() >= newest):
        return ""
    return say("today.unread", name=all_of.names["client"], day=words().day(newest))


def _answered(point: TalkPoint, all_of: Known, latest: Rating) -> str:
    prompt = prompt_of(point, all_of.notes, latest)
    if prompt is None:
        return ""
    when = words().short_day(prompt.follow_up) if prompt.follow_up else ""
    taps = dict(zip(TAPS, words().parts("today.taps", when=when), strict=True))
    return say("today.done", tap=taps[prompt.tap])
