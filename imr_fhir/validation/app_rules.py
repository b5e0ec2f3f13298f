"""What no profile of ours can say, and the app goes by: R4's relation of goals, a score's form, what can't be read."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from imr_fhir import artefacts
from imr_fhir.element import shown, type_and_id
from imr_fhir.errors import ResourceError
from imr_fhir.goal import RELATIONSHIP
from imr_fhir.goal import from_resource as read_goal
from imr_fhir.observation import INSTANTIATES
from imr_fhir.observation import from_resource as read_score
from imr_fhir.record import CODES as NOTES
from imr_fhir.record import from_resource as read_note
from imr_fhir.response import from_resource as read_response
from imr_fhir.scale import RATING_MAX, scale, scale_of
from imr_fhir.validation.finding import Fault, Path, many, one, text
from imr_fhir.validation.ours import SCORES, our_codes, own_codes


def member_faults(resource: Mapping[str, Any]) -> Iterator[Fault]:
    """An item of a score that has members, which no profile judges: a rating, or why there is none."""
    items = [code for system, code in our_codes(one(resource, "code")) if system != artefacts.CODES]
    rating = resource.get("valueInteger")
    if not items or "valueInteger" not in resource or rating in range(1, RATING_MAX + 1):
        return
    said = f"Item {items[0]} is rated {rating if isinstance(rating, int) else shown(rating)}, and ratings are 1 to 5."
    yield Fault(("valueInteger",), "wrong-value", said, "Find out what was answered.")


def relation_faults(resource: Mapping[str, Any]) -> Iterator[Fault]:
    """The core extension goal-relationship, as R4 defines it: one kind, one goal."""
    for place, extension in many(resource, "extension"):
        if extension.get("url") == RELATIONSHIP:
            inside = [inner.get("url") for _, inner in many(extension, "extension")]
            for name in ("type", "target"):
                if inside.count(name) != 1:
                    said = f"The relation to another goal has {inside.count(name)} parts {name}, and must have one."
                    code = "too-many" if name in inside else "missing"
                    yield Fault(("extension", place, "extension"), code, said, f"Keep or add the one {name}.")


def score_form_faults(resource: Mapping[str, Any]) -> Iterator[Fault]:
    """A score is of a known form, and of the rater whose code it has."""
    for place, extension in many(resource, "extension"):
        if extension.get("url") == INSTANTIATES:
            raters = [rater for code, rater in SCORES.items() if code in own_codes(resource)]
            named = text(extension, "valueCanonical")
            form = scale_of(named)
            if raters and (form is None or form.rater not in raters):
                said = f"It scores {shown(named)}, and its code is of {scale(raters[0]).canonical}."
                path: Path = ("extension", place, "valueCanonical")
                yield Fault(path, "unknown-form", said, "Check with the release that has this form and version.")


def unread(resource: Mapping[str, Any], resource_type: str) -> Iterator[Fault]:
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
    codes = own_codes(resource)
    if resource_type == "Observation":
        if codes & set(NOTES):
            return read_note
        return read_score if codes & SCORES.keys() and "hasMember" not in resource else None
    return {"QuestionnaireResponse": read_response, "Goal": read_goal}.get(resource_type)
