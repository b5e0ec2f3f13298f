"""The patient's own pages while the screen is handed over: one draft is read and written, and nothing else.

No module of ``imr_fhir.ehr`` is imported here and a hand-over holds no token (import-linter and a test hold this).
"""

from __future__ import annotations

from contextlib import suppress
from functools import wraps
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from smart_app import cookies, questions
from smart_app.access import bind_pin_form, with_handover
from smart_app.auditing import audit_ended
from smart_app.drafting import begin_anew, is_earlier, seal_draft
from smart_app.earlier_page import earlier_answers
from smart_app.language import say, words
from smart_app.patient_page import PatientPage, patient_page
from smart_app.questions import Answer, View
from smart_app.sealing import new_act
from smart_app.session import session_from
from smart_app.sitting import Sitting
from smart_app.state import now, state
from smart_app.store.audit import Entry
from smart_app.store.drafts import Draft
from smart_app.store.errors import NoAccess, StaleDraft
from smart_app.store.handovers import Handover
from smart_app.tokens import end_later

patient = Blueprint("patient", __name__, url_prefix="/p")


@patient.post("/open")
def open_window() -> Answer:
    """From the frame into a window of its own: the one-time ticket opens the hand-over and sets its cookie there."""
    try:
        hid = state().store.tickets.redeem("hand-over", request.form.get("ticket", ""), now())["hid"]
        return enter(hid, framed=False)
    except NoAccess:
        return render_template("patient/late.html"), 410


def enter(hid: str, *, framed: bool, how: str = "") -> Response:
    """Opens an offered hand-over in this browser; ``how`` is for the audit log. Raises NoAccess where it is open
    already or gone. What was handed over in this browser before is closed to it: who holds it now may be another. So is
    every launch that is open in it: those of who handed over are locked, another's would be one Back away."""
    store = state().store
    with store.writing():
        given, secret = store.handovers.open(hid, now())
        if how:
            store.audit.record(_opened(given, how), now())
        ended = store.launches.end_active(cookies.launch_secrets().values(), "the screen was handed over", now())
        for each in ended:
            audit_ended(each, "the screen was handed over")
    end_later(ended, state().hospitals)
    response = redirect(url_for("patient.start", hid=hid), 303)
    for name in cookies.handover_cookies():
        cookies.drop_cookie(response, name, framed=framed)
    cookies.set_cookie(response, cookies.handover_cookie(hid), secret, framed=framed)
    return response


def _opened(given: Handover, how: str) -> Entry:
    session = session_from(given.value["session"])
    return Entry(
        action="hand-over",
        outcome="success",
        who=session.who,
        site=given.owner.site,
        patient=session.patient_reference,
        patient_key=given.owner.patient_key,
        purpose=f"opened {how}",
    )


def sitting_of(handover: Handover) -> Sitting:
    session, store = session_from(handover.value["session"]), state().store
    return Sitting(
        blueprint="patient",
        ids={"hid": handover.id},
        draft_id=handover.draft_id,
        owner=handover.owner,
        session=session,
        state=handover.state,
        who=session.user_name,
        leave=url_for("patient.back", hid=handover.id),
        leave_label=say("patient.give_back"),
        lid="",
        touch=lambda: store.handovers.touch(handover.id, now()),
        set_language=lambda chosen: _speak(handover, chosen),
    )


def _speak(handover: Handover, chosen: str) -> None:
    state().store.drafts.set_language(handover.draft_id, handover.owner, chosen, now())


def _while_answering(view: View) -> View:
    """Passes the sitting and the page to show; once the answers are handed in, or the screen is taken back, all pages
    are one."""

    @wraps(view)
    def guarded(handover: Handover, **kwargs: Any) -> Answer:
        sitting = sitting_of(handover)
        if view is questions.keep:
            return view(sitting)
        page = patient_page(sitting)
        draft = state().store.drafts.get(sitting.draft_id, sitting.owner)
        if sitting.state == "open" and is_earlier(draft) and view is not questions.language:
            return _earlier(sitting, page, draft)
        if page.finished:
            questions.keep_late(sitting)
            bind_pin_form(handover.launch_id)  # the only form that is left
            return _finished(handover, page, "patient/done.html")
        return view(sitting, page, **kwargs)

    return with_handover(guarded)


questions.add_pages(patient, "/<hid>", _while_answering)


def _earlier(sitting: Sitting, page: PatientPage, draft: Draft) -> Answer:
    """The form was revised since the answers of ``draft`` were given; it may have been while they were."""
    if request.method == "POST":
        questions.keep_late(sitting)
        return redirect(sitting.url("start"), 303)
    zone = state().config.sites[sitting.owner.site].zone
    of = earlier_answers(words(), draft, draft.expires.astimezone(zone))
    return render_template("patient/earlier.html", page=page, of=of)


@patient.post("/<hid>/anew")
@with_handover
def anew(handover: Handover) -> Answer:
    """The questions as they are now, with those of the answers before that the patient says hold still."""
    sitting, store = sitting_of(handover), state().store
    with suppress(StaleDraft), store.writing():
        draft = store.drafts.get(sitting.draft_id, sitting.owner)
        if sitting.state == "open" and is_earlier(draft):
            confirmed = request.form.getlist("keep")
            fresh = begin_anew(store, draft, sitting.owner, confirmed, language=draft.language, now=now())
            store.handovers.go_on_with(handover.id, fresh)
            sitting.touch()
    return redirect(sitting.url("start"), 303)


@patient.post("/<hid>/send")
@_while_answering
def send(sitting: Sitting, page: PatientPage) -> Answer:
    """Seals: from here on "we have it". Pressed twice, the second time finds it sealed."""
    if not page.ratings and not page.comment:
        return redirect(sitting.url("check"), 303)
    store, session = state().store, sitting.session
    act = new_act(state().config.sites[sitting.owner.site], session, now())
    with store.writing():
        draft = store.drafts.get(sitting.draft_id, sitting.owner)
        seal_draft(store, act, sitting.owner, draft, author=session.patient_reference)
        store.handovers.submit(sitting.ids["hid"], now())
    return redirect(sitting.url("start"), 303)


@patient.get("/<hid>/back")
@with_handover
def back(handover: Handover) -> Answer:
    """The screen goes back before the answers are handed in: they are kept."""
    page = patient_page(sitting_of(handover))
    bind_pin_form(handover.launch_id)
    return _finished(handover, page, "patient/done.html" if page.finished else "patient/back.html")


def _finished(handover: Handover, page: PatientPage, template: str) -> str:
    return render_template(
        template,
        page=page,
        lid=handover.launch_id,
        handed_in=handover.submitted,
        # Elsewhere than in the tab that was handed over: in a window of its own, or on another device.
        own_window=bool(handover.value["own_window"])
        or not cookies.secret_of(cookies.launch_cookie(handover.launch_id)),
    )
