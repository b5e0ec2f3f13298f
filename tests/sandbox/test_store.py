"""One resource at a time: versions, conditions, refusals."""

import json
import threading
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from smart_app.sandbox import Hospital

from .conftest import FHIR, Caller, observation, problem


def test_create_read_vread_history(fhir: Caller, eva: str) -> None:
    reply = fhir("POST", "Observation", observation(eva, id="mine", valueQuantity={"value": 3}))
    body = json.loads(reply.text)
    assert (reply.status_code, reply.headers["ETag"]) == (201, 'W/"1"')
    assert body["id"] != "mine"  # R4 create: the server gives the id
    assert reply.headers["Location"] == f"{FHIR}/Observation/{body['id']}/_history/1"
    assert fhir.get(f"Observation/{body['id']}") == body

    changed = {**body, "status": "amended"}
    again = fhir("PUT", f"Observation/{body['id']}", changed, {"If-Match": 'W/"1"'})
    assert (again.status_code, again.headers["ETag"]) == (200, 'W/"2"')
    assert fhir.get(f"Observation/{body['id']}/_history/1")["status"] == "final"
    history = fhir.get(f"Observation/{body['id']}/_history")
    assert history["type"] == "history"
    assert [each["request"]["method"] for each in history["entry"]] == ["PUT", "POST"]
    assert [each["response"]["etag"] for each in history["entry"]] == ['W/"2"', 'W/"1"']


def test_digits_of_decimals_are_kept(fhir: Caller, eva: str) -> None:
    text = json.dumps(observation(eva, valueQuantity={"value": 0})).replace('"value": 0', '"value": 3.40')
    reply = fhir("POST", "Observation", text)
    assert '"value":3.40}' in reply.text


def test_update_refuses_a_stale_version(fhir: Caller, eva: str) -> None:
    body = fhir.create(observation(eva))
    path = f"Observation/{body['id']}"
    assert fhir("PUT", path, {**body, "status": "amended"}, {"If-Match": 'W/"1"'}).status_code == 200
    stale = fhir("PUT", path, {**body, "status": "cancelled"}, {"If-Match": 'W/"1"'})
    assert stale.status_code == 412
    assert "it is at version 2" in problem(stale)
    assert fhir.get(path)["status"] == "amended"


def test_update_that_changes_nothing_makes_no_version(fhir: Caller, eva: str) -> None:
    body = fhir.create(observation(eva))
    assert fhir("PUT", f"Observation/{body['id']}", body).headers["ETag"] == 'W/"1"'


def test_update_as_create_gives_a_location(fhir: Caller, eva: str) -> None:
    reply = fhir("PUT", "Observation/own-id", observation(eva, id="own-id"))
    assert (reply.status_code, reply.headers["Location"]) == (201, f"{FHIR}/Observation/own-id/_history/1")


def test_conditional_create(fhir: Caller, eva: str) -> None:
    body = observation(eva, identifier=[{"system": "urn:x", "value": "1"}])
    condition = {"If-None-Exist": "identifier=urn:x|1"}
    first = fhir("POST", "Observation", body, condition)
    second = fhir("POST", "Observation", {**body, "status": "amended"}, condition)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.headers["Location"] == first.headers["Location"]
    assert json.loads(second.text)["status"] == "final"
    fhir.create(body)
    assert fhir("POST", "Observation", body, condition).status_code == 412
    assert fhir("POST", "Observation", body, {"If-None-Exist": "_format=json"}).status_code == 412


def test_eight_conditional_creates_at_once_make_one(client: FlaskClient, fhir: Caller, eva: str) -> None:
    rounds = range(10)
    statuses: dict[int, list[int]] = {number: [] for number in rounds}
    together = threading.Barrier(8)

    def create() -> None:
        caller = Caller(client.application.test_client(), fhir.token)
        for number in rounds:
            body = observation(eva, identifier=[{"system": "urn:x", "value": str(number)}])
            condition = {"If-None-Exist": f"identifier=urn:x|{number}"}
            together.wait(30)
            statuses[number].append(caller("POST", "Observation", body, condition).status_code)

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [sorted(each) for each in statuses.values()] == [[200] * 7 + [201] for _ in rounds]
    assert fhir.get("Observation?_summary=count")["total"] == len(rounds)


def test_conditional_update(fhir: Caller, eva: str) -> None:
    body = observation(eva, identifier=[{"system": "urn:x", "value": "1"}])
    assert fhir("PUT", "Observation?identifier=urn:x|1", body).status_code == 201
    reply = fhir("PUT", "Observation?identifier=urn:x|1", {**body, "status": "amended"})
    assert (reply.status_code, reply.headers["ETag"]) == (200, 'W/"2"')
    assert fhir("PUT", "Observation?identifier=urn:x|1", {**body, "id": "other"}).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "Observation", {"resourceType": "Patient"}, 400),
        ("POST", "Observation", observation("eva", status="finall"), 400),
        ("POST", "Observation", observation("eva", effectiveDateTime="2026-13-45"), 400),
        ("POST", "Observation", observation("eva", unknown=1), 400),
        ("POST", "Observation", {"resourceType": "Observation", "code": {"text": "x"}}, 400),
        ("POST", "Observation", observation("nobody"), 400),
        ("POST", "Observation", observation("eva", focus=[{"reference": "Foo/1"}]), 400),
        ("POST", "Observation", observation("eva", focus=[{"reference": "#inside"}]), 400),
        ("POST", "Observation", observation("eva", focus=[{"reference": "urn:uuid:1"}]), 400),
        ("POST", "Observation", "{bad", 400),
        ("POST", "Observation", '{"resourceType":"Observation","status":"final","status":"final"}', 400),
        ("POST", "Observation", '{"resourceType":"Observation","a":NaN}', 400),
        ("POST", "Observation", '{"a":' * 100 + "1" + "}" * 100, 400),
        ("POST", "Observation", '{"a":' * 100000 + "1" + "}" * 100000, 400),
        ("POST", "Observation", '{"resourceType":"Observation","status":"\\ud800"}', 400),
        ("POST", "Observation", "[]", 400),
        ("POST", "Nonsense", {"resourceType": "Nonsense"}, 404),
        ("GET", "Nonsense/1", None, 404),
        ("GET", "Patient/nobody", None, 404),
        ("GET", "Patient/eva/_history/9", None, 404),
        ("PUT", "Patient/eva", {"resourceType": "Patient", "id": "other"}, 400),
        ("PUT", "Patient/eva", {"resourceType": "Patient"}, 400),
        ("PUT", "Patient/a_b", {"resourceType": "Patient", "id": "a_b"}, 400),
        ("DELETE", "Patient/eva", None, 405),
        ("PATCH", "Patient/eva", "[]", 405),
        ("GET", "", None, 400),
    ],
)
def test_refusals(fhir: Caller, eva: str, method: str, path: str, body: object, status: int) -> None:
    reply = fhir(method, path, body)
    assert (reply.status_code, bool(problem(reply))) == (status, True)


def test_media_types_and_size(fhir: Caller, eva: str) -> None:
    body = json.dumps(observation(eva))
    assert fhir("POST", "Observation", body, {"Content-Type": "text/plain"}).status_code == 415
    assert fhir("GET", f"Patient/{eva}", headers={"Accept": "application/fhir+xml"}).status_code == 406
    assert fhir("GET", f"Patient/{eva}?_format=json", headers={"Accept": "text/html"}).status_code == 200
    assert fhir("POST", "Observation", body, {"Prefer": "return=minimal"}).text == ""


def test_a_user_sends_at_most_one_megabyte(client: FlaskClient, fhir: Caller, house: Hospital, eva: str) -> None:
    large = json.dumps(observation(eva, note=[{"text": "x" * 1024 * 1024}]))
    user = Caller(client, house.access_token("user/*.cruds", user="Practitioner/kari", patient=eva))
    assert user("POST", "Observation", large).status_code == 413
    assert fhir("POST", "Observation", large).status_code == 201


def test_translated_text_in_an_extension_is_valid(fhir: Caller) -> None:
    translated = {
        "url": "http://hl7.org/fhir/StructureDefinition/translation",
        "extension": [{"url": "lang", "valueCode": "nb"}, {"url": "content", "valueString": "Mål"}],
    }
    held = {"url": "urn:x", "valueString": "Goal", "_valueString": {"extension": [translated]}}
    body = {"resourceType": "Questionnaire", "status": "draft", "extension": [held]}
    assert fhir.create(body)["extension"] == [held]


def test_own_absolute_references_become_relative(fhir: Caller, eva: str) -> None:
    made = fhir.create(observation(eva, subject={"reference": f"{FHIR}/Patient/{eva}"}))
    assert made["subject"]["reference"] == f"Patient/{eva}"


def test_what_was_written_is_there_after_a_restart(fhir: Caller, house: Hospital, eva: str, tmp_path: Path) -> None:
    from smart_app.sandbox import HospitalConfig, create_hospital, hospital_of

    made = fhir.create(observation(eva))
    house.close()
    again = hospital_of(create_hospital(HospitalConfig(tmp_path / "hospital.sqlite", seed=())))
    stored = again.store.read("Observation", made["id"])
    assert stored is not None
    assert stored.resource() == made
    assert again.keys.public() == house.keys.public()
    again.close()
