"""FHIR's interactions, on HAPI where it does the thing and on a server of our own where none does."""

import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest

from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.failure import retry_after
from imr_fhir.ehr.outcome import plain, sentence
from imr_fhir.ehr.receipt import Receipt
from imr_fhir.ehr.transport import Reply, Transport
from imr_fhir.errors import (
    BadReply,
    Busy,
    Conflict,
    EhrError,
    Forbidden,
    HttpFailure,
    Invalid,
    NotFound,
    RefusedUrl,
    ServerFault,
    Unauthorized,
    WrongPatient,
)
from tests.wire_server import Exchange, Script, Server, pages, serve


def client(server: Server, patient: str | None = "anna", **more: Any) -> FhirClient:
    return FhirClient(
        Transport([server.origin], allow_loopback_http=True), f"{server.origin}/fhir", patient=patient, **more
    )


def observation(resource_id: str = "", subject: str = "Patient/anna", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        **({"id": resource_id} if resource_id else {}),
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": subject},
        **more,
    }


def page(*resources: Any, next_page: str = "") -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": resource} for resource in resources],
        **({"link": [{"relation": "self", "url": "x"}, {"relation": "next", "url": next_page}]} if next_page else {}),
    }


def outcome(text: str) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "details": {"text": text}}]}


def search(*answers: Any, patient: str = "anna") -> Any:
    """The search of Observations where the pages are ``answers``, in their order; BASE stands for the server's."""
    left = list(answers)

    def script(exchange: Exchange) -> None:
        assert exchange.request.path.startswith(("/fhir/Observation?", "/fhir?page="))
        exchange.answer(200, json.loads(json.dumps(left.pop(0)).replace("BASE", f"{server.origin}/fhir")))

    with serve(script) as server:
        return client(server, patient).search("Observation", [("patient", patient)])


# Reading


def test_read() -> None:
    with serve(pages({"GET /fhir/Observation/1": observation("1", valueQuantity={"value": 3.5})})) as server:
        ehr = client(server, token=lambda: "t", headers={"X-Site": "s"})
        assert ehr.read("Observation", "1")["valueQuantity"] == {"value": Decimal("3.5")}
    (request,) = server.requests
    assert request.headers["authorization"] == "Bearer t"
    assert request.headers["accept"] == "application/fhir+json"
    assert request.headers["x-site"] == "s"
    assert request.headers["cache-control"] == "no-cache"  # HAPI answers a repeated search from memory


@pytest.mark.parametrize(
    "answer",
    [
        observation("1", "Patient/boris"),
        observation("1", "https://other.example/fhir/Patient/anna"),
        observation("1", "Group/anna"),
        {key: value for key, value in observation("1").items() if key != "subject"},
        {**observation("1"), "subject": {"identifier": {"value": "anna"}}},
    ],
)
def test_another_patients_resource_is_not_read(answer: dict[str, Any]) -> None:
    with serve(pages({"GET /fhir/Observation/1": answer})) as server, pytest.raises(WrongPatient):
        client(server).read("Observation", "1")


def test_without_a_patient_anything_may_be_read() -> None:
    with serve(pages({"GET /fhir/Observation/1": observation("1", "Patient/boris")})) as server:
        assert client(server, patient=None).read("Observation", "1")["id"] == "1"


@pytest.mark.parametrize(
    ("resource", "belongs"),
    [
        ({"resourceType": "Patient", "id": "anna"}, True),
        ({"resourceType": "Patient", "id": "boris"}, False),
        ({"resourceType": "EpisodeOfCare", "patient": {"reference": "Patient/anna"}}, True),
        ({"resourceType": "EpisodeOfCare", "patient": {"reference": "Patient/boris"}}, False),
        ({"resourceType": "EpisodeOfCare", "subject": {"reference": "Patient/anna"}}, False),
        ({"resourceType": "Goal", "subject": {"reference": "BASE/Patient/anna"}}, True),
        ({"resourceType": "Goal", "subject": {"reference": "Patient/anna/_history/3"}}, True),
        ({"resourceType": "Goal", "subject": "Patient/anna"}, False),
        ({"resourceType": "QuestionnaireResponse"}, False),
        ({"resourceType": "Questionnaire"}, True),
        ({"resourceType": "Provenance", "target": [{"reference": "Observation/1"}]}, True),
        ({"resourceType": "Provenance", "target": [{"reference": "Patient/anna"}]}, True),
        ({"resourceType": "Provenance", "target": [{"reference": "Goal/1"}, {"reference": "Patient/boris"}]}, False),
        ({"resourceType": "Provenance", "target": [{"reference": "https://x.example/Patient/anna"}]}, False),
        ({"resourceType": "AuditEvent", "entity": [{"what": {"reference": "Patient/anna"}}]}, True),
        ({"resourceType": "AuditEvent", "entity": [{"what": {"reference": "Patient/boris"}}]}, False),
        ({"resourceType": "AuditEvent", "entity": [7]}, True),
        ({"resourceType": "Condition", "subject": {"reference": "Patient/boris"}}, False),
    ],
)
def test_whose_a_resource_is(resource: dict[str, Any], belongs: bool) -> None:
    ehr = FhirClient(Transport([]), "https://ehr.example/fhir", patient="anna")
    found = json.loads(json.dumps(resource).replace("BASE", "https://ehr.example/fhir"))
    assert ehr.ours(found) is belongs


@pytest.mark.parametrize(
    "answer", [observation("2"), {"resourceType": "Goal", "id": "1"}, outcome("x"), b"<html>", b"[]"]
)
def test_another_thing_than_was_asked_for(answer: Any) -> None:
    with serve(pages({"GET /fhir/Observation/1": answer})) as server, pytest.raises(BadReply):
        client(server).read("Observation", "1")


@pytest.mark.parametrize("resource_id", ["..", ".", "1/../2", "1?x", "", "å", "a" * 65])
def test_what_is_no_id_is_not_asked_for(resource_id: str) -> None:
    with serve(pages({})) as server, pytest.raises(BadReply):
        client(server).read("Observation", resource_id)
    assert server.requests == []


def test_a_token_that_ended_early_is_renewed_once() -> None:
    def script(exchange: Exchange) -> None:
        if exchange.request.headers["authorization"] == "Bearer new":
            exchange.answer(200, observation("1"))
        else:
            exchange.answer(401)

    with serve(script) as server:
        assert client(server, token=lambda: "old", renew=lambda old: "new").read("Observation", "1")["id"] == "1"
        assert len(server.requests) == 2
        for renew in (lambda old: "", lambda old: "old"):
            with pytest.raises(Unauthorized):
                client(server, token=lambda: "old", renew=renew).read("Observation", "1")
        assert len(server.requests) == 5


# Failures


@pytest.mark.parametrize(
    ("status", "headers", "body", "error", "retry_after"),
    [
        (401, {}, b"", Unauthorized, None),
        (403, {}, b"", Forbidden, None),  # Epic: a disabled API, with nothing in it
        (405, {}, b"<html>", Forbidden, None),
        (404, {}, b"", NotFound, None),
        (410, {}, b"", NotFound, None),
        (409, {}, b"", Conflict, None),
        (412, {}, b"", Conflict, None),
        (400, {}, b"", Invalid, None),
        (422, {}, b"", Invalid, None),
        (418, {}, b"", Invalid, None),
        (429, {}, b"", Busy, None),
        (429, {"Retry-After": "7"}, b"", Busy, 7),
        (503, {"Retry-After": "120"}, b"", Busy, 120),
        (503, {"Retry-After": "Tue, 31 Mar 2026 09:31:00 GMT", "Date": "Tue, 31 Mar 2026 09:30:00 GMT"}, b"", Busy, 60),
        (503, {"Retry-After": "9" * 400}, b"", Busy, 86_400),
        (503, {"Retry-After": "soon"}, b"", ServerFault, None),
        (503, {}, b"", ServerFault, None),
        (500, {}, b"", ServerFault, None),
        (500, {"Retry-After": "7"}, b"", ServerFault, 7),
    ],
)
def test_a_failure_has_a_name(
    status: int, headers: dict[str, str], body: bytes, error: type[HttpFailure], retry_after: int | None
) -> None:
    with serve(lambda exchange: exchange.answer(status, body, headers)) as server, pytest.raises(error) as failure:
        client(server).read("Observation", "1")
    assert (failure.value.status, failure.value.retry_after) == (status, retry_after)
    assert failure.value.next_step


def test_a_digit_that_is_no_number() -> None:
    assert retry_after(Reply(429, {"Retry-After": "\N{SUPERSCRIPT TWO}"}, b"")) is None


@pytest.mark.parametrize("status", [204, 301, 302, 307])
def test_neither_a_redirect_nor_nothing_is_a_resource(status: int) -> None:
    elsewhere = {"Location": "/fhir/x"}
    with serve(lambda exchange: exchange.answer(status, b"", elsewhere)) as server, pytest.raises(BadReply):
        client(server).read("Observation", "1")
    assert len(server.requests) == 1


def test_what_the_ehr_says_is_told() -> None:
    said = outcome("No <b>bold</b>\u202e\x07 goals")
    with serve(lambda exchange: exchange.answer(422, said)) as server, pytest.raises(Invalid) as failure:
        client(server).read("Observation", "1")
    assert "The EHR says: No <b>bold</b> goals." in str(failure.value)


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        (outcome("a"), "The EHR says: a."),
        (outcome("a!"), "The EHR says: a!"),
        ({"resourceType": "OperationOutcome", "issue": [{"diagnostics": " a\n\tb "}]}, "The EHR says: a b."),
        (
            {"resourceType": "OperationOutcome", "issue": [{"details": {"coding": [{"display": "a"}]}}]},
            "The EHR says: a.",
        ),
        ({"resourceType": "OperationOutcome", "issue": [{"code": "not-found"}]}, "The EHR says: not-found."),
        (
            {
                "resourceType": "OperationOutcome",
                "issue": [
                    {"severity": "warning", "diagnostics": "w"},
                    {"severity": "error", "diagnostics": "e"},
                    {"severity": "fatal", "diagnostics": "f"},
                    {"severity": "error", "diagnostics": "e"},
                ],
            },
            "The EHR says: e; f.",
        ),
        (
            {
                "resourceType": "OperationOutcome",
                "issue": [{"diagnostics": "No results."}, {"diagnostics": "Of today."}],
            },
            "The EHR says: No results; Of today.",
        ),
        ({"resourceType": "OperationOutcome", "issue": [7, {"details": "x", "diagnostics": 7}]}, ""),
        ({"resourceType": "OperationOutcome", "issue": "x"}, ""),
        (
            {"resourceType": "OperationOutcome", "issue": [{"details": {"coding": [7]}, "code": "x"}]},
            "The EHR says: x.",
        ),
        (
            {"resourceType": "OperationOutcome", "issue": [{"details": {"text": " "}, "diagnostics": "d"}]},
            "The EHR says: d.",
        ),
        ({**outcome("a"), "resourceType": "Patient"}, ""),
        ([], ""),
        (None, ""),
    ],
)
def test_an_operation_outcome_is_a_sentence(resource: object, said: str) -> None:
    assert sentence(resource) == said


def test_a_sentence_has_300_characters_at_most() -> None:
    assert len(sentence(outcome("å" * 1_000_000))) == 300
    assert plain("x" * 300) == "x" * 300
    assert plain("a\u202eb\u2066c\x1b[31md\u200be\u2028f\ue000g") == "abc[31mde fg"


# Searching


def test_search_follows_the_pages() -> None:
    found = search(
        page(observation("1"), next_page="BASE?page=2"),
        page(observation("2"), observation("1"), next_page="Observation?page=3"),
        page(observation("3")),
    )
    assert [resource["id"] for resource in found.resources] == ["1", "2", "3"]
    assert (found.foreign, found.truncated, found.said) == (0, False, ())


def test_search_asks_by_get_with_a_count() -> None:
    with serve(pages({"GET /fhir/Observation": page()})) as server:
        client(server).search("Observation", [("patient", "anna"), ("code", "http://x|a,http://x|b")])
    path, _, query = server.requests[0].path.partition("?")
    assert path == "/fhir/Observation"
    assert parse_qs(query) == {"patient": ["anna"], "code": ["http://x|a,http://x|b"], "_count": ["500"]}


def test_search_by_post_keeps_the_number_out_of_the_address() -> None:
    with serve(pages({"POST /fhir/Patient/_search": page({"resourceType": "Patient", "id": "anna"})})) as server:
        found = client(server).search("Patient", [("identifier", "urn:oid:2.16.578.1.12.4.1.4.1|1")], post=True)
    assert len(found.resources) == 1
    assert server.requests[0].path == "/fhir/Patient/_search"
    assert parse_qs(server.requests[0].body.decode())["identifier"] == ["urn:oid:2.16.578.1.12.4.1.4.1|1"]


def test_a_search_that_fails() -> None:
    with serve(pages({"GET /fhir/Observation": (500, page())})) as server, pytest.raises(ServerFault):
        client(server).search("Observation", [])


def test_other_patients_are_dropped_and_counted() -> None:
    found = search(page(observation("1"), observation("2", "Patient/boris"), observation("3", "Patient/cecilie")))
    assert ([resource["id"] for resource in found.resources], found.foreign) == (["1"], 2)


@pytest.mark.parametrize("name", [None, [], {}])
def test_ids_that_are_none_hide_nothing_of_each_other(name: Any) -> None:
    found = search(page(observation("1"), observation("2") | {"id": name}, observation("3") | {"id": name}))
    assert [resource["id"] for resource in found.resources] == ["1", name, name]


def test_a_warning_that_stands_on_each_page_is_told_once() -> None:
    """As Epic's: "may not contain the entire record"."""
    warning = outcome("not all is shown")
    found = search(page(observation("1"), warning, next_page="BASE?page=2"), page(observation("2"), warning))
    assert found.said == ("not all is shown.",)


def test_what_was_not_asked_for_is_left_out_and_warnings_are_told() -> None:
    bundle = page(observation("1"), {"resourceType": "Patient", "id": "anna"}, 7, None)
    bundle["entry"].append({"resource": outcome("code is ignored"), "search": {"mode": "outcome"}})
    bundle["entry"].extend([7, {}])
    found = search(bundle)
    assert [resource["id"] for resource in found.resources] == ["1"]
    assert found.said == ("code is ignored.",)


@pytest.mark.parametrize(
    "bundle", [{"entry": 5}, {"entry": {}}, {"link": "x"}, {"link": [7]}, {"link": [{"relation": "next"}]}]
)
def test_odd_bundles(bundle: dict[str, Any]) -> None:
    if bundle.get("link") == [{"relation": "next"}]:
        with pytest.raises(BadReply, match="not where"):
            search({"resourceType": "Bundle", **bundle})
    else:
        assert search({"resourceType": "Bundle", **bundle}).resources == ()


@pytest.mark.parametrize(
    "link",
    [
        "https://thief.example/fhir/Observation?page=2",
        "http://127.0.0.1:1/fhir?page=2",
        "BASEx/Observation?page=2",
        "BASE/../admin",
        "/admin",
    ],
)
def test_pages_stay_on_the_server(link: str) -> None:
    with pytest.raises(RefusedUrl):
        search(page(observation("1"), next_page=link), page(observation("2")))


def test_pages_in_a_circle() -> None:
    with pytest.raises(BadReply, match="circle"):
        search(*[page(observation("1"), next_page="BASE?page=2")] * 3)


def test_fifty_pages_and_no_more() -> None:
    endless = [page(observation(str(n)), next_page=f"BASE?page={n}") for n in range(60)]
    found = search(*endless)
    assert (len(found.resources), found.truncated) == (50, True)


def test_after_so_many_bytes_no_further_page_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imr_fhir.ehr.client.SEARCH_BYTES", 3000)
    long = [page(observation(str(n), note="x" * 1000), next_page=f"BASE?page={n}") for n in range(60)]
    found = search(*long)
    assert (len(found.resources), found.truncated) == (3, True)
    found = search(page(observation("1", note="x" * 3000)))
    assert (len(found.resources), found.truncated) == (1, False), "one page is whole"


# Writing


def written(script: Script, write: Any) -> tuple[Any, Server]:
    with serve(script) as server:
        return write(client(server)), server


@pytest.mark.parametrize(
    ("headers", "body", "receipt"),
    [
        ({"Location": "BASE/Observation/7/_history/2"}, b"", Receipt("Observation", "7", "2", 201)),
        ({"Location": "Observation/7"}, b"", Receipt("Observation", "7", "", 201)),  # Epic
        ({"Location": "/fhir/Observation/7", "ETag": 'W/"3"'}, b"", Receipt("Observation", "7", "3", 201)),
        ({"Location": "http://inner:8080/Observation/7/_history/2"}, b"", Receipt("Observation", "7", "2", 201)),
        ({}, observation("7", meta={"versionId": "4"}), Receipt("Observation", "7", "4", 201)),
        ({"Location": "BASE/Observation/7"}, b"<html>", Receipt("Observation", "7", "", 201)),
    ],
)
def test_create(headers: dict[str, str], body: Any, receipt: Receipt) -> None:
    def script(exchange: Exchange) -> None:
        base = "http://127.0.0.1/fhir"
        exchange.answer(201, body, {name: value.replace("BASE", base) for name, value in headers.items()})

    found, server = written(script, lambda ehr: ehr.create(observation(), if_none_exist="identifier=a|b"))
    assert found == receipt
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/fhir/Observation")
    assert request.headers["if-none-exist"] == "identifier=a|b"
    assert request.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert "authorization" not in request.headers
    assert request.json() == observation()


def test_without_a_condition_none_is_sent() -> None:
    made = {"Location": "Observation/7"}
    _, server = written(lambda exchange: exchange.answer(200, b"", made), lambda ehr: ehr.create(observation()))
    assert "if-none-exist" not in server.requests[0].headers
    _, server = written(lambda exchange: exchange.answer(200, b"", made), lambda ehr: ehr.update(observation("7")))
    assert "if-match" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (201, {}, b""),
        (201, {"Location": "BASE/Goal/7"}, b""),
        (201, {"Location": "https://x/..%2f"}, b""),
        (201, {}, b"<html>"),
        (201, {}, b"[]"),
        (201, {}, observation("../7")),
        (200, {}, outcome("fine")),
        (202, {"Location": "Observation/7"}, b""),
    ],
)
def test_a_create_that_does_not_say_where(status: int, headers: dict[str, str], body: Any) -> None:
    with pytest.raises(BadReply):
        written(lambda exchange: exchange.answer(status, body, headers), lambda ehr: ehr.create(observation()))


@pytest.mark.parametrize("status", [200, 201, 204])
def test_update(status: int) -> None:
    found, server = written(
        lambda exchange: exchange.answer(status, b"", {"ETag": 'W/"3"'}),
        lambda ehr: ehr.update(observation("7"), if_match="2"),
    )
    assert found == Receipt("Observation", "7", "3", status)
    (request,) = server.requests
    assert (request.method, request.path, request.headers["if-match"]) == ("PUT", "/fhir/Observation/7", 'W/"2"')


def test_an_update_of_another_resource_is_no_success() -> None:
    with pytest.raises(BadReply):
        written(
            lambda exchange: exchange.answer(200, b"", {"Location": "Observation/8"}),
            lambda ehr: ehr.update(observation("7")),
        )


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"urn:uuid:{number}",
                "resource": resource,
                "request": {
                    "method": "PUT" if "id" in resource else "POST",
                    "url": "/".join(filter(None, [resource["resourceType"], resource.get("id")])),
                },
            }
            for number, resource in enumerate(resources)
        ],
    }


def answers(*responses: Any) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "transaction-response",
        "entry": [{"response": each} for each in responses],
    }


def test_transaction() -> None:
    said = answers(
        {"status": "201 Created", "location": "Observation/7/_history/1"},
        {"status": "200", "etag": 'W/"5"'},
    )
    found, server = written(
        lambda exchange: exchange.answer(200, said),
        lambda ehr: ehr.transaction(bundle(observation(), observation("8"))),
    )
    assert found == [Receipt("Observation", "7", "1", 201), Receipt("Observation", "8", "5", 200)]
    assert (server.requests[0].method, server.requests[0].path) == ("POST", "/fhir")


@pytest.mark.parametrize(
    "said",
    [
        answers({"status": "201", "location": "Observation/7"}),
        answers({"status": "201", "location": "Observation/7"}, {"status": "403", "outcome": outcome("no")}),
        answers({"status": "201", "location": "Observation/7"}, {"status": "200", "location": "Observation/9"}),
        answers({"status": "201", "location": "Observation/7"}, {}),
        answers({"status": "201"}, {"status": "200"}),
        answers({"status": "201", "location": "Goal/7"}, {"status": "200"}),
        answers("x", "y"),
        {"resourceType": "Bundle", "entry": ["x", "y"]},
        {"resourceType": "Bundle"},
        {"resourceType": "Bundle", "entry": 7},
        outcome("fine"),
        b"<html>",
    ],
)
def test_a_transaction_that_is_not_answered_whole(said: Any) -> None:
    with pytest.raises(BadReply):
        written(
            lambda exchange: exchange.answer(200, said),
            lambda ehr: ehr.transaction(bundle(observation(), observation("8"))),
        )


@pytest.mark.parametrize(
    "write",
    [
        lambda ehr, resource: ehr.create(resource),
        lambda ehr, resource: ehr.update({**resource, "id": "7"}),
        lambda ehr, resource: ehr.transaction(bundle(observation(), resource)),
    ],
)
def test_nothing_is_written_for_another_patient(write: Any) -> None:
    made = {"Location": "Observation/7"}
    with serve(lambda exchange: exchange.answer(201, b"", made)) as server, pytest.raises(WrongPatient):
        write(client(server), observation(subject="Patient/boris"))
    assert server.requests == []


def test_what_it_can_do() -> None:
    with serve(pages({"GET /fhir/metadata": {"resourceType": "CapabilityStatement", "kind": "instance"}})) as server:
        assert client(server).capabilities()["kind"] == "instance"
    with serve(pages({})) as server, pytest.raises(EhrError):
        client(server).capabilities()
    refused = (403, {"resourceType": "CapabilityStatement"})
    with serve(pages({"GET /fhir/metadata": refused})) as server, pytest.raises(Forbidden):
        client(server).capabilities()


# HAPI


@pytest.fixture
def hapi_client(hapi_base: str) -> FhirClient:
    ehr = FhirClient(Transport([hapi_base.removesuffix("/fhir")], allow_loopback_http=True), hapi_base)
    patient = ehr.create({"resourceType": "Patient"}).id
    return FhirClient(
        Transport([hapi_base.removesuffix("/fhir")], allow_loopback_http=True), hapi_base, patient=patient
    )


@pytest.mark.hapi
def test_on_hapi_what_is_written_is_read_back_to_the_digit(hapi_client: FhirClient) -> None:
    subject = f"Patient/{hapi_client.patient}"
    sent = observation(subject=subject, valueQuantity={"value": Decimal("3.40")})
    made = hapi_client.create(sent)
    read = hapi_client.read("Observation", made.id)
    assert str(read["valueQuantity"]["value"]) == "3.40"
    updated = hapi_client.update({**read, "status": "amended"}, if_match=made.version_id)
    assert (made.version_id, updated.version_id) == ("1", "2")
    with pytest.raises(Conflict):
        hapi_client.update({**read, "status": "corrected"}, if_match=made.version_id)


@pytest.mark.hapi
def test_on_hapi_a_conditional_create_is_made_once_and_found(hapi_client: FhirClient) -> None:
    subject = f"Patient/{hapi_client.patient}"
    value = f"urn:uuid:{hapi_client.patient}"
    sent = observation(subject=subject, identifier=[{"system": "urn:ietf:rfc:3986", "value": value}])
    once, again = (hapi_client.create(sent, if_none_exist=f"identifier=urn:ietf:rfc:3986|{value}") for _ in range(2))
    assert (once.status, again.status) == (201, 200)
    assert once.id == again.id
    assert len(hapi_client.search("Observation", [("patient", str(hapi_client.patient))]).resources) == 1
    by_post = hapi_client.search("Observation", [("identifier", f"urn:ietf:rfc:3986|{value}")], post=True)
    assert [resource["id"] for resource in by_post.resources] == [once.id]


@pytest.mark.hapi
def test_on_hapi_pages_lead_to_the_end(hapi_client: FhirClient, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = f"Patient/{hapi_client.patient}"
    hapi_client.transaction(bundle(*(observation(subject=subject) for _ in range(7))))
    monkeypatch.setattr("imr_fhir.ehr.client.PAGE", 2)
    found = hapi_client.search("Observation", [("patient", str(hapi_client.patient))])
    assert (len(found.resources), found.truncated) == (7, False)


@pytest.mark.hapi
def test_on_hapi_a_failure_is_told_in_its_words(hapi_client: FhirClient) -> None:
    with pytest.raises(NotFound, match=r"The EHR says: .*not known"):
        hapi_client.read("Goal", "not-there")
    subject = f"Patient/{hapi_client.patient}"
    with pytest.raises(Invalid, match="The EHR says:"):
        hapi_client.transaction(
            bundle(
                observation(subject=subject), observation(subject=subject, encounter={"reference": "Encounter/none"})
            )
        )
