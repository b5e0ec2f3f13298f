"""Whether it is a FHIR server of our release at all, and what an integration engineer does about a refusal."""

from collections.abc import Mapping
from typing import Any

from imr_fhir.ehr.client import FhirClient
from imr_fhir.errors import (
    BadReply,
    Conflict,
    EhrError,
    Forbidden,
    ImrError,
    Invalid,
    LoadError,
    NotFound,
    Unauthorized,
)

_RELEASE = "4.0."
_TYPES = ("CodeSystem", "ValueSet", "StructureDefinition", "Questionnaire")
_SCOPES = " ".join(f"system/{name}.crus" for name in _TYPES)

_ADVICE: Mapping[type[EhrError], str] = {
    Unauthorized: "Log in with a token that is valid now; --help lists the ways.",
    Forbidden: f"The token needs the scopes {_SCOPES}, and the server must offer these types.",
    Conflict: "Somebody changed it meanwhile: look at the plan again.",
    Invalid: "With --one-by-one it shows which of them the server refuses.",
}


def statement(client: FhirClient) -> dict[str, Any]:
    """The CapabilityStatement of an R4 server. Raises LoadError for what is none, EhrError where it does not answer."""
    try:
        found = client.capabilities()
    except (BadReply, NotFound, Invalid) as error:
        raise LoadError(
            f"{client.base} does not answer as a FHIR server does. {error.message}",
            next_step="Give the server's FHIR base: with /metadata behind it, it shows a CapabilityStatement.",
        ) from error
    release = str(found.get("fhirVersion", "none"))
    if not release.startswith(_RELEASE):
        raise LoadError(
            f"{client.base} speaks FHIR {release}; these artefacts are for R4 (4.0.1).",
            next_step="Ask for the address of its R4 endpoint: many servers have one for each release.",
        )
    return found


def advised(error: ImrError) -> ImrError:
    """The same with a next step for who loads: the error's own is for who uses the app."""
    for kind, next_step in _ADVICE.items():
        if isinstance(error, kind):
            return LoadError(error.message, next_step=next_step)
    return error
