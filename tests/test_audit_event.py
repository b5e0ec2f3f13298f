"""AuditEvents say who did what to which resources of whom, and never what these said."""

from typing import Any

import pytest

from imr_fhir.artefacts import BASE
from imr_fhir.audit_event import audit_event
from imr_fhir.errors import ResourceError
from tests.filed import FILING, NOW

Json = dict[str, Any]


def written(kind: Any = "view", **said: Any) -> Json:
    return audit_event(
        kind,
        **{
            "user": {"reference": "Practitioner/berg"}, "patient": "anna", "recorded": NOW, "filing": FILING,
            "resources": ["QuestionnaireResponse/7"], **said,
        },
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "subtype", "action", "outcome"),
    [
        ("view", "read", "R", "0"),
        ("create", "create", "C", "0"),
        ("update", "update", "U", "0"),
        ("refusal", "operation", "E", "4"),
        ("log-in", "110122", "E", "0"),
    ],
)
def test_each_kind(kind: str, subtype: str, action: str, outcome: str) -> None:
    resource = written(kind, refused="WrongPatient" if kind == "refusal" else "")
    assert (resource["subtype"][0]["code"], resource["action"], resource["outcome"]) == (subtype, action, outcome)
    assert resource["recorded"] == "2026-03-31T09:30:00+00:00"
    assert resource["agent"] == [{"who": {"reference": "Practitioner/berg"}, "requestor": True}]
    assert resource["source"]["observer"]["identifier"]["value"] == BASE
    assert [entity["what"]["reference"] for entity in resource["entity"]] == ["Patient/anna", "QuestionnaireResponse/7"]
    assert [entity["role"]["code"] for entity in resource["entity"]] == ["1", "4"]
    assert resource["meta"]["tag"] == [{"system": f"{BASE}/filing", "code": FILING}]


def test_a_user_without_a_resource_is_named_by_issuer_and_sub() -> None:
    user = {"identifier": {"system": "https://idp.example", "value": "a1"}}
    assert written(user=user)["agent"][0]["who"] == user


def test_a_refusal_names_the_error_and_no_more() -> None:
    assert written("refusal", refused="WrongPatient")["outcomeDesc"] == "WrongPatient"


@pytest.mark.parametrize(
    ("kind", "refused"),
    [("refusal", ""), ("refusal", "The answer '06-3' belongs"), ("refusal", "x" * 61), ("view", "WrongPatient")],
)
def test_a_sentence_is_not_taken(kind: str, refused: str) -> None:
    with pytest.raises(ResourceError, match="class name"):
        written(kind, refused=refused)


def test_no_patient_no_event() -> None:
    with pytest.raises(ResourceError, match="no id of a Patient"):
        written(patient="")
