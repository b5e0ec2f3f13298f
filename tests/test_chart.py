"""The chart of one patient, as an EHR gives it that is not always good."""

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from imr_fhir import goal, record, response
from imr_fhir.artefacts import CODES, questionnaire
from imr_fhir.bundle import Part
from imr_fhir.document import document_reference
from imr_fhir.ehr.chart import Chart, Problem, read_chart
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.filing import PartOk, send
from imr_fhir.ehr.forms import check_forms
from imr_fhir.ehr.limits import Limit
from imr_fhir.ehr.patient import Patient
from imr_fhir.ehr.resource_cache import ResourceCache
from imr_fhir.ehr.scores import score_of
from imr_fhir.ehr.transport import Transport
from imr_fhir.errors import AuthorizationError, BadReply, EhrError, LostReply, ResponseError, Unauthorized, WrongPatient
from imr_fhir.observation import score_observation
from tests.filed import FILING, GOAL, NOTES, RESPONSES, STEP, urn
from tests.small_ehr import SmallEhr, small_ehr
from tests.spec.build import client as answered
from tests.wire_server import Exchange

ZONE = ZoneInfo("Europe/Oslo")
PATIENT = {
    "resourceType": "Patient",
    "id": "anna",
    "name": [{"use": "old", "text": "Anna Olsen"}, {"use": "official", "given": ["Anna", "Li"], "family": "Berg"}],
    "birthDate": "1986-03-12",
    "gender": "female",
}
VITALS = {
    "resourceType": "Observation", "id": "pulse", "status": "final", "subject": {"reference": "Patient/anna"},
    "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
}  # fmt: skip


@pytest.fixture
def ehr() -> Iterator[SmallEhr]:
    with small_ehr() as running:
        running.ignores_search = True  # only the type is looked at: what is ours is for us to find
        put(running, PATIENT)
        yield running


def put(ehr: SmallEhr, *resources: dict[str, Any]) -> None:
    for resource in resources:
        kept = {"id": f"n{len(ehr.store)}", **resource, "meta": {**resource.get("meta", {}), "versionId": "1"}}
        ehr.store[f"{kept['resourceType']}/{kept['id']}"] = kept


def response_resource(on: int, **said: Any) -> dict[str, Any]:
    found = answered(on, **said)
    return {**response.to_resource(found, filing=FILING), "id": found.id}


def episode(status: str = "active", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "EpisodeOfCare", "status": status, "patient": {"reference": "Patient/anna"},
        "period": {"start": "2026-01-01"}, **more,
    }  # fmt: skip


def chart(ehr: SmallEhr, **more: Any) -> Chart:
    """The same whether what was read before is known or not."""
    cache = ResourceCache()
    as_it_is, first, again = (
        read_chart(ehr.client(cache=each, **more), "anna", zone=ZONE) for each in (None, cache, cache)
    )
    assert as_it_is == first == again
    return as_it_is


def test_an_empty_chart(ehr: SmallEhr) -> None:
    assert chart(ehr) == Chart(Patient("anna", "Anna Li Berg", "1986-03-12", "female", False), (), (), (), (), ())


def test_what_the_ehr_does_not_have_is_not_asked_for_and_not_missed(ehr: SmallEhr) -> None:
    ehr.requests.clear()
    found = read_chart(ehr.client(), "anna", zone=ZONE, unknown=("QuestionnaireResponse", "Goal", "EpisodeOfCare"))
    assert found.problems == ()
    assert sorted(ehr.requests) == ["GET Observation", "GET Patient/anna"]


def test_all_that_is_ours_and_nothing_else(ehr: SmallEhr) -> None:
    put(
        ehr,
        response_resource(0),
        response_resource(90, status="stopped"),
        {**goal.to_resource(GOAL, filing=FILING), "id": "2"},
        goal.to_resource(STEP, filing=FILING),
        record.to_resource(NOTES["review"], filing=FILING),
        record.to_resource(NOTES["prompt"], filing=FILING),
        episode(),
        # others' in the same chart
        VITALS,
        {**VITALS, "id": "odd", "code": {"coding": "x"}},
        {**VITALS, "id": "bare", "code": 7},
        {**VITALS, "id": "odder", "code": {"coding": [7]}},
        {**VITALS, "id": "theirs", "code": {"coding": [{"system": "http://x.example", "code": "review"}]}},
        {**VITALS, "id": "score", "code": {"coding": [{"system": CODES, "code": "score-client"}]}},
        {"resourceType": "QuestionnaireResponse", "questionnaire": "https://x.example/Questionnaire/phq-9",
         "subject": {"reference": "Patient/anna"}},
        {"resourceType": "QuestionnaireResponse", "subject": {"reference": "Patient/anna"}},
        {"resourceType": "Goal", "description": {"text": "HbA1c"}, "subject": {"reference": "Patient/anna"}},
    )  # fmt: skip
    found = chart(ehr)
    assert [(each.id, each.status) for each in found.responses] == [("client-0", "completed"), ("client-90", "stopped")]
    assert [(each.text, each.parent) for each in found.goals] == [(GOAL.text, ""), (STEP.text, "Goal/2")]
    assert {type(note).__name__ for note in found.notes} == {"Review", "Prompt"}
    assert [course.status for course in found.episodes] == ["active"]
    assert [(problem.kind, problem.about) for problem in found.problems] == [("unreadable", "Observation/score")]


@pytest.mark.parametrize(
    ("types", "found"),
    [((), 6), (("urn:x|imr",), 2), (("urn:x|imr", "urn:y|imr"), 3), (("urn:x|other",), 0)],
)
def test_which_episodes_of_care_are_courses(ehr: SmallEhr, types: tuple[str, ...], found: int) -> None:
    coded = {"coding": [{"system": "urn:x", "code": "imr"}]}
    for kind in (
        {"type": [coded]},
        {"type": [{"text": "Outpatient"}, {"coding": [7, {"system": "urn:z"}, *coded["coding"]]}]},
        {"type": [{"coding": [{"system": "urn:y", "code": "imr"}]}]},
        {"type": [{"text": "IMR"}]},
        {"type": [{"coding": [{"code": "imr"}]}]},
        {},
    ):
        put(ehr, episode(**kind))
    assert len(read_chart(ehr.client(), "anna", zone=ZONE, episode_types=types).episodes) == found


def test_times_are_by_the_clock_of_the_site(ehr: SmallEhr) -> None:
    raw = response_resource(0)
    raw["authored"] = raw["extension"][0]["valueDateTime"] = "2025-12-31T23:30:00Z"
    put(ehr, raw, {**record.to_resource(NOTES["review"], filing=FILING), "effectiveDateTime": "2025-12-31T23:30:00Z"})
    found = chart(ehr)
    assert found.responses[0].measured.isoformat() == "2026-01-01T00:30:00+01:00"
    assert found.responses[0].authored.isoformat() == "2026-01-01T00:30:00+01:00"
    assert found.notes[0].said.isoformat() == "2026-01-01T00:30:00+01:00"


def test_what_is_dated_by_a_day_alone_is_of_that_day_also_where_noon_in_greenwich_is_tomorrow(ehr: SmallEhr) -> None:
    raw = response_resource(0)
    raw["authored"] = raw["extension"][0]["valueDateTime"] = "2026-01-01"
    put(ehr, raw, {**record.to_resource(NOTES["review"], filing=FILING), "effectiveDateTime": "2026-01-01"})
    found = read_chart(ehr.client(), "anna", zone=ZoneInfo("Pacific/Auckland"))
    assert {each.date().isoformat() for each in (found.responses[0].measured, found.notes[0].said)} == {"2026-01-01"}


def test_what_cannot_be_read_is_told_and_the_rest_stands(ehr: SmallEhr) -> None:
    broken = response_resource(90)
    broken["item"][0]["item"][0]["answer"][0]["valueCoding"]["code"] = "07-3"
    put(
        ehr,
        response_resource(0),
        broken,
        {**goal.to_resource(GOAL, filing=FILING), "id": "g", "description": {}},
        {**record.to_resource(NOTES["review"], filing=FILING), "id": "o", "status": "unheard-of"},
        {**episode("finished"), "id": "e"},
    )
    found = chart(ehr)
    assert [each.id for each in found.responses] == ["client-0"]
    assert {(problem.kind, problem.about) for problem in found.problems} == {
        ("unreadable", "QuestionnaireResponse/client-90"),
        ("unreadable", "Goal/g"),
        ("unreadable", "Observation/o"),
        ("unreadable", "EpisodeOfCare/e"),
    }
    assert all(problem.reason for problem in found.problems)


@pytest.mark.parametrize("odd", [["x"], {"value": "x"}, 7, None])
def test_what_has_no_id_is_told_or_none_of_ours(ehr: SmallEhr, odd: object) -> None:
    score = score_observation(answered(60), response_reference="QuestionnaireResponse/x", urn=urn(8), filing=FILING)
    put(
        ehr,
        response_resource(0),
        response_resource(30),
        score,
        {**score, "hasMember": [{"reference": "Observation/x"}]},
    )
    put(ehr, response_resource(60) | {"questionnaire": "https://ehr.example/another"}, VITALS)
    put(ehr, goal.to_resource(GOAL, filing=FILING), {"resourceType": "Goal", "subject": {"reference": "Patient/anna"}})
    for name in ehr.store.keys() - {"Patient/anna", "QuestionnaireResponse/client-0"}:
        ehr.store[name] = {**ehr.store[name], "id": odd}
    found = chart(ehr)
    assert [each.id for each in found.responses] == ["client-0"]
    assert {(problem.kind, problem.about.partition("/")[0]) for problem in found.problems} == {
        ("unreadable", "QuestionnaireResponse"),
        ("unreadable", "Observation"),
        ("unreadable", "Goal"),
    }


def test_another_patients_are_dropped_and_told(ehr: SmallEhr) -> None:
    for number in range(3):
        put(ehr, {**response_resource(0), "id": f"b{number}", "subject": {"reference": "Patient/boris"}})
    put(ehr, response_resource(0))
    found = chart(ehr)
    assert [each.id for each in found.responses] == ["client-0"]
    assert found.problems == (Problem("other-patient", "QuestionnaireResponse", count=3),)


def test_what_is_known_of_one_patient_is_shown_of_no_other(ehr: SmallEhr) -> None:
    """Nor what the EHR no longer gives, or gives otherwise: what counts is what it answers with this time."""
    cache = ResourceCache()
    put(ehr, response_resource(0), {**PATIENT, "id": "eva"})
    first = read_chart(ehr.client(cache=cache), "anna", zone=ZONE)
    other = read_chart(ehr.client("eva", cache=cache), "eva", zone=ZONE)
    assert (len(first.responses), len(other.responses)) == (1, 0)
    assert [problem.kind for problem in other.problems] == ["other-patient"]
    name = f"QuestionnaireResponse/{first.responses[0].id}"
    ehr.store[name] = {**ehr.store[name], "status": "entered-in-error"}
    assert read_chart(ehr.client(cache=cache), "anna", zone=ZONE).responses[0].status == "entered-in-error"
    del ehr.store[name]
    assert read_chart(ehr.client(cache=cache), "anna", zone=ZONE).responses == ()


def test_a_patient_that_something_unknown_is_said_of_is_told(ehr: SmallEhr) -> None:
    put(ehr, {**PATIENT, "modifierExtension": [{"url": "https://ehr.example/not-the-person", "valueBoolean": True}]})
    assert chart(ehr).problems == (Problem("modified", "Patient"),)


def test_the_ehrs_warnings_are_told(ehr: SmallEhr) -> None:
    ehr.store["OperationOutcome/1"] = {"resourceType": "Goal", "id": "x", "subject": {"reference": "Patient/anna"}}

    def warns(exchange: Exchange) -> bool:
        if exchange.request.path.startswith("/fhir/Goal"):
            outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "diagnostics": "slow"}]}
            exchange.answer(200, {"resourceType": "Bundle", "entry": [{"resource": outcome}]})
            return True
        return False

    ehr.before = warns
    assert chart(ehr).problems == (Problem("said", "Goal", "slow."),)


def test_more_pages_than_are_read_are_told(ehr: SmallEhr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imr_fhir.ehr.client.PAGES", 1)

    def goes_on(exchange: Exchange) -> bool:
        if exchange.request.path.startswith("/fhir/Goal"):
            link = {"relation": "next", "url": f"{ehr.origin}/fhir?page=2"}
            exchange.answer(200, {"resourceType": "Bundle", "link": [link]})
            return True
        return False

    ehr.before = goes_on
    assert chart(ehr).problems == (Problem("cut-short", "Goal"),)


def refuses(resource_type: str, *answer: Any) -> Any:
    def fault(exchange: Exchange) -> bool:
        if exchange.request.path.startswith(f"/fhir/{resource_type}"):
            exchange.answer(*answer)
            return True
        return False

    return fault


def test_steps_that_an_older_goal_names_itself(ehr: SmallEhr) -> None:
    """R4's milestone: the step says of itself nothing of ours, and is one all the same; the goal beside it is not."""
    milestone = {
        "url": "http://hl7.org/fhir/StructureDefinition/goal-relationship",
        "extension": [
            {"url": "type", "valueCodeableConcept": {"coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/goal-relationship-type", "code": "milestone"}]}},
            {"url": "target", "valueReference": {"reference": "Goal/step"}},
        ],
    }  # fmt: skip
    plain = {"resourceType": "Goal", "lifecycleStatus": "active", "subject": {"reference": "Patient/anna"}}
    put(
        ehr,
        {**goal.to_resource(GOAL, filing=FILING), "id": "2", "extension": [milestone]},
        {**plain, "id": "step", "description": {"text": "Ring the choir"}},
        {**plain, "id": "other", "description": {"text": "HbA1c"}},
    )
    assert [(each.text, each.parent) for each in chart(ehr).goals] == [(GOAL.text, ""), ("Ring the choir", "Goal/2")]


@pytest.mark.parametrize("own", [True, False], ids=["this record's", "another's"])
def test_what_another_server_calls_by_the_same_id_is_another(ehr: SmallEhr, own: bool) -> None:
    at = ehr.client().base if own else "https://other.example/fhir"
    part_of = deepcopy(goal.to_resource(STEP, filing=FILING))
    part_of["extension"][0]["extension"][1]["valueReference"]["reference"] = f"{at}/Goal/2"
    type_coding = {"system": "http://loinc.org", "code": "34109-9"}
    old, new = (
        document_reference(
            RESPONSES["client"], urn=urn(number), pdf=False, type_coding=type_coding, zone=ZONE, filing=FILING
        )
        for number in (11, 12)
    )
    put(
        ehr,
        {**goal.to_resource(GOAL, filing=FILING), "id": "2"},
        part_of,
        {**record.to_resource(NOTES["review"], filing=FILING), "focus": [{"reference": f"{at}/Goal/2"}]},
        {**response_resource(0), "author": {"reference": f"{at}/Patient/anna"}},
        {**old, "id": "old"},
        {
            **new,
            "id": "new",
            "relatesTo": [{"code": "replaces", "target": {"reference": f"{at}/DocumentReference/old"}}],
        },
    )
    found = read_chart(ehr.client(), "anna", zone=ZONE, document_type="http://loinc.org|34109-9")
    top = next(each for each in found.goals if not each.parent)
    assert bool(goal.steps_of(top, found.goals)) == own
    assert bool(goal.steps_alone(found.goals)) != own
    assert [each.focus == "Goal/2" for each in found.notes] == [own]
    assert [each.reference for each in found.responses] == (["QuestionnaireResponse/client-0"] if own else [])
    assert [each.replaces for each in found.documents if each.id == "new"] == [("old",) if own else ()]


@pytest.mark.parametrize("number", ["urn:uuid:", "urn:uuid:IMR-2026-17", "urn:uuid:0e4f7b65f185469caaf28c3fae59ef17"])
def test_what_is_called_a_uuid_and_is_none_spoils_nothing(ehr: SmallEhr, number: str) -> None:
    theirs = {"identifier": {"system": "urn:ietf:rfc:3986", "value": number}}
    alone = score_observation(answered(40), response_reference="", urn=urn(1), filing=FILING)
    put(ehr, response_resource(0) | theirs, alone)
    found = chart(ehr)
    assert found.problems == ()
    assert [(each.kept, each.identifier) for each in found.responses] == [("form", ""), ("components", urn(1))]


@pytest.mark.parametrize("resource_type", ["Goal", "EpisodeOfCare", "Observation"])
@pytest.mark.parametrize("answer", [(403,), (404,), (400,), (500,), (200, b"<html>")])
def test_one_kind_that_the_ehr_does_not_give_spoils_nothing_else(
    ehr: SmallEhr, resource_type: str, answer: Any
) -> None:
    put(ehr, response_resource(0))
    ehr.before = refuses(resource_type, *answer)
    found = chart(ehr)
    assert len(found.responses) == 1
    ((kind, about),) = [(problem.kind, problem.about) for problem in found.problems]
    assert (kind, about) == ("not-available", resource_type)
    failed = resource_type != "Goal" and answer[0] in (200, 500)
    assert found.episodes == (None if failed else ()), "what it failed to say is not that there is none"


@pytest.mark.parametrize(
    ("resource_type", "status"),
    [("Patient", 403), ("Patient", 404), ("Patient", 500), ("QuestionnaireResponse", 500)],
)
def test_without_patient_or_responses_there_is_no_chart(ehr: SmallEhr, resource_type: str, status: int) -> None:
    ehr.before = refuses(resource_type, status)
    with pytest.raises(EhrError):
        chart(ehr)


def test_a_log_in_that_is_over_is_no_gap_in_the_chart(ehr: SmallEhr) -> None:
    ehr.before = refuses("Goal", 401)
    with pytest.raises(Unauthorized):
        chart(ehr)

    def token() -> str:
        raise AuthorizationError("over")

    with pytest.raises(AuthorizationError):
        chart(ehr, token=token)


def test_another_patient_than_asked_for(ehr: SmallEhr) -> None:
    ehr.before = refuses("Patient", 200, {**PATIENT, "id": "boris"})
    with pytest.raises(BadReply):
        chart(ehr)
    with pytest.raises(WrongPatient):
        read_chart(ehr.client(), "boris", zone=ZONE)


def test_what_waits_for_its_turn_until_the_time_is_over_is_not_sent(ehr: SmallEhr) -> None:
    """Else the reads of a slow EHR's charts would have one deadline after another, and each view wait for all."""
    ended = threading.Event()
    ehr.before = lambda _: ended.wait(20)
    short = Transport([ehr.origin], allow_loopback_http=True, pool=1, limits={"chart": Limit(0.5, 100_000)})
    with pytest.raises(LostReply):
        read_chart(FhirClient(short, f"{ehr.origin}/fhir", patient="anna"), "anna", zone=ZONE)
    ended.set()
    assert ehr.requests == ["GET Patient/anna"]


def test_who_waits_for_a_token_holds_up_no_other_chart(ehr: SmallEhr) -> None:
    asked, given, came = threading.Event(), threading.Event(), []

    def renewed() -> str:
        asked.set()
        came.append(given.wait(5))
        return "new"

    one = Transport([ehr.origin], allow_loopback_http=True, pool=1)
    waiting, other = (
        FhirClient(one, f"{ehr.origin}/fhir", patient="anna", token=each) for each in (renewed, lambda: "had")
    )
    with ThreadPoolExecutor(1) as thread:
        chart = thread.submit(read_chart, waiting, "anna", zone=ZONE)
        asked.wait(5)
        read_chart(other, "anna", zone=ZONE)
        given.set()
        chart.result()
    assert came == [True]


def test_all_reads_go_out_side_by_side(ehr: SmallEhr) -> None:
    together = threading.Barrier(5, timeout=10)

    def waits_for_all(exchange: Exchange) -> bool:
        together.wait()
        return False

    ehr.before = waits_for_all
    assert chart(ehr).problems == ()


@pytest.mark.parametrize(
    ("change", "patient"),
    [
        ({"name": [{"text": "Anna B."}]}, Patient("anna", "Anna B.", "1986-03-12", "female", False)),
        (
            {"name": [{"use": "usual", "given": ["Li"]}, {"family": "X"}]},
            Patient("anna", "Li", "1986-03-12", "female", False),
        ),
        ({"name": "Anna", "birthDate": 7, "gender": None}, Patient("anna", "", "", "", False)),
        ({"name": [{"use": "old", "text": "x"}, 7]}, Patient("anna", "", "1986-03-12", "female", False)),
        (
            {"name": [{"text": "A\u202enna" + "x" * 500}]},
            Patient("anna", "Anna" + "x" * 195 + "…", "1986-03-12", "female", False),
        ),
        ({"deceasedBoolean": True}, Patient("anna", "Anna Li Berg", "1986-03-12", "female", True)),
        ({"deceasedBoolean": False}, Patient("anna", "Anna Li Berg", "1986-03-12", "female", False)),
        ({"deceasedDateTime": "2026"}, Patient("anna", "Anna Li Berg", "1986-03-12", "female", True)),
    ],
)
def test_who_the_patient_is(ehr: SmallEhr, change: dict[str, Any], patient: Patient) -> None:
    put(ehr, {**PATIENT, **change})
    assert chart(ehr).patient == patient


# What belongs to a response, and the forms


def test_the_score_that_belongs_to_a_response(ehr: SmallEhr) -> None:
    said = RESPONSES["client"]
    urn = f"urn:uuid:{uuid.uuid4()}"
    parts = [
        Part(response.to_resource(said, filing=FILING), urn),
        Part(
            score_observation(said, response_reference=urn, urn=f"urn:uuid:{uuid.uuid4()}", filing=FILING), "urn:uuid:2"
        ),
    ]
    put(ehr, VITALS)
    ehr.ignores_search = False
    filed = send(ehr.client(), parts, in_transaction=True)
    ehr.ignores_search = True
    assert isinstance(filed, PartOk)
    there = replace(said, id=filed.receipts[0].id)
    found = score_of(ehr.client(), there)
    assert found is not None
    assert (found.shape, found.score.id) == ("components", filed.receipts[1].id)
    assert score_of(ehr.client(), replace(said, id="another")) is None
    put(ehr, {**ehr.store[f"Observation/{found.score.id}"], "id": "twice"})
    with pytest.raises(ResponseError, match="2 scores"):
        score_of(ehr.client(), there)
    put(
        ehr,
        {
            **ehr.store["Observation/twice"],
            "component": [{"code": {"coding": [{"system": CODES, "code": "x"}]}, "modifierExtension": []}],
        },
    )
    assert score_of(ehr.client(), there) is not None


def test_a_form_that_was_edited_in_the_ehr(ehr: SmallEhr) -> None:
    ours = questionnaire("client")
    put(ehr, {**ours, "id": "kept-as-it-was", "text": {"status": "generated", "div": "<div/>"}})
    states = {form.rater: (form.state, form.reason) for form in check_forms(ehr.client())}
    assert states == {"client": ("same", ""), "clinician": ("missing", "")}
    edited = questionnaire("client")
    edited["item"][1]["item"][0]["text"] += "!"
    put(ehr, {**edited, "id": "edited"})
    assert {form.rater: form.state for form in check_forms(ehr.client())} == {
        "client": "edited",
        "clinician": "missing",
    }
    put(ehr, {**questionnaire("client"), "id": "edited", "version": "0.0.1", "title": "An older one"})
    assert check_forms(ehr.client())[0].state == "same"


def test_forms_that_the_ehr_does_not_show(ehr: SmallEhr) -> None:
    ehr.before = refuses("Questionnaire", 403)
    assert {form.state for form in check_forms(ehr.client())} == {"unknown"}
    ehr.before = refuses("Questionnaire", 401)
    with pytest.raises(Unauthorized):
        check_forms(ehr.client())


def test_notes_of_the_night_that_clocks_go_back_are_in_the_order_of_time(ehr: SmallEhr) -> None:
    for hour, minute, result in ((0, 50, "not-yet"), (1, 10, "done")):
        at = datetime(2026, 10, 25, hour, minute, tzinfo=UTC)
        said = record.Review(
            patient="anna", said=at, performer="Patient/anna", identifier="", focus="Goal/2", result=result
        )
        put(ehr, record.to_resource(said, filing=FILING))
    first, second = sorted(chart(ehr).notes, key=lambda note: note.said)
    assert isinstance(second, record.Review)
    assert (second.result, first.said.hour, first.said.minute) == ("done", 2, 50)
