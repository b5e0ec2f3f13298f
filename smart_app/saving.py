"""From an open launch to the record: begin an act, seal it, take it there, and show the receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import redirect, url_for
from werkzeug.wrappers import Response

from imr_fhir.bundle import Part
from smart_app.delivery import Courier, deliver
from smart_app.open_launch import Launch
from smart_app.plan import Plan, plan_from
from smart_app.sealing import Act, Kind, new_act, seal
from smart_app.session import session_of
from smart_app.state import now, state
from smart_app.store.drafts import Draft
from smart_app.store.filing import Filing
from smart_app.store.owner import Owner


def plan_of(launch: Launch) -> Plan:
    """As of the launch, without what this EHR refused lately, a minute ago too."""
    refused = state().store.refusals.of(launch.record.owner.site, launch.record.owner.user_key, now())
    return plan_from(launch.record.context.plan).after(refused)


def begin(launch: Launch) -> Act:
    """An act of this launch's user, now."""
    return new_act(launch.site, session_of(launch.record, plan_of(launch)), now())


def courier_of(launch: Launch, purpose: str = "", by: Owner | None = None, patient: str = "") -> Courier:
    """``by`` and ``patient`` (id): where it is about a record that was merged into the launch's."""
    return Courier(
        store=state().store,
        client=launch.client(),
        by=by or launch.record.owner,
        who=launch.record.who,
        patient=f"Patient/{patient or launch.patient}",
        clock=state().clock,
        purpose=purpose,
    )


def saved_before(launch: Launch, form: str) -> Response | None:
    """To the page of what this form was saved as, where it was."""
    filing = state().store.filings.of_form(form, launch.record.owner)
    return _to(launch, filing) if filing else None


def save(
    launch: Launch,
    act: Act,
    parts: Sequence[Part],
    *,
    kind: Kind,
    details: Mapping[str, Any],
    draft: Draft | None = None,
    form: str = "",
) -> Response:
    """Seals and sends; pressed twice, it is the first filing that is shown."""
    owner = launch.record.owner
    filing = seal(state().store, act, owner, parts, kind=kind, details=details, draft=draft, form=form)
    return sent(launch, filing)


def sent(launch: Launch, filing: Filing) -> Response:
    """Takes a sealed filing on, and leads to its page."""
    deliver(filing, courier_of(launch))
    return _to(launch, filing)


def _to(launch: Launch, filing: Filing) -> Response:
    return redirect(url_for("filing.show", lid=launch.id, fid=filing.id), 303)
