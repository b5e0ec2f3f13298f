"""A few patients with IMR, and with all that a record holds of a person beside it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from imr_fhir import artefacts
from tests.export.canary import MARKS, NATIONAL_NUMBER

EXAMPLES = Path(__file__).parents[1] / "data" / "examples"
NAME = MARKS[0]


def example(name: str, own: str, patient: str, **more: Any) -> dict[str, Any]:
    text = (EXAMPLES / f"{name}.json").read_text().replace("Patient/1", f"Patient/{patient}")
    made: dict[str, Any] = {**json.loads(text), "id": own, **more}
    made.pop("meta", None)
    made["meta"] = {"tag": [{"system": artefacts.FILING, "code": "5f3a1c1e-0d5a-4c7e-9a51-000000000001"}]}
    made["text"] = {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{NAME}</div>'}
    return made


def patient(number: int, prefix: str = "p") -> Iterator[dict[str, Any]]:
    """One patient's resources, each after what it refers to."""
    own = f"{prefix}{number}"
    subject = {"reference": f"Patient/{own}", "display": NAME}
    yield {
        "resourceType": "Patient", "id": own, "active": True, "name": [{"text": NAME, "family": "Canarynordmann"}],
        "identifier": [{"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": NATIONAL_NUMBER}],
        "telecom": [{"system": "phone", "value": MARKS[2]}], "address": [{"text": MARKS[3]}], "birthDate": "1972-09-13",
    }  # fmt: skip
    yield {
        "resourceType": "EpisodeOfCare", "id": f"e-{own}", "status": "active", "patient": subject,
        "period": {"start": "2026-08-03"},
        "statusHistory": [{"status": "planned", "period": {"start": "2026-07-01", "end": "2026-08-03"}}],
    }  # fmt: skip
    yield {
        "resourceType": "Encounter", "id": f"v-{own}", "status": "finished", "subject": subject,
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "reasonCode": [{"text": MARKS[4]}], "period": {"start": "2026-11-23T09:30:00+01:00"},
    }  # fmt: skip
    visit = {"reference": f"Encounter/v-{own}"}
    identifier = {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:3b8f6c1e-0d5a-4c7e-9a51-{number:012}"}
    response = example("response", f"r-{own}", own, encounter=visit, identifier=identifier)
    response["item"][1]["answer"][0]["valueString"] = MARKS[4]
    yield response
    score = example("score", f"s-{own}", own, derivedFrom=[{"reference": f"QuestionnaireResponse/r-{own}"}])
    score.pop("encounter", None)
    yield {**score, "note": [{"text": MARKS[4]}]}
    yield {**example("goal", f"g-{own}", own), "description": {"text": MARKS[4]}}
    yield {**example("review", f"w-{own}", own), "focus": [{"reference": f"Goal/g-{own}", "display": NAME}]}
    yield {
        "resourceType": "Observation", "id": f"b-{own}", "status": "final", "subject": subject,
        "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
        "valueQuantity": {"value": 120}, "note": [{"text": MARKS[4]}],
    }  # fmt: skip
    tag = {"tag": [{"system": artefacts.FILING, "code": "5f3a1c1e-0d5a-4c7e-9a51-000000000002"}]}
    yield {
        "resourceType": "Provenance", "id": f"o-{own}", "meta": tag, "recorded": "2026-11-23T10:00:00+01:00",
        "target": [{"reference": f"QuestionnaireResponse/r-{own}"}],
        "agent": [{"who": {"reference": f"Patient/{own}", "display": NAME}}], "reason": [{"text": MARKS[4]}],
    }  # fmt: skip
    yield {
        "resourceType": "AuditEvent", "id": f"a-{own}", "meta": tag, "recorded": "2026-11-23T10:00:00+01:00",
        "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"}, "action": "R",
        "agent": [{"who": {"identifier": {"system": "https://id.example", "value": NATIONAL_NUMBER}},
                   "requestor": True, "name": NAME, "altId": NATIONAL_NUMBER}],
        "source": {"observer": {"identifier": {"system": "urn:ietf:rfc:3986", "value": artefacts.BASE}}},
        "entity": [{"what": subject, "name": NAME,
                    "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": "1"}}],
    }  # fmt: skip


def patients(count: int, prefix: str = "p") -> list[dict[str, Any]]:
    return [resource for number in range(1, count + 1) for resource in patient(number, prefix)]


def group(count: int, prefix: str = "p") -> dict[str, Any]:
    members = [{"entity": {"reference": f"Patient/{prefix}{number}"}} for number in range(1, count + 1)]
    return {"resourceType": "Group", "id": f"g-{prefix}", "type": "person", "actual": True, "member": members}


NOW = datetime(2026, 11, 27, 5, tzinfo=UTC)
