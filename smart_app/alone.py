"""The patient has opened the app and answers without a clinician: the same questions as after a hand-over, in the
patient's own launch, without a PIN. What is handed in goes into the record at once; no figure is shown for it."""

from __future__ import annotations

from dataclasses import replace
from functools import wraps
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from smart_app import questions
from smart_app.access import with_launch
from smart_app.auditing import audit
from smart_app.delivery import deliver
from smart_app.drafting import begin_draft, is_earlier, seal_draft
from smart_app.language import say, words
from smart_app.open_launch import Launch
from smart_app.patient_page import PatientPage, patient_page
from smart_app.presenters.own_receipt import lower_rung, own_receipt
from smart_app.questions import Answer, View
from smart_app.saving import begin, courier_of, plan_of
from smart_app.seen_first import note_seen
from smart_app.session import session_of
from smart_app.sitting import Sitting
from smart_app.state import now, state
from smart_app.step_down import step_down
from smart_app.store.filing import Filing

alone = Blueprint("alone", __name__, url_prefix="/l/<lid>/answer")


@alone.post("/start")
@with_launch("patient")
def begin_or_go_on(launch: Launch) -> Response:
    """Begins the questions, or goes on with those that are open."""
    if not may_answer(launch):
        return redirect(url_for("own.home", lid=launch.id), 303)
    owner = launch.record.owner
    draft = begin_draft(state().store, owner, "client", language=launch.language, now=now())
    return redirect(url_for("earlier.show" if is_earlier(draft) else "alone.start", lid=launch.id, did=draft.id), 303)


def may_answer(launch: Launch) -> bool:
    """Whether this EHR takes the patient's answers; else nobody is asked to write what goes nowhere."""
    return plan_of(launch).may_file("client")


def _sitting(launch: Launch, did: str) -> Sitting:
    """Raises NoAccess for a draft of somebody else."""
    drafts, owner = state().store.drafts, launch.record.owner
    draft = drafts.get(did, owner)
    if draft.state == "open" and draft.language != launch.language:  # what is shown from here on is what was answered
        drafts.set_language(did, owner, launch.language, now())
    return Sitting(
        blueprint="alone",
        ids={"lid": launch.id, "did": did},
        draft_id=did,
        owner=owner,
        session=session_of(launch.record, plan_of(launch)),
        state=draft.state,
        who="",
        leave=url_for("own.home", lid=launch.id),
        leave_label=say("own.leave"),
        lid=launch.id,
        touch=lambda: None,  # with_launch has done it
        set_language=lambda chosen: _speak(launch, did, chosen),
    )


def _speak(launch: Launch, did: str, chosen: str) -> None:
    state().store.drafts.set_language(did, launch.record.owner, chosen, now())
    state().store.launches.change(launch.id, lambda context: replace(context, language=chosen))


def _while_answering(view: View) -> View:
    """Passes the sitting and the page to show; once the answers are handed in, all pages are the receipt."""

    @wraps(view)
    def guarded(launch: Launch, did: str, **kwargs: Any) -> Answer:
        sitting = _sitting(launch, did)
        if view is questions.keep:
            return view(sitting)
        if sitting.state == "aside" or is_earlier(state().store.drafts.get(did, sitting.owner)):
            questions.keep_late(sitting)
            return redirect(url_for("earlier.show", lid=launch.id, did=did), 303)
        page = patient_page(sitting)
        if page.finished:
            questions.keep_late(sitting)
            return redirect(url_for("alone.receipt", lid=launch.id, did=did), 303)
        return view(sitting, page, **kwargs)

    return with_launch("patient")(guarded)


questions.add_pages(alone, "/<did>", _while_answering)


@alone.post("/<did>/send")
@with_launch("patient")
def send(launch: Launch, did: str) -> Response:
    """Seals, from then on "we have it", and takes it into the record. Pressed twice, the second finds it sealed."""
    sitting, store = _sitting(launch, did), state().store
    if is_earlier(store.drafts.get(did, sitting.owner)):
        return redirect(url_for("earlier.show", lid=launch.id, did=did), 303)
    page = patient_page(sitting)
    if not page.finished:
        if not page.ratings and not page.comment:
            return redirect(sitting.url("check"), 303)
        act = begin(launch)
        with store.writing():
            draft = store.drafts.get(did, sitting.owner)
            filing = seal_draft(store, act, sitting.owner, draft, author=act.session.person)
        deliver(filing, courier_of(launch))
    return redirect(sitting.url("receipt"), 303)


@alone.route("/<did>/received", methods=["GET", "POST"])
@with_launch("patient")
def receipt(launch: Launch, did: str) -> Any:
    """Where the answers are, and the answers themselves; POST tries again what the record has not taken."""
    store = state().store
    store.filings.recover()
    filing = store.filings.of_draft(did, launch.record.owner)
    if filing is None:
        return redirect(url_for("own.home", lid=launch.id), 303)
    if request.method == "POST":
        take_on(launch, filing)
        return redirect(url_for("alone.receipt", lid=launch.id, did=did), 303)
    audit("view", launch, resources=(filing.details["key"],))
    page: PatientPage = patient_page(_sitting(launch, did))
    outcome = own_receipt(words(), filing, plan_of(launch), organization=launch.site.organization)
    return render_template("own/receipt.html", page=page, outcome=outcome, lid=launch.id)


def take_on(launch: Launch, filing: Filing) -> Filing:
    """One more try, on the next rung where the record refused the one before; a clinician may have opened it here."""
    courier = courier_of(launch)
    lower = lower_rung(filing, plan_of(launch))
    done = step_down(filing, courier, begin(launch)) if lower else deliver(filing, courier)
    note_seen(launch, done)
    return done
