"""What leaves of a resource: what the report uses, and nothing of a person."""

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from imr_fhir import artefacts
from imr_fhir.ehr.json_reader import read_json
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.reporting.export.allowed import ALLOWED, TYPES, leaving
from imr_fhir.reporting.export.pseudonym import Pseudonyms
from imr_fhir.reporting.export.release import Release
from tests.export.canary import MARKS, NATIONAL_NUMBER, ours

EXAMPLES = Path(__file__).parents[1] / "data" / "examples"
KEY = Pseudonyms(bytes(range(32)))
BASE = "https://ehr.example/fhir"


def release(**options: Any) -> Release:
    return Release(**{"base": BASE, "pseudonyms": KEY, **options})


def example(name: str) -> dict[str, Any]:
    return {"id": "7", **read_json((EXAMPLES / f"{name}.json").read_bytes())}


def left(resource: dict[str, Any], **options: Any) -> dict[str, Any]:
    kept = leaving(resource, release(**options))
    assert isinstance(kept, dict), kept
    return kept


@pytest.mark.parametrize("shift", [False, True])
@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("resource_type", TYPES)
def test_nothing_of_a_person_leaves_from_any_element(resource_type: str, mark: str, shift: bool) -> None:
    resource = ours(resource_type, mark)
    assert write_json(resource).decode().count(json.dumps(mark, ensure_ascii=False)) > 10
    out = write_json(left(resource, shift=shift)).decode()
    assert NATIONAL_NUMBER not in out
    assert "anary" not in out
    assert "99 88 77" not in out


@pytest.mark.parametrize("resource_type", TYPES)
def test_ids_kept_as_they_are_let_nothing_else_out(resource_type: str) -> None:
    out = write_json(left(ours(resource_type, MARKS[0]), pseudonyms=None)).decode()
    assert "anary" not in out


@pytest.mark.parametrize("name", ["response", "response-stopped", "score", "score-stopped", "goal", "step", "review"])
@pytest.mark.parametrize("options", [{}, {"shift": True}, {"free_text": True}, {"pseudonyms": None}])
def test_what_leaves_is_sound_fhir(name: str, options: dict[str, Any]) -> None:
    kept = left(example(name), **options)
    get_fhir_model_class(kept["resourceType"]).model_validate(json.loads(write_json(kept)))
    assert list(kept)[:2] == ["resourceType", "id"]


def test_answers_codes_times_and_figures_stay_as_they_were() -> None:
    kept, before = left(example("response")), example("response")
    assert (kept["status"], kept["authored"]) == ("completed", "2026-11-23T10:00:00+01:00")
    assert kept["questionnaire"] == before["questionnaire"]
    assert kept["extension"] == before["extension"]
    answers = [item["answer"][0]["valueCoding"]["code"] for item in kept["item"][0]["item"]]
    assert answers == [item["answer"][0]["valueCoding"]["code"] for item in before["item"][0]["item"]]
    assert kept["item"][2] == before["item"][2]
    assert left(example("score"))["valueQuantity"]["value"] == Decimal("3.14")


def test_words_leave_only_where_asked_for_and_their_absence_is_told() -> None:
    assert "slept" not in str(left(example("response")))
    assert {"linkId": "comment"} in left(example("response"))["item"]
    assert "I slept badly this week." in str(left(example("response"), free_text=True))
    assert left(example("goal"))["description"]["extension"][0]["valueCode"] == "masked"
    assert left(example("goal"), free_text=True)["description"] == {"text": "Sing in a choir again"}
    helped = left(example("review"))["component"][0]
    assert helped["dataAbsentReason"]["coding"][0]["code"] == "masked"
    assert left(example("review"), free_text=True)["component"][0]["valueString"] == "Kari helped"


def test_one_patient_has_one_name_wherever_it_is_named() -> None:
    patient = KEY.id("Patient", "1")
    kept = left(example("response"))
    assert {kept[name]["reference"] for name in ("subject", "author", "source")} == {f"Patient/{patient}"}
    for written in (f"{BASE}/Patient/1", "Patient/1/_history/3"):
        assert (
            left({**example("goal"), "subject": {"reference": written}})["subject"]["reference"] == f"Patient/{patient}"
        )
    assert left({"resourceType": "Patient", "id": "1"})["id"] == patient
    assert left(example("review"))["focus"] == [{"reference": f"Goal/{KEY.id('Goal', '2')}"}]
    assert left({**example("goal"), "id": "2"})["id"] == KEY.id("Goal", "2")
    step = left(example("step"))["extension"][0]["extension"][1]["valueReference"]["reference"]
    assert step == f"Goal/{KEY.id('Goal', '2')}"


def test_of_a_merged_record_leaves_into_which_it_was_merged_and_no_other_link() -> None:
    """`replaces` says the same from the other side; `refer` and `seealso` say who somebody else is."""
    links = [
        {"other": {"reference": f"Patient/{kind}", "display": "Kari Nordmann"}, "type": kind, "id": "x"}
        for kind in ("replaced-by", "replaces", "refer", "seealso", "Kari")
    ]
    merged = {"resourceType": "Patient", "id": "1", "link": links}
    stands = f"Patient/{KEY.id('Patient', 'replaced-by')}"
    assert left(merged)["link"] == [{"other": {"reference": stands}, "type": "replaced-by"}]
    assert "link" not in left({**merged, "link": links[1:]})
    there = release()
    leaving(merged, there)
    assert not there.refused  # they are known, and not needed


def test_another_server_s_patient_is_another_one() -> None:
    foreign = {**example("goal"), "subject": {"reference": "https://other.example/fhir/Patient/1"}}
    assert left(foreign)["subject"]["reference"] not in (f"Patient/{KEY.id('Patient', '1')}", "")
    assert "subject" not in left(foreign, pseudonyms=None)


def test_an_identifier_is_known_again_and_hospital_numbers_stay() -> None:
    numbered = {"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": NATIONAL_NUMBER}
    goal = {**example("goal"), "identifier": [numbered, *example("goal")["identifier"]]}
    [kept] = left(goal)["identifier"]
    assert kept["value"] == left(example("goal"))["identifier"][0]["value"] != example("goal")["identifier"][0]["value"]


def test_dates_of_one_patient_move_by_whole_weeks_together_and_back() -> None:
    before, after = example("response"), left(example("response"), shift=True)
    back = KEY.shift("1")
    assert back.days % 7 == 0
    assert 7 <= back.days <= 364
    moved = datetime.fromisoformat(before["authored"]) - datetime.fromisoformat(after["authored"])
    assert moved == back
    assert after["extension"][0]["valueDateTime"] == after["authored"]
    other = left({**before, "subject": {"reference": "Patient/2"}}, shift=True)
    assert KEY.shift("2") != back
    assert other["authored"] != after["authored"]


@pytest.mark.parametrize("day", ["0001-01-01T00:00:00Z", "0001-03-01T10:00:00+01:00"])
def test_what_stands_for_no_day_can_not_be_moved(day: str) -> None:
    """Some software writes it where it has none: nothing lies weeks before it."""
    assert "authored" not in left({**example("response"), "authored": day}, shift=True)


def test_a_date_of_nobody_known_is_masked_where_it_must_be_there() -> None:
    provenance = {
        "resourceType": "Provenance",
        "id": "1",
        "meta": {"tag": [{"system": artefacts.FILING, "code": "x"}]},
        "target": [{"reference": "Goal/2"}],
        "recorded": "2026-11-23T10:00:00+01:00",
    }
    assert left(provenance)["recorded"] == "2026-11-23T10:00:00+01:00"
    kept = left(provenance, shift=True)
    assert "recorded" not in kept
    assert kept["_recorded"]["extension"][0]["valueCode"] == "masked"


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        ({"resourceType": "Condition", "id": "1"}, "other-type"),
        ({"resourceType": ["Patient"], "id": "1"}, "other-type"),
        ({"resourceType": "Patient"}, "no-id"),
        ({"resourceType": "Patient", "id": "a/b"}, "no-id"),
        ({"resourceType": "QuestionnaireResponse", "id": "1", "questionnaire": "http://x/PHQ-9"}, "not-imr"),
        ({"resourceType": "Observation", "id": "1", "code": {"coding": [{"system": "http://loinc.org"}]}}, "not-imr"),
        ({"resourceType": "Goal", "id": "1", "description": {"text": "Lower blood pressure"}}, "not-imr"),
        ({"resourceType": "AuditEvent", "id": "1", "source": {"observer": {"display": "the EHR"}}}, "not-imr"),
        ({"resourceType": "Provenance", "id": "1", "target": [{"reference": "Goal/1"}]}, "not-imr"),
    ],
)  # fmt: skip
def test_what_stays_behind_says_why(resource: dict[str, Any], why: str) -> None:
    assert leaving(resource, release()) == why


def test_a_version_of_a_form_that_is_not_known_here_leaves_so_that_the_report_can_count_it() -> None:
    newer = {**example("response"), "questionnaire": f"{artefacts.BASE}/Questionnaire/imr-client|9.0.0"}
    assert left(newer)["questionnaire"].endswith("|9.0.0")


def test_a_site_s_own_codes_leave_where_allowed_and_are_counted_where_not() -> None:
    figure = {
        "resourceType": "Observation", "id": "1", "status": "final", "valueInteger": 3,
        "code": {"coding": [{"system": "urn:oid:1.2.3", "code": "10001", "display": "IMR 1"}]},
    }  # fmt: skip
    assert leaving(figure, release()) == "not-imr"
    assert left(figure, systems={"urn:oid:1.2.3"})["code"] == {"coding": [{"system": "urn:oid:1.2.3", "code": "10001"}]}
    review = example("review")
    review["code"]["coding"].append({"system": "urn:oid:1.2.3", "code": "10001"})
    counting = release()
    leaving(review, counting)
    assert counting.unknown_systems == {"urn:oid:1.2.3": 1}


def test_units_are_pseudonyms_unless_their_names_are_asked_for() -> None:
    episode = {
        "resourceType": "EpisodeOfCare", "id": "1", "status": "active", "patient": {"reference": "Patient/1"},
        "managingOrganization": {"reference": "Organization/north", "display": "Nordlys DPS"},
    }  # fmt: skip
    assert left(episode)["managingOrganization"] == {"reference": f"Organization/{KEY.id('Organization', 'north')}"}
    assert left(episode, unit_names=True)["managingOrganization"] == episode["managingOrganization"]


def test_episodes_of_other_programmes_stay_behind_where_ours_are_known_by_type() -> None:
    kind = {"coding": [{"system": "urn:oid:1.2.3", "code": "IMR"}]}
    episode = {"resourceType": "EpisodeOfCare", "id": "1", "status": "active", "type": [kind]}
    types = frozenset({"urn:oid:1.2.3|IMR"})
    assert isinstance(leaving(episode, release(), episode_types=types), dict)
    assert leaving({**episode, "type": []}, release(), episode_types=types) == "not-imr"


def test_the_manual_names_each_element_that_may_leave() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "reporting.md").read_text()
    for resource_type, elements in ALLOWED.items():
        assert f"\n| {resource_type} | {', '.join(elements)} |" in manual


def test_what_our_loader_wrote_leaves_with_nothing_refused() -> None:
    """Of a server on which `imr-fhir load` put it, so that who exports is not sent to look for it."""
    for each in artefacts.questionnaires():
        letting = release()
        loaded = {**each, "id": "7", "meta": {"tag": [artefacts.loaded_tag(each)]}}
        kept = leaving(loaded, letting)
        assert isinstance(kept, dict)
        assert "meta" not in kept
        assert letting.refused == {}
