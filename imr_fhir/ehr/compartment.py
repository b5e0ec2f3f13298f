"""Whose a resource is: each one of the patient compartment must be the launch's patient's."""

from collections.abc import Iterator, Mapping
from typing import Any

from imr_fhir.ehr.address import local_reference

# The element that names the patient, of types that are always about one; of any other type a Patient may be named.
_SUBJECT: Mapping[str, str] = {
    "QuestionnaireResponse": "subject",
    "Observation": "subject",
    "Goal": "subject",
    "EpisodeOfCare": "patient",
    "Encounter": "subject",
    "DocumentReference": "subject",
}


def belongs(resource: Mapping[str, Any], patient: str, base: str) -> bool:
    """Whether ``resource`` is of the patient with the id ``patient`` on the server ``base``, or of no patient."""
    resource_type = resource.get("resourceType")
    if resource_type == "Patient":
        return resource.get("id") == patient
    element = _SUBJECT.get(str(resource_type))
    if element:
        return _is(_reference(resource.get(element)), patient, base)
    return all(_is(reference, patient, base) for reference in _named(resource) if "Patient/" in reference)


def _named(resource: Mapping[str, Any]) -> Iterator[str]:
    """What a Provenance targets, an AuditEvent is about, any other type has as subject or patient."""
    entities = (entity.get("what") for entity in _list(resource.get("entity")) if isinstance(entity, Mapping))
    for named in (resource.get("subject"), resource.get("patient"), *_list(resource.get("target")), *entities):
        yield _reference(named)


def _is(reference: str, patient: str, base: str) -> bool:
    found = local_reference(reference, base)
    return found is not None and (found.type, found.id) == ("Patient", patient)


def _reference(value: object) -> str:
    reference = value.get("reference") if isinstance(value, Mapping) else None
    return reference if isinstance(reference, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
