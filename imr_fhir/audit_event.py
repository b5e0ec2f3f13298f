"""AuditEvent: that something was seen, written or refused, or that somebody logged in; never what it said."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from imr_fhir.errors import ResourceError
from imr_fhir.fhir_time import format_date_time
from imr_fhir.provenance import app
from imr_fhir.resource import checked, meta, patient_reference

Kind = Literal["view", "create", "update", "refusal", "log-in"]

_REST = {
    "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
    "code": "rest",
    "display": "RESTful Operation",
}
_INTERACTION = "http://hl7.org/fhir/restful-interaction"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_LOGIN = {"system": _DICOM, "code": "110114", "display": "User Authentication"}

# kind -> type, subtype, action (C R U E), outcome (0 success, 4 minor failure: R4, audit-event-outcome)
_KINDS: Mapping[Kind, tuple[dict[str, str], dict[str, str], str, str]] = {
    "view": (_REST, {"system": _INTERACTION, "code": "read", "display": "read"}, "R", "0"),
    "create": (_REST, {"system": _INTERACTION, "code": "create", "display": "create"}, "C", "0"),
    "update": (_REST, {"system": _INTERACTION, "code": "update", "display": "update"}, "U", "0"),
    "refusal": (_REST, {"system": _INTERACTION, "code": "operation", "display": "operation"}, "E", "4"),
    "log-in": (_LOGIN, {"system": _DICOM, "code": "110122", "display": "Login"}, "E", "0"),
}
_NAME = re.compile(r"[A-Za-z]{1,60}", re.ASCII)


def audit_event(
    kind: Kind,
    *,
    user: Mapping[str, Any],
    patient: str,
    recorded: datetime,
    filing: str,
    resources: Sequence[str] = (),
    refused: str = "",
) -> dict[str, Any]:
    """AuditEvent of one act of a user.

    ``user``: Reference to who acted, literal ({"reference": "Practitioner/7"}) or by identifier (issuer and ``sub``).
    ``patient``: id of the launch's patient. ``filing``: UUID by which a repeat is found. ``resources``: "Type/id" of
    what was seen or written. ``refused``: the error's class name, of a refusal; a sentence could carry what a person
    wrote, so it is not taken. Raises ResourceError.
    """
    if bool(refused) != (kind == "refusal") or (refused and not _NAME.fullmatch(refused)):
        raise ResourceError(
            f"An AuditEvent of kind {kind} can't have {refused[:60]!r} as what was refused.",
            next_step="Give the class name of the error with a refusal, and nothing with the other kinds.",
        )
    event, subtype, action, outcome = _KINDS[kind]
    built: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "meta": meta(filing),
        "type": event,
        "subtype": [subtype],
        "action": action,
        "recorded": format_date_time(recorded),
        "outcome": outcome,
        **({"outcomeDesc": refused} if refused else {}),
        "agent": [{"who": dict(user), "requestor": True}],
        "source": {"observer": app()},
        "entity": [_entity(patient_reference(patient)["reference"], "1", "Person", "1", "Patient")]
        + [_entity(reference, "2", "System Object", "4", "Domain Resource") for reference in resources],
    }
    return checked(built, ResourceError)


def _entity(reference: str, kind: str, kind_display: str, role: str, role_display: str) -> dict[str, Any]:
    return {
        "what": {"reference": reference},
        "type": {
            "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": kind, "display": kind_display,
        },
        "role": {
            "system": "http://terminology.hl7.org/CodeSystem/object-role", "code": role, "display": role_display,
        },
    }  # fmt: skip
