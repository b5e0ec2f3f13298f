"""The screen to the patient and back: a PIN locks the clinician's pages and opens them again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from imr_fhir.scale import ITEM_COUNT
from smart_app import cookies
from smart_app.access import with_launch, with_locked_launch
from smart_app.auditing import audit
from smart_app.delivery import deliver
from smart_app.drafting import begin_draft, is_earlier, ratings_of
from smart_app.language import say, use_language, words
from smart_app.open_launch import Launch, opened
from smart_app.patient import enter
from smart_app.presenters.header import addressed
from smart_app.saving import courier_of, plan_of
from smart_app.seen_first import note_seen
from smart_app.session import session_from, session_of
from smart_app.state import now, state
from smart_app.store import codes
from smart_app.store.audit import Entry, Outcome
from smart_app.store.drafts import Draft
from smart_app.store.errors import PinRefused
from smart_app.store.filing_states import State
from smart_app.store.handovers import Handover
from smart_app.store.pin import check_pin
from smart_app.store.tickets import LIFETIME
from smart_app.tokens import end_later

_TICKET_RENEWED = int(LIFETIME.total_seconds()) - 5  # seconds; the page that waits for the press is made anew before

handover = Blueprint("handover", __name__, url_prefix="/l/<lid>")


@dataclass(frozen=True)
class GivePage:
    lid: str
    name: str
    framed: bool
    begun: str  # what is said of answers that are there already
    printed: str  # said where the record takes no answers
    blocked: str  # why there are no questions to give, "" where there are
    error: str = ""


@dataclass(frozen=True)
class LockedPage:
    lid: str
    name: str
    who: str
    handed_in: bool
    pin_error: str
    code: str = ""
    address: str = ""  # where the code is typed


@handover.route("/give", methods=["GET", "POST"])
@with_launch("clinician")
def give(launch: Launch) -> Any:
    begun = state().store.drafts.find(launch.record.owner, "client")
    name = addressed(words(), launch.patient_name)
    page = GivePage(
        lid=launch.id,
        name=name,
        framed=launch.framed,
        begun=_begun(launch, begun, name) if begun and not begun.empty else "",
        printed=say("hand.print", name=name) if plan_of(launch).rung("answers") == "print" else "",
        blocked=say("form.edited") if "client" in plan_of(launch).edited else "",
    )
    if request.method != "POST" or page.blocked:
        return render_template("handover/give.html", page=page)
    pin = request.form.get("pin", "")
    try:
        check_pin(pin)
    except PinRefused:
        audit("hand-over", launch, outcome="refused", purpose="unfit PIN")
        return render_template("handover/give.html", page=replace(page, error=say("hand.pin.short"))), 400
    draft = begin_draft(state().store, launch.record.owner, "client", language=launch.language, now=now())
    if not draft.handed_over:
        draft = state().store.drafts.set_handed_over(draft.id, launch.record.owner, now())
    session = session_of(launch.record, plan_of(launch))
    value = {"session": session.as_json(), "own_window": launch.framed, "language": launch.language}
    audit("hand-over", launch, resources=(draft.identifier,))
    given = state().store.handovers.create(launch.record, draft, pin, value, now())
    if request.form.get("do") == "elsewhere":
        body, status, more = _show_code(launch.id, given.handover)
        response = Response(body, status, more, mimetype="text/html")
    elif launch.framed:
        # the chart surrounds a frame, so the questions open in a window of their own
        response = redirect(url_for("handover.locked", lid=launch.id), 303)
    else:
        response = enter(given.handover.id, framed=False)
    cookies.set_cookie(response, cookies.launch_cookie(launch.id), given.launch_secret, framed=launch.framed)
    return response


def _begun(launch: Launch, draft: Draft, name: str) -> str:
    said = {"answered": len(ratings_of(draft)), "total": ITEM_COUNT, "name": name}
    day = words().day(draft.touched.astimezone(launch.site.zone))
    return say("hand.earlier" if is_earlier(draft) else "hand.resume", day=day, **said)


@handover.get("/locked")
@with_locked_launch
def locked(lid: str, handover: Handover) -> Any:
    """Enter the PIN; from a frame, as long as no window was opened, first the one-time way into it."""
    use_language(handover.value["language"])
    if not _is_offering(lid, handover) or "pin" in request.args:
        return render_template("handover/locked.html", page=_locked_page(lid, handover))
    ticket = state().store.tickets.issue("hand-over", {"hid": handover.id}, now())
    body = render_template("handover/window.html", page=_locked_page(lid, handover), ticket=ticket)
    return body, 200, {"Refresh": str(_TICKET_RENEWED)}


@handover.post("/code")
@with_locked_launch
def code(lid: str, handover: Handover) -> Any:
    """A one-time code for another device, as long as the questions are nowhere open; a new one voids the last."""
    if not _is_offering(lid, handover):
        return redirect(url_for("handover.locked", lid=lid), 303)
    return _show_code(lid, handover)


def _show_code(lid: str, handover: Handover) -> tuple[str, int, dict[str, str]]:
    use_language(handover.value["language"])
    store = state().store
    with store.writing():
        shown = store.codes.issue(handover.id, now())
        store.audit.record(_entry(handover, "hand-over", "success", "one-time code shown"), now())
    page = replace(
        _locked_page(lid, handover),
        code=f"{shown[:4]} {shown[4:]}",
        address=f"{state().config.public_url.partition('://')[2]}{url_for('code.ask').rstrip('/')}",
    )
    body = render_template("handover/code.html", page=page, minutes=int(codes.LIFETIME.total_seconds() // 60))
    over = f"{int(codes.LIFETIME.total_seconds())}; url={url_for('handover.locked', lid=lid)}"
    return body, 200, {"Refresh": over}


@handover.post("/back")
@with_locked_launch
def take_back(lid: str, handover: Handover) -> Any:
    """The PIN opens the pages again. It asks no EHR: a browser that never saw this answer has no cookie that opens."""
    use_language(handover.value["language"])
    store = state().store
    presented = tuple(cookies.launch_secrets().values())
    secret = cookies.secret_of(cookies.launch_cookie(lid))
    try:
        unlocked = store.handovers.unlock(lid, secret, request.form.get("pin", ""), presented, now())
    except PinRefused as error:
        _audit_refusal(handover, error.left)
        if error.ended:
            end_later(error.ended, state().hospitals)
            return render_template("handover/ended.html", message=say("hand.ended")), 403
        page = _locked_page(lid, handover, say("hand.back.wrong", left=error.left))
        return render_template("handover/locked.html", page=page), 403
    launch = opened(unlocked.launch, unlocked.secrets[lid])
    audit("take-back", launch)
    response: Response = redirect(url_for("handover.received", lid=lid), 303)
    for each, fresh in unlocked.secrets.items():
        cookies.set_cookie(response, cookies.launch_cookie(each), fresh, framed=launch.framed)
    return response


@handover.route("/received", methods=["GET", "POST"])
@with_launch("clinician")
def received(launch: Launch) -> Any:
    """Files what the patient handed in; its page presses its own button where there is script."""
    waiting = state().store.filings.outbox(launch.record.owner)
    if request.method != "POST" and waiting:
        return render_template("handover/received.html")
    if request.method == "POST":
        for each in waiting:
            done = deliver(each, courier_of(launch))
            note_seen(launch, done)
            if done.state is State.WAITING:
                break
    return redirect(url_for("today.page", lid=launch.id), 303)


def _is_offering(lid: str, found: Handover) -> bool:
    """The questions are still to be opened, from the launch that handed them over."""
    return found.state == "offered" and found.launch_id == lid


def _audit_refusal(found: Handover, left: int) -> None:
    state().store.audit.record(_entry(found, "take-back", "refused", f"wrong PIN, {left} tries left"), now())


def _entry(found: Handover, action: str, outcome: Outcome, purpose: str) -> Entry:
    session = session_from(found.value["session"])
    return Entry(
        action=action,
        outcome=outcome,
        who=session.who,
        site=found.owner.site,
        patient=session.patient_reference,
        patient_key=found.owner.patient_key,
        purpose=purpose,
    )


def _locked_page(lid: str, found: Handover, pin_error: str = "") -> LockedPage:
    session = session_from(found.value["session"])
    who = session.user_name or state().config.sites[found.owner.site].organization
    return LockedPage(lid, addressed(words(), session.patient_name), who, found.submitted, pin_error)
