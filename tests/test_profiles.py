"""What the profiles refuse: each row breaks one valid example in one place, and the validator must say so."""

import json
from pathlib import Path
from typing import Any

import pytest

from imr_fhir import artefacts
from tests.changed import GONE, changed
from tests.validator import Validator

EXAMPLES = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in (Path(__file__).parent / "data/examples").iterdir()
} | {"form": json.loads(json.dumps(artefacts.questionnaire("client"), default=float))}

EXTENSION = f"{artefacts.BASE}/StructureDefinition"
CLINICIAN = f"{artefacts.BASE}/CodeSystem/imr-clinician"
STEP, PEOPLE, HOME = ({"coding": [{"system": artefacts.CODES, "code": code}]} for code in ("step", "people", "home"))
NOT_APPLICABLE = {"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "not-applicable"}
UNKNOWN = NOT_APPLICABLE | {"code": "asked-unknown"}


def broken(example: str, path: str, to: Any) -> dict[str, Any]:
    return changed(EXAMPLES[example], path, to)


ITEM_1 = EXAMPLES["response"]["item"][0]["item"][0]
SCORED_1 = EXAMPLES["score"]["component"][2]

# example, place, what stands there instead, what the validator names. (It does not look at what a reference points to
# unless it can fetch it, so the target types of the profiles have no row.)
BREAKS = [
    ("response", "identifier", GONE, "QuestionnaireResponse.identifier: minimum required"),
    ("response", "identifier.system", "urn:example", "urn:ietf:rfc:3986"),
    ("response", "identifier.value", GONE, "QuestionnaireResponse.identifier.value: minimum required"),
    ("response", "questionnaire", GONE, "QuestionnaireResponse.questionnaire: minimum required"),
    ("response", "questionnaire", f"{artefacts.BASE}/Questionnaire/imr-client", "imr-qr-8"),
    ("response", "subject", GONE, "QuestionnaireResponse.subject: minimum required"),
    ("response", "authored", GONE, "QuestionnaireResponse.authored: minimum required"),
    ("response", "author", GONE, "QuestionnaireResponse.author: minimum required"),
    ("response", "source", GONE, "QuestionnaireResponse.source: minimum required"),
    ("response", "source.reference", "Practitioner/1", "imr-qr-7"),
    ("response", "item.0.item.14", GONE, "imr-qr-1"),
    ("response", "item.0.item.0.answer.+", ITEM_1["answer"][0], "imr-qr-2"),
    ("response-stopped", "item.0.item.+", ITEM_1, "imr-qr-3"),
    ("response", "item.0.item.0.answer.0.valueCoding.code", "02-3", "imr-qr-4"),
    ("response", "item.0.item.0.answer.0.valueCoding.code", "01-na", "imr-qr-5"),
    ("response", "extension.0", GONE, "imr-qr-6"),
    ("response-stopped", "extension.0", GONE, "imr-qr-6"),
    ("response", "item.1.answer.0.valueString", "å" * 4001, "imr-qr-9"),
    ("response", "extension.+", {"url": f"{EXTENSION}/shown-language", "valueCode": "en"}, "max allowed = 1"),
    (
        "response",
        "extension.1",
        {"url": f"{EXTENSION}/shown-language", "valueString": "nb"},
        "allows for the types [code]",
    ),
    ("response", "extension.0.valueDateTime", "2026-11-23", "imr-ext-1"),
    ("response", "extension.1.url", f"{EXTENSION}/shown-wording", "is not allowed to be used at this point"),
    ("form", "extension.2.extension.1.valueCode", "checked", "imr-tr-1"),
    ("form", "extension.2.extension.2", GONE, "translation-status"),
    ("form", "extension.2.extension.+", {"url": "checked", "valueBoolean": True}, "translation-status"),
    ("score", "status", "preliminary", "imr-ob-1"),
    ("score", "valueQuantity", GONE, "imr-ob-2"),
    ("score", "dataAbsentReason", {"coding": [UNKNOWN]}, "imr-ob-2"),
    ("score", "component.2", SCORED_1 | {"valueInteger": 6}, "imr-ob-4"),
    ("score", "component.2", EXAMPLES["score"]["component"][3], "imr-ob-3"),
    ("score", "component.16", GONE, "imr-ob-3"),
    ("score", "component.14.dataAbsentReason", GONE, "imr-ob-4"),
    ("score-stopped", "component.15.dataAbsentReason.coding.0.code", "not-applicable", "imr-ob-5"),
    ("score", "component.14.dataAbsentReason.coding.0.code", "asked-unknown", "imr-ob-6"),
    ("score", "component.1.valueInteger", 15, "imr-ob-7"),
    ("score-stopped", "component.0.valueInteger", 14, "imr-ob-7"),
    ("score", "component.0.valueInteger", 45, "imr-ob-8"),
    ("score", "valueQuantity.value", 3.15, "imr-ob-9"),
    ("score", "component.2.code.coding.0.system", CLINICIAN, "imr-ob-10"),
    ("score", "extension", GONE, "Slice 'Observation.extension:questionnaire'"),
    ("score", "identifier", GONE, "Observation.identifier: minimum required"),
    ("score", "category.0.coding.0.code", "laboratory", "Slice 'Observation.category:survey'"),
    ("score", "code.coding.0.code", "review", "imr-score-code"),
    ("score", "effectiveDateTime", GONE, "Observation.effective[x]: minimum required"),
    ("score", "issued", GONE, "Observation.issued: minimum required"),
    ("score", "performer", GONE, "Observation.performer: minimum required"),
    ("score", "valueQuantity.code", "{points}", "{score}"),
    ("score", "note.+", {"text": "another"}, "Observation.note: max allowed = 1"),
    ("score", "component.1", GONE, "Slice 'Observation.component:rated'"),
    ("score", "component.+", EXAMPLES["score"]["component"][0], "Observation.component:sum: max allowed = 1"),
    ("goal", "extension", EXAMPLES["step"]["extension"], "imr-go-1"),
    ("step", "extension", GONE, "imr-go-1"),
    ("step", "extension.0.extension.0.valueCodeableConcept.coding.0.code", "successor", "imr-go-1"),
    ("goal", "statusDate", GONE, "imr-go-2"),
    ("step", "extension.+", EXAMPLES["step"]["extension"][0], "Goal.extension:parent: max allowed = 1"),
    ("goal", "identifier", GONE, "Goal.identifier: minimum required"),
    ("goal", "category.0", GONE, "Slice 'Goal.category:kind'"),
    ("goal", "category.+", STEP, "Goal.category:kind: max allowed = 1"),
    ("goal", "category.+", HOME, "Goal.category:lifeArea: max allowed = 1"),
    ("goal", "description.text", GONE, "Goal.description.text: minimum required"),
    ("goal", "description.text", "å" * 501, "500"),
    ("goal", "description.coding", PEOPLE["coding"], "Goal.description.coding: max allowed = 0"),
    ("goal", "target.+", {"dueDate": "2027-01-01"}, "Goal.target: max allowed = 1"),
    ("review", "identifier", GONE, "Observation.identifier: minimum required"),
    ("review", "code.coding.0.code", "helps", "Observation.code"),
    ("review", "subject", GONE, "Observation.subject: minimum required"),
    ("review", "focus", GONE, "Observation.focus: minimum required"),
    ("review", "focus.+", {"reference": "Goal/3"}, "Observation.focus: max allowed = 1"),
    ("review", "effectiveDateTime", GONE, "Observation.effective[x]: minimum required"),
    ("review", "performer", GONE, "Observation.performer: minimum required"),
    ("review", "valueCodeableConcept.coding.0.code", "people", "imr-review-result"),
    ("review", "valueCodeableConcept", GONE, "Observation.value[x]: minimum required"),
    ("review", "component.0.valueString", GONE, "minimum required"),
    ("review", "component.+", EXAMPLES["review"]["component"][0], "Observation.component:whatHelped: max allowed = 1"),
]

pytestmark = pytest.mark.validator


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_is_valid(example: str, fhir_validator: Validator) -> None:
    assert fhir_validator.validate(EXAMPLES[example]) == []


@pytest.mark.parametrize(("example", "path", "to", "named"), BREAKS, ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_broken_is_refused(example: str, path: str, to: Any, named: str, fhir_validator: Validator) -> None:
    errors = fhir_validator.validate(broken(example, path, to))
    assert any(named in error for error in errors), errors


def test_each_invariant_is_broken_here() -> None:
    keys = {
        constraint["key"]
        for structure in artefacts.artefact_resources()
        if structure["resourceType"] == "StructureDefinition"
        for element in structure["differential"]["element"]
        for constraint in element.get("constraint", [])
    }
    assert keys == {named for *_, named in BREAKS if named.startswith("imr-") and named[-1].isdigit()}


class TestValidator:
    """What the other tests trust it to do."""

    def test_answers_to_an_unknown_form_are_an_error(self, fhir_validator: Validator) -> None:
        (error,) = fhir_validator.validate(
            broken("response", "questionnaire", f"{artefacts.BASE}/Questionnaire/imr-client|9.0.0")
        )
        assert "could not be resolved" in error

    def test_profile_may_be_asked_for(self, fhir_validator: Validator) -> None:
        unclaimed = broken("goal", "meta", GONE) | {"description": {"text": "å" * 501}}
        assert fhir_validator.validate(unclaimed) == []
        assert fhir_validator.validate(unclaimed, profile=artefacts.GOAL_PROFILE)

    def test_unknown_profile_is_an_error(self, fhir_validator: Validator) -> None:
        assert fhir_validator.validate(EXAMPLES["goal"], profile="https://example.org/StructureDefinition/none")

    def test_plain_fhir_faults_are_errors(self, fhir_validator: Validator) -> None:
        assert fhir_validator.validate({"resourceType": "Goal", "lifecycleStatus": "finall"})

    def test_only_written_norwegian_is_let_through(self, fhir_validator: Validator) -> None:
        codes = json.loads(json.dumps(next(r for r in artefacts.artefact_resources() if r["url"] == artefacts.CODES)))
        codes["concept"][0]["designation"][0]["language"] = "zz"
        (error,) = fhir_validator.validate(codes)
        assert '"zz" is not in valueset' in error
