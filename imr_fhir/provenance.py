"""Provenance of a write: who said it, who typed it, through which app, and why it was corrected or withdrawn."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from imr_fhir import artefacts
from imr_fhir.element import URI_IDENTIFIER
from imr_fhir.errors import ResourceError
from imr_fhir.fhir_time import format_instant
from imr_fhir.resource import Coding, checked, meta, words

Activity = Literal["create", "update"]

REASON_MAX = 500

_AGENT_TYPE = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_OPERATION = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_ACTIVITIES: Mapping[Activity, dict[str, str]] = {
    "create": {"system": _OPERATION, "code": "CREATE", "display": "create"},
    "update": {"system": _OPERATION, "code": "UPDATE", "display": "revise"},
}


def app() -> dict[str, Any]:
    """Reference to this app, by identifier: no hospital has it as a Device."""
    return {
        "type": "Device",
        "identifier": {"system": URI_IDENTIFIER, "value": artefacts.BASE},
        "display": f"IMR on FHIR {artefacts.VERSION}",
    }


def provenance(
    activity: Activity,
    *,
    targets: Sequence[str],
    author: str,
    enterer: str,
    recorded: datetime,
    filing: str,
    reason: str = "",
    security: Sequence[Coding] = (),
) -> dict[str, Any]:
    """Provenance of one filing.

    ``targets``: what was written, by "urn:uuid:..." of its Bundle entry or by "Type/id". ``author``: reference to the
    person whose answers or words they are. ``enterer``: reference to the clinician of the session; "" where it is the
    author or there was none. ``reason``: of a correction or a withdrawal, in the user's words. Raises ResourceError.
    """
    if not targets:
        raise ResourceError("A Provenance needs what it is about.", next_step="Name each resource that is written.")
    built: dict[str, Any] = {
        "resourceType": "Provenance",
        "meta": meta(filing, security=security),
        "target": [{"reference": target} for target in targets],
        "recorded": format_instant(recorded),
    }
    if reason:
        built["reason"] = [{"text": words(reason, REASON_MAX, "The reason", ResourceError)}]
    built["activity"] = {"coding": [_ACTIVITIES[activity]]}
    built["agent"] = [_agent("author", "Author", {"reference": author})]
    if enterer and enterer != author:
        built["agent"].append(_agent("enterer", "Enterer", {"reference": enterer}))
    built["agent"].append(_agent("assembler", "Assembler", app()))
    return checked(built, ResourceError)


def _agent(code: str, display: str, who: dict[str, Any]) -> dict[str, Any]:
    return {"type": {"coding": [{"system": _AGENT_TYPE, "code": code, "display": display}]}, "who": who}
