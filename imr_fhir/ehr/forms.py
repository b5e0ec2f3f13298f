"""Whether the Questionnaires in the EHR are still those that this app shows: one edited there is not filed against."""

from dataclasses import dataclass
from typing import Literal

from imr_fhir.artefacts import content_hash, questionnaire
from imr_fhir.ehr.client import FhirClient
from imr_fhir.errors import EhrError, Unauthorized
from imr_fhir.scale import RATERS, Rater


@dataclass(frozen=True, slots=True)
class Form:
    """``state``: as here, not loaded, edited there, or unknown where the EHR does not say; with its ``reason``."""

    rater: Rater
    state: Literal["same", "missing", "edited", "unknown"]
    reason: str = ""


def check_forms(client: FhirClient) -> tuple[Form, ...]:
    """Both forms in this version, as the EHR has them. Raises Unauthorized."""
    return tuple(_check(client, rater) for rater in RATERS)


def _check(client: FhirClient, rater: Rater) -> Form:
    ours = questionnaire(rater)
    try:
        found = client.search("Questionnaire", [("url", ours["url"]), ("version", ours["version"])])
    except Unauthorized:
        raise
    except EhrError as error:
        return Form(rater, "unknown", str(error))
    same_name = [
        there for there in found.resources if (there.get("url"), there.get("version")) == (ours["url"], ours["version"])
    ]
    if not same_name:
        return Form(rater, "missing")
    edited = [str(there.get("id")) for there in same_name if content_hash(there) != content_hash(ours)]
    if edited:
        return Form(rater, "edited", f"Questionnaire/{edited[0]} in the EHR differs from the one shown here.")
    return Form(rater, "same")
