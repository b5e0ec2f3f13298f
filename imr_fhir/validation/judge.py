"""One resource: is it ours to judge, by which profile and rules, and what is wrong with it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imr_fhir import artefacts
from imr_fhir.element import type_and_id
from imr_fhir.errors import ResourceError
from imr_fhir.record import CODES as NOTES
from imr_fhir.record import from_resource as read_note
from imr_fhir.scale import RATERS, scale
from imr_fhir.validation.finding import Fault, Path, codings, many, one, text
from imr_fhir.validation.profile import extension_faults, profile_faults
from imr_fhir.validation.questionnaire_rules import questionnaire_faults
from imr_fhir.validation.response_rules import response_faults
from imr_fhir.validation.structure import Look, structure_faults
from imr_fhir.validation.terms import coding_faults, systems

_LOOKS: Mapping[str, Look] = {"Coding": coding_faults, "Extension": extension_faults}
_FORMS = f"{artefacts.BASE}/Questionnaire/"
_INSTANTIATES = "http://hl7.org/fhir/StructureDefinition/workflow-instantiatesCanonical"
_SCORES = {f"score-{rater}": rater for rater in RATERS}
_PROFILES = {
    artefacts.RESPONSE_PROFILE: "QuestionnaireResponse",
    artefacts.SCORE_PROFILE: "Observation",
    artefacts.GOAL_PROFILE: "Goal",
    artefacts.REVIEW_PROFILE: "Observation",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """``checked`` is False for what is not ours to judge; then nothing is said of it, good or bad."""

    checked: bool
    faults: tuple[Fault, ...] = ()


NOT_OURS = Verdict(False)


def judge(resource: Mapping[str, Any]) -> Verdict:
    """The verdict on ``resource``, whose resourceType is text and which else may have any shape."""
    resource_type = resource["resourceType"]
    if not _is_ours(resource, resource_type):
        return NOT_OURS
    faults = structure_faults(resource, _LOOKS)
    faults += _rules(resource, resource_type)
    return Verdict(True, tuple(_one_a_place(faults)))


def _is_ours(resource: Mapping[str, Any], resource_type: str) -> bool:
    match resource_type:
        case "QuestionnaireResponse":
            form = text(resource, "questionnaire")
            ours = form.startswith(_FORMS) or (
                not form and any(g.get("linkId") == "imr" for _, g in many(resource, "item"))
            )
        case "Observation":
            ours = bool(_codes(one(resource, "code"))) or any(
                text(each, "valueCanonical").startswith(_FORMS) for _, each in many(resource, "extension")
            )
        case "Goal":
            ours = any(_codes(each) for _, each in many(resource, "category"))
        case "Questionnaire":
            ours = text(resource, "url").startswith(artefacts.BASE)
        case "Provenance" | "AuditEvent" | "DocumentReference":
            ours = False
        case _:
            return False
    return ours or bool(_claimed(resource)) or _filed(resource)


def _codes(concept: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(system, code) for system, code in codings(concept) if system in systems()]


def _claimed(resource: Mapping[str, Any]) -> list[str]:
    """Our profiles that ``meta`` names."""
    named = one(resource, "meta").get("profile")
    urls = [url.partition("|")[0] for url in named if isinstance(url, str)] if isinstance(named, list) else []
    return [url for url in urls if url.startswith(artefacts.BASE)]


def _filed(resource: Mapping[str, Any]) -> bool:
    """Whether the app filed it."""
    return any(tag.get("system") == artefacts.FILING for _, tag in many(one(resource, "meta"), "tag"))


def _rules(resource: Mapping[str, Any], resource_type: str) -> Iterator[Fault]:
    if "implicitRules" in resource:  # R4, resource: who does not know them must not read on
        said = "It has implicitRules, and no such rules are known here."
        yield Fault(("implicitRules",), "not-understood", said, "Ask who wrote it; the app does not read it.")
    for url in _claimed(resource):
        if _PROFILES.get(url) != resource_type:
            said = f"It claims the profile {url}, which is none of a {resource_type}."
            yield Fault(("meta", "profile"), "wrong-profile", said, "Take the claim out, or name the right profile.")
    codes = {code for system, code in _codes(one(resource, "code")) if system == artefacts.CODES}
    if resource_type == "QuestionnaireResponse":
        yield from profile_faults(resource, artefacts.RESPONSE_PROFILE)
        yield from response_faults(resource)
    elif resource_type == "Goal":
        yield from profile_faults(resource, artefacts.GOAL_PROFILE)
    elif resource_type == "Questionnaire":
        yield from questionnaire_faults(resource)
    elif resource_type == "Observation":
        claimed = _claimed(resource)
        if (codes & _SCORES.keys() and "hasMember" not in resource) or artefacts.SCORE_PROFILE in claimed:
            yield from profile_faults(resource, artefacts.SCORE_PROFILE)
            yield from _score_form(resource, codes)
        elif "review" in codes or artefacts.REVIEW_PROFILE in claimed:
            yield from profile_faults(resource, artefacts.REVIEW_PROFILE)
        if codes & set(NOTES):
            yield from _note(resource)


def _score_form(resource: Mapping[str, Any], codes: set[str]) -> Iterator[Fault]:
    """A score is of a known form, and of the rater whose code it has."""
    for place, extension in many(resource, "extension"):
        if extension.get("url") == _INSTANTIATES:
            right = [scale(rater).canonical for code, rater in _SCORES.items() if code in codes]
            named = text(extension, "valueCanonical")
            if right and named not in right:
                said = f"It scores {named!r}, and its code is of {right[0]}."
                path: Path = ("extension", place, "valueCanonical")
                yield Fault(path, "unknown-form", said, "Check with the release that has this form and version.")


def _note(resource: Mapping[str, Any]) -> Iterator[Fault]:
    """Reviews, what helps and hinders, due outcomes, prompts: as the app itself reads them."""
    resource_type, patient = type_and_id(text(one(resource, "subject"), "reference"))
    if resource_type != "Patient":
        said = "Its subject is no Patient, so nobody's chart shows it."
        yield Fault(("subject",), "wrong-target", said, "Name the patient as subject.")
        return
    try:
        read_note(resource, patient=patient)
    except ResourceError as fault:
        yield Fault((), "not-read", f"The app can't read it: {fault.message}", "Correct what the sentence names.")


def _one_a_place(faults: Iterable[Fault]) -> Iterator[Fault]:
    """Of several that one line has, the first: structure, then profile, then form; the others may follow from it."""
    seen = set()
    for fault in faults:
        if fault.path not in seen:
            seen.add(fault.path)
            yield fault
