"""What became of what was saved: the receipt of one filing, and the outbox of what is not in the record yet."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from imr_fhir.errors import EhrError, WrongPatient
from smart_app.access import Launch, audit, with_launch
from smart_app.answering import AnswerError, read_reason
from smart_app.delivery import Courier, deliver, step_down
from smart_app.language import say, words
from smart_app.presenters import receipt, written
from smart_app.presenters.receipt import Receipt, Waiting
from smart_app.presenters.written import Written
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
    own: tuple[Waiting, ...]
    others: tuple[Waiting, ...]


@filing.get("/saved/<fid>")
@with_launch("clinician", "reader")
def show(launch: Launch, fid: str) -> Any:
    state().store.filings.recover()
    found = state().store.filings.get(fid, launch.record.owner)
    # on its way in another window, for as long as its lease at most: the page looks again by itself
    return _page(launch, found), {"Refresh": "5"} if found.state is State.SENDING else {}


@filing.post("/saved/<fid>")
@with_launch("clinician")
def act(launch: Launch, fid: str) -> Any:
    """What a person decides about it: see `receipt.actions`."""
    found = state().store.filings.get(fid, launch.record.owner)
    do = request.form.get("do", "")
    if do == "open" and _is_blind(launch, found):
        _open(launch, found)
        return redirect(url_for("filing.show", lid=launch.id, fid=fid), 303)
    if do not in receipt.ACTS:
        raise BadRequest
    try:
        reason = read_reason(request.form) if do in receipt.WITH_REASON or _is_others(launch, found) else ""
    except AnswerError as error:
        return _page(launch, found, error=say(error.key, **error.params)), 400
    if do in {action.do for action in receipt.actions(words(), found, settled=_settled(found))}:
        with suppress(StaleFiling, TooSoon):  # it moved on meanwhile: its page says where it is now
            _act(do, found, courier_of(launch, reason))
    return redirect(url_for("filing.show", lid=launch.id, fid=fid), 303)


@filing.get("/outbox")
@with_launch("clinician")
def outbox(launch: Launch) -> str:
    audit("view", launch, purpose="outbox")
    store = state().store.filings
    store.recover()

    def lines(found: tuple[Filing, ...]) -> tuple[Waiting, ...]:
        return tuple(
            receipt.waiting(words(), each, url_for("filing.show", lid=launch.id, fid=each.id)) for each in found
        )

    owner = launch.record.owner
    page = Outbox(launch.id, lines(store.outbox(owner)), lines(store.left_by_others(owner)))
    return render_template("filing/outbox.html", page=page)


@filing.post("/outbox")
@with_launch("clinician")
def save_all(launch: Launch) -> Response:
    """ "2 waiting, save now": one button, all of one's own; the first that has to wait makes the others wait too."""
    store = state().store.filings
    store.recover()
    for each in store.outbox(launch.record.owner):
        if deliver(each, courier_of(launch)).state is State.WAITING:
            break
    return redirect(url_for("filing.outbox", lid=launch.id), 303)


def _act(do: str, found: Filing, courier: Courier) -> None:
    filings = courier.store.filings
    if do == "send":
        deliver(found, courier)
    elif do == "there":
        deliver(filings.vouch(found, courier.by, courier.audit("decide", found), courier.now), courier)
    elif do == "again":
        deliver(filings.send_again(found, courier.by, courier.audit("decide", found), courier.now), courier)
    elif do == "drop":
        filings.withdraw(found, courier.purpose, courier.by, courier.audit("withdraw", found), courier.now)
    else:
        step_down(found, courier)


def _settled(found: Filing) -> bool:
    """A reply that was lost so long ago may not arrive any more."""
    return found.lost is None or now() - found.lost > SETTLED


def _is_others(launch: Launch, found: Filing) -> bool:
    return found.owner.user_key != launch.record.owner.user_key


def _open(launch: Launch, found: Filing) -> None:
    """The patient's answers before one's own rating: allowed, and remembered."""
    audit("view", launch, resources=(found.details["key"],), purpose="seen before rating")
    opened = found.details["key"]
    state().store.launches.change(launch.id, lambda context: replace(context, opened=(*context.opened, opened)))


def _is_blind(launch: Launch, found: Filing) -> bool:
    """The patient answered alone, and this clinician may have yet to rate: the answers open by a press of their own."""
    alone = found.details["kind"] == "response" and found.details["author"] == f"Patient/{launch.patient}"
    rates = launch.role == "clinician" and launch.site.allow_unverified_clinician_scale
    return alone and rates and found.details["key"] not in launch.record.context.opened


def _page(launch: Launch, found: Filing, error: str = "") -> str:
    audit("view", launch, resources=tuple(str(part.request["full_url"]) for part in found.parts))
    blind = _is_blind(launch, found)
    page = Receipt(
        title=receipt.title(words(), found),
        sentence=receipt.sentence(words(), found),
        said=receipt.said(found),
        why=receipt.why(found),
        by=say("filing.by", name=found.details["by"]) if _is_others(launch, found) else "",
        parts=receipt.part_lines(words(), found, launch.site.record_link),
        actions=receipt.actions(words(), found, settled=_settled(found)) if launch.role == "clinician" else (),
        asks_reason=_is_others(launch, found),
        error=error,
        blind=blind,
        record=() if blind else _written(launch, found),
        there=_there(launch, found) if found.state is State.DUPLICATE and not blind else (),
        post_to=url_for("filing.act", lid=launch.id, fid=found.id),
        again_url=_again_url(launch, found),
        next_url=url_for("panel.show", lid=launch.id),
        next_label=say("page.to_panel"),
    )
    return render_template("filing/receipt.html", page=page)


def _written(launch: Launch, found: Filing) -> tuple[Written, ...]:
    try:
        return written.written(words(), state().store.filings.bodies(found).values(), launch.patient)
    except BodyPurged:
        return ()  # the record has it, and here it was deleted on time


def _there(launch: Launch, found: Filing) -> tuple[Written, ...]:
    """What the record has instead of what was sent."""
    lines: list[Written] = []
    for reference in found.candidates:
        kind, _, resource_id = reference.partition("/")
        try:
            there = launch.client().read(kind, resource_id)
            lines.append(Written(reference, str(there.get("status", there.get("lifecycleStatus", "")))))
            lines += written.of(words(), there, launch.patient)
        except (EhrError, WrongPatient) as error:
            lines.append(Written(reference, error.message))
    return tuple(lines)


def _again_url(launch: Launch, found: Filing) -> str:
    """To a correction that begins at what the record has now, after one that came too late."""
    late = found.details["kind"] == "correction" and found.candidates
    ids = [reference.partition("/")[2] for reference in found.candidates if reference.startswith("Questionnaire")]
    return url_for("form.correct", lid=launch.id, response_id=ids[0]) if late and ids else ""
