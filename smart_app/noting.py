"""Small notes that a person makes with one press: filed at once, once, and without a page of their own."""

from __future__ import annotations

from typing import Any

from imr_fhir.errors import NotFound
from imr_fhir.record import Note
from smart_app.delivery import deliver
from smart_app.open_launch import Launch
from smart_app.rungs import placed
from smart_app.saving import courier_of
from smart_app.sealing import Act, note_part, seal, told, urn
from smart_app.state import state
from smart_app.store.filing import Filing
from smart_app.store.filing_states import State


def said(act: Act) -> dict[str, Any]:
    """What every note has: whose, when, by whom."""
    return {
        "patient": act.session.patient,
        "said": act.local_now,
        "performer": act.session.person,
        "identifier": urn(),
        "encounter": act.session.encounter,
    }


def note(launch: Launch, act: Act, made: Note, *, once: str) -> None:
    """``once`` names what is noted: however often it is pressed, in however many windows, it is filed once. Each note
    is an ``act``, and a filing, of its own.

    What the record does not take stays in the outbox, in sight. Where it takes no notes at all no page offers any, and
    what is noted on the way (seen before rating) stands in the app's own log. Raises EhrError, LaunchError.
    """
    if act.plan.rung("review") == "print":
        return
    filings, owner = state().store.filings, launch.record.owner
    while (before := filings.of_form(once, owner)) and (before.state is State.WITHDRAWN or _is_gone(launch, before)):
        once = before.id  # that one was taken back, by the person or in the record, so this is another
    parts = [note_part(act, made)]
    parts += told(act, placed(parts, act.plan), activity="create", author=made.performer)
    sealed = seal(state().store, act, owner, parts, kind="note", details={}, form=once)
    deliver(sealed, courier_of(launch))


def _is_gone(launch: Launch, filed: Filing) -> bool:
    """The record took it, and does not have it any more, or as entered in error. Asked of it alone: a search may not
    know yet what was filed a moment ago."""
    there = [each.id for each in filed.receipts if each.type == "Observation" and each.id]
    if filed.state is not State.DONE or not there:
        return False
    try:
        return launch.client().read("Observation", there[-1]).get("status") == "entered-in-error"
    except NotFound:
        return True
