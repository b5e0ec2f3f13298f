"""From a code to a verified launch: token, identity, role, and the patient's name for every page."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from imr_fhir.ehr.address import local_reference
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.identity import Identity
from imr_fhir.ehr.outcome import plain
from imr_fhir.ehr.token import TokenResponse, exchange_code
from imr_fhir.errors import AuthorizationError
from smart_app.hospital import Hospital
from smart_app.pending import Pending
from smart_app.store.launch import Context, Role, Tokens


class NoPatient(AuthorizationError):
    """The EHR let the user in but named no patient."""


def log_in(pending: Pending, code: str, hospital: Hospital, language: str, now: datetime) -> tuple[Context, Tokens]:
    """Spends the code. Raises AuthorizationError, IdentityError, EhrError; a LostReply means: begin again."""
    configuration = pending.configuration
    reply = exchange_code(
        hospital.transport,
        configuration,
        hospital.authentication,
        code=code,
        redirect_uri=pending.redirect_uri,
        verifier=pending.verifier,
        asked=pending.asked,
        now=now,
    )
    if not reply.patient:
        raise NoPatient(
            "The EHR named no patient with this log-in.", next_step="Open the app from within a patient's chart."
        )
    user = None
    if reply.id_token:
        user = hospital.identity(reply.id_token, configuration, nonce=pending.nonce, now=now)
    context = Context(
        site=pending.site,
        iss=hospital.site.iss,
        fhir_base=configuration.fhir_base,
        issuer=configuration.issuer,
        patient=reply.patient,
        sub=user.sub if user else "",
        user_name=user.name if user else "",
        fhir_user=user.fhir_user if user else "",
        role=role_of(user, reply.patient, configuration.fhir_base),
        encounter=reply.encounter,
        framed=pending.framed,
        language=pending.language or language,
        need_patient_banner=reply.need_patient_banner,
        **_who_the_patient_is(reply, hospital, configuration.fhir_base),
    )
    return context, Tokens(reply.access_token, reply.expires_at, reply.scope, reply.refresh_token)


def role_of(user: Identity | None, patient: str, fhir_base: str) -> Role:
    """By the type of the verified ``fhirUser``; a patient only in the own record; all that is unknown may read only."""
    reference = local_reference(user.fhir_user, fhir_base) if user else None
    if reference and reference.type in ("Practitioner", "PractitionerRole"):
        return "clinician"
    if reference and reference.type == "Patient" and reference.id == patient:
        return "patient"
    return "reader"


def _who_the_patient_is(reply: TokenResponse, hospital: Hospital, fhir_base: str) -> dict[str, str]:
    """Name and birth date: without them no page could say whose it is, so a launch that may not read them ends here."""
    client = FhirClient(hospital.transport, fhir_base, token=lambda: reply.access_token, patient=reply.patient)
    patient = client.read("Patient", reply.patient)
    birth_date = patient.get("birthDate")
    return {"patient_name": _name(patient), "birth_date": birth_date if isinstance(birth_date, str) else ""}


def _name(patient: Mapping[str, Any]) -> str:
    """The official name, else the usual one, else the first; empty where the record has none."""
    names = [name for name in patient.get("name") or [] if isinstance(name, dict) and name.get("use") != "old"]
    order = {"official": 0, "usual": 1}
    best: dict[str, Any] = min(names, key=lambda name: order.get(name.get("use", ""), 2), default={})
    parts = [best["text"]] if best.get("text") else [*(best.get("given") or []), best.get("family")]
    return plain(" ".join(part for part in parts if isinstance(part, str)), 200)
