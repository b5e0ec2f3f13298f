"""The artefacts in a second server that nobody here wrote, which checks their structure and keeps what it is sent."""

from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
import requests

from imr_fhir.artefacts import artefact_resources
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.transport import Transport
from imr_fhir.errors import EhrError
from imr_fhir.loader.load import load
from tests.servers.medplum import Medplum


def client(base: str) -> FhirClient:
    return FhirClient(Transport([urljoin(base, "/").rstrip("/")], allow_loopback_http=True), base)


@pytest.fixture
def server(medplum_server: Medplum) -> Iterator[Medplum]:
    yield medplum_server
    for base in (medplum_server.base, medplum_server.strict):
        assert requests.post(f"{base}/$expunge", timeout=30).status_code == 200


def test_it_reads_our_resources_as_r4(server: Medplum) -> None:
    """It can say no: an element that R4 does not know is refused."""
    known = artefact_resources()[0]
    with pytest.raises(EhrError, match="unheard"):
        client(server.base).create({**known, "unheardOf": True})


def test_what_it_refuses_of_a_transaction_is_told_in_an_answer_of_200_and_the_rest_is_there(server: Medplum) -> None:
    good, bad = artefact_resources()[:2]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [put(good), put({**bad, "unheardOf": True})]}
    answered = requests.post(server.base, json=bundle, timeout=30)
    assert answered.status_code == 200
    assert [each["response"]["status"] for each in answered.json()["entry"]] == ["200", "400"]
    assert status(f"{server.base}/{good['resourceType']}/{good['id']}") == 200


def test_loading_there_says_which_are_in(server: Medplum) -> None:
    good, bad = artefact_resources()[:2]
    loaded = load(client(server.base), [good, {**bad, "unheardOf": True}])
    assert "did not save every part" in str(loaded.error)
    assert [done.state for done in loaded.done] == ["in", "not in"]


def test_the_strict_one_takes_it_back(server: Medplum) -> None:
    good, bad = ({"resourceType": "CodeSystem", "status": "draft", "content": "complete"} for _ in range(2))
    entries = [{"request": {"method": "POST", "url": "CodeSystem"}, "resource": each} for each in (good, bad)]
    entries[1]["resource"]["unheardOf"] = "yes"  # type: ignore[index]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    assert requests.post(server.strict, json=bundle, timeout=30).status_code == 400
    assert requests.get(f"{server.strict}/CodeSystem", timeout=30).json()["total"] == 0


def test_the_strict_one_lets_no_client_choose_an_id(server: Medplum) -> None:
    one = artefact_resources()[0]
    url = f"{server.strict}/{one['resourceType']}/{one['id']}"
    assert requests.put(url, json=one, timeout=30).status_code == 404


def put(resource: dict[str, object]) -> dict[str, object]:
    return {"request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}, "resource": resource}


def status(url: str) -> int:
    return requests.get(url, timeout=30).status_code
