"""What a record holds twice, or says of two: counted once, and the second one told; numbers that are no UUID tell
nothing of two."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imr_fhir.reporting.making_report import Made
from tests.reporting.comparing import differences
from tests.reporting.making import DAY, ZONE, exported, report_of
from tests.reporting.recomputed import recompute
from tests.reporting.test_odd_input import changed, moved, whole

Resource = dict[str, Any]
PEOPLE = 25
RELATIONSHIP = "http://hl7.org/fhir/StructureDefinition/goal-relationship"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return report_of(exported(PEOPLE, tmp_path_factory.mktemp("plain")))


def report_with(folder: Path, name: str, more: Callable[[list[Resource]], list[Resource]]) -> Made:
    """Of an export in which the file of type ``name`` has ``more`` lines, made of those of no test patient."""
    added: list[Resource] = []
    changed(exported(PEOPLE, folder), name, lambda lines: added.extend(json.loads(json.dumps(more(lines)))))
    with (folder / f"{name}-00001.ndjson").open("a", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(each)}\n" for each in added)
    return report_of(folder)


def again(resource: Resource, **more: Any) -> Resource:
    return {**resource, "id": f"{resource['id']}-b", **more}


def wishes(lines: list[Resource]) -> list[Resource]:
    return [each for each in lines if RELATIONSHIP not in json.dumps(each)]


def test_an_episode_twice_has_each_pair_once(tmp_path: Path) -> None:
    """An interface that sent it a second time: two courses, and one person's answers beside each other once."""

    def more(lines: list[Resource]) -> list[Resource]:
        return [again(each) for each in lines if each["status"] == "active"]

    made = report_with(tmp_path, "EpisodeOfCare", more)
    assert differences(made.report, recompute(tmp_path, DAY, ZONE)) == []


def test_one_identifier_in_two_patients_records_is_a_rating_of_each(plain: Made, tmp_path: Path) -> None:
    def more(lines: list[Resource]) -> list[Resource]:
        first, *others = whole(lines)
        other = next(each for each in others if each["subject"] != first["subject"])
        return [again(first, subject=other["subject"], source=other["source"])]

    made = report_with(tmp_path, "QuestionnaireResponse", more)
    (told,) = moved(plain, made, "ratings").items()
    assert told in [("counted", 1), ("outside every course", 1)]
    assert differences(made.report, recompute(tmp_path, DAY, ZONE)) == []


def test_a_number_of_other_software_is_no_copy(plain: Made, tmp_path: Path) -> None:
    """Each patient's responses numbered from 1, as the panel lists them too."""

    def change(lines: list[Resource]) -> None:
        for number, each in enumerate(whole(lines)):
            each["identifier"] = {"system": "https://ehr.example/forms", "value": str(number % 2)}

    changed(exported(PEOPLE, tmp_path), "QuestionnaireResponse", change)
    made = report_of(tmp_path)
    assert moved(plain, made, "ratings") == {}
    assert made.report.counted.counts == plain.report.counted.counts


def test_a_goal_twice_counts_once_with_the_reviews_of_both(plain: Made, tmp_path: Path) -> None:
    def more(lines: list[Resource]) -> list[Resource]:
        return [again(each, meta={"lastUpdated": "2026-09-02T08:00:00Z"}) for each in wishes(lines)]

    made = report_with(tmp_path, "Goal", more)
    copies = moved(plain, made, "goals").pop("duplicate")
    assert copies > 5
    assert made.report.counted.counts == plain.report.counted.counts
    assert differences(made.report, recompute(tmp_path, DAY, ZONE)) == []


def test_a_step_that_two_goals_name_has_each_review_once(plain: Made, tmp_path: Path) -> None:
    """Of other software, that names steps from their goals."""

    def change(lines: list[Resource]) -> None:
        for step in [each for each in lines if RELATIONSHIP in json.dumps(each)]:
            (relation,) = step["extension"]
            kind, target = relation["extension"]
            kind["valueCodeableConcept"]["coding"][0]["code"] = "milestone"
            parent = target["valueReference"]["reference"].removeprefix("Goal/")
            target["valueReference"]["reference"] = f"Goal/{step['id']}"
            for goal in (each for each in wishes(lines) if each["id"] == parent):
                goal["extension"] = [relation, relation]
            del step["extension"]

    changed(exported(PEOPLE, tmp_path), "Goal", change)
    made = report_of(tmp_path)
    assert made.reconciliation.faults == ()
    assert moved(plain, made, "reviews") == {}
    assert made.report.counted.counts == plain.report.counted.counts
