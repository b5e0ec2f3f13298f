"""Which search parameters the hospital has, and where each looks: R4's search parameter registry, cut to what is used.

A path is dotted element names; lists are walked. Kinds are R4's; ``canonical`` is a reference by ``url|version``.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    kind: str
    paths: tuple[str, ...]


def _p(kind: str, *paths: str) -> Parameter:
    return Parameter(kind, paths)


COMMON: Mapping[str, Parameter] = {
    "_lastUpdated": _p("date", "meta.lastUpdated"),
    "_tag": _p("token", "meta.tag"),
    "_security": _p("token", "meta.security"),
    "_profile": _p("uri", "meta.profile"),
}
_ID = {"identifier": _p("token", "identifier")}
_STATUS = {"status": _p("token", "status")}
_SUBJECT = {"patient": _p("reference", "subject"), "subject": _p("reference", "subject")}
_PATIENT = {"patient": _p("reference", "patient")}
_ENCOUNTER = {"encounter": _p("reference", "encounter")}
_CODE = {"code": _p("token", "code")}
_CATEGORY = {"category": _p("token", "category")}
_PERSON = {
    **_ID,
    "name": _p("string", "name"),
    "family": _p("string", "name.family"),
    "given": _p("string", "name.given"),
    "gender": _p("token", "gender"),
    "active": _p("token", "active"),
}
_CANONICAL = {
    **_ID,
    **_STATUS,
    "url": _p("uri", "url"),
    "version": _p("token", "version"),
    "name": _p("string", "name"),
    "title": _p("string", "title"),
    "date": _p("date", "date"),
}
_CLINICAL = {**_ID, **_STATUS, **_SUBJECT, **_ENCOUNTER}

PARAMETERS: Mapping[str, Mapping[str, Parameter]] = {
    "AllergyIntolerance": {**_ID, **_PATIENT, **_CODE, "clinical-status": _p("token", "clinicalStatus")},
    "AuditEvent": {
        "patient": _p("reference", "agent.who", "entity.what"),
        "entity": _p("reference", "entity.what"),
        "agent": _p("reference", "agent.who"),
        "date": _p("date", "recorded"),
        "type": _p("token", "type"),
        "subtype": _p("token", "subtype"),
        "action": _p("token", "action"),
        "outcome": _p("token", "outcome"),
    },
    "Basic": {**_ID, **_SUBJECT, **_CODE, "created": _p("date", "created")},
    "CarePlan": {**_CLINICAL, **_CATEGORY, "date": _p("date", "period")},
    "CareTeam": {**_CLINICAL, **_CATEGORY, "date": _p("date", "period")},
    "Claim": {**_ID, **_STATUS, **_PATIENT, "created": _p("date", "created")},
    "CodeSystem": {**_CANONICAL, "system": _p("uri", "url")},
    "Communication": {**_CLINICAL, "sent": _p("date", "sent")},
    "Condition": {
        **_ID,
        **_SUBJECT,
        **_ENCOUNTER,
        **_CODE,
        **_CATEGORY,
        "clinical-status": _p("token", "clinicalStatus"),
        "verification-status": _p("token", "verificationStatus"),
        "onset-date": _p("date", "onsetDateTime", "onsetPeriod"),
        "recorded-date": _p("date", "recordedDate"),
    },
    "Consent": {**_ID, **_STATUS, **_PATIENT, **_CATEGORY, "date": _p("date", "dateTime")},
    "Device": {**_ID, **_STATUS, **_PATIENT, "type": _p("token", "type")},
    "DiagnosticReport": {
        **_CLINICAL,
        **_CODE,
        **_CATEGORY,
        "date": _p("date", "effectiveDateTime", "effectivePeriod"),
        "issued": _p("date", "issued"),
    },
    "DocumentReference": {
        **_ID,
        **_STATUS,
        **_SUBJECT,
        **_CATEGORY,
        "type": _p("token", "type"),
        "date": _p("date", "date"),
        "period": _p("date", "context.period"),
        "encounter": _p("reference", "context.encounter"),
    },
    "Encounter": {
        **_ID,
        **_STATUS,
        **_SUBJECT,
        "class": _p("token", "class"),
        "type": _p("token", "type"),
        "date": _p("date", "period"),
        "participant": _p("reference", "participant.individual"),
        "episode-of-care": _p("reference", "episodeOfCare"),
        "service-provider": _p("reference", "serviceProvider"),
    },
    "EpisodeOfCare": {
        **_ID,
        **_STATUS,
        **_PATIENT,
        "type": _p("token", "type"),
        "date": _p("date", "period"),
        "organization": _p("reference", "managingOrganization"),
        "care-manager": _p("reference", "careManager"),
    },
    "ExplanationOfBenefit": {**_ID, **_STATUS, **_PATIENT, "created": _p("date", "created")},
    "Flag": {**_ID, **_STATUS, **_SUBJECT, "date": _p("date", "period")},
    "Goal": {
        **_ID,
        **_SUBJECT,
        **_CATEGORY,
        "lifecycle-status": _p("token", "lifecycleStatus"),
        "achievement-status": _p("token", "achievementStatus"),
        "start-date": _p("date", "startDate"),
        "target-date": _p("date", "target.dueDate"),
    },
    "Group": {**_ID, **_CODE, "member": _p("reference", "member.entity")},
    "ImagingStudy": {**_CLINICAL, "started": _p("date", "started")},
    "Immunization": {**_ID, **_STATUS, **_PATIENT, "date": _p("date", "occurrenceDateTime")},
    "List": {**_CLINICAL, **_CODE, "date": _p("date", "date"), "item": _p("reference", "entry.item")},
    "Location": {**_ID, **_STATUS, "name": _p("string", "name", "alias")},
    "Medication": {**_ID, **_STATUS, **_CODE},
    "MedicationAdministration": {
        **_ID,
        **_STATUS,
        **_SUBJECT,
        "code": _p("token", "medicationCodeableConcept"),
        "effective-time": _p("date", "effectiveDateTime", "effectivePeriod"),
    },
    "MedicationRequest": {
        **_CLINICAL,
        "code": _p("token", "medicationCodeableConcept"),
        "intent": _p("token", "intent"),
        "authoredon": _p("date", "authoredOn"),
    },
    "Observation": {
        **_CLINICAL,
        **_CODE,
        **_CATEGORY,
        "date": _p("date", "effectiveDateTime", "effectivePeriod", "effectiveInstant"),
        "focus": _p("reference", "focus"),
        "derived-from": _p("reference", "derivedFrom"),
        "has-member": _p("reference", "hasMember"),
        "performer": _p("reference", "performer"),
        "component-code": _p("token", "component.code"),
        "combo-code": _p("token", "code", "component.code"),
        "value-concept": _p("token", "valueCodeableConcept"),
        "value-string": _p("string", "valueString"),
    },
    "Organization": {**_ID, "active": _p("token", "active"), "name": _p("string", "name", "alias")},
    "Patient": {
        **_PERSON,
        "birthdate": _p("date", "birthDate"),
        "general-practitioner": _p("reference", "generalPractitioner"),
    },
    "Practitioner": _PERSON,
    "PractitionerRole": {
        **_ID,
        "practitioner": _p("reference", "practitioner"),
        "organization": _p("reference", "organization"),
    },
    "Procedure": {**_CLINICAL, **_CODE, "date": _p("date", "performedDateTime", "performedPeriod")},
    "Provenance": {
        "target": _p("reference", "target"),
        "patient": _p("reference", "target"),
        "agent": _p("reference", "agent.who"),
        "entity": _p("reference", "entity.what"),
        "recorded": _p("date", "recorded"),
    },
    "Questionnaire": _CANONICAL,
    "QuestionnaireResponse": {
        **_CLINICAL,
        "questionnaire": _p("canonical", "questionnaire"),
        "authored": _p("date", "authored"),
        "author": _p("reference", "author"),
        "source": _p("reference", "source"),
        "based-on": _p("reference", "basedOn"),
        "part-of": _p("reference", "partOf"),
    },
    "RelatedPerson": {**_PERSON, **_PATIENT},
    "ServiceRequest": {**_CLINICAL, **_CODE, "authored": _p("date", "authoredOn")},
    "StructureDefinition": {**_CANONICAL, "type": _p("uri", "type"), "base": _p("canonical", "baseDefinition")},
    "SupplyDelivery": {**_ID, **_STATUS, **_PATIENT},
    "Task": {
        **_ID,
        **_STATUS,
        "patient": _p("reference", "for"),
        "subject": _p("reference", "for"),
        "focus": _p("reference", "focus"),
        "authored-on": _p("date", "authoredOn"),
    },
    "ValueSet": _CANONICAL,
}

# R4's patient compartment, narrowed to whose record a resource is.
COMPARTMENT = frozenset(name for name, own in PARAMETERS.items() if "patient" in own) | {"Patient"}


def parameter(resource_type: str, name: str) -> Parameter | None:
    return PARAMETERS[resource_type].get(name) or COMMON.get(name)
