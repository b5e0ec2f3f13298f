"""From a code to a verified launch: token, identity, role, and the patient's name for every page."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from imr_fhir.ehr.address import local_reference
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.fhir_context import encounter_in
from imr_fhir.ehr.identity import Identity
from imr_fhir.ehr.ladder import Limits
from imr_fhir.ehr.patient import from_resource
from imr_fhir.ehr.token import TokenResponse, exchange_code, refresh
from imr_fhir.errors import AuthorizationError, HttpFailure, ImrError
from smart_app.hospital import Hospital, tokens_of
from smart_app.pending import Pending
from smart_app.plan import limits_of, work_out
from smart_app.store.launch import Context, Role, Tokens
from smart_app.user_name import user_name

_log = logging.getLogger(__name__)


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
    granted = _Granted(reply, pending, hospital, now)
    try:
        context = _context(reply, granted, pending, hospital, language, now)
    except ImrError:
        hospital.end_later(granted.reply)
        raise
    return context, tokens_of(granted.reply)


def _context(
    reply: TokenResponse, granted: "_Granted", pending: Pending, hospital: Hospital, language: str, now: datetime
) -> Context:
    """Who logged in, for whom, and what may be written. Raises AuthorizationError, IdentityError, EhrError."""
    configuration = pending.configuration
    if not reply.patient:
        raise NoPatient(
            "The EHR named no patient with this log-in.", next_step="Open the app from within a patient's chart."
        )
    user = None
    if reply.id_token and configuration.jwks_uri:  # without keys nothing proves who it is: one may read only
        user = hospital.identity(reply.id_token, configuration, nonce=pending.nonce, now=now)
    base = configuration.fhir_base
    client = FhirClient(hospital.transport, base, token=granted.current, renew=granted.newer, patient=reply.patient)
    encounter = reply.encounter or encounter_in(reply.fhir_context, base)
    with ThreadPoolExecutor(3) as side_by_side:
        patient = side_by_side.submit(lambda: from_resource(client.read("Patient", reply.patient), client.base))
        name = side_by_side.submit(user_name, client, user)
        limits = limits_of(hospital.site, encounter=bool(encounter))
        plan = side_by_side.submit(_plan, client, reply.scope, limits)
    return Context(
        site=pending.site,
        iss=hospital.site.iss,
        fhir_base=base,
        issuer=configuration.issuer,
        patient=reply.patient,
        sub=user.sub if user else "",
        user_name=name.result(),
        fhir_user=user.fhir_user if user else "",
        role=role_of(user, reply.patient, base),
        # Without them no page could say whose it is, so a launch that may not read them ends here.
        patient_name=patient.result().name,
        birth_date=patient.result().birth_date,
        encounter=encounter,
        framed=pending.framed,
        language=pending.language or language,
        need_patient_banner=reply.need_patient_banner,
        intent=reply.intent,
        tenant=reply.tenant,
        plan=plan.result(),
        replaces=patient.result().replaces,
    )


class _Granted:
    """The tokens before there is a launch to keep them; renewed once for all three reads if the EHR refuses them."""

    def __init__(self, reply: TokenResponse, pending: Pending, hospital: Hospital, now: datetime) -> None:
        self.reply = reply
        self._pending = pending
        self._hospital = hospital
        self._now = now
        self._lock = threading.Lock()

    def current(self) -> str:
        return self.reply.access_token

    def newer(self, refused: str) -> str:
        with self._lock:
            if self.reply.access_token == refused and self.reply.refresh_token:
                self.reply = refresh(
                    self._hospital.transport,
                    self._pending.configuration,
                    self._hospital.authentication,
                    self.reply,
                    now=self._now,
                    refused=self._hospital.end_later,
                )
            return self.reply.access_token if self.reply.access_token != refused else ""


def role_of(user: Identity | None, patient: str, fhir_base: str) -> Role:
    """By the type of the verified ``fhirUser``; a patient only in the own record; all that is unknown may read only."""
    reference = local_reference(user.fhir_user, fhir_base) if user else None
    if reference and reference.type in ("Practitioner", "PractitionerRole"):
        return "clinician"
    if reference and reference.type == "Patient" and reference.id == patient:
        return "patient"
    return "reader"


def _plan(client: FhirClient, scopes: tuple[str, ...], limits: Limits) -> dict[str, Any]:
    """The write plan as JSON; empty, so that nothing is written, where the EHR refuses to say what it can do."""
    try:
        return work_out(client, scopes, limits).as_json()
    except HttpFailure as error:
        _log.warning("No write plan, so nothing can be filed: %s", type(error).__name__)
        return {}
