"""What one token may read and write: on each request, and for each entry of a Bundle."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from smart_app.sandbox import Hospital
from smart_app.sandbox.scopes import Scope, grantable, resource_scope

from .conftest import Caller, bundle, entry, observation, problem

ALL = "patient/*.cruds"


@pytest.fixture
def record(fhir: Caller, eva: str, tor: str) -> None:
    for patient in (eva, tor):
        assert fhir("PUT", f"Observation/{patient}-o", observation(patient, id=f"{patient}-o")).status_code == 201
    assert (
        fhir("PUT", "Organization/north", {"resourceType": "Organization", "id": "north", "name": "N"}).status_code
        == 201
    )


def caller(client: FlaskClient, house: Hospital, scope: str) -> Caller:
    return Caller(client, house.access_token(scope, patient="eva", user="Practitioner/kari"))


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("patient/Observation.read", Scope("patient", "Observation", "rs")),
        ("patient/Observation.write", Scope("patient", "Observation", "cud")),
        ("user/*.*", Scope("user", "*", "cruds")),
        ("system/Goal.cu", Scope("system", "Goal", "cu")),
        ("patient/Observation.sr", None),
        ("patient/Observation.", None),
        ("patient/Observation.rs?category=x", None),
        ("patient/observation.rs", None),
        ("launch/patient", None),
    ],
)
def test_scopes_are_read(text: str, scope: Scope | None) -> None:
    assert resource_scope(text) == scope


@pytest.mark.parametrize(
    ("registered", "asked", "granted"),
    [
        (
            "patient/*.cruds openid",
            "openid patient/Goal.read patient/Goal.c launch",
            "openid patient/Goal.read patient/Goal.c",
        ),
        ("patient/Goal.rs", "patient/Goal.cruds patient/*.rs patient/Goal.r", "patient/Goal.r"),
        ("patient/*.rs", "user/Goal.rs", ""),
        ("patient/Goal.r patient/Goal.s", "patient/Goal.rs", "patient/Goal.rs"),
    ],
)
def test_a_registration_covers(registered: str, asked: str, granted: str) -> None:
    assert grantable(registered.split(), asked.split()) == granted.split()


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer invented", "Basic eDp5", ""])
def test_without_a_token_nothing_is_told(client: FlaskClient, record: None, authorization: str | None) -> None:
    headers = {"Authorization": authorization} if authorization is not None else {}
    for path in ("/fhir/Patient/eva", "/fhir/Patient", "/fhir/Nonsense"):
        reply = client.get(path, headers=headers)
        assert reply.status_code == 401
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")
        assert problem(reply)
    assert client.post("/fhir", json=bundle(), headers=headers).status_code == 401


READ, WRITE = "GET Observation/eva-o", "POST Observation"


@pytest.mark.parametrize(
    ("scope", "method", "path", "status"),
    [
        (ALL, "GET", "Observation/eva-o", 200),
        (ALL, "GET", "Observation/tor-o", 403),
        (ALL, "GET", "Observation/tor-o/_history", 403),
        (ALL, "GET", "Observation/tor-o/_history/1", 403),
        (ALL, "GET", "Patient/eva", 200),
        (ALL, "GET", "Patient/tor", 403),
        (ALL, "GET", "Organization/north", 200),
        (ALL, "GET", "Observation?patient=tor", 403),
        (ALL, "GET", "Observation?subject=Patient/tor", 403),
        (ALL, "GET", "Observation?patient=eva,tor", 403),
        (ALL, "GET", "Patient?_id=tor", 403),
        ("patient/Observation.r", "GET", "Observation/eva-o", 200),
        ("patient/Observation.r", "GET", "Observation?patient=eva", 403),
        ("patient/Observation.s", "GET", "Observation/eva-o", 403),
        ("patient/Observation.read", "GET", "Observation?patient=eva", 200),
        ("patient/Observation.write", "GET", "Observation/eva-o", 403),
        ("patient/Goal.rs", "GET", "Observation/eva-o", 403),
        ("user/Observation.rs", "GET", "Observation/tor-o", 200),
        ("user/Observation.rs", "GET", "Observation?patient=tor", 200),
        ("openid launch", "GET", "Patient/eva", 403),
    ],
)
def test_reading(
    client: FlaskClient, house: Hospital, record: None, scope: str, method: str, path: str, status: int
) -> None:
    assert caller(client, house, scope)(method, path).status_code == status


def test_a_search_finds_the_launch_s_patient_alone(client: FlaskClient, house: Hospital, record: None) -> None:
    eva = caller(client, house, ALL)
    assert eva.ids("Observation") == ["eva-o"]
    assert eva.ids("Observation?code=a") == ["eva-o"]
    assert eva.ids("Patient") == ["eva"]
    assert eva.get("Observation?_summary=count")["total"] == 1


@pytest.mark.parametrize(
    ("scope", "body", "status"),
    [
        (ALL, observation("eva"), 201),
        (ALL, observation("tor"), 403),
        (ALL, {**observation("eva"), "subject": {"display": "Eva"}}, 403),
        (ALL, {"resourceType": "Organization", "name": "x"}, 403),
        (ALL, {"resourceType": "Patient", "active": True}, 403),
        ("patient/Observation.rs", observation("eva"), 403),
        ("patient/Observation.u", observation("eva"), 403),
        ("patient/Observation.c", observation("eva"), 201),
        ("patient/Observation.write", observation("eva"), 201),
        ("user/Observation.c", observation("tor"), 201),
        ("user/Goal.c", observation("tor"), 403),
    ],
)
def test_creating(
    client: FlaskClient, house: Hospital, fhir: Caller, record: None, scope: str, body: dict[str, Any], status: int
) -> None:
    before = fhir.get("Observation?_summary=count")["total"]
    reply = caller(client, house, scope)("POST", body["resourceType"], body)
    assert reply.status_code == status, reply.text
    assert fhir.get("Observation?_summary=count")["total"] == before + (status == 201)


def test_a_resource_never_changes_its_patient(client: FlaskClient, house: Hospital, fhir: Caller, record: None) -> None:
    eva = caller(client, house, ALL)
    assert eva("PUT", "Observation/tor-o", observation("eva", id="tor-o")).status_code == 403
    assert eva("PUT", "Observation/eva-o", observation("tor", id="eva-o")).status_code == 403
    assert fhir.get("Observation/eva-o")["subject"] == {"reference": "Patient/eva"}


def test_each_entry_of_a_transaction_needs_its_scope(
    client: FlaskClient, house: Hospital, fhir: Caller, record: None
) -> None:
    goal = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "Work"},
        "subject": {"reference": "Patient/eva"},
    }
    sent = bundle(entry(observation("eva")), entry(goal))
    refused = caller(client, house, "patient/Observation.c")("POST", "", sent)
    assert refused.status_code == 403
    assert "Bundle.entry[1]" in problem(refused)
    assert fhir.ids("Observation") == ["eva-o", "tor-o"]
    assert caller(client, house, "patient/Observation.c patient/Goal.write")("POST", "", sent).status_code == 200


@pytest.mark.parametrize(
    "bad",
    [
        entry(observation("tor")),
        entry(observation("eva", id="tor-o"), "PUT", "Observation/tor-o"),
        {"request": {"method": "GET", "url": "Observation/tor-o"}},
        {"request": {"method": "GET", "url": "Observation?patient=tor"}},
    ],
)
def test_each_entry_of_a_transaction_stays_with_the_patient(
    client: FlaskClient, house: Hospital, fhir: Caller, record: None, bad: dict[str, Any]
) -> None:
    reply = caller(client, house, ALL)("POST", "", bundle(entry(observation("eva")), bad))
    assert reply.status_code == 403
    assert fhir.ids("Observation") == ["eva-o", "tor-o"]


def test_each_entry_of_a_batch_stands_for_itself(client: FlaskClient, house: Hospital, record: None) -> None:
    sent = bundle(entry(observation("eva")), entry(observation("tor")), kind="batch")
    answer = json.loads(caller(client, house, ALL)("POST", "", sent).text)
    assert [each["response"]["status"] for each in answer["entry"]] == ["201 Created", "403"]


def test_provenance_belongs_to_whom_it_is_about(client: FlaskClient, house: Hospital, record: None) -> None:
    def about(*targets: str) -> dict[str, Any]:
        return {
            "resourceType": "Provenance",
            "target": [{"reference": target} for target in targets],
            "recorded": "2026-03-05T10:00:00Z",
            "agent": [{"who": {"display": "Kari"}}],
        }

    eva = caller(client, house, ALL)
    assert eva("POST", "Provenance", about("Observation/eva-o")).status_code == 201
    assert eva("POST", "Provenance", about("Observation/tor-o")).status_code == 403
    assert eva("POST", "Provenance", about("Observation/eva-o", "Observation/tor-o")).status_code == 403
    assert len(eva.ids("Provenance")) == 1


def test_a_conditional_create_shows_no_other_patient_s_record(
    client: FlaskClient, house: Hospital, fhir: Caller, record: None
) -> None:
    made = fhir.create(observation("tor", identifier=[{"system": "urn:x", "value": "1"}]))
    body = observation("eva", identifier=[{"system": "urn:x", "value": "1"}])
    reply = caller(client, house, ALL)("POST", "Observation", body, {"If-None-Exist": "identifier=urn:x|1"})
    assert (reply.status_code, reply.text) == (200, "")
    assert made["id"] in reply.headers["Location"]


def test_included_resources_need_their_scope(client: FlaskClient, house: Hospital, record: None) -> None:
    path = "Observation?_include=Observation:subject"
    without = caller(client, house, "patient/Observation.rs").get(path)
    assert [each["resource"]["resourceType"] for each in without["entry"]] == ["Observation"]
    assert len(caller(client, house, ALL).get(path)["entry"]) == 2


def test_a_page_is_for_the_launch_that_asked(client: FlaskClient, house: Hospital, fhir: Caller, record: None) -> None:
    links = fhir.get("Observation?_count=1")["link"]
    (path,) = [link["url"].rpartition("?")[2] for link in links if link["relation"] == "next"]
    assert caller(client, house, ALL)("GET", f"?{path}").status_code == 410
