"""The pages of a patient who has opened the app: where to begin, all of the own record, and who opened it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from imr_fhir.documented import Document, standing
from imr_fhir.ehr.changes import changes
from imr_fhir.errors import EhrError, Unauthorized
from imr_fhir.record import SeenFirst
from imr_fhir.response import Response as Rating
from imr_fhir.scale import ITEM_COUNT
from smart_app.access import with_launch
from smart_app.alone import may_answer, take_on
from smart_app.auditing import audit
from smart_app.charting import read, waiting_ratings
from smart_app.drafting import ratings_of
from smart_app.earlier import kept_for
from smart_app.filing_page import places
from smart_app.language import words
from smart_app.noting import note, said
from smart_app.open_launch import Launch
from smart_app.presenters.goals import goals_view
from smart_app.presenters.header import addressed
from smart_app.presenters.notes import said_of_goals
from smart_app.presenters.openings import SEEN_FIRST, openings
from smart_app.presenters.own_home import OwnGoal, answered_on, not_shown, own_goal
from smart_app.presenters.own_record import own_record
from smart_app.presenters.purpose import help_now, purpose
from smart_app.saving import begin
from smart_app.state import state
from smart_app.store.drafts import Draft
from smart_app.store.filing_states import State

own = Blueprint("own", __name__, url_prefix="/l/<lid>/own")
FEW = 50


@own.get("")
@with_launch("patient")
def home(launch: Launch) -> str:
    goal, responses, documents = _read_what_can_be(launch)
    drafts = state().store.drafts
    draft, opened = drafts.find(launch.record.owner, "client"), drafts.open_for(launch.record.owner)
    page = {
        "lid": launch.id,
        "name": addressed(words(), launch.patient_name),
        "organization": launch.site.organization,
        "purpose": purpose(words(), "", launch.site.organization),
        "help_now": help_now(words(), "", launch.site.phone),
        "goal": goal,
        "today": answered_on(launch.today, responses),
        "documented": any(each.rater == "client" and each.day == launch.today for each in documents),
        "may_answer": may_answer(launch),
        "answered": len(ratings_of(draft)) if draft else 0,
        "total": ITEM_COUNT,
        "kept_until": words().day(draft.expires.astimezone(launch.site.zone)) if draft else "",
        "earlier": [(each.id, _begun_on(launch, each)) for each in kept_for(launch, opened)],
        "waiting": len(state().store.filings.outbox(launch.record.owner)),
        "figures": not launch.without_figures,
    }
    return render_template("own/home.html", page=page)


def _begun_on(launch: Launch, draft: Draft) -> str:
    zone = launch.site.zone
    day, until = words().day(draft.touched.astimezone(zone)), words().day(draft.expires.astimezone(zone))
    return words().say("own.earlier", day=day, until=until)


def _read_what_can_be(launch: Launch) -> tuple[OwnGoal, tuple[Rating, ...], tuple[Document, ...]]:
    """Goal, ratings, and documents that stand. A record that can't be read now keeps nobody from answering."""
    waiting = waiting_ratings(launch)
    try:
        chart, all_of, situation = read(launch)
    except Unauthorized:
        raise
    except EhrError as error:
        audit("view", launch, purpose="own page")
        return OwnGoal(missing=not_shown(words(), error.message)), waiting, ()
    audit("view", launch, resources=tuple(f"Goal/{goal.id}" for goal in chart.goals), purpose="own page")
    name, notes = all_of.names["client"], said_of_goals(all_of.notes)
    goals = goals_view(words(), chart.goals, notes, name=name, today=situation.today)
    return own_goal(words(), goals, chart.problems), (*chart.responses, *waiting), standing(chart.documents)


@own.post("/save")
@with_launch("patient")
def save(launch: Launch) -> Response:
    """Takes what is kept here into the record; the first that has to wait makes the others wait too."""
    state().store.filings.recover()
    for each in state().store.filings.outbox(launch.record.owner):
        if take_on(launch, each).state is State.WAITING:
            break
    return redirect(url_for("own.home", lid=launch.id), 303)


@own.get("/record")
@with_launch("patient")
def record(launch: Launch) -> str:
    chart, all_of, situation = read(launch)
    references = [response.reference for response in chart.responses]
    try:
        reasons = changes(launch.client(), references, zone=launch.site.zone)
    except Unauthorized:
        raise
    except EhrError:
        reasons = None
    seen = (response.reference for response in chart.responses if response not in all_of.hidden)
    audit("view", launch, resources=(*seen, *(f"Goal/{goal.id}" for goal in chart.goals)), purpose="own record")
    figures = not launch.without_figures
    page = own_record(words(), chart, all_of, situation, reasons=reasons, figures=figures)
    place = {"lid": launch.id, "organization": launch.site.organization, "phone": launch.site.phone, "figures": figures}
    return render_template("own/record.html", page=page, place=place)


@own.post("/open")
@with_launch("patient")
def open_first(launch: Launch) -> Response:
    """A clinician's answers before the own ones: the patient's right, remembered here and noted in the record."""
    _, all_of, _ = read(launch)
    key = request.form.get("key", "")
    wanted = next((response for response in all_of.hidden if response.key == key), None)
    if wanted is None:
        raise BadRequest
    reference = wanted.reference
    audit("view", launch, resources=(reference,), purpose=SEEN_FIRST)
    state().store.launches.change(launch.id, lambda context: replace(context, opened=(*context.opened, key)))
    act = begin(launch)
    note(launch, act, SeenFirst(response=reference, **said(act)), once=f"seen-first {reference}")
    return redirect(url_for("own.record", lid=launch.id), 303)


@own.get("/opened")
@with_launch("patient")
def opened(launch: Launch) -> Any:
    audit("view", launch, purpose="who opened the record")
    log = state().store.audit
    entries: list[dict[str, Any]] = []
    keys = [owner.patient_key for owner, _ in places(launch)]
    while more := log.entries(after=entries[-1]["seq"] if entries else 0, patient_keys=keys):
        entries += more
    lines = openings(words(), entries, own_key=launch.user_key, here=launch.patient, zone=launch.site.zone)
    shown = lines if request.args.get("all") else lines[:FEW]
    place = {"lid": launch.id, "organization": launch.site.organization, "more": len(lines) - len(shown)}
    return render_template("own/opened.html", lines=shown, place=place)
