"""The summary panel, how its figures are worked out, and the two things that are noted from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from imr_fhir.ehr.chart import Chart
from imr_fhir.ehr.host_clock import WARN
from imr_fhir.record import OUTCOMES, DueOutcome, SeenFirst
from imr_fhir.response import Response as Rating
from smart_app.access import EVERYONE, with_launch
from smart_app.answering import read_day
from smart_app.auditing import audit
from smart_app.charting import read
from smart_app.csrf import csrf_field
from smart_app.delivery import to_print
from smart_app.drafting import is_earlier
from smart_app.earlier import kept_for
from smart_app.filing_page import left_elsewhere
from smart_app.goal_drafting import open_for
from smart_app.language import words
from smart_app.noting import note, said
from smart_app.open_launch import Launch
from smart_app.panels_shown import Source
from smart_app.placing import place_now
from smart_app.presenters import how as how_presenter
from smart_app.presenters import panel as panel_presenter
from smart_app.presenters.known import Known
from smart_app.presenters.situation import DraftKind, OpenDraft, OpenGoalDraft
from smart_app.saving import begin
from smart_app.sealing import urn
from smart_app.state import now, state
from smart_app.store.drafts import Draft

panel = Blueprint("panel", __name__, url_prefix="/l/<lid>")


@panel.get("/")
@with_launch(*EVERYONE)
def show(launch: Launch) -> str | Response:
    if launch.without_figures:
        return redirect(url_for("own.home", lid=launch.id), 303)
    chart, all_of, situation = read(launch)
    off = launch.client().clock_off(now())
    occasion = request.args.get("occasion", "")
    situation = replace(situation, occasion=occasion, clock_off=off if off > WARN else timedelta())
    if plan := situation.plan:
        with state().store.reading():
            left, printed = left_elsewhere(launch), [each for each in situation.outbox if to_print(each)]
            placed = [each for each in printed if place_now(each, plan)]
            situation = replace(
                situation,
                drafts=_drafts(launch),
                goal_drafts=_goal_drafts(launch),
                waiting=len(situation.outbox) - len(printed),
                printed=len(printed) - len(placed),
                placed=len(placed),
                left=len(left),
            )
    audit("view", launch, resources=_shown(chart, all_of))

    def work() -> Markup:
        page = panel_presenter.panel(words(), chart, all_of, situation)
        return Markup(render_template("panel/panel.html", panel=page, lid=launch.id))  # noqa: S704 - it is escaped

    shown = state().panels.of(launch.id, Source(chart, situation, words()), csrf_field(), work)
    return render_template("panel/show.html", shown=shown)


@panel.get("/how")
@with_launch(*EVERYONE)
def how(launch: Launch) -> str | Response:
    if launch.without_figures:
        return redirect(url_for("own.home", lid=launch.id), 303)
    chart, all_of, situation = read(launch)
    audit("view", launch, resources=_shown(chart, all_of), purpose="how change is worked out")
    return render_template("panel/how.html", how=how_presenter.how(words(), all_of, situation), lid=launch.id)


@panel.post("/see-first")
@with_launch("clinician")
def see_first(launch: Launch) -> Response:
    """The patient's answers before one's own rating: allowed, remembered here, and noted in the record."""
    _, all_of, _ = read(launch)
    audit("view", launch, resources=_references(all_of.hidden), purpose="seen before rating")
    keys = tuple(name for each in all_of.hidden for name in (each.key, each.identifier) if name)
    state().store.launches.change(launch.id, lambda context: replace(context, opened=(*context.opened, *keys)))
    for response in all_of.hidden:
        reference = response.reference
        if not reference:
            continue  # it is in no record, so no note there can be about it: the app's own log has it
        act = begin(launch)
        note(launch, act, SeenFirst(response=reference, **said(act)), once=f"seen-first {reference}")
    return redirect(url_for("panel.show", lid=launch.id), 303)


@panel.post("/not-today")
@with_launch("clinician")
def not_today(launch: Launch) -> Response:
    """What became of a due rating that is not answered, and when to ask again."""
    outcome, new_date = request.form.get("outcome", ""), request.form.get("new-date", "")
    if outcome not in OUTCOMES:
        raise BadRequest
    try:
        day = read_day(new_date) if new_date else None
    except ValueError as error:
        raise BadRequest from error
    act = begin(launch)
    once = f"due-outcome {request.form.get('once') or urn()} {outcome} {new_date}"
    note(launch, act, DueOutcome(outcome=outcome, new_date=day, **said(act)), once=once)
    return redirect(url_for("panel.show", lid=launch.id), 303)


def _drafts(launch: Launch) -> tuple[OpenDraft, ...]:
    """New ratings begun and not handed in; a correction is gone on with from the rating that it corrects."""
    drafts = state().store.drafts.open_for(launch.record.owner)
    taken = (each for each in drafts if not each.about and not each.empty and not is_earlier(each))
    return tuple(_draft(launch, each) for each in (*taken, *kept_for(launch, drafts)))


def _goal_drafts(launch: Launch) -> tuple[OpenGoalDraft, ...]:
    zone = launch.site.zone
    return tuple(
        OpenGoalDraft(
            page=each.draft.page,
            touched=each.draft.touched.astimezone(zone).date(),
            expires=each.draft.expires.astimezone(zone).date(),
            expiring=each.draft.expiring(now()),
            merged=each.merged,
        )
        for each in open_for(launch)
    )


def _draft(launch: Launch, draft: Draft) -> OpenDraft:
    zone, kind = launch.site.zone, _kind(launch, draft)
    return OpenDraft(
        rater=draft.rater,
        answered=len(draft.codes),
        touched=draft.touched.astimezone(zone).date(),
        expires=draft.expires.astimezone(zone).date(),
        expiring=draft.expiring(now()),
        kind=kind,
        id="" if kind == "open" else draft.id,
    )


def _kind(launch: Launch, draft: Draft) -> DraftKind:
    if draft.owner != launch.record.owner:
        return "merged"
    return "aside" if draft.state == "aside" else "earlier" if is_earlier(draft) else "open"


def _shown(chart: Chart, all_of: Known) -> tuple[str, ...]:
    """Not what may not be seen yet: of that a page says no more than that it is there."""
    seen = (response for response in chart.responses if response not in all_of.hidden)
    return (*_references(seen), *(f"Goal/{goal.id}" for goal in chart.goals))


def _references(responses: Iterable[Rating]) -> tuple[str, ...]:
    return tuple(response.key for response in responses)
