"""Bundles: all or nothing, and each entry by itself."""

import json
from typing import Any

import pytest

from .conftest import Caller, bundle, entry, observation, problem

U, V = "urn:uuid:11111111-1111-4111-8111-111111111111", "urn:uuid:22222222-2222-4222-8222-222222222222"


def responses(fhir: Caller, *entries: dict[str, Any], kind: str = "transaction") -> list[dict[str, Any]]:
    reply = fhir("POST", "", bundle(*entries, kind=kind))
    assert reply.status_code == 200, reply.text
    answer = json.loads(reply.text)
    assert answer["type"] == f"{kind}-response"
    return [each["response"] for each in answer["entry"]]


def provenance(target: str) -> dict[str, Any]:
    agent = [{"who": {"display": "Kari"}}]
    return {
        "resourceType": "Provenance",
        "target": [{"reference": target}],
        "recorded": "2026-03-05T10:00:00Z",
        "agent": agent,
    }


def test_references_inside_are_resolved_whatever_the_order(fhir: Caller, eva: str) -> None:
    first, second = responses(
        fhir, entry(provenance(U)), entry(observation(eva), fullUrl=U, ifNoneExist="identifier=urn:x|none")
    )
    assert (first["status"], second["etag"]) == ("201 Created", 'W/"1"')
    made = second["location"].removesuffix("/_history/1")
    assert fhir.get(first["location"].removesuffix("/_history/1"))["target"] == [{"reference": made}]
    assert first["lastModified"]


def test_sent_twice_it_is_filed_once(fhir: Caller, eva: str) -> None:
    identified = observation(eva, identifier=[{"system": "urn:x", "value": "1"}])
    tagged = {**provenance(U), "meta": {"tag": [{"system": "urn:tag", "code": "t"}]}}
    sent = (
        entry(identified, fullUrl=U, ifNoneExist="identifier=urn:x|1"),
        entry(tagged, fullUrl=V, ifNoneExist="_tag=urn:tag|t"),
    )
    first, second = responses(fhir, *sent), responses(fhir, *sent)
    assert [each["status"] for each in first] == ["201 Created"] * 2
    assert [each["status"] for each in second] == ["200 OK"] * 2
    assert [each["location"] for each in first] == [each["location"] for each in second]
    assert len(fhir.ids("Provenance?_tag=urn:tag|t")) == 1


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        (entry(observation("nobody")), 400),
        (entry(observation("eva", status="finall")), 400),
        (entry(observation("eva", focus=[{"reference": "urn:uuid:33333333-3333-4333-8333-333333333333"}])), 400),
        (entry(observation("eva", focus=[{"reference": "Patient?identifier=urn:x|nobody"}])), 404),
        (entry(observation("eva"), url="Patient"), 400),
        (entry({"resourceType": "Patient", "id": "eva"}, "PUT", "Patient/eva", ifMatch='W/"9"'), 412),
        (entry({"resourceType": "Patient", "id": "eva"}, "PUT", "Patient/tor"), 400),
        (entry(observation("eva"), "DELETE", "Patient/eva"), 400),
        (entry(observation("eva"), fullUrl=U), 400),  # the same fullUrl twice
        ({"resource": observation("eva")}, 400),
    ],
)
def test_one_refused_entry_undoes_all(fhir: Caller, eva: str, bad: dict[str, Any], status: int) -> None:
    good = entry(observation(eva, identifier=[{"system": "urn:x", "value": "good"}]), fullUrl=U)
    reply = fhir("POST", "", bundle(good, bad))
    assert reply.status_code == status
    assert "Bundle.entry[1]" in problem(reply)
    assert fhir.ids("Observation") == []
    assert fhir.get("Patient/eva")["meta"]["versionId"] == "1"


def test_update_and_read_in_one(fhir: Caller, eva: str) -> None:
    changed = entry({"resourceType": "Patient", "id": eva, "active": True}, "PUT", f"Patient/{eva}", ifMatch='W/"1"')
    reply = fhir("POST", "", bundle({"request": {"method": "GET", "url": f"Patient/{eva}"}}, changed))
    read, put = json.loads(reply.text)["entry"]
    assert read["resource"]["active"] is True  # R4: reads come last
    assert put["response"]["etag"] == 'W/"2"'


def test_conditional_references_as_synthea_writes_them(fhir: Caller, eva: str) -> None:
    made = fhir.create({"resourceType": "Practitioner", "identifier": [{"system": "urn:npi", "value": "9"}]})
    performer = [{"reference": "Practitioner?identifier=urn:npi|9"}]
    (response,) = responses(fhir, entry(observation(eva, performer=performer)))
    stored = fhir.get(response["location"].removesuffix("/_history/1"))
    assert stored["performer"] == [{"reference": f"Practitioner/{made['id']}"}]


def test_batch_entries_stand_alone(fhir: Caller, eva: str) -> None:
    read = {"request": {"method": "GET", "url": f"Patient/{eva}"}}
    search = {"request": {"method": "GET", "url": f"Observation?patient={eva}"}}
    sent = (entry(observation(eva)), entry(observation("nobody")), read, search, entry(observation(eva), "DELETE"))
    answers = responses(fhir, *sent, kind="batch")
    assert [each["status"][:3] for each in answers] == ["201", "400", "200", "200", "400"]
    assert answers[1]["outcome"]["resourceType"] == "OperationOutcome"
    assert len(fhir.ids("Observation")) == 1


def test_other_bundles_are_refused(fhir: Caller) -> None:
    assert fhir("POST", "", bundle(kind="collection")).status_code == 400
    assert fhir("POST", "", {"resourceType": "Patient"}).status_code == 400
    assert "entry" not in json.loads(fhir("POST", "", bundle()).text)
