"""The score that Python works out is what the Questionnaires' own expressions give in engines that we did not write."""

from collections import Counter
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

import pytest

from imr_fhir import artefacts
from imr_fhir.scale import RATERS, Rater, Ratings
from imr_fhir.scoring import code_of, score
from tests import oracles, parts
from tests.answer_sets import EACH, KINDS, answer_sets


def response(rater: Rater, ratings: Ratings, random: Random) -> dict[str, Any]:
    """A response as form fillers write it: open items absent or without an answer, a score group that is wrong."""
    system = f"{artefacts.BASE}/CodeSystem/imr-{rater}"
    items: list[dict[str, Any]] = []
    for item in range(1, 16):
        if item in ratings:
            coding = {"system": system, "code": code_of(item, ratings[item])}
            items.append({"linkId": f"{item:02}", "answer": [{"valueCoding": coding}]})
        elif random.random() < 0.5:
            items.append({"linkId": f"{item:02}"})
    groups: list[dict[str, Any]] = [{"linkId": "imr", "item": items}] if items or random.random() < 0.5 else []
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{artefacts.BASE}/Questionnaire/imr-{rater}|{artefacts.VERSION}",
        "status": "completed",
        "item": [
            *groups,
            {"linkId": "comment", "answer": [{"valueString": "99-5"}]},
            {"linkId": "score", "item": [{"linkId": "sum", "answer": [{"valueInteger": 999}]}]},
        ],
    }


@cache
def asked() -> tuple[tuple[Rater, Ratings, dict[str, Any]], ...]:
    random = Random(27)
    return tuple(
        (rater := random.choice(RATERS), ratings, response(rater, ratings, random)) for _, ratings in answer_sets()
    )


def expressions(rater: Rater) -> dict[str, str]:
    (group,) = (item for item in artefacts.questionnaire(rater)["item"] if item["linkId"] == "score")
    return {item["linkId"]: item["extension"][0]["valueExpression"]["expression"] for item in group["item"]}


def test_there_are_enough_of_each_kind() -> None:
    kinds = Counter(kind for kind, _ in answer_sets())
    assert kinds.total() >= 1000
    assert set(kinds) == set(KINDS)
    assert all(kinds[kind] >= EACH for kind in KINDS[:4])


@pytest.mark.parametrize(
    ("engine", "needs"),
    [(oracles.by_fhirpathpy, ()), (oracles.by_fhirpath_js, (parts.NODE,))],
    ids=["fhirpathpy", "fhirpath.js"],
)
def test_engine_gives_the_same_score(engine: Any, needs: tuple[parts.Part, ...]) -> None:
    parts.need(*needs)
    for rater in RATERS:
        of_rater = [(ratings, resource) for of, ratings, resource in asked() if of == rater]
        told = engine(expressions(rater), [resource for _, resource in of_rater])
        for (ratings, _), figures in zip(of_rater, told, strict=True):
            mine = score(ratings)
            assert figures["sum"] == [mine.sum] * (mine.sum is not None), ratings
            assert figures["rated"] == [mine.rated], ratings
            assert [Decimal(str(mean)) for mean in figures["mean"]] == [mine.mean] * (mine.mean is not None), ratings
