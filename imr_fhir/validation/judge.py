"""One resource: is it ours to judge, by which profile and rules, and what is wrong with it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imr_fhir import artefacts
from imr_fhir.element import URI_IDENTIFIER, shown, type_and_id
from imr_fhir.errors import ResourceError
from imr_fhir.goal import RELATIONSHIP
from imr_fhir.goal import from_resource as read_goal
from imr_fhir.observation import INSTANTIATES
from imr_fhir.observation import from_resource as read_score
from imr_fhir.record import CODES as NOTES
from imr_fhir.record import from_resource as read_note
from imr_fhir.response import from_resource as read_response
from imr_fhir.scale import RATERS, RATING_MAX, scale, scale_of
from imr_fhir.validation.finding import Fault, Path, codings, many, one, text
from imr_fhir.validation.formats import UUID, is_absolute
from imr_fhir.validation.profile import extension_faults, profile_faults
from imr_fhir.validation.questionnaire_rules import questionnaire_faults
from imr_fhir.validation.response_rules import response_faults
from imr_fhir.validation.shapes import resource_types
from imr_fhir.validation.structure import Look, structure_faults
from imr_fhir.validation.terms import coding_faults, systems

_FORMS = f"{artefacts.BASE}/Questionnaire/"
_SCORES = {f"score-{rater}": rater for rater in RATERS}
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
    if not _is_ours(resource, resource_type):
        return NOT_OURS
    faults = structure_faults(resource, _LOOKS)
    faults += _rules(resource, resource_type)
    if not faults:
        faults += _unread(resource, resource_type)
    return Verdict(True, tuple(_one_a_place(faults)), tuple(set(_profiles(resource)) - set(_claimed(resource))))


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


def _profiles(resource: Mapping[str, Any]) -> list[str]:
    """The profiles that ``meta`` names, without their versions."""
    named = one(resource, "meta").get("profile")
    return [url.partition("|")[0] for url in named if isinstance(url, str)] if isinstance(named, list) else []


def _claimed(resource: Mapping[str, Any]) -> list[str]:
    """Those of them that are ours."""
    return [url for url in _profiles(resource) if url.startswith(artefacts.BASE)]


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
    profile = profile_of(resource)
    if profile:
        yield from profile_faults(resource, profile)
    if resource_type == "QuestionnaireResponse":
        yield from response_faults(resource)
    elif resource_type == "Goal":
        yield from _relations(resource)
    elif resource_type == "Questionnaire":
        yield from questionnaire_faults(resource)
    elif profile == artefacts.SCORE_PROFILE:
        yield from _score_form(resource)
    elif resource_type == "Observation" and not profile:
        yield from _member(resource)


def profile_of(resource: Mapping[str, Any]) -> str:
    """The profile of ours that ``resource`` must meet, claimed or not; "" where there is none, or it is not ours.

    That of a score is of the shape with components: a panel with members holds no item itself.
    """
    resource_type, claimed = resource["resourceType"], _claimed(resource)
    if not _is_ours(resource, resource_type):
        return ""
    if resource_type == "Observation":
        codes = _own_codes(resource)
        if (codes & _SCORES.keys() and "hasMember" not in resource) or artefacts.SCORE_PROFILE in claimed:
            return artefacts.SCORE_PROFILE
        return artefacts.REVIEW_PROFILE if "review" in codes or artefacts.REVIEW_PROFILE in claimed else ""
    return {"QuestionnaireResponse": artefacts.RESPONSE_PROFILE, "Goal": artefacts.GOAL_PROFILE}.get(resource_type, "")


def _own_codes(resource: Mapping[str, Any]) -> set[str]:
    """Of the CodeSystem imr, in ``code``."""
    return {code for system, code in codings(one(resource, "code")) if system == artefacts.CODES}


def _member(resource: Mapping[str, Any]) -> Iterator[Fault]:
    """An item of a score that has members, which no profile judges: a rating, or why there is none."""
    items = [code for system, code in _codes(one(resource, "code")) if system != artefacts.CODES]
    rating = resource.get("valueInteger")
    if not items or "valueInteger" not in resource or rating in range(1, RATING_MAX + 1):
        return
    said = f"Item {items[0]} is rated {rating if isinstance(rating, int) else shown(rating)}, and ratings are 1 to 5."
    yield Fault(("valueInteger",), "wrong-value", said, "Find out what was answered.")


def _relations(resource: Mapping[str, Any]) -> Iterator[Fault]:
    """The core extension goal-relationship, as R4 defines it: one kind, one goal."""
    for place, extension in many(resource, "extension"):
        if extension.get("url") == RELATIONSHIP:
            inside = [inner.get("url") for _, inner in many(extension, "extension")]
            for name in ("type", "target"):
                if inside.count(name) != 1:
                    said = f"The relation to another goal has {inside.count(name)} parts {name}, and must have one."
                    code = "too-many" if name in inside else "missing"
                    yield Fault(("extension", place, "extension"), code, said, f"Keep or add the one {name}.")


def _score_form(resource: Mapping[str, Any]) -> Iterator[Fault]:
    """A score is of a known form, and of the rater whose code it has."""
    for place, extension in many(resource, "extension"):
        if extension.get("url") == INSTANTIATES:
            raters = [rater for code, rater in _SCORES.items() if code in _own_codes(resource)]
            named = text(extension, "valueCanonical")
            form = scale_of(named)
            if raters and (form is None or form.rater not in raters):
                said = f"It scores {shown(named)}, and its code is of {scale(raters[0]).canonical}."
                path: Path = ("extension", place, "valueCanonical")
                yield Fault(path, "unknown-form", said, "Check with the release that has this form and version.")


def _unread(resource: Mapping[str, Any], resource_type: str) -> Iterator[Fault]:
    """What FHIR and our profiles allow, and the app can't read all the same, such as a time that is a mere year."""
    read = _reader(resource, resource_type)
    kind, patient = type_and_id(text(one(resource, "subject"), "reference"))
    if read is None:
        return
    if kind != "Patient":
        said = "Its subject is no Patient, so nobody's chart shows it."
        yield Fault(("subject",), "wrong-target", said, "Name the patient as subject.")
        return
    try:
        read(resource, patient=patient)
    except ResourceError as fault:
        yield Fault((), "not-read", f"The app can't read it: {fault.message}", "Correct what the sentence names.")


def _reader(resource: Mapping[str, Any], resource_type: str) -> Callable[..., object] | None:
    """What reads it for the app."""
    codes = _own_codes(resource)
    if resource_type == "Observation":
        if codes & set(NOTES):
            return read_note
        return read_score if codes & _SCORES.keys() and "hasMember" not in resource else None
    return {"QuestionnaireResponse": read_response, "Goal": read_goal}.get(resource_type)


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
