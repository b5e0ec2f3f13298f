"""One resource: is it ours to judge, by which profile and rules, and what is wrong with it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imr_fhir import artefacts
from imr_fhir.element import URI_IDENTIFIER, shown
from imr_fhir.validation.app_rules import member_faults, relation_faults, score_form_faults, unread
from imr_fhir.validation.finding import Fault, Path, text
from imr_fhir.validation.formats import UUID, is_absolute
from imr_fhir.validation.ours import claimed, is_ours, profile_of, profiles
from imr_fhir.validation.profile import extension_faults, profile_faults
from imr_fhir.validation.questionnaire_rules import questionnaire_faults
from imr_fhir.validation.response_rules import response_faults
from imr_fhir.validation.shapes import resource_types
from imr_fhir.validation.structure import Look, structure_faults
from imr_fhir.validation.terms import coding_faults

_PROFILES = {
    artefacts.RESPONSE_PROFILE: "QuestionnaireResponse",
    artefacts.SCORE_PROFILE: "Observation",
    artefacts.GOAL_PROFILE: "Goal",
    artefacts.REVIEW_PROFILE: "Observation",
}


def _identifier_faults(identifier: Mapping[str, Any], path: Path, within: str) -> Iterator[Fault]:  # noqa: ARG001
    """An identifier that says that it is a URI is one; a write is repeated safely by it."""
    system, value = text(identifier, "system"), text(identifier, "value")
    if system and not is_absolute(system):
        said = f"system is {shown(system)}, and must be a whole address."
        yield Fault((*path, "system"), "bad-format", said, "Write it with its beginning: http://, urn:.")
    if system == URI_IDENTIFIER and value:
        right = UUID.fullmatch(value) if value.startswith("urn:uuid:") else is_absolute(value)
        if not right:
            said = f"value is {shown(value)}, and system says that it is a URI."
            yield Fault((*path, "value"), "bad-format", said, "Write it as urn:uuid: and a UUID in small letters.")


def _extension_faults(extension: Mapping[str, Any], path: Path, within: str) -> Iterable[Fault]:
    url = text(extension, "url")
    if url and within != "Extension" and not is_absolute(url):  # inside another one it is a mere name
        said = f"url is {shown(url)}, and must be a whole address."
        return (Fault((*path, "url"), "bad-format", said, "Name the extension by its address."),)
    return extension_faults(extension, path, within)


_LOOKS: Mapping[str, Look] = {
    "Coding": coding_faults,
    "Extension": _extension_faults,
    "Identifier": _identifier_faults,
}


_BESIDE_R4 = frozenset({"ViewDefinition"})  # SQL on FHIR's, of which our package holds some


@dataclass(frozen=True, slots=True)
class Verdict:
    """``checked`` is False for what is not ours to judge; then nothing is said of it, good or bad."""

    checked: bool
    faults: tuple[Fault, ...] = ()
    unknown_profiles: tuple[str, ...] = ()  # others' that it claims: it was not checked against them


NOT_OURS = Verdict(False)


def judge(resource: Mapping[str, Any]) -> Verdict:
    """The verdict on ``resource``, whose resourceType is text and which else may have any shape."""
    resource_type = resource["resourceType"]
    if resource_type in _BESIDE_R4:
        return NOT_OURS
    if resource_type not in resource_types():
        said = f"{shown(resource_type)} is no resource type of FHIR R4."
        return Verdict(True, (Fault(("resourceType",), "not-a-code", said, "Correct it, or leave the file out."),))
    if not is_ours(resource, resource_type):
        return NOT_OURS
    faults = structure_faults(resource, _LOOKS)
    faults += _rules(resource, resource_type)
    if not faults:
        faults += unread(resource, resource_type)
    return Verdict(True, tuple(_one_a_place(faults)), tuple(set(profiles(resource)) - set(claimed(resource))))


def _rules(resource: Mapping[str, Any], resource_type: str) -> Iterator[Fault]:
    if "implicitRules" in resource:  # R4, resource: who does not know them must not read on
        said = "It has implicitRules, and no such rules are known here."
        yield Fault(("implicitRules",), "not-understood", said, "Ask who wrote it; the app does not read it.")
    for url in claimed(resource):
        if _PROFILES.get(url) != resource_type:
            said = f"It claims the profile {url}, which is none of a {resource_type}."
            yield Fault(("meta", "profile"), "wrong-profile", said, "Take the claim out, or name the right profile.")
    profile = profile_of(resource)
    if profile:
        yield from profile_faults(resource, profile)
    if resource_type == "QuestionnaireResponse":
        yield from response_faults(resource)
    elif resource_type == "Goal":
        yield from relation_faults(resource)
    elif resource_type == "Questionnaire":
        yield from questionnaire_faults(resource)
    elif profile == artefacts.SCORE_PROFILE:
        yield from score_form_faults(resource)
    elif resource_type == "Observation" and not profile:
        yield from member_faults(resource)


def _one_a_place(faults: Iterable[Fault]) -> Iterator[Fault]:
    """Of several that one line has, the first: structure, then profile, then form; the others may follow from it.

    A version that is not known stands on each code of a form: it is told of where it comes first.
    """
    seen: set[object] = set()
    for fault in faults:
        told = fault.message if fault.code == "unknown-version" else fault.path
        if told not in seen:
            seen |= {told, fault.path}
            yield fault
