"""Each kind of resource that the app files comes out in its table, with what it says."""

import json
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from imr_fhir.artefacts import CODES
from imr_fhir.reporting.tables import write_tables
from imr_fhir.scale import scale
from imr_fhir.score_parts import score_parts
from tests.filed import FILING, RESPONSES, every_resource, urn
from tests.tables.made import ndjson, patient, rows

Table = list[dict[str, Any]]


def resources() -> Iterator[dict[str, Any]]:
    for name, resource in every_resource(profile=False):
        yield {**resource, "id": name.replace(" ", "-")}
    for part in score_parts(RESPONSES["not applicable"], shape="members", urn=urn(6), filing=FILING):
        resource = dict(part.resource)
        id_ = "panel" if "hasMember" in resource else f"member-{resource['code']['coding'][0]['code']}"
        yield {**resource, "id": id_}
    reference = {"reference": "Patient/anna"}
    yield patient("anna", meta={"security": [_label("HTEST")]}, deceasedDateTime="2026-03-01")
    links = [{"other": {"reference": "Patient/anna"}, "type": each} for each in ("seealso", "replaced-by")]
    yield patient("berta", active=True, deceasedBoolean=False, link=[*links, {"other": {}, "type": "replaced-by"}])
    yield {
        "resourceType": "EpisodeOfCare",
        "id": "course",
        "status": "finished",
        "statusHistory": [
            {"status": "planned", "period": {"start": "2025-01-01", "end": "2025-02-01"}},
            {"status": "onhold", "period": {"start": "2025-03-01"}},
        ],
        "type": [{"coding": [{"system": "http://x", "code": "imr"}, {"code": "y"}]}],
        "patient": reference,
        "managingOrganization": {"reference": "Organization/1", "display": "Unit"},
        "period": {"start": "2025-02-01", "end": "2026-02-01"},
    }
    link = {
        "url": "http://hl7.org/fhir/StructureDefinition/goal-relationship",
        "extension": [
            {"url": "type", "valueCodeableConcept": {"coding": [{"code": "milestone"}]}},
            {"url": "target", "valueReference": {"reference": "Goal/step"}},
        ],
    }
    category = [{"coding": [{"system": CODES, "code": "goal"}]}]
    yield {"resourceType": "Goal", "id": "older", "extension": [link], "category": category, "subject": reference}
    yield {"resourceType": "Goal", "id": "others", "category": [{"text": "diet"}], "subject": reference}
    yield {
        "resourceType": "Encounter", "id": "3", "status": "finished", "subject": reference,
        "serviceProvider": {"reference": "Organization/1"}, "period": {"start": "2026-01-01T10:00:00Z"},
    }  # fmt: skip


def _label(code: str) -> dict[str, str]:
    return {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": code}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Table]:
    folder, by_type = tmp_path_factory.mktemp("filed"), defaultdict(list)
    for resource in resources():
        by_type[resource["resourceType"]].append(json.dumps(resource, default=float))
    for type_, lines in by_type.items():
        ndjson(folder / f"{type_}.ndjson", *lines)
    made = write_tables(folder, folder / "out", with_free_text=True)
    assert made.unread == ("Provenance.ndjson",)
    assert [source.resource for source in made.sources if source.left.counts] == []
    return {table.name: rows(*table.files) for table in made.tables}


def row(table: Table, **said: Any) -> dict[str, Any]:
    (found,) = [each for each in table if said.items() <= each.items()]
    return found


def test_responses(tables: dict[str, Table]) -> None:
    assert len(tables["responses"]) == len(RESPONSES)
    filed = dict(every_resource(profile=False))["response clinician"]
    assert row(tables["responses"], id="response-clinician") == {
        "id": "response-clinician", "version_id": None, "last_updated": None, "identifier": urn(1),
        "questionnaire": scale("clinician").canonical, "status": "completed", "patient": "Patient/anna",
        "source": filed["source"]["reference"], "author": filed["author"]["reference"], "encounter": "Encounter/3",
        "authored": filed["authored"], "first_completed": filed["extension"][0]["valueDateTime"],
        "shown_language": "en", "language": None, "comment": None,
    }  # fmt: skip
    assert row(tables["responses"], id="response-stopped-at-once")["comment"] == "Too tired today"


def test_merged_patients(tables: dict[str, Table]) -> None:
    found = [(each["patient_id"], each["replaced_by"]) for each in tables["patient_links"]]
    assert found == [("berta", "Patient/anna"), ("berta", None)]


def test_items(tables: dict[str, Table]) -> None:
    found = {
        each["link_id"]: each["code"] for each in tables["items"] if each["response_id"] == "response-not-applicable"
    }
    ratings = RESPONSES["not applicable"].ratings
    assert found == {f"{item:02}": f"{item:02}-{rating or 'na'}" for item, rating in ratings.items()}
    assert {each["system"] for each in tables["items"]} == {scale("client").system, scale("clinician").system}
    assert not [each for each in tables["items"] if each["response_id"] == "response-stopped-at-once"]


def test_items_elsewhere_twice_and_without_an_answer(tmp_path: Path) -> None:
    """As other software may write them."""
    coding = {"valueCoding": {"system": scale("client").system, "code": "02-1"}}
    response = {
        "resourceType": "QuestionnaireResponse",
        "id": "1",
        "item": [
            {"linkId": "imr", "item": [{"linkId": "01"}]},
            {"linkId": "02", "answer": [coding, {"valueString": "x"}]},
            {"linkId": "comment", "answer": [{"valueString": "words"}]},
            {"linkId": "score", "item": [{"linkId": "sum"}]},
        ],
    }
    ndjson(tmp_path / "QuestionnaireResponse.ndjson", response)
    write_tables(tmp_path, tmp_path)
    found = [(each["link_id"], each["code"]) for each in rows(tmp_path / "items.parquet")]
    assert found == [("01", None), ("02", "02-1"), ("02", None)]


def test_scores(tables: dict[str, Table]) -> None:
    said = RESPONSES["not applicable"].score
    found = row(tables["scores"], id="score-not-applicable")
    assert (found["mean"], found["sum"], found["rated"]) == (Decimal(str(said.mean)), said.sum, said.rated)
    assert (found["code"], found["patient"], found["derived_from"]) == (
        "score-client", "Patient/anna", "QuestionnaireResponse/7",
    )  # fmt: skip
    assert found["questionnaire"] == scale("client").canonical
    stopped = row(tables["scores"], id="score-stopped")
    assert (stopped["mean"], stopped["sum"], stopped["absent_reason"]) == (None, None, "not-performed")
    assert row(tables["scores"], id="score-stopped-at-once")["comment"] == "Too tired today"
    assert len(tables["scores"]) == len(RESPONSES) + 1


@pytest.mark.parametrize(
    ("table", "own"), [("score_items", {"score_id": "score-not-applicable"}), ("score_members", {})]
)
def test_items_of_scores(table: str, own: dict[str, str], tables: dict[str, Table]) -> None:
    of = [each for each in tables[table] if own.items() <= each.items()]
    found = {each["item"]: each for each in of if each["item"].isdecimal()}
    assert {int(item): each["rating"] or 0 for item, each in found.items()} == dict(RESPONSES["not applicable"].ratings)
    assert found["13"]["absent_reason"] == "not-applicable"
    assert {each["system"] for each in found.values()} == {scale("client").system}


def test_what_is_counted_of_members_is_a_member_too(tables: dict[str, Table]) -> None:
    said = RESPONSES["not applicable"].score
    found = {each["item"]: each["rating"] for each in tables["score_members"] if each["system"] == CODES}
    assert found == {"sum": said.sum, "rated": said.rated}


def test_links_of_scores_to_their_members(tables: dict[str, Table]) -> None:
    assert {each["score_id"] for each in tables["score_member_links"]} == {"panel"}
    assert len(tables["score_member_links"]) == 17  # 15 items, the sum and how many were rated


def test_goals(tables: dict[str, Table]) -> None:
    assert row(tables["goals"], text="Sing in a choir again") == {
        "id": "goal-Sing-in-a-choir-again", "version_id": None, "last_updated": None, "identifier": urn(2),
        "patient": "Patient/anna", "lifecycle_status": "active", "achievement_status": "in-progress",
        "status_date": "2026-01-01", "start_date": "2026-01-01", "due_date": "2026-06-30",
        "expressed_by": "Patient/anna", "life_area": "leisure-culture", "text": "Sing in a choir again",
    }  # fmt: skip
    (step,) = tables["goal_steps"]
    assert (step["goal"], step["text"], step["life_area"]) == ("Goal/2", "Ring the choir", None)
    assert tables["goal_milestones"] == [{"goal_id": "older", "step": "Goal/step"}]
    assert len(tables["goals"]) == 2


def test_notes(tables: dict[str, Table]) -> None:
    review = row(tables["reviews"], result="partly")
    assert (review["focus"], review["performer"], review["encounter"]) == ("Goal/2", "Patient/anna", "Encounter/3")
    assert (review["what_helped"], review["hindered_services"]) == ("My sister came along", "Waiting list")
    assert {each["result"] for each in tables["reviews"]} == {"partly", "not-wanted"}
    (outcome,) = tables["due_outcomes"]
    assert (outcome["outcome"], outcome["new_date"], outcome["said"]) == (
        "too-unwell", "2026-04-07", "2026-03-31T09:30:00+00:00",
    )  # fmt: skip
    (seen,) = tables["seen_first"]
    assert (seen["seen"], seen["status"]) == ("QuestionnaireResponse/7", "entered-in-error")


def test_courses_patients_and_visits(tables: dict[str, Table]) -> None:
    (course,) = tables["courses"]
    assert (course["patient"], course["unit"], course["status"]) == ("Patient/anna", "Organization/1", "finished")
    assert (course["period_start"], course["period_end"]) == ("2025-02-01", "2026-02-01")
    assert [(each["status"], each["period_start"]) for each in tables["course_statuses"]] == [
        ("planned", "2025-01-01"), ("onhold", "2025-03-01"),
    ]  # fmt: skip
    assert [(each["system"], each["code"]) for each in tables["course_types"]] == [("http://x", "imr"), (None, "y")]
    anna, berta = (row(tables["patients"], id=id_) for id_ in ("anna", "berta"))
    assert (anna["test"], anna["deceased_at"], anna["deceased"]) == (True, "2026-03-01", None)
    assert (berta["test"], berta["deceased_at"], berta["deceased"], berta["active"]) == (False, None, False, True)
    assert row(tables["encounters"], id="3")["unit"] == "Organization/1"


def test_audit_events(tables: dict[str, Table]) -> None:
    found = row(tables["audit_events"], id="audit-refusal")
    assert (found["action"], found["outcome"], found["refused"]) == ("E", "4", "WrongPatient")
    assert (found["agent"], found["patient"], found["subtype"]) == ("Practitioner/berg", "Patient/anna", "operation")
    about = [each for each in tables["audit_event_entities"] if each["audit_event_id"] == "audit-view"]
    assert {(each["entity_type"], each["reference"], each["identifier"]) for each in about} == {
        ("1", "Patient/anna", None), ("2", "Goal/2", None), ("2", None, urn(5)),
    }  # fmt: skip
    assert row(tables["audit_events"], id="audit-failed-log-in")["agent"] is None
