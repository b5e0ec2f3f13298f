"""On servers that nobody here wrote: what is written once is read once, however they order what a resource says."""

import uuid
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

import pytest

from imr_fhir import goal, observation, response
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.resource_cache import ResourceCache
from imr_fhir.ehr.transport import Transport
from tests.filed import GOAL, RESPONSES

OF_EACH = 4


def urn() -> str:
    return f"urn:uuid:{uuid.uuid4()}"


def written(patient: str) -> list[dict[str, Any]]:
    """Several of each kind that differ in little, of one patient."""
    found = []
    for _ in range(OF_EACH):
        filing = str(uuid.uuid4())
        whose = f"Patient/{patient}"
        answers = replace(RESPONSES["client"], patient=patient, source=whose, author=whose, identifier=urn())
        wish = replace(GOAL, patient=patient, identifier=urn())
        score = observation.score_observation(answers, response_reference="", urn=urn(), filing=filing)
        found += [response.to_resource(answers, filing=filing), goal.to_resource(wish, filing=filing), score]
    # what it points at is not there, and HAPI looks
    return [{name: value for name, value in each.items() if name != "derivedFrom"} for each in found]


def check(base: str) -> None:
    transport = Transport([urljoin(base, "/").rstrip("/")], allow_loopback_http=True)
    patient = FhirClient(transport, base).create({"resourceType": "Patient"}).id
    client = FhirClient(transport, base, patient=patient, cache=ResourceCache())
    for resource in written(patient):
        client.create(resource)
    for name in ("QuestionnaireResponse", "Goal", "Observation"):
        first, again = (client.search(name, [("subject", f"Patient/{patient}")]).resources for _ in range(2))
        assert len(first) == OF_EACH
        assert {id(each) for each in again} == {id(each) for each in first}, f"{name} of {base} is read anew"


@pytest.mark.hapi
def test_on_hapi(hapi_base: str) -> None:
    check(hapi_base)


def test_on_an_npm_server(npm_fhir_base: str) -> None:
    check(npm_fhir_base)
