""" "Worth talking about today": a page at hand-back, before the panel. A prompt, no alarm; one tap ends each point."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, render_template, request, url_for
from werkzeug.exceptions import BadRequest
from werkzeug.utils import redirect

from imr_fhir.record import TAPS, Prompt
from imr_fhir.response import Response
from imr_fhir.scale import RATERS
from imr_fhir.talk import TalkPoint
from smart_app.access import Launch, audit, with_launch
from smart_app.charting import read
from smart_app.delivery import deliver
from smart_app.language import say, words
from smart_app.presenters.known import Known
from smart_app.presenters.notes import prompt_of
from smart_app.presenters.talk_lines import Points, latest_points, talk_lines
from smart_app.saving import begin, courier_of
from smart_app.sealing import note_part, seal, told, urn
from smart_app.state import state

today = Blueprint("today", __name__, url_prefix="/l/<lid>/today")

FOLLOW_UP_DAYS = 7


@dataclass(frozen=True)
class PointView:
    key: str
    title: str
    quote: str
    once: str
    answered: str


@dataclass(frozen=True)
class Page:
    lid: str
    points: tuple[PointView, ...]
    taps: tuple[str, ...]
    when: str
    not_filed: bool
    together: bool
    rate: bool


@today.get("")
@with_launch("clinician")
def page(launch: Launch) -> str:
    all_of, points = _points(launch)
    return render_template("today/today.html", page=_page(launch, all_of, points))


@today.post("")
@with_launch("clinician")
def tap(launch: Launch) -> Any:
    """Talked about, will follow up, known already: a small Observation, once a point."""
    all_of, points = _points(launch)
    point = next((each for each in points.found if _key(each) == request.form.get("point")), None) if points else None
    given = request.form.get("tap", "")
    if point is None or points is None or given not in TAPS:
        raise BadRequest
    if not prompt_of(point, all_of.notes, points.latest):
        _file(launch, points.latest, point, given)
    return redirect(url_for("today.page", lid=launch.id), 303)


def _file(launch: Launch, latest: Response, point: TalkPoint, given: str) -> None:
    act = begin(launch)
    prompt = Prompt(
        patient=launch.patient,
        said=act.local_now,
        performer=act.session.clinician,
        identifier=urn(),
        encounter=act.session.encounter,
        response=f"QuestionnaireResponse/{latest.id}",
        reason=point.reason,
        tap=given,
        item=point.item,
        follow_up=_when(launch) if given == "will-follow-up" else None,
    )
    parts = [note_part(act, prompt)]
    parts += told(act, parts, activity="create", author=act.session.clinician)
    sealed = seal(
        state().store, act, launch.record.owner, parts, kind="note", details={}, form=request.form.get("once") or urn()
    )  # fmt: skip
    deliver(sealed, courier_of(launch))


def _when(launch: Launch) -> date:
    try:
        return date.fromisoformat(request.form.get("when", ""))
    except ValueError:
        return launch.today + timedelta(days=FOLLOW_UP_DAYS)


def _points(launch: Launch) -> tuple[Known, Points | None]:
    _, all_of, situation = read(launch)
    audit("view", launch, purpose="worth talking about today")
    return all_of, latest_points(all_of, situation.parameters)


def _key(point: TalkPoint) -> str:
    return f"{point.reason}-{point.item or 0:02}"


def _page(launch: Launch, all_of: Known, points: Points | None) -> Page:
    waiting = state().store.filings.outbox(launch.record.owner)
    shown: tuple[PointView, ...] = ()
    if points:
        lines = talk_lines(words(), points.found, points.latest, points.earlier, blind=points.blind)
        shown = tuple(
            PointView(_key(point), line.title, line.quote, urn(), _answered(point, all_of, points.latest))
            for point, line in zip(points.found, lines, strict=True)
        )
    newest = all_of.occasions[0] if all_of.occasions else None
    both = newest is not None and all(all_of.seen(newest, rater) for rater in RATERS)
    return Page(
        lid=launch.id,
        points=shown,
        taps=words().parts("today.taps", when=""),
        when=(launch.today + timedelta(days=FOLLOW_UP_DAYS)).isoformat(),
        not_filed=bool(waiting) and bool(shown),
        together=both,
        rate=bool(all_of.hidden) and launch.site.allow_unverified_clinician_scale,
    )


def _answered(point: TalkPoint, all_of: Known, latest: Response) -> str:
    prompt = prompt_of(point, all_of.notes, latest)
    if prompt is None:
        return ""
    when = words().short_day(prompt.follow_up) if prompt.follow_up else ""
    taps = dict(zip(TAPS, words().parts("today.taps", when=when), strict=True))
    return say("today.done", tap=taps[prompt.tap])
