"""The patient's own pages while the screen is handed over: one draft is read and written, and nothing else.

No module of ``imr_fhir.ehr`` is imported here and a hand-over holds no token (import-linter and a test hold this).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from imr_fhir.scale import ITEM_COUNT, scale
from smart_app import answering, cookies
from smart_app.access import bind_pin_form, with_handover
from smart_app.drafting import seal_draft
from smart_app.language import language_of, say
from smart_app.patient_page import PatientPage, patient_page
from smart_app.sealing import new_act
from smart_app.session import session_from
from smart_app.state import now, state
from smart_app.store.drafts import COMMENT
from smart_app.store.errors import DraftSealed, NoAccess
from smart_app.store.handovers import Handover

patient = Blueprint("patient", __name__, url_prefix="/p")

Answer = str | Response | tuple[str, int]


@patient.post("/open")
def open_window() -> Answer:
    """From the frame into a window of its own: the one-time ticket opens the hand-over and sets its cookie there."""
    try:
        hid = state().store.tickets.redeem("hand-over", request.form.get("ticket", ""), now())["hid"]
        return enter(hid, framed=False)
    except NoAccess:
        return render_template("patient/late.html"), 410


def enter(hid: str, *, framed: bool) -> Response:
    """Opens an offered hand-over in this browser. Raises NoAccess where it is open already or gone."""
    _, secret = state().store.handovers.open(hid, now())
    response = redirect(url_for("patient.start", hid=hid), 303)
    cookies.set_cookie(response, cookies.handover_cookie(hid), secret, framed=framed)
    return response


def _while_answering(view: Callable[..., Answer]) -> Callable[..., Answer]:
    """Passes the page to show; once the answers are handed in, or the screen is taken back, all pages are one."""

    @wraps(view)
    def guarded(handover: Handover, **kwargs: Any) -> Answer:
        page = patient_page(handover)
        if page.finished:
            bind_pin_form(handover.launch_id)  # the only form that is left
            return render_template("patient/done.html", page=page)
        return view(handover, page, **kwargs)

    return with_handover(guarded)


@patient.get("/<hid>/")
@_while_answering
def start(_: Handover, page: PatientPage) -> Answer:
    return render_template("patient/start.html", page=page)


@patient.route("/<hid>/<int:number>", methods=["GET", "POST"])
@_while_answering
def question(handover: Handover, page: PatientPage, number: int) -> Answer:
    if not 1 <= number <= ITEM_COUNT:
        abort(404)
    page = replace(page, item=scale("client").item(number), came=request.values.get("came", ""))
    if request.method == "GET":
        return render_template("patient/question.html", page=page)
    if shown := _keep_or_show(handover, page, "patient/question.html"):
        return shown
    return redirect(_after(handover, number), 303)


def _after(handover: Handover, number: int) -> str:
    hid, go, came = handover.id, request.form.get("go", "next"), request.form.get("came", "")
    to = number - 1 if go == "previous" else number + 1
    if go == "next" and came == "rest":  # from the page before handing in: on to the next open one, then back there
        rest = [item.number for item in patient_page(handover).unanswered if item.number > number]
        if rest:
            return url_for("patient.question", hid=hid, number=rest[0], came="rest")
    if go == "stop" or (go == "next" and came in ("rest", "check")):
        return url_for("patient.check", hid=hid)
    if to > ITEM_COUNT:
        return url_for("patient.comment", hid=hid)
    return url_for("patient.question", hid=hid, number=max(to, 1))


@patient.route("/<hid>/all", methods=["GET", "POST"])
@_while_answering
def every(handover: Handover, page: PatientPage) -> Answer:
    if request.method == "GET":
        return render_template("patient/all.html", page=page)
    if shown := _keep_or_show(handover, page, "patient/all.html"):
        return shown
    go = request.form.get("go", "")
    if go.startswith("keep-"):
        return redirect(url_for("patient.every", hid=handover.id, _anchor=f"item-{go.removeprefix('keep-')}"), 303)
    return redirect(url_for("patient.check", hid=handover.id), 303)


@patient.route("/<hid>/comment", methods=["GET", "POST"])
@_while_answering
def comment(handover: Handover, page: PatientPage) -> Answer:
    if request.method == "GET":
        return render_template("patient/comment.html", page=page)
    if shown := _keep_or_show(handover, page, "patient/comment.html"):
        return shown
    if request.form.get("go") == "previous":
        return redirect(url_for("patient.question", hid=handover.id, number=ITEM_COUNT), 303)
    return redirect(url_for("patient.check", hid=handover.id), 303)


@patient.post("/<hid>/keep")
@with_handover
def keep(handover: Handover) -> tuple[str, int]:
    """For the script: one answer or the comment, as it is given. 204 means that it is kept."""
    try:
        faults = _keep(handover)
    except DraftSealed:
        return say("form.error.sent"), 409
    return (say(faults[0].key, **faults[0].params), 400) if faults else ("", 204)


@patient.get("/<hid>/check")
@_while_answering
def check(_: Handover, page: PatientPage) -> Answer:
    return render_template("patient/check.html", page=page)


@patient.post("/<hid>/send")
@_while_answering
def send(handover: Handover, page: PatientPage) -> Answer:
    """Seals: from here on "we have it". Pressed twice, the second time finds it sealed."""
    if not page.ratings and not page.comment:
        return redirect(url_for("patient.check", hid=handover.id), 303)
    store, session = state().store, session_from(handover.value["session"])
    act = new_act(state().config.sites[handover.owner.site], session, now())
    with store.writing():
        draft = store.drafts.get(handover.draft_id, handover.owner)
        seal_draft(store, act, handover.owner, draft, author=session.patient_reference)
        store.handovers.submit(handover.id, now())
    return redirect(url_for("patient.start", hid=handover.id), 303)


@patient.get("/<hid>/back")
@_while_answering
def back(handover: Handover, page: PatientPage) -> Answer:
    """The screen goes back before the answers are handed in: they are kept."""
    bind_pin_form(handover.launch_id)
    return render_template("patient/back.html", page=page)


@patient.post("/<hid>/language")
@_while_answering
def language(handover: Handover, _: PatientPage) -> Answer:
    chosen = language_of(request.form.get("language", ""))
    if chosen:
        state().store.drafts.set_language(handover.draft_id, handover.owner, chosen, now())
    home = url_for("patient.start", hid=handover.id)
    here = request.form.get("next", "")
    return redirect(here if here.startswith(home) and "\\" not in here and "//" not in here else home, 303)


def _keep_or_show(handover: Handover, page: PatientPage, template: str) -> Answer | None:
    """None where all that came is kept; else the page with what was typed and why it can't be."""
    faults = _keep(handover)
    if not faults:
        return None
    again = patient_page(handover)
    errors = {fault.field: say(fault.key, **fault.params) for fault in faults}
    typed = request.form.get(COMMENT, again.comment)
    return render_template(template, page=replace(again, item=page.item, comment=typed, errors=errors)), 400


def _keep(handover: Handover) -> tuple[answering.AnswerError, ...]:
    """Keeps what can be kept, and says what can't. Raises DraftSealed."""
    if handover.state != "open":
        raise DraftSealed("This form is handed in already.", next_step="A change is a correction.")
    posted = answering.read_answers(request.form, scale("client"))
    state().store.drafts.set_answers(handover.draft_id, handover.owner, posted.values, now())
    state().store.handovers.touch(handover.id, now())
    return posted.faults
