"""What each EHR that the hospital can be takes, and how it refuses: one table."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from smart_app.sandbox import EHRS, FLOWSHEET, HospitalConfig, create_hospital, hospital_of

from .conftest import BASE, CLIENTS, EC, Caller, Clock, bundle, entry, observation
from .launching import Smart, assertion, sent_back

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
KARI = "Practitioner/kari"
SUBJECT = {"reference": "Patient/eva"}
PATIENT = {"resourceType": "Patient", "id": "eva", "name": [{"family": "Berg"}]}
VISIT = {"resourceType": "Encounter", "id": "visit", "status": "in-progress", "class": {"code": "AMB"}}
QUESTIONNAIRE = "https://w3id.org/imr-fhir/Questionnaire/imr-client|0.1.0"

Call = Callable[..., TestResponse]


def in_category(category: str, **more: Any) -> dict[str, Any]:
    return observation("eva", category=[{"coding": [{"system": CATEGORY, "code": category}]}], **more)


def row(**more: Any) -> dict[str, Any]:
    return in_category("survey", **{"code": {"coding": [{"system": FLOWSHEET, "code": "31001"}]}, **more})


def answers(questionnaire: str = QUESTIONNAIRE, **more: Any) -> dict[str, Any]:
    head = {"resourceType": "QuestionnaireResponse", "status": "completed", "subject": SUBJECT}
    return {**head, "questionnaire": questionnaire, **more}


def goal(**more: Any) -> dict[str, Any]:
    described = {"lifecycleStatus": "active", "description": {"text": "Walk more"}, "subject": SUBJECT}
    return {"resourceType": "Goal", **described, **more}


def document(*types: str, encounter: bool = True) -> dict[str, Any]:
    content = [{"attachment": {"contentType": each, "data": "SU1S"}} for each in types]
    context = {"context": {"encounter": [{"reference": "Encounter/visit"}]}} if encounter else {}
    return {"resourceType": "DocumentReference", "status": "current", "subject": SUBJECT, "content": content, **context}


def provenance() -> dict[str, Any]:
    agent = [{"who": {"reference": KARI}}]
    return {"resourceType": "Provenance", "target": [SUBJECT], "recorded": "2026-03-05T10:00:00Z", "agent": agent}


def audit_event() -> dict[str, Any]:
    said = {"type": {"code": "rest"}, "recorded": "2026-03-05T10:00:00Z", "source": {"observer": {"display": "IMR"}}}
    agent = [{"requestor": True, "who": {"reference": KARI}}]
    return {"resourceType": "AuditEvent", **said, "agent": agent, "entity": [{"what": SUBJECT}]}


MARK = {"system": "urn:x", "value": "1"}
THERE = {"questionnaire": answers(id="there"), "goal": goal(id="there"), "observation": observation("eva", id="there")}

# What is asked: method, path below the FHIR base, body.
ASKED: Mapping[str, tuple[str, str, Any]] = {
    "create answers": ("POST", "QuestionnaireResponse", answers()),
    "create answers to theirs": ("POST", "QuestionnaireResponse", answers(f"{BASE}/fhir/Questionnaire/phq9")),
    "update answers": ("PUT", "QuestionnaireResponse/there", answers(id="there", status="amended")),
    "update social history": (
        "PUT",
        "QuestionnaireResponse/there",
        answers("https://ehr.example/Questionnaire/social-history", id="there"),
    ),
    "update answers not there": ("PUT", "QuestionnaireResponse/new", answers(id="new")),
    "create score": ("POST", "Observation", in_category("survey", component=[{"code": {"text": "1"}}])),
    "create vital sign": ("POST", "Observation", in_category("vital-signs")),
    "create laboratory": ("POST", "Observation", in_category("laboratory")),
    "create row": ("POST", "Observation", row()),
    "create row of parts": ("POST", "Observation", row(component=[{"code": {"text": "1"}}])),
    "update score": ("PUT", "Observation/there", observation("eva", id="there", status="corrected")),
    "create goal": ("POST", "Goal", goal()),
    "update goal": ("PUT", "Goal/there", goal(id="there", lifecycleStatus="completed")),
    "create text": ("POST", "DocumentReference", document("text/plain; charset=utf-8")),
    "create pdf": ("POST", "DocumentReference", document("application/pdf")),
    "create image": ("POST", "DocumentReference", document("image/png")),
    "create text without visit": ("POST", "DocumentReference", document("text/plain", encounter=False)),
    "create provenance": ("POST", "Provenance", provenance()),
    "create audit": ("POST", "AuditEvent", audit_event()),
    "transaction": ("POST", "", bundle(entry(observation("eva")))),
    "transaction of answers": ("POST", "", bundle(entry(observation("eva")), entry(answers()))),
    "batch": ("POST", "", bundle({"request": {"method": "GET", "url": "Patient/eva"}}, kind="batch")),
    "conditional update": ("PUT", "Observation?identifier=urn:x|1", observation("eva", identifier=[MARK])),
    "read patient": ("GET", "Patient/eva", None),
    "read version": ("GET", "Patient/eva/_history/1", None),
    "history": ("GET", "Patient/eva/_history", None),
    "search answers": ("GET", "QuestionnaireResponse?patient=eva", None),
    "search by form": ("GET", f"QuestionnaireResponse?patient=eva&questionnaire={QUESTIONNAIRE}", None),
    "search goals": ("GET", "Goal?patient=eva", None),
    "search scores": ("GET", "Observation?patient=eva", None),
}

EHR_ORDER = ("generic", "azure", "epic", "oracle-health", "meditech", "openemr", "dips", "observation-only")
# 403* is a 403 without a body; each other refusal has an OperationOutcome. The user has a patient/ scope for all.
TABLE = """
                            generic  azure  epic  oracle  meditech  openemr  dips  observation-only
create answers              201      201    422   422     201       403      403   404
create answers to theirs    201      201    201   422     201       403      403   404
update answers              200      200    403*  422     200       405      403   404
update social history       200      200    403*  200     200       405      403   404
update answers not there    201      201    403*  422     405       405      403   404
create score                201      201    422   422     405       405      403   201
create vital sign           201      201    201   201     405       405      403   201
create laboratory           201      201    422   201     405       405      403   201
create row                  201      201    201   422     405       405      403   201
create row of parts         201      201    422   422     405       405      403   201
update score                200      200    403*  422     405       405      403   200
create goal                 201      201    403*  422     405       403      403   404
update goal                 200      200    403*  422     405       405      403   404
create text                 201      201    201   201     405       405      403   404
create pdf                  201      201    422   201     405       405      403   404
create image                201      201    422   422     405       405      403   404
create text without visit   201      201    422   201     405       405      403   404
create provenance           201      201    403*  201     405       405      403   404
create audit                201      201    403*  422     405       405      403   404
transaction                 200      200    403*  422     405       405      403   200
transaction of answers      200      200    403*  422     405       405      403   404
batch                       200      200    403*  422     405       405      403   404
conditional update          201      201    403*  422     405       405      403   201
read patient                200      200    200   200     200       200      200   200
read version                200      200    403*  200     200       405      200   200
history                     200      200    403*  200     200       405      200   200
search answers              200      200    200   200     200       200      200   404
search by form              200      400    200   200     200       200      200   404
search goals                200      200    200   200     200       200      200   404
search scores               200      200    200   200     200       200      200   200
"""


def cells() -> Iterator[tuple[str, str, str]]:
    for line in TABLE.strip("\n").splitlines()[1:]:
        *name, _ = line.split("  ", 1)
        for ehr, expected in zip(EHR_ORDER, line.removeprefix(name[0]).split(), strict=True):
            yield ehr, name[0], expected


@pytest.fixture
def as_ehr(tmp_path: Path, new_database: Path, clock: Clock) -> Iterator[Callable[..., Caller]]:
    """The hospital as an EHR, called by the launch's user; all of THERE is in its record."""
    opened = []

    def make(ehr: str, scope: str = "patient/*.cruds", **headers: str) -> Caller:
        path = shutil.copy(new_database, tmp_path / f"{ehr}.sqlite")
        app = create_hospital(HospitalConfig(path, CLIENTS, BASE, seed=(), clock=clock, ehr=ehr))
        app.testing = True
        house = hospital_of(app)
        opened.append(house)
        for resource in (PATIENT, {"resourceType": "Practitioner", "id": "kari"}, VISIT, *THERE.values()):
            house.interactions().update(dict(resource), str(resource["resourceType"]), str(resource["id"]), "")
        patient = "" if scope.startswith("system/") else "eva"
        token = house.access_token(scope, patient=patient, user=KARI)
        return WithHeaders(app.test_client(), token, dict(EHRS[ehr].headers) | headers)

    yield make
    for house in opened:
        house.close()


class WithHeaders(Caller):
    def __init__(self, client: Any, token: str, always: dict[str, str]) -> None:
        super().__init__(client, token)
        self.always = always

    def __call__(self, method: str, path: str, body: Any = None, headers: Any = None) -> TestResponse:
        return super().__call__(method, path, body, {**self.always, **(headers or {})})


def test_the_table_has_every_ehr_and_request() -> None:
    assert set(EHR_ORDER) == set(EHRS)
    assert {(ehr, name) for ehr, name, _ in cells()} == {(ehr, name) for ehr in EHRS for name in ASKED}


@pytest.mark.parametrize("ehr", EHR_ORDER)
def test_each_answers_as_the_table_says(as_ehr: Callable[..., Caller], ehr: str) -> None:
    call = as_ehr(ehr)
    expected = {name: answer for each, name, answer in cells() if each == ehr}
    assert {name: shown(call(*ASKED[name])) for name in expected} == expected


def shown(reply: TestResponse) -> str:
    if reply.status_code < 400:
        return str(reply.status_code)
    if not reply.data:
        return f"{reply.status_code}*"
    outcome = json.loads(reply.text)
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["diagnostics"]
    return str(reply.status_code)


@pytest.mark.parametrize("ehr", EHR_ORDER)
def test_the_capability_statement_says_what_is_done_and_of_epic_more(as_ehr: Callable[..., Caller], ehr: str) -> None:
    call, row = as_ehr(ehr, "system/*.cruds"), EHRS[ehr]
    statement = call.get("metadata")
    (rest,) = statement["rest"]
    told = {each["type"]: each for each in rest["resource"]}
    assert {each["code"] for each in rest["interaction"]} == row.bundles

    def says(resource_type: str, operation: str) -> bool:
        return {"code": operation} in told.get(resource_type, {"interaction": []})["interaction"]

    done = {"create goal": "Goal", "create provenance": "Provenance", "create audit": "AuditEvent"}
    answered = {name: call(*ASKED[name]).status_code < 300 for name in done}
    claimed = {name: says(done[name], "create") for name in done}
    assert claimed == answered | ({"create goal": True} if ehr == "epic" else {})
    assert says("Patient", "vread") is row.versions
    assert all(each["conditionalCreate"] is row.conditional for each in told.values())
    assert all(each["versioning"] == ("versioned-update" if row.versions else "no-version") for each in told.values())
    if "QuestionnaireResponse" in told:
        parameters = [each["name"] for each in told["QuestionnaireResponse"]["searchParam"]]
        assert ("questionnaire" in parameters) is (ehr != "azure")


@pytest.mark.parametrize(
    ("ehr", "copies"), [("generic", 1), ("observation-only", 1), ("oracle-health", 2), ("epic", 2)]
)
def test_where_conditions_are_not_known_they_are_ignored(as_ehr: Callable[..., Caller], ehr: str, copies: int) -> None:
    call = as_ehr(ehr)
    once = {"If-None-Exist": "identifier=urn:x|1"}
    statuses = [
        call("POST", "Observation", in_category("vital-signs", identifier=[MARK]), once).status_code for _ in range(2)
    ]
    assert statuses == ([201, 200] if copies == 1 else [201, 201])
    assert len(call.ids("Observation?identifier=urn:x|1")) == copies


def test_epic_tells_no_version_and_a_relative_location(as_ehr: Callable[..., Caller]) -> None:
    call = as_ehr("epic")
    reply = call("POST", "Observation", row(valueQuantity={"value": 3}))
    made = json.loads(reply.text)
    assert reply.headers["Location"] == f"Observation/{made['id']}"
    for each in (reply, call("GET", f"Observation/{made['id']}"), call("GET", "Observation?patient=eva")):
        assert "ETag" not in each.headers
        assert "versionId" not in each.text
        assert "lastUpdated" in each.text


def test_epic_keeps_the_first_attachment_and_says_nothing(as_ehr: Callable[..., Caller]) -> None:
    two = document("text/plain", "application/pdf")
    kept = as_ehr("epic").create(two)["content"]
    assert [each["attachment"]["contentType"] for each in kept] == ["text/plain"]
    assert len(as_ehr("generic").create(two)["content"]) == 2


def test_openemr_takes_answers_of_a_user_and_goals_of_its_own(as_ehr: Callable[..., Caller]) -> None:
    assert as_ehr("openemr", "user/*.cruds")(*ASKED["create answers"]).status_code == 201
    assert as_ehr("openemr", "user/*.cruds")(*ASKED["create goal"]).status_code == 403
    assert as_ehr("openemr", "system/*.cruds")(*ASKED["create goal"]).status_code == 201


def test_openemr_names_no_key_and_knows_no_wildcards(as_ehr: Callable[..., Caller]) -> None:
    client = as_ehr("openemr").client
    smart = Smart(client, hospital_of(client.application), scope="openid launch patient/Goal.read")
    (key,) = json.loads(client.get("/oauth2/jwks").text)["keys"]
    assert "kid" not in key
    token = jwt.decode(smart.tokens()["id_token"], RSAKey.import_key(key))
    assert token.header == {"alg": "RS256", "typ": "JWT"}
    refused = sent_back(smart.authorize(scope="openid launch patient/*.read"))
    assert (refused["error"], "code" in refused) == ("invalid_scope", False)


def test_the_chart_says_which_ehr_it_is(as_ehr: Callable[..., Caller]) -> None:
    assert "<b>epic</b>" in as_ehr("epic").client.get("/").text
    assert "generic" not in as_ehr("generic").client.get("/").text


def test_an_ehr_that_is_not_in_the_table_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="can't be 'eric': choose one of generic, "):
        HospitalConfig(tmp_path / "x", ehr="eric")


def test_the_hospital_s_own_systems_are_refused_nothing(as_ehr: Callable[..., Caller]) -> None:
    for ehr in ("epic", "dips", "observation-only"):
        client = as_ehr(ehr).client
        own = Caller(client, hospital_of(client.application).access_token("system/*.cruds"))
        assert own(*ASKED["create goal"]).headers["ETag"] == 'W/"1"'
        assert own(*ASKED["transaction of answers"]).status_code == 200


@pytest.mark.parametrize("path", ["metadata", ".well-known/smart-configuration", "Patient/eva"])
def test_dips_wants_its_key_on_each_call(as_ehr: Callable[..., Caller], path: str) -> None:
    name = "Ocp-Apim-Subscription-Key"
    assert as_ehr("dips")("GET", path).status_code == 200
    for wrong in ("", "another", "æ"):
        assert as_ehr("dips", **{name: wrong})("GET", path).status_code == 401


def test_dips_grants_reading_of_one_patient_only(as_ehr: Callable[..., Caller]) -> None:
    call = as_ehr("dips")
    house = hospital_of(call.client.application)
    smart = Smart(call.client, house, scope="openid launch patient/*.cruds user/Questionnaire.rs patient/Goal.write")
    assert smart.tokens()["scope"] == "openid launch patient/*.rs"
    told = json.loads(call("GET", ".well-known/smart-configuration").text)["scopes_supported"]
    assert [each for each in told if "/" in each] == ["patient/*.read"]


def test_epic_fetches_a_clients_keys(as_ehr: Callable[..., Caller], clock: Clock) -> None:
    call = as_ehr("epic")
    smart = Smart(call.client, hospital_of(call.client.application), client_id="imr-keys")
    smart.extra = assertion(EC, "imr-keys", clock().timestamp())
    reply = smart.exchange(smart.code())
    assert json.loads(reply.text)["error"] == "invalid_client"
