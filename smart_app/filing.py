"""What became of what was saved: the receipt of one filing, and the outbox of what is not in the record yet."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from smart_app import correction, filing_page
from smart_app.access import with_launch
from smart_app.answering import AnswerError, read_reason
from smart_app.auditing import audit
from smart_app.choosing import choose
from smart_app.delivery import Courier, deliver, to_print
from smart_app.entering import entered
from smart_app.filing_page import Viewed
from smart_app.language import say, words
from smart_app.open_launch import Launch
from smart_app.presenters import receipt
from smart_app.presenters.receipt import Waiting
from smart_app.saving import begin, courier_of, plan_of
from smart_app.seen_first import names_of, note_seen, open_first
from smart_app.state import state
from smart_app.step_down import step_down
from smart_app.store.errors import BodyPurged, StaleFiling, TooSoon
from smart_app.store.filing import Filing
from smart_app.store.filing_states import State

filing = Blueprint("filing", __name__, url_prefix="/l/<lid>")


@dataclass(frozen=True)
class Outbox:
    lid: str
    own: tuple[Waiting, ...]
    printed: tuple[Waiting, ...]  # one's own that no press saves
    others: tuple[Waiting, ...]
    merged: tuple[Waiting, ...]  # of a patient whose record was merged into this one


@filing.get("/saved/<fid>")
@with_launch("clinician", "reader")
def show(launch: Launch, fid: str) -> Any:
    state().store.filings.recover()
    viewed = filing_page.find(launch, fid)
    # The page looks again by itself: for as long as it is on its way in another window, by its lease at most, and when
    # a lost reply may be decided on.
    unsettled = viewed.filing.state is State.UNKNOWN and not viewed.settled
    again = {"Refresh": "5"} if viewed.filing.state is State.SENDING or unsettled else {}
    return filing_page.show(launch, viewed), again


@filing.post("/saved/<fid>")
@with_launch("clinician")
def act(launch: Launch, fid: str) -> Any:
    """What a person decides about it: see `receipt.actions`."""
    viewed = filing_page.find(launch, fid)
    do = request.form.get("do", "")
    if do == "open" and filing_page.is_blind(launch, viewed):
        _open(launch, viewed)
        return redirect(url_for("filing.show", lid=launch.id, fid=fid), 303)
    if do not in receipt.ACTS:
        raise BadRequest
    try:
        reason = read_reason(request.form) if do in receipt.WITH_REASON or viewed.asks_reason else ""
    except AnswerError as error:
        return filing_page.show(launch, viewed, error=say(error.key, **error.params)), 400
    if do in ("choose", "correct") and not request.form.get("which"):
        return filing_page.show(launch, viewed, reason=reason, which_error=say("filing.which.missing")), 400
    offered = receipt.actions(
        words(),
        viewed.filing,
        plan_of(launch),
        settled=viewed.settled,
        here=viewed.here,
        blind=filing_page.is_blind(launch, viewed),
    )
    if do in {action.do for action in offered}:
        with suppress(StaleFiling, TooSoon):  # it moved on meanwhile: its page says where it is now
            if onward := _act(do, launch, viewed, courier_of(launch, reason, viewed.owner, viewed.patient)):
                return onward
        if viewed.here:
            note_seen(launch, state().store.filings.get(fid, viewed.owner))
    return redirect(url_for("filing.show", lid=launch.id, fid=fid), 303)


@filing.get("/outbox")
@with_launch("clinician")
def outbox(launch: Launch) -> str:
    audit("view", launch, purpose="outbox")
    store = state().store.filings
    store.recover()

    owner, plan = launch.record.owner, plan_of(launch)
    mine = store.outbox(owner)

    def lines(found: Iterable[Filing]) -> tuple[Waiting, ...]:
        return tuple(
            receipt.waiting(words(), each, url_for("filing.show", lid=launch.id, fid=each.id), plan) for each in found
        )

    page = Outbox(
        launch.id,
        own=lines(each for each in mine if not to_print(each)),
        printed=lines(each for each in mine if to_print(each)),
        others=lines(store.left_by_others(owner)),
        merged=lines(filing_page.left_elsewhere(launch)),
    )
    return render_template("filing/outbox.html", page=page)


@filing.post("/outbox")
@with_launch("clinician")
def save_all(launch: Launch) -> Response:
    """ "2 waiting, save now": one button, all of one's own; the first that has to wait makes the others wait too."""
    store = state().store.filings
    store.recover()
    for each in store.outbox(launch.record.owner):
        done = deliver(each, courier_of(launch))
        note_seen(launch, done)
        if done.state is State.WAITING:
            break
    return redirect(url_for("filing.outbox", lid=launch.id), 303)


def _act(do: str, launch: Launch, viewed: Viewed, courier: Courier) -> Response | None:
    """Raises StaleFiling, TooSoon."""
    filings, found, which = courier.store.filings, viewed.filing, request.form.get("which", "")
    if do == "send":
        done = deliver(found, courier)
        if viewed.is_others and done.state is State.DONE:
            entered(launch, done, courier.purpose)
    elif do == "there":
        deliver(filings.vouch(found, courier.by, courier.audit("decide", found), courier.now), courier)
    elif do == "again":
        deliver(filings.send_again(found, courier.by, courier.audit("decide", found), courier.now), courier)
    elif do == "drop":
        filings.withdraw(found, courier.purpose, courier.by, courier.audit("withdraw", found), courier.now)
    elif do == "choose":
        choose(found, which, courier)
    elif do == "correct":
        return _correct(launch, viewed, which, courier)
    elif do == "printed":
        _printed(found, courier)
    else:
        step_down(found, courier, begin(launch))
    return None


def _printed(found: Filing, courier: Courier) -> None:
    """What was saved in part is done; of what is in no record, it is said why nothing is sent."""
    filings = courier.store.filings
    if found.state is State.SEALED:
        reason = courier.purpose or say("filing.was_printed")
        filings.withdraw(found, reason, courier.by, courier.audit("decide", found), courier.now)
        return
    with courier.store.writing():
        filings.finish(found)
        courier.store.audit.record(courier.audit("decide", found), courier.now)


def _correct(launch: Launch, viewed: Viewed, which: str, courier: Courier) -> Response | None:
    """Begins a correction of what the record has with what was written here; the filing waits until that is decided."""
    kind, _, identity = which.partition("/")
    if kind != "QuestionnaireResponse" or which not in viewed.filing.candidates:
        return None
    courier.store.audit.record(courier.audit("decide", viewed.filing), courier.now)
    return correction.begun(launch, identity, filing_page.written_answers(viewed))


def _open(launch: Launch, viewed: Viewed) -> None:
    """The patient's answers before one's own rating: allowed, remembered, and noted in the record."""
    with suppress(BodyPurged):  # then there is nothing left here to be seen
        seen = open_first(launch, viewed.filing, viewed.owner, filing_page.written_answers(viewed))
        if viewed.here:
            note_seen(launch, seen)
    opened = names_of(viewed.filing)
    state().store.launches.change(launch.id, lambda context: replace(context, opened=(*context.opened, *opened)))
