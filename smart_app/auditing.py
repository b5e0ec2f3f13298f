"""What is done in a launch goes into the audit log before anybody sees it or is sent it."""

from __future__ import annotations

from smart_app.open_launch import Launch
from smart_app.state import now, state
from smart_app.store.audit import Entry, Outcome
from smart_app.store.launch import Launch as LaunchRecord


def audit(
    action: str,
    launch: Launch,
    *,
    resources: tuple[str, ...] = (),
    outcome: Outcome = "success",
    purpose: str = "",
) -> None:
    """Commits the audit row; to be called before data is shown or sent. ``resources`` are references."""
    _record(action, launch.record, resources, outcome, purpose)


def audit_ended(ended: LaunchRecord, why: str) -> None:
    """The same of a launch that was ended by what is done in another, of whatever site."""
    _record("session-ended", ended, (), "success", why)


def _record(action: str, of: LaunchRecord, resources: tuple[str, ...], outcome: Outcome, purpose: str) -> None:
    entry = Entry(
        action=action,
        outcome=outcome,
        who=of.who,
        site=of.context.site,
        patient=f"Patient/{of.context.patient}",
        patient_key=of.patient_key,
        purpose=purpose,
        objects=resources,
    )
    state().store.audit.record(entry, now())
