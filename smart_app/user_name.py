"""What a person is called: who logged in, for the pages that name them and the log of who opened a record; and who
wrote what the record has."""

import logging

from imr_fhir.ehr.address import Reference, local_reference
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.identity import Identity
from imr_fhir.ehr.outcome import plain
from imr_fhir.ehr.patient import NAME_LENGTH, from_resource
from imr_fhir.errors import HttpFailure

_log = logging.getLogger(__name__)


def user_name(client: FhirClient, user: Identity | None) -> str:
    """From the id_token, else from the record; empty where the EHR does not show it."""
    reference = local_reference(user.fhir_user, client.base) if user else None
    if user is None or user.name or reference is None:
        return user.name if user else ""
    return name_of(client, reference)


def name_of(client: FhirClient, reference: Reference) -> str:
    """From the record; empty where the EHR does not show it."""
    try:
        return _of(client, reference)
    except HttpFailure as error:
        _log.info("The name of a %s can't be read: %s", reference.type, type(error).__name__)
        return ""


def _of(client: FhirClient, reference: Reference) -> str:
    if reference.type == "Practitioner" or (reference.type, reference.id) == ("Patient", client.patient):
        return from_resource(client.read(reference.type, reference.id), client.base).name
    if reference.type != "PractitionerRole":
        return ""
    practitioner = client.read("PractitionerRole", reference.id).get("practitioner")
    if not isinstance(practitioner, dict):
        return ""
    if isinstance(display := practitioner.get("display"), str):
        return plain(display, NAME_LENGTH)
    named = local_reference(practitioner.get("reference"), client.base)
    return _of(client, named) if named and named.type == "Practitioner" else ""
