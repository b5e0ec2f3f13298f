"""Goals and steps: the person's own words to the letter, what a hospital may add, what is refused."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from imr_fhir.artefacts import FILING, GOAL_PROFILE
from imr_fhir.errors import GoalError, WrongPatient
from imr_fhir.goal import (
    ACHIEVEMENTS,
    LIFE_AREAS,
    LIFECYCLES,
    Goal,
    from_resource,
    is_ours,
    joined,
    reviewed,
    steps_of,
    to_resource,
    withdrawn,
)
from imr_fhir.goal_update import kept
from imr_fhir.resource import Coding
from tests.filed import FILING as UUID
from tests.filed import GOAL, STEP, urn

Json = dict[str, Any]
RELATIONSHIP = "http://hl7.org/fhir/StructureDefinition/goal-relationship"
R4_TYPES = "http://terminology.hl7.org/CodeSystem/goal-relationship-type"


def written(goal: Goal, **options: Any) -> Json:
    return to_resource(goal, filing=UUID, **options)


def codes(resource: Json) -> list[str]:
    return [category["coding"][0]["code"] for category in resource["category"]]


def relation(kind: str, target: str, system: str = R4_TYPES) -> Json:
    return {
        "url": RELATIONSHIP,
        "extension": [
            {"url": "type", "valueCodeableConcept": {"coding": [{"system": system, "code": kind}]}},
            {"url": "target", "valueReference": {"reference": target}},
        ],
    }


def test_all_of_a_goal() -> None:
    resource = written(GOAL, profile=True)
    assert codes(resource) == ["goal", "leisure-culture"]
    del resource["category"]
    assert resource == {
        "resourceType": "Goal",
        "meta": {"profile": [GOAL_PROFILE], "tag": [{"system": FILING, "code": UUID}]},
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": urn(2)}],
        "lifecycleStatus": "active",
        "achievementStatus": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/goal-achievement",
                    "code": "in-progress",
                    "display": "In Progress",
                }
            ]
        },
        "description": {"text": "Sing in a choir again"},
        "subject": {"reference": "Patient/anna"},
        "startDate": "2026-01-01",
        "target": [{"dueDate": "2026-06-30"}],
        "statusDate": "2026-01-01",
        "expressedBy": {"reference": "Patient/anna"},
    }


def test_a_step_points_to_its_goal_and_has_a_category_of_its_own() -> None:
    resource = written(STEP)
    assert codes(resource) == ["step"]
    assert resource["extension"] == [relation("part-of", "Goal/2", "http://hl7.org/fhir/goal-relationship-type")]


@pytest.mark.parametrize(
    "goal",
    [
        GOAL,
        STEP,
        replace(GOAL, id="2", theirs=False, category="", start=None, due=None),
        replace(GOAL, text="  <script>alert(1)</script>\r\n\t& \N{SLIGHTLY SMILING FACE} "),
        replace(GOAL, text="x" * 500),
        *(replace(GOAL, category=area) for area in LIFE_AREAS),
        *(replace(GOAL, lifecycle=lifecycle) for lifecycle in LIFECYCLES),
        *(replace(GOAL, achievement=achievement) for achievement in ACHIEVEMENTS),
    ],
)
def test_what_is_written_is_read_as_it_was(goal: Goal) -> None:
    read = from_resource(written(goal), patient="anna")
    assert replace(read, version_id="") == goal  # what a server that keeps no versions shows has one all the same


@pytest.mark.parametrize(
    ("goal", "sentence"),
    [
        (replace(GOAL, text="x" * 10_000), "The goal is 9500 characters too long. Shorten it to 500."),
        (replace(STEP, text="x" * 501), "The step is 1 characters too long."),
        (replace(GOAL, text="\N{SLIGHTLY SMILING FACE}" * 251), "2 characters too long"),
        (replace(GOAL, text="bell \x07"), r"can't keep \(U\+0007, place 6\)"),
        (replace(GOAL, text=" \n "), "The goal is empty"),
        (replace(GOAL, category="money"), "'money' is no category.*money-rights"),
        (replace(GOAL, lifecycle="done"), "'done' is no lifecycle"),
        (replace(GOAL, achievement="half"), "'half' is no achievement"),
        (replace(GOAL, status_date=None), "since when"),
    ],
)
def test_what_can_t_be_kept_is_not_written(goal: Goal, sentence: str) -> None:
    with pytest.raises(GoalError, match=sentence):
        written(goal)


REFUSED: dict[str, tuple[Callable[[Json], object], type[Exception], str]] = {
    "another patient": (lambda r: r.update(subject={"reference": "Patient/bo"}), WrongPatient, "Patient/bo"),
    "expressed by another patient": (
        lambda r: r.update(expressedBy={"reference": "Patient/bo"}), WrongPatient, "expressedBy",
    ),
    "no words": (lambda r: r.update(description={"coding": [{"code": "1"}]}), GoalError, "no words"),
    "no description": (lambda r: r.pop("description"), GoalError, "no words"),
    "unknown lifecycle": (lambda r: r.update(lifecycleStatus="in-progress"), GoalError, "lifecycleStatus"),
    "unknown achievement": (
        lambda r: r["achievementStatus"]["coding"][0].update(code="half"), GoalError, "achievementStatus 'half'",
    ),
    "a modifier": (lambda r: r.update(modifierExtension=[{}]), GoalError, "change its meaning"),
    "a target that is none": (lambda r: r.update(target={"dueDate": "2026-01-01"}), GoalError, "no list of objects"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_what_and_a_next_step(name: str) -> None:
    change, error, sentence = REFUSED[name]
    resource = deepcopy(written(replace(GOAL, id="2")))
    change(resource)
    with pytest.raises(error, match=sentence) as caught:
        from_resource(resource, patient="anna")
    assert getattr(caught.value, "next_step", "")


def test_a_partial_date_and_a_goal_of_other_software_are_read() -> None:
    resource = {
        "resourceType": "Goal",
        "id": "9",
        "lifecycleStatus": "accepted",
        "description": {"text": "Sleep better"},
        "subject": {"reference": "Patient/anna"},
        "startDate": "2025-11",
        "target": [{"measure": {"text": "hours"}}, {"dueDate": "2026"}],
    }
    found = from_resource(resource, patient="anna")
    assert (found.start, found.due) == (date(2025, 11, 1), date(2026, 1, 1))
    assert not found.theirs
    assert not is_ours(resource)


@pytest.mark.parametrize("goal", [GOAL, STEP])
def test_ours_is_known_by_its_category(goal: Goal) -> None:
    assert is_ours(written(goal))


def test_ours_that_can_t_be_read_is_ours() -> None:
    assert is_ours({**written(GOAL), "modifierExtension": [{"url": "http://x"}]})


@pytest.mark.parametrize("raw", [{}, {"resourceType": "Goal", "category": "x"}, {"resourceType": "Observation"}])
def test_what_can_t_be_read_is_not_ours(raw: Json) -> None:
    assert not is_ours(raw)


def test_steps_are_found_from_either_side() -> None:
    older = {**written(replace(GOAL, id="2")), "extension": [relation("milestone", "Goal/4")]}
    goal = from_resource(older, patient="anna")
    newer = replace(STEP, id="3", parent="Goal/2")
    other = replace(GOAL, id="5", text="Another")
    goals = joined([goal, newer, replace(STEP, id="4", parent=""), other])
    assert [step.id for step in steps_of(goal, goals)] == ["3", "4"]
    assert steps_of(other, goals) == ()


@pytest.mark.parametrize(
    ("result", "lifecycle", "achievement"),
    [
        ("done", "completed", "achieved"),
        ("partly", "active", "in-progress"),
        ("not-yet", "active", "in-progress"),
        ("not-wanted", "cancelled", "improving"),
    ],
)
def test_a_review_moves_the_state(result: str, lifecycle: str, achievement: str) -> None:
    after = reviewed(replace(GOAL, achievement="improving"), result, date(2026, 4, 1))
    assert after == replace(GOAL, lifecycle=lifecycle, achievement=achievement, status_date=date(2026, 4, 1))


def test_a_withdrawal_keeps_the_words() -> None:
    after = withdrawn(GOAL, date(2026, 4, 1))
    assert after == replace(GOAL, lifecycle="entered-in-error", status_date=date(2026, 4, 1))


# ---- an update keeps what others wrote

THEIRS: Json = {
    "note": [{"text": "Agreed in the team"}],
    "addresses": [{"reference": "Condition/1"}],
    "priority": {"text": "high", "_text": {"extension": [{"url": "http://x", "valueString": "y"}]}},
}
LABEL: Coding = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}


def as_others_left_it() -> Json:
    mine = deepcopy(written(replace(GOAL, id="2")))
    return {
        **mine,
        **THEIRS,
        "text": {"status": "generated", "div": "<div>old</div>"},
        "meta": {
            "versionId": "4",
            "lastUpdated": "2026-02-01T00:00:00Z",
            "security": [LABEL],
            "tag": mine["meta"]["tag"],
        },
        "extension": [{"url": "http://x", "valueString": "y"}, relation("milestone", "Goal/4")],
        "identifier": [{"system": "urn:oid:1.2", "value": "4711"}, *mine["identifier"]],
        "category": [{"coding": [{"system": "http://x", "code": "c"}]}, *mine["category"]],
        "target": [{"measure": {"text": "level"}, "dueDate": "2026-06-30"}, {"measure": {"text": "other"}}],
    }


def test_an_update_keeps_what_others_wrote() -> None:
    base = as_others_left_it()
    after = replace(from_resource(base, patient="anna"), text="Sing", due=date(2026, 9, 1), category="people")
    merged = kept(to_resource(after, filing="new"), base)
    assert replace(from_resource(merged, patient="anna"), version_id="") == replace(after, version_id="")
    assert {name: merged[name] for name in THEIRS} == THEIRS
    assert merged["extension"] == base["extension"]
    assert merged["identifier"][1] == {"system": "urn:oid:1.2", "value": "4711"}
    assert codes(merged) == ["goal", "people", "c"]
    assert merged["target"] == [
        {"measure": {"text": "level"}, "dueDate": "2026-09-01"},
        {"measure": {"text": "other"}},
    ]
    assert merged["meta"] == {"security": [LABEL], "tag": [{"system": FILING, "code": "new"}]}
    assert "text" not in merged


def test_an_update_keeps_what_others_said_in_elements_that_are_ours_too() -> None:
    theirs = {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:99999999-0000-4000-8000-000000000000"}
    code = {"system": "http://snomed.info/sct", "code": "713458007"}
    reached = {"coding": [{"system": "urn:hospital", "code": "7"}], "text": "P\u00e5 vei"}
    mine = written(replace(GOAL, id="2", achievement="", status_date=None))
    base = {
        **mine,
        "identifier": [*mine["identifier"], theirs],
        "description": {"text": GOAL.text, "coding": [code]},
        "achievementStatus": reached,
    }
    merged = kept(mine, base)
    assert merged["identifier"] == base["identifier"]
    assert merged["description"] == base["description"]
    assert merged["achievementStatus"] == reached
    reworded = kept({**mine, "description": {"text": "Sing"}}, base)
    assert reworded["description"] == {"text": "Sing"}  # their code was of other words


def test_an_update_takes_out_what_the_goal_says_no_more() -> None:
    base = as_others_left_it()
    after = replace(
        from_resource(base, patient="anna"), start=None, due=None, achievement="", status_date=None, theirs=False
    )
    merged = kept(to_resource(after, filing="new"), base)
    assert replace(from_resource(merged, patient="anna"), version_id="") == replace(after, version_id="")
    assert merged["target"] == [{"measure": {"text": "level"}}, {"measure": {"text": "other"}}]


def test_an_update_keeps_another_person_who_expressed_the_goal() -> None:
    base = {**as_others_left_it(), "expressedBy": {"reference": "RelatedPerson/1"}}
    merged = kept(written(from_resource(base, patient="anna")), base)
    assert merged["expressedBy"] == {"reference": "RelatedPerson/1"}


def test_an_update_makes_no_date_more_exact_than_it_was_and_takes_out_none_that_is_not_read() -> None:
    partial = {"startDate": "2025-11", "target": [{"measure": {"text": "hours"}}, {"dueDate": "2026"}]}
    duration = {"target": [{"dueDuration": {"value": 3, "unit": "mo"}}], "startCodeableConcept": {"text": "Admission"}}
    by_number = {"identifier": {"system": "urn:oid:1.2", "value": "4711"}}
    whole = {name: value for name, value in as_others_left_it().items() if name not in ("startDate", "target")}
    for theirs in (partial, duration, {"expressedBy": by_number}):
        base = {**whole, **theirs}
        merged = kept(written(replace(from_resource(base, patient="anna"), text="Sing")), base)
        assert {name: merged.get(name) for name in theirs} == theirs
        assert set(merged) & {"startDate", "startCodeableConcept", "target"} == set(theirs) - {"expressedBy"}
    found = from_resource({**whole, **partial}, patient="anna")
    moved = kept(written(replace(found, due=date(2026, 9, 1))), {**whole, **partial})
    assert moved["target"] == [{"measure": {"text": "hours"}}, {"dueDate": "2026-09-01"}]
    cleared = kept(written(replace(found, due=None)), {**whole, **partial})
    assert cleared["target"] == [{"measure": {"text": "hours"}}]
    found = from_resource({**whole, **duration}, patient="anna")
    chosen = kept(written(replace(found, due=date(2026, 9, 1))), {**whole, **duration})
    assert chosen["target"] == [{"dueDate": "2026-09-01"}]


@pytest.mark.parametrize("bad", ["01.01.2026", "soon", "2026-01-01T00:00:00Z", "9999-12-31", "", None, 2026])
@pytest.mark.parametrize("name", ["startDate", "statusDate", "dueDate"])
def test_what_is_no_date_hides_no_words_and_stays_until_there_is_one(name: str, bad: object) -> None:
    base = {**written(replace(GOAL, id="2")), "statusDate": "2026-03-01"}
    (base["target"][0] if name == "dueDate" else base)[name] = bad
    found = from_resource(base, patient="anna")
    assert (found.text, found.date_unread) == (GOAL.text, True)
    kept_as_it_was = kept(written(replace(found, text="Sing")), base)
    assert {each: kept_as_it_was.get(each) for each in ("startDate", "statusDate", "target")} == {
        each: base[each] for each in ("startDate", "statusDate", "target")
    }
    day = date(2026, 9, 1)
    chosen = kept(written(replace(found, start=day, status_date=day, due=day)), base)
    assert (chosen["startDate"], chosen["statusDate"], chosen["target"]) == (
        "2026-09-01", "2026-09-01", [{"dueDate": "2026-09-01"}]
    )  # fmt: skip


def test_an_update_of_a_step_has_one_parent() -> None:
    base = {**written(replace(STEP, id="3")), "meta": {"versionId": "1"}}
    merged = kept(written(replace(STEP, id="3", text="Call")), base)
    assert merged["extension"] == base["extension"]
    assert "target" not in merged
