"""AuditEvent: that something was seen, written or refused, or that somebody logged in; never what it said."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from imr_fhir.errors import ResourceError
from imr_fhir.fhir_time import format_instant
from imr_fhir.provenance import app
from imr_fhir.resource import checked, identifier, meta, patient_reference

Kind = Literal["view", "create", "update", "refusal", "log-in"]

_REST = {
    "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
    "code": "rest",
    "display": "RESTful Operation",
}
_INTERACTION = "http://hl7.org/fhir/restful-interaction"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_LOGIN = {"system": _DICOM, "code": "110114", "display": "User Authentication"}

# kind -> type, subtype, action (C R U E)
_KINDS: Mapping[Kind, tuple[dict[str, str], dict[str, str], str]] = {
    "view": (_REST, {"system": _INTERACTION, "code": "read", "display": "read"}, "R"),
    "create": (_REST, {"system": _INTERACTION, "code": "create", "display": "create"}, "C"),
    "update": (_REST, {"system": _INTERACTION, "code": "update", "display": "update"}, "U"),
    "refusal": (_REST, {"system": _INTERACTION, "code": "operation", "display": "operation"}, "E"),
    "log-in": (_LOGIN, {"system": _DICOM, "code": "110122", "display": "Login"}, "E"),
}
_SUCCESS, _MINOR_FAILURE = "0", "4"  # R4, audit-event-outcome
_NAME = re.compile(r"[A-Za-z-]{1,60}", re.ASCII)
_REFERENCE = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9.-]{1,64}", re.ASCII)
_URN = re.compile(r"urn:uuid:[0-9a-f-]{36}", re.ASCII)


def audit_event(
    kind: Kind,
    *,
    user: Mapping[str, Any] | None,
    patient: str | None,
    recorded: datetime,
    filing: str,
    resources: Sequence[str] = (),
    refused: str = "",
) -> dict[str, Any]:
    """AuditEvent of one act of a user.

    ``user``: Reference to who acted, literal ({"reference": "Practitioner/7"}) or by identifier (issuer and ``sub``).
    ``patient``: id of the launch's patient. None for either: a log-in that failed. ``filing``: UUID by which a repeat
    is found. ``resources``: "Type/id" or "urn:uuid:..." of what was seen or written; anything else could say something
    of the patient and is left out. ``refused``: the name of an action or of an error's class, of a refusal and of a
    log-in that failed; a sentence could carry what a person wrote, so it is not taken. Raises ResourceError.
    """
    right = kind == "log-in" or bool(refused) == (kind == "refusal")
    if not right or (refused and not _NAME.fullmatch(refused)):
        raise ResourceError(
            f"An AuditEvent of kind {kind} can't have {refused[:60]!r} as what was refused.",
            next_step="Give an action or the class name of the error with a refusal, and nothing with the other kinds.",
        )
    if None in (user, patient) and not (kind == "log-in" and refused):
        raise ResourceError(
            f"An AuditEvent of kind {kind} has a user and a patient.",
            next_step="Give both; only a failed log-in has none.",
        )
    event, subtype, action = _KINDS[kind]
    about = [] if patient is None else [_entity(patient_reference(patient), "1", "Person", "1", "Patient")]
    built: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "meta": meta(filing),
        "type": event,
        "subtype": [subtype],
        "action": action,
        "recorded": format_instant(recorded),
        "outcome": _MINOR_FAILURE if refused else _SUCCESS,
        **({"outcomeDesc": refused} if refused else {}),
        "agent": [{**({"who": dict(user)} if user else {}), "requestor": True}],
        "source": {"observer": app()},
    }
    about += [_entity(what, "2", "System Object", "4", "Domain Resource") for what in map(_what, resources) if what]
    if about:
        built["entity"] = about
    return checked(built, ResourceError)


def _what(resource: str) -> dict[str, Any]:
    if _URN.fullmatch(resource):
        return {"identifier": identifier(resource)}
    return {"reference": resource} if _REFERENCE.fullmatch(resource) else {}


def _entity(what: Mapping[str, Any], kind: str, kind_display: str, role: str, role_display: str) -> dict[str, Any]:
    return {
        "what": dict(what),
        "type": {
            "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": kind, "display": kind_display,
        },
        "role": {
            "system": "http://terminology.hl7.org/CodeSystem/object-role", "code": role, "display": role_display,
        },
    }  # fmt: skip
