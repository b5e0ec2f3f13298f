"""What became of what was saved: the receipt of one filing, and the outbox of what is not in the record yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from smart_app.access import Launch, audit, with_launch
from smart_app.answering import AnswerError, read_reason
from smart_app.delivery import deliver
from smart_app.language import say, words
from smart_app.presenters import receipt
from smart_app.presenters.receipt import Receipt, Waiting
from smart_app.saving import courier_of
from smart_app.state import now, state
from smart_app.store.errors import BodyPurged, StaleFiling, TooSoon
from smart_app.store.filing import Filing
from smart_app.store.filing_states import State
from smart_app.store.filing_steps import SETTLED

filing = Blueprint("filing", __name__, url_prefix="/l/<lid>")


@dataclass(frozen=True)
class Outbox:
    lid: str
    waiting: tuple[Waiting, ...]


@filing.get("/saved/<fid>")
@with_launch("clinician", "reader")
def show(launch: Launch, fid: str) -> Any:
    state().store.filings.recover()
    return _page(launch, state().store.filings.get(fid, launch.record.owner))


@filing.post("/saved/<fid>")
@with_launch("clinician")
def act(launch: Launch, fid: str) -> Any:
    store, owner = state().store, launch.record.owner
    found = store.filings.get(fid, owner)
    do = request.form.get("do", "")
    others = found.owner.user_key != owner.user_key
    try:
        reason = read_reason(request.form) if others or do in ("drop", "there", "again") else ""
    except AnswerError as error:
        return _page(launch, found, error=say(error.key, **error.params)), 400
    courier = courier_of(launch, reason)
    try:
        if do == "send":
            deliver(found, courier)
        elif do == "there":
            deliver(store.filings.vouch(found, owner, courier.audit("decide", found), now()), courier)
        elif do == "again":
            deliver(store.filings.send_again(found, owner, courier.audit("decide", found), now()), courier)
        elif do == "drop":
            store.filings.withdraw(found, reason, owner, courier.audit("withdraw", found), now())
    except (StaleFiling, TooSoon):
        pass  # it moved on meanwhile: its page says where it is now
    return redirect(url_for("filing.show", lid=launch.id, fid=fid), 303)


@filing.get("/outbox")
@with_launch("clinician")
def outbox(launch: Launch) -> str:
    audit("view", launch, purpose="outbox")
    waiting = tuple(
        receipt.waiting(words(), each, url_for("filing.show", lid=launch.id, fid=each.id)) for each in _waiting(launch)
    )
    return render_template("filing/outbox.html", page=Outbox(launch.id, waiting))


@filing.post("/outbox")
@with_launch("clinician")
def save_all(launch: Launch) -> Response:
    """ "2 waiting, save now": one button, all of them."""
    for each in _waiting(launch):
        deliver(each, courier_of(launch))
    return redirect(url_for("filing.outbox", lid=launch.id), 303)


def _waiting(launch: Launch) -> tuple[Filing, ...]:
    state().store.filings.recover()
    return state().store.filings.outbox(launch.record.owner)


def _page(launch: Launch, found: Filing, error: str = "") -> str:
    audit("view", launch, resources=tuple(str(part.request["full_url"]) for part in found.parts))
    settled = found.lost is None or now() - found.lost > SETTLED
    actions = receipt.actions(words(), found, settled=settled) if launch.role == "clinician" else ()
    page = Receipt(
        title=receipt.title(words(), found),
        sentence=_sentence(found),
        said=error or (found.reason if found.state not in (State.DONE, State.SEALED) else ""),
        parts=receipt.part_lines(words(), found, launch.site.record_link),
        actions=actions,
        asks_reason=any(action.do != "send" for action in actions),
        record=_record(found),
        post_to=url_for("filing.act", lid=launch.id, fid=found.id),
        next_url=url_for("panel.show", lid=launch.id),
        next_label=say("page.to_panel"),
    )
    return render_template("filing/receipt.html", page=page)


def _sentence(found: Filing) -> str:
    return receipt.sentence(words(), found)


def _record(found: Filing) -> tuple[tuple[str, str], ...]:
    try:
        return receipt.record(words(), state().store.filings.bodies(found))
    except BodyPurged:
        return ()  # the record has it, and here it was deleted on time
