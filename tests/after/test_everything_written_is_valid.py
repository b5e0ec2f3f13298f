"""After all other tests: each resource that the app wrote in them and a server took passes the FHIR validator."""

import json
from collections import Counter
from typing import Any

import pytest

from imr_fhir.artefacts import CODES, GOAL_PROFILE, RESPONSE_PROFILE, REVIEW_PROFILE, SCORE_PROFILE
from imr_fhir.ehr.json_reader import read_json
from imr_fhir.validation.judge import judge
from tests.validator import Validator
from tests.written import FOLDER

WRITTEN_BY_THE_APP = {"QuestionnaireResponse", "Observation", "Goal", "Provenance", "AuditEvent"}
PROFILES = {"QuestionnaireResponse": RESPONSE_PROFILE, "Goal": GOAL_PROFILE}
OBSERVATIONS = {"score-client": SCORE_PROFILE, "score-clinician": SCORE_PROFILE, "review": REVIEW_PROFILE}


def profile_of(resource: dict[str, Any]) -> str:
    """The profile that it must meet, claimed or not: sites without our profiles get the same resources. That of a score
    is of the shape with components: a panel with members holds no item itself."""
    if "hasMember" in resource:
        return ""
    codes = [coding["code"] for coding in resource.get("code", {}).get("coding", []) if coding["system"] == CODES]
    return PROFILES.get(resource["resourceType"], "") or next((OBSERVATIONS.get(code, "") for code in codes), "")


@pytest.mark.validator
def test_everything_written_is_valid(fhir_validator: Validator) -> None:
    files = sorted(FOLDER.glob("*.json"))
    resources = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    written = Counter(resource["resourceType"] for resource in resources)
    assert set(written) >= WRITTEN_BY_THE_APP, (
        f"only {dict(written)} were written: run the whole suite first (make test)"
    )
    faults = {
        file.name: found
        for file, resource in zip(files, resources, strict=True)
        if (found := fhir_validator.validate(resource, profile=profile_of(resource)))
    }
    assert faults == {}, f"{len(faults)} of {len(files)} resources have errors"


def test_everything_written_is_good_to_our_own_validator() -> None:
    verdicts = {file.name: judge(read_json(file.read_bytes())) for file in sorted(FOLDER.glob("*.json"))}
    assert {name: verdict for name, verdict in verdicts.items() if verdict.faults} == {}
