"""One step of a filing against an EHR that takes, refuses, forgets, changes and breaks off; and on HAPI."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest

from imr_fhir import provenance, response
from imr_fhir.bundle import Part
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.filing import (
    Duplicate,
    LookOutcome,
    NotThere,
    PartOk,
    Refused,
    SendOutcome,
    Unknown,
    Waiting,
    look_back,
    send,
)
from imr_fhir.ehr.transport import Transport
from imr_fhir.errors import AuthorizationError, ImrError, Unauthorized
from imr_fhir.observation import score_observation
from tests.filed import GOAL, NOW, goal_resource, new_response
from tests.small_ehr import SmallEhr, small_ehr
from tests.spec.build import answers
from tests.wire_server import Exchange

RESPONSE, SCORE, PROVENANCE = (f"urn:uuid:a0000000-0000-4000-8000-00000000000{number}" for number in range(3))


def urn() -> str:
    return f"urn:uuid:{uuid.uuid4()}"


def filing(patient: str = "anna", performer: str = "Patient/anna", **said: Any) -> list[Part]:
    """A response, its score and where both come from; the last needs the others, and comes first here."""
    tag = str(uuid.uuid4())
    answered = new_response(patient=patient, source=performer, author=performer, identifier=urn(), **said)
    score = score_observation(answered, response_reference=RESPONSE, urn=urn(), filing=tag)
    origin = provenance.provenance(
        "create", targets=[RESPONSE, SCORE], author=performer, enterer="", recorded=NOW, filing=tag
    )
    return [
        Part(origin, PROVENANCE),
        Part(response.to_resource(answered, filing=tag), RESPONSE),
        Part(score, SCORE),
    ]


def only_response() -> list[Part]:
    return [filing()[1]]


@pytest.fixture
def ehr() -> Iterator[SmallEhr]:
    with small_ehr() as running:
        yield running


def says(*answer: Any, to: str = "") -> Callable[[Exchange], bool]:
    """A fault: this answer, to requests that hold ``to`` ("GET /fhir/Provenance"), or to all."""

    def fault(exchange: Exchange) -> bool:
        if to in f"{exchange.request.method} {exchange.request.path}":
            exchange.answer(*answer)
            return True
        return False

    return fault


def breaks_off(exchange: Exchange) -> bool:
    if exchange.request.method == "POST":
        exchange.reset()
        return True
    return False


# Sent, read back and equal


def test_a_transaction_is_read_back_part_by_part(ehr: SmallEhr) -> None:
    parts = filing()
    outcome = send(ehr.client(), parts, in_transaction=True)
    assert isinstance(outcome, PartOk)
    assert [(receipt.type, receipt.status) for receipt in outcome.receipts] == [
        ("Provenance", 201), ("QuestionnaireResponse", 201), ("Observation", 201),
    ]  # fmt: skip
    assert ehr.requests[0] == "POST"
    assert set(ehr.requests[1:]) == {f"GET {receipt.reference}" for receipt in outcome.receipts}
    (score,) = ehr.of("Observation")
    assert score["derivedFrom"] == [{"reference": outcome.receipts[1].reference}]


def test_sent_again_it_is_there_once(ehr: SmallEhr) -> None:
    parts = filing()
    once, again = (send(ehr.client(), parts, in_transaction=True) for _ in range(2))
    assert isinstance(once, PartOk)
    assert isinstance(again, PartOk)
    assert [receipt.id for receipt in once.receipts] == [receipt.id for receipt in again.receipts]
    assert {receipt.status for receipt in again.receipts} == {200}
    assert len(ehr.store) == 3


def test_one_by_one_each_refers_to_what_became_of_those_before(ehr: SmallEhr) -> None:
    origin, answered, score = filing()
    known: dict[str, str] = {}
    for part in (answered, score, origin):
        outcome = send(ehr.client(), [part], in_transaction=False, references=known)
        assert isinstance(outcome, PartOk)
        known[part.full_url] = outcome.receipts[0].reference
        found = look_back(ehr.client(), [part], in_transaction=False, references=known)
        assert isinstance(found, PartOk)
    assert ehr.bundles == []
    (there,) = ehr.of("Provenance")
    assert [target["reference"] for target in there["target"]] == [known[RESPONSE], known[SCORE]]


def test_several_parts_go_in_a_transaction_only(ehr: SmallEhr) -> None:
    with pytest.raises(ValueError, match="too many"):
        send(ehr.client(), filing(), in_transaction=False)
    assert ehr.requests == []


@pytest.mark.parametrize("conditional", [True, False])
def test_conditional_creates_only_where_the_ehr_has_them(ehr: SmallEhr, conditional: bool) -> None:
    conditions: list[str] = []

    def watch(exchange: Exchange) -> bool:
        conditions.extend(value for name, value in exchange.request.headers.items() if name == "if-none-exist")
        return False

    ehr.before = watch
    send(ehr.client(), filing(), in_transaction=True, conditional=conditional)
    conditions += [
        entry["request"]["ifNoneExist"] for entry in ehr.bundles[0]["entry"] if "ifNoneExist" in entry["request"]
    ]
    assert len(conditions) == (3 if conditional else 0)
    send(ehr.client(), only_response(), in_transaction=False, conditional=conditional)
    assert len(conditions) == (4 if conditional else 0)


def test_an_update_replaces_the_version_that_was_seen(ehr: SmallEhr) -> None:
    ehr.store["Goal/g"] = {"resourceType": "Goal", "id": "g", "meta": {"versionId": "4"}}
    goal = replace(GOAL, id="g")
    parts = [Part(goal_resource(goal, filing=str(uuid.uuid4())), urn(), if_match="4")]
    outcome = send(ehr.client(), parts, in_transaction=True)
    assert isinstance(outcome, PartOk)
    assert outcome.receipts[0].version_id == "5"
    assert ehr.bundles[0]["entry"][0]["request"] == {"method": "PUT", "url": "Goal/g", "ifMatch": 'W/"4"'}


def test_an_update_by_itself_too(ehr: SmallEhr) -> None:
    ehr.store["Goal/g"] = {"resourceType": "Goal", "id": "g", "meta": {"versionId": "4"}}
    part = Part(goal_resource(replace(GOAL, id="g"), filing=str(uuid.uuid4())), urn(), if_match="4")
    assert isinstance(send(ehr.client(), [part], in_transaction=False), PartOk)
    assert ehr.requests == ["PUT Goal/g", "GET Goal/g"]
    assert isinstance(send(ehr.client(), [part], in_transaction=False), Unknown)


# What a failure means: the table of the states of filing

TAKES_TIME = {"Retry-After": "30"}


@pytest.mark.parametrize("in_transaction", [True, False])
@pytest.mark.parametrize(
    ("answer", "outcome", "number"),
    [
        ((401,), Waiting, None),
        ((429,), Waiting, None),
        ((429, b"", TAKES_TIME), Waiting, 30),
        ((503, b"", TAKES_TIME), Waiting, 30),
        ((400,), Refused, 400),
        ((403,), Refused, 403),
        ((404,), Refused, 404),
        ((405,), Refused, 405),
        ((410,), Refused, 410),
        ((422,), Refused, 422),
        ((409,), Unknown, None),
        ((412,), Unknown, None),
        ((500,), Unknown, None),
        ((503,), Unknown, None),
        ((504,), Unknown, None),
        ((200, b"<html>"), Unknown, None),
        ((201, b"<html>"), Unknown, None),
        ((202,), Unknown, None),
        ((302, b"", {"Location": "/login"}), Unknown, None),
        ((200, b"x" * 10_000_001), Unknown, None),
    ],
)
def test_what_an_answer_means(
    ehr: SmallEhr, answer: Any, outcome: type[SendOutcome], number: int | None, in_transaction: bool
) -> None:
    ehr.before = says(*answer, to="POST")
    found = send(ehr.client(), only_response(), in_transaction=in_transaction)
    assert isinstance(found, outcome)
    assert getattr(found, "retry_after", getattr(found, "status", None)) == number
    assert found.reason
    assert ehr.requests.count("POST") + ehr.requests.count("POST QuestionnaireResponse") == 1


def test_a_connection_that_breaks_before_it_is_taken_is_unknown_and_then_not_there(ehr: SmallEhr) -> None:
    ehr.before = breaks_off
    parts = filing()
    assert isinstance(send(ehr.client(), parts, in_transaction=True), Unknown)
    assert look_back(ehr.client(), parts, in_transaction=True) == NotThere()


def test_a_connection_that_breaks_after_it_was_taken_is_unknown_and_then_found(ehr: SmallEhr) -> None:
    ehr.after = breaks_off
    parts = filing()
    assert isinstance(send(ehr.client(), parts, in_transaction=True), Unknown)
    found = look_back(ehr.client(), parts, in_transaction=True)
    assert isinstance(found, PartOk)
    assert [receipt.reference for receipt in found.receipts] == [
        f"{each['resourceType']}/{each['id']}" for part in parts for each in ehr.of(part.type)
    ]
    assert {receipt.version_id for receipt in found.receipts} == {"1"}


def test_no_connection_means_nothing_was_sent(ehr: SmallEhr) -> None:
    with small_ehr() as gone:
        client = gone.client()
    assert isinstance(send(client, only_response(), in_transaction=True), Waiting)


@pytest.mark.parametrize("error", [Unauthorized("over", status=401), AuthorizationError("over")])
def test_a_log_in_that_is_over_means_nothing_was_sent(ehr: SmallEhr, error: ImrError) -> None:
    def token() -> str:
        raise error

    assert isinstance(send(ehr.client(token=token), only_response(), in_transaction=True), Waiting)
    assert isinstance(look_back(ehr.client(token=token), only_response(), in_transaction=True), Unknown)
    assert ehr.requests == []


def test_another_patients_part_never_leaves(ehr: SmallEhr) -> None:
    parts = [*filing(), Part(goal_resource(replace(GOAL, patient="boris"), filing=str(uuid.uuid4())), urn())]
    assert send(ehr.client(), parts, in_transaction=True) == Refused(
        "Goal would be written for another patient. It was left out. Tell the EHR's administrator.", 0
    )
    assert ehr.requests == []


# Taken, and not what was sent


def test_what_the_ehr_changed_is_not_saved(ehr: SmallEhr) -> None:
    ehr.changes = lambda resource: {**resource, "status": "in-progress"} if "questionnaire" in resource else resource
    outcome = send(ehr.client(), filing(), in_transaction=True)
    assert isinstance(outcome, Duplicate)
    assert [reference.split("/")[0] for reference in outcome.ids] == ["QuestionnaireResponse"]


def test_a_200_for_something_else_with_this_identifier_is_not_saved(ehr: SmallEhr) -> None:
    part = filing()[1]
    kept(ehr, part, "old", status="amended")
    there = ("QuestionnaireResponse/old",)
    expected = Duplicate(there, "What the chart has is not what was sent (status).")
    assert send(ehr.client(), [part], in_transaction=True) == expected
    kept(ehr, part, "old", subject={"reference": "Patient/boris"})
    outcome = send(ehr.client(), [part], in_transaction=True)
    assert isinstance(outcome, Duplicate)
    assert outcome.ids == there
    assert "boris" not in outcome.reason


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (says(500, to="GET /fhir/QuestionnaireResponse"), Unknown),
        (says(403, to="GET /fhir/QuestionnaireResponse"), Unknown),
        (says(401, to="GET /fhir/Observation"), Unknown),
        (says(500, to="GET /fhir/Provenance"), Unknown),
        (says(403, to="GET /fhir/Provenance"), PartOk),  # many EHRs take it and show it to nobody
        (says(404, to="GET /fhir/Provenance"), PartOk),
    ],
)
def test_what_cannot_be_read_back(ehr: SmallEhr, fault: Any, outcome: type[SendOutcome]) -> None:
    ehr.before = fault
    assert isinstance(send(ehr.client(), filing(), in_transaction=True), outcome)


# Looking back


def kept(ehr: SmallEhr, part: Part, resource_id: str, **change: Any) -> None:
    """Puts a copy of ``part`` into the EHR, as if it had been filed."""
    found = {**part.resource, "id": resource_id, **change}
    found["meta"] = {"versionId": "1", **part.resource["meta"]}
    ehr.store[f"{part.type}/{resource_id}"] = found


def test_others_in_the_chart_are_not_taken_for_it(ehr: SmallEhr) -> None:
    for part in filing():
        kept(ehr, part, "other")
    ehr.store["Observation/odd"] = {
        "resourceType": "Observation", "id": "odd", "subject": {"reference": "Patient/anna"},
        "identifier": ["x", {}], "meta": {"tag": ["x"]},
    }  # fmt: skip
    ehr.store["Provenance/odd"] = {"resourceType": "Provenance", "id": "odd", "meta": {"tag": 7}}
    ehr.store["Provenance/odder"] = {"resourceType": "Provenance", "id": "odder", "meta": "x"}
    parts = filing()
    ehr.ignores_search = True  # as an EHR does that does not know the parameter
    assert look_back(ehr.client(), parts, in_transaction=True) == NotThere()


def test_several_of_it(ehr: SmallEhr) -> None:
    (part,) = only_response()
    kept(ehr, part, "one")
    kept(ehr, part, "two")
    found = look_back(ehr.client(), [part], in_transaction=True)
    assert isinstance(found, Duplicate)
    assert found.ids == ("QuestionnaireResponse/one", "QuestionnaireResponse/two")


def test_another_content_under_its_identifier(ehr: SmallEhr) -> None:
    (part,) = only_response()
    kept(ehr, part, "one", status="entered-in-error")
    found = look_back(ehr.client(), [part], in_transaction=False)
    assert isinstance(found, Duplicate)
    assert found.ids == ("QuestionnaireResponse/one",)


@pytest.mark.parametrize("odd", [{}, {"id": None}, {"id": ["one"]}])
def test_what_has_no_id_is_not_taken_for_none(ehr: SmallEhr, odd: dict[str, Any]) -> None:
    (part,) = only_response()
    kept(ehr, part, "one")
    (name,) = (name for name in ehr.store if name.endswith("/one"))
    ehr.store[name] = {each: value for each, value in ehr.store[name].items() if each != "id"} | odd
    assert look_back(ehr.client(), [part], in_transaction=False) == Unknown(
        "The EHR can't be searched for it. The EHR answered with something that has no id."
    )


def test_some_parts_of_a_transaction_are_not_enough(ehr: SmallEhr) -> None:
    parts = filing()
    kept(ehr, parts[1], "one")
    assert isinstance(look_back(ehr.client(), parts, in_transaction=True), Unknown)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_an_ehr_that_cannot_be_searched(ehr: SmallEhr, status: int) -> None:
    ehr.before = says(status)
    assert isinstance(look_back(ehr.client(), only_response(), in_transaction=True), Unknown)


def test_more_than_can_be_looked_through(ehr: SmallEhr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imr_fhir.ehr.client.PAGES", 2)

    def endless(exchange: Exchange) -> bool:
        link = {"relation": "next", "url": f"{ehr.origin}/fhir?page={len(ehr.requests)}"}
        exchange.answer(200, {"resourceType": "Bundle", "link": [link]})
        return True

    ehr.before = endless
    assert isinstance(look_back(ehr.client(), only_response(), in_transaction=True), Unknown)


@pytest.mark.parametrize("status", [400, 403])
def test_a_provenance_that_is_shown_to_nobody_went_the_way_of_its_transaction(ehr: SmallEhr, status: int) -> None:
    parts = filing()
    ehr.before = says(status, to="GET /fhir/Provenance")
    assert look_back(ehr.client(), parts, in_transaction=True) == NotThere()
    assert isinstance(send(ehr.client(), parts, in_transaction=True), PartOk)
    found = look_back(ehr.client(), parts, in_transaction=True)
    assert isinstance(found, PartOk)
    assert [bool(receipt.id) for receipt in found.receipts] == [False, True, True]
    assert isinstance(look_back(ehr.client(), parts[:1], in_transaction=True), Unknown)
    assert isinstance(look_back(ehr.client(), parts[:1], in_transaction=False), Unknown)
    one_by_one = look_back(ehr.client(), parts, in_transaction=False)
    assert isinstance(one_by_one, Unknown)
    assert f"({status})" in one_by_one.reason


@pytest.mark.parametrize(
    ("version", "lifecycle", "outcome"),
    [
        ("5", "active", PartOk),
        ("4", "proposed", NotThere),  # still the version that it was to replace
        ("5", "proposed", Duplicate),  # somebody else's
        ("", "proposed", Duplicate),
        (None, "active", NotThere),
    ],
)
def test_an_update_is_looked_for_by_its_id(
    ehr: SmallEhr, version: str | None, lifecycle: str, outcome: type[LookOutcome]
) -> None:
    part = Part(goal_resource(replace(GOAL, id="g"), filing=str(uuid.uuid4())), urn(), if_match="4" if version else "")
    if version is not None:
        meta = {**part.resource["meta"], "versionId": version}
        ehr.store["Goal/g"] = {**part.resource, "lifecycleStatus": lifecycle, "meta": meta}
    assert isinstance(look_back(ehr.client(), [part], in_transaction=True), outcome)
    assert ehr.requests == ["GET Goal/g"]


def test_what_was_new_is_looked_for_by_identifier_and_patient_or_by_tag(ehr: SmallEhr) -> None:
    asked: dict[str, dict[str, str]] = {}

    def watch(exchange: Exchange) -> bool:
        path, _, query = exchange.request.path.partition("?")
        asked[path] = dict(parse_qsl(query))
        return False

    ehr.before = watch
    origin, answered, _ = parts = filing()
    look_back(ehr.client(), parts, in_transaction=True)
    identifier, tag = answered.resource["identifier"]["value"], origin.resource["meta"]["tag"][0]
    assert asked["/fhir/QuestionnaireResponse"] == {
        "identifier": f"urn:ietf:rfc:3986|{identifier}", "patient": "anna", "_count": "500",
    }  # fmt: skip
    assert asked["/fhir/Provenance"] == {"_tag": f"{tag['system']}|{tag['code']}", "_count": "500"}


# HAPI


@pytest.fixture
def hapi_client(hapi_base: str) -> FhirClient:
    transport = Transport([hapi_base.removesuffix("/fhir")], allow_loopback_http=True)
    patient = FhirClient(transport, hapi_base).create({"resourceType": "Patient"}).id
    return FhirClient(transport, hapi_base, patient=patient)


def on_hapi(client: FhirClient, **said: Any) -> list[Part]:
    return filing(str(client.patient), f"Patient/{client.patient}", **said)


@pytest.mark.hapi
def test_on_hapi_filed_twice_is_there_once(hapi_client: FhirClient) -> None:
    parts = on_hapi(hapi_client)
    assert look_back(hapi_client, parts, in_transaction=True) == NotThere()
    once, again = (send(hapi_client, parts, in_transaction=True) for _ in range(2))
    found = look_back(hapi_client, parts, in_transaction=True)
    assert isinstance(once, PartOk)
    assert isinstance(again, PartOk)
    assert isinstance(found, PartOk)
    assert [r.id for r in once.receipts] == [r.id for r in again.receipts] == [r.id for r in found.receipts]


@pytest.mark.hapi
def test_on_hapi_a_correction_that_comes_too_late_is_somebody_elses_now(hapi_client: FhirClient) -> None:
    parts = on_hapi(hapi_client)
    made = send(hapi_client, parts, in_transaction=True)
    assert isinstance(made, PartOk)
    there = response.from_resource(
        hapi_client.read("QuestionnaireResponse", made.receipts[1].id), patient=str(hapi_client.patient)
    )

    def correction(rating: int) -> list[Part]:
        said = response.corrected(
            there, ratings=answers(rating), comment="", author=there.author, authored=there.authored
        )
        return [Part(response.to_resource(said, filing=str(uuid.uuid4())), RESPONSE, if_match=there.version_id)]

    mine, other = correction(4), correction(5)
    assert look_back(hapi_client, mine, in_transaction=True) == NotThere()
    assert isinstance(send(hapi_client, mine, in_transaction=True), PartOk)
    assert isinstance(send(hapi_client, other, in_transaction=True), Unknown)
    assert isinstance(look_back(hapi_client, other, in_transaction=True), Duplicate)
    assert isinstance(send(hapi_client, mine, in_transaction=True), Unknown)  # HAPI: 409 to our own repeat
    assert isinstance(look_back(hapi_client, mine, in_transaction=True), PartOk)
