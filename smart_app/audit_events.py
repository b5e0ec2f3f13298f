"""A row of the audit log as FHIR AuditEvent: who, whose record, what, when, how it ended; never what it said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imr_fhir.audit_event import audit_event
from imr_fhir.ehr.address import local_reference

# R4, AuditEvent.agent.who; a fhirUser may be a Person too
_AGENTS = ("Practitioner", "PractitionerRole", "Patient", "RelatedPerson")


def event_of(row: Mapping[str, Any], fhir_base: str) -> dict[str, Any] | None:
    """Of a row as ``Audit.entries`` gives it; None for what is the app's own affair. ``fhir_base`` is its site's.

    ``purpose`` stays in the log: a person may have written it.
    """
    if row["kind"] is None:
        return None
    ended_well = row["outcome"] == "success"
    return audit_event(
        row["kind"],
        user=_who(row, fhir_base),
        patient=row["patient"].removeprefix("Patient/") or None,
        recorded=row["at"],
        filing=row["id"],
        resources=row["objects"],
        refused="" if ended_well else row["action"],
    )


def _who(row: Mapping[str, Any], fhir_base: str) -> dict[str, Any] | None:
    if not row["user_key"]:
        return None
    named = {"display": row["display"]} if row["display"] else {}
    user = local_reference(row["fhir_user"], fhir_base) if row["fhir_user"] else None
    if user and user.type in _AGENTS:
        return {"reference": f"{user.type}/{user.id}"} | named
    if row["sub"]:
        return {"identifier": {"system": row["issuer"], "value": row["sub"]}} | named
    return {"display": "not identified"}
