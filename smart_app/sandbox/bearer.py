"""The Authorization header of a FHIR request -> what it allows."""

from .access import Access
from .hospital import Hospital
from .launches import launch_of
from .outcome import FhirError
from .scopes import resource_scopes


def access_of(hospital: Hospital, authorization: str) -> Access:
    """Raises FhirError 401 without a live access token."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise FhirError(401, "login", "an access token is required: Authorization: Bearer ...")
    entry = hospital.vault.look("access", token.strip())
    if entry is None:
        raise FhirError(401, "expired", "the access token is unknown, expired or revoked")
    launch = launch_of(entry.body)
    faults = hospital.faults.of(frozenset(launch.faults))
    if "token-expired" in faults and entry.body["first"]:
        raise FhirError(401, "expired", "the access token is expired")
    return Access(
        client_id=entry.body["client_id"],
        scopes=resource_scopes(entry.body["scope"].split()),
        patient=launch.patient,
        user=launch.user,
        family=entry.family,
        faults=faults,
    )
