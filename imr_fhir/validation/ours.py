"""Is a resource ours to judge, and which of our profiles must it meet: by what it says, claimed or not."""

from collections.abc import Mapping
from typing import Any

from imr_fhir import artefacts
from imr_fhir.scale import RATERS
from imr_fhir.validation.finding import codings, many, one, text
from imr_fhir.validation.terms import systems

_FORMS = f"{artefacts.BASE}/Questionnaire/"
SCORES: Mapping[str, str] = {f"score-{rater}": rater for rater in RATERS}


def is_ours(resource: Mapping[str, Any], resource_type: str) -> bool:
    match resource_type:
        case "QuestionnaireResponse":
            form = text(resource, "questionnaire")
            ours = form.startswith(_FORMS) or (
                not form and any(g.get("linkId") == "imr" for _, g in many(resource, "item"))
            )
        case "Observation":
            ours = bool(our_codes(one(resource, "code"))) or any(
                text(each, "valueCanonical").startswith(_FORMS) for _, each in many(resource, "extension")
            )
        case "Goal":
            ours = any(our_codes(each) for _, each in many(resource, "category"))
        case "Questionnaire":
            ours = text(resource, "url").startswith(artefacts.BASE)
        case "Provenance" | "AuditEvent" | "DocumentReference":
            ours = False
        case _:
            return False
    return ours or bool(claimed(resource)) or _filed(resource)


def profile_of(resource: Mapping[str, Any]) -> str:
    """The profile of ours that ``resource`` must meet, claimed or not; "" where there is none, or it is not ours.

    That of a score is of the shape with components: a panel with members holds no item itself.
    """
    resource_type, named = resource["resourceType"], claimed(resource)
    if not is_ours(resource, resource_type):
        return ""
    if resource_type == "Observation":
        codes = own_codes(resource)
        if (codes & SCORES.keys() and "hasMember" not in resource) or artefacts.SCORE_PROFILE in named:
            return artefacts.SCORE_PROFILE
        return artefacts.REVIEW_PROFILE if "review" in codes or artefacts.REVIEW_PROFILE in named else ""
    return {"QuestionnaireResponse": artefacts.RESPONSE_PROFILE, "Goal": artefacts.GOAL_PROFILE}.get(resource_type, "")


def profiles(resource: Mapping[str, Any]) -> list[str]:
    """The profiles that ``meta`` names, without their versions."""
    named = one(resource, "meta").get("profile")
    return [url.partition("|")[0] for url in named if isinstance(url, str)] if isinstance(named, list) else []


def claimed(resource: Mapping[str, Any]) -> list[str]:
    """Those of them that are ours."""
    return [url for url in profiles(resource) if url.startswith(artefacts.BASE)]


def own_codes(resource: Mapping[str, Any]) -> set[str]:
    """Of the CodeSystem imr, in ``code``."""
    return {code for system, code in codings(one(resource, "code")) if system == artefacts.CODES}


def our_codes(concept: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(system, code) for system, code in codings(concept) if system in systems()]


def _filed(resource: Mapping[str, Any]) -> bool:
    """Whether the app filed it."""
    return any(tag.get("system") == artefacts.FILING for _, tag in many(one(resource, "meta"), "tag"))
