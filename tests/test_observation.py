"""The score Observation: its shape in each state of a response, and what is refused when it is read."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from imr_fhir.artefacts import CODES, SCORE_PROFILE
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.errors import ResponseError, WrongPatient
from imr_fhir.observation import StoredScore, from_resource, score_observation
from imr_fhir.rating_update import kept
from imr_fhir.response import Response
from imr_fhir.scale import NA
from tests.filed import FILING, NOW, RESPONSES, new_response, urn
from tests.spec.build import answers, sum_of

Json = dict[str, Any]


def written(response: Response, **options: Any) -> Json:
    return score_observation(
        response, response_reference="QuestionnaireResponse/7", urn=urn(5), filing=FILING, **options
    )


def components(resource: Json) -> dict[str, object]:
    """Code -> value, or the code of why there is none."""
    return {
        found["code"]["coding"][0]["code"]: found.get("valueInteger")
        or found.get("dataAbsentReason", {"coding": [{"code": 0}]})["coding"][0]["code"]
        for found in resource["component"]
    }


def test_all_of_a_complete_response() -> None:
    response = new_response(
        rater="clinician", ratings=sum_of(51), comment="Tired", encounter="Encounter/3", authored=NOW
    )
    resource = written(response, profile=True)
    component = resource.pop("component")
    assert resource == {
        "resourceType": "Observation",
        "meta": {"profile": [SCORE_PROFILE], "tag": [{"system": "https://w3id.org/imr-fhir/filing", "code": FILING}]},
        "extension": [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/workflow-instantiatesCanonical",
                "valueCanonical": "https://w3id.org/imr-fhir/Questionnaire/imr-clinician|0.1.0",
            }
        ],
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": urn(5)}],
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "survey",
                        "display": "Survey",
                    }
                ]
            }
        ],
        "code": {
            "coding": [
                {
                    "system": CODES,
                    "version": "0.1.0",
                    "code": "score-clinician",
                    "display": "IMR Scale score, clinician version",
                }
            ]
        },
        "subject": {"reference": "Patient/anna"},
        "encounter": {"reference": "Encounter/3"},
        "effectiveDateTime": "2026-01-01T12:00:00+01:00",
        "issued": "2026-03-31T09:30:00+00:00",
        "performer": [{"reference": "Practitioner/berg"}],
        "valueQuantity": {
            "value": Decimal("3.40"),
            "unit": "score",
            "system": "http://unitsofmeasure.org",
            "code": "{score}",
        },
        "note": [{"text": "Tired"}],
        "derivedFrom": [{"reference": "QuestionnaireResponse/7"}],
    }
    assert component[2] == {
        "code": {
            "coding": [
                {
                    "system": "https://w3id.org/imr-fhir/CodeSystem/imr-clinician",
                    "version": "0.1.0",
                    "code": "01",
                    "display": "Progress toward goals",
                }
            ]
        },
        "valueInteger": 4,
    }


def test_the_mean_keeps_its_digits() -> None:
    assert b'"value":3.40,' in write_json(written(new_response(ratings=sum_of(51))))


def test_not_applicable_is_no_rating_and_no_gap() -> None:
    resource = written(new_response(ratings=answers(2, {13: NA})))
    assert resource["valueQuantity"]["value"] == Decimal("2.00")
    found = components(resource)
    assert (found["sum"], found["rated"], found["13"], found["12"]) == (28, 14, "not-applicable", 2)


def test_a_stopped_response_has_its_ratings_and_no_figure() -> None:
    resource = written(new_response(status="stopped", ratings=answers(4, {13: NA}, without=[1, 2])))
    assert resource["status"] == "final"
    assert "valueQuantity" not in resource
    assert resource["dataAbsentReason"]["coding"][0]["code"] == "not-performed"
    found = components(resource)
    assert "sum" not in found
    assert (found["rated"], found["01"], found["03"], found["13"]) == (12, "asked-unknown", 4, "not-applicable")


def test_stopped_after_the_last_answer_is_stopped_all_the_same() -> None:
    resource = written(new_response(status="stopped", ratings=answers(4)))
    assert "valueQuantity" not in resource
    assert "sum" not in components(resource)


@pytest.mark.parametrize(
    ("status", "expected"),
    [("completed", "final"), ("stopped", "final"), ("amended", "corrected"), ("entered-in-error", "entered-in-error")],
)
def test_the_status_follows_the_response_s(status: str, expected: str) -> None:
    assert written(new_response(status=status))["status"] == expected


def test_a_draft_has_no_score() -> None:
    with pytest.raises(ResponseError, match="in-progress has no score"):
        written(new_response(status="in-progress"))


def test_a_correction_keeps_id_identifier_and_time() -> None:
    resource = written(RESPONSES["amended"], observation_id="8")
    assert (resource["id"], resource["identifier"][0]["value"]) == ("8", urn(5))
    assert resource["effectiveDateTime"] == "2026-01-01T12:00:00+01:00"
    assert resource["issued"] == "2026-03-31T09:30:00+00:00"


def test_without_a_response_in_the_record_it_stands_alone() -> None:
    resource = score_observation(RESPONSES["client"], response_reference="", urn=urn(5), filing=FILING)
    assert "derivedFrom" not in resource
    assert from_resource(resource, patient="anna").language == RESPONSES["client"].language


@pytest.mark.parametrize("name", RESPONSES)
def test_read_back_it_has_every_rating_and_what_a_correction_needs(name: str) -> None:
    response = RESPONSES[name]
    resource = {**written(response, observation_id="8"), "meta": {"versionId": "2"}}
    assert from_resource(resource, patient="anna") == StoredScore(
        id="8",
        version_id="2",
        identifier=urn(5),
        rater=response.rater,
        status=resource["status"],
        whole=response.status != "stopped",
        derived_from="QuestionnaireResponse/7",
        questionnaire=response.questionnaire,
        measured=response.measured,
        issued=response.authored,
        ratings=response.ratings,
        comment=response.comment,
        performer=response.source,
        encounter=response.encounter,
        language="en",  # of one that stands alone: the response says it
    )


def item(resource: Json, number: int) -> Json:
    found: Json = resource["component"][number + 1]
    return found


REFUSED: dict[str, tuple[Callable[[Json], object], type[Exception], str]] = {
    "another code": (lambda r: r["code"]["coding"][0].update(code="review"), ResponseError, "'review'.*no score"),
    "both codes": (
        lambda r: r["code"]["coding"].append({"system": CODES, "code": "score-clinician"}), ResponseError, "no score",
    ),
    "another's code system": (lambda r: r["code"]["coding"][0].update(system="http://x"), ResponseError, "no score"),
    "another patient": (lambda r: r.update(subject={"reference": "Patient/bo"}), WrongPatient, "Patient/bo"),
    "no form": (lambda r: r.pop("extension"), ResponseError, "form or version"),
    "another version": (
        lambda r: r["extension"][0].update(valueCanonical="https://w3id.org/imr-fhir/Questionnaire/imr-client|7"),
        ResponseError,
        "imr-client.7",
    ),
    "a rating of 6": (lambda r: item(r, 6).update(valueInteger=6), ResponseError, "outside 1 to 5"),
    "a rating of 0": (lambda r: item(r, 13).update(valueInteger=0), ResponseError, "outside 1 to 5"),
    "true for a rating": (lambda r: item(r, 6).update(valueInteger=True), ResponseError, "not a whole number"),
    "a rating with a fraction": (
        lambda r: item(r, 6).update(valueInteger=Decimal("3.5")), ResponseError, "not a whole number",
    ),
    "a rating as a quantity": (
        lambda r: (item(r, 6).pop("valueInteger"), item(r, 6).update(valueQuantity={"value": 3})),
        ResponseError,
        "no whole number",
    ),
    "an item twice": (lambda r: r["component"].append(item(r, 6)), ResponseError, "'06'.*a second time"),
    "no such item": (
        lambda r: item(r, 6)["code"]["coding"][0].update(code="16"), ResponseError, "'16'.*no item",
    ),
    "not applicable elsewhere": (
        lambda r: (
            item(r, 6).pop("valueInteger"),
            item(r, 6).update(deepcopy({"dataAbsentReason": item(r, 13)["dataAbsentReason"]})),
        ),
        ResponseError,
        "item 6 is not applicable",
    ),
    "preliminary": (lambda r: r.update(status="preliminary"), ResponseError, "status 'preliminary'"),
    "a period": (lambda r: r.pop("effectiveDateTime"), ResponseError, "when it was measured"),
    "a modified item": (
        lambda r: item(r, 6).update(modifierExtension=[{"url": "http://x"}]), ResponseError, "change its meaning",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_what_and_a_next_step(name: str) -> None:
    change, error, sentence = REFUSED[name]
    resource = deepcopy(written(new_response(ratings=answers(3, {13: NA}))))
    change(resource)
    with pytest.raises(error, match=sentence) as caught:
        from_resource(resource, patient="anna")
    assert getattr(caught.value, "next_step", "")


def test_figures_and_displays_are_not_read() -> None:
    resource = deepcopy(written(new_response()))
    resource["valueQuantity"]["value"] = Decimal("9.99")
    resource["component"][0]["valueInteger"] = 999
    item(resource, 6)["code"]["coding"][0]["display"] = "Something else"
    assert from_resource(resource, patient="anna").ratings == answers(3)


LOINC = {"system": "http://loinc.org", "code": "75859-9", "display": "Recovery", "userSelected": True}
CODINGS: list[tuple[str, Callable[[Json], list[Json]], list[Json]]] = [
    # what an EHR made of our coding, and what an update keeps beside it
    ("ours alone", lambda ours: [ours], []),
    ("theirs after it", lambda ours: [ours, LOINC], [LOINC]),
    ("theirs before it", lambda ours: [LOINC, ours], [LOINC]),
    ("ours in other words", lambda ours: [{**ours, "display": "IMR", "version": "0"}, LOINC], [LOINC]),
    ("words alone", lambda ours: [ours, {"display": "Questionnaire score"}], [{"display": "Questionnaire score"}]),
]


@pytest.mark.parametrize(("case", "codings", "theirs"), CODINGS, ids=[case for case, _, _ in CODINGS])
def test_an_update_keeps_what_others_coded(
    case: str, codings: Callable[[Json], list[Json]], theirs: list[Json]
) -> None:
    built = written(new_response())
    (ours,) = built["code"]["coding"]
    base = {**built, "id": "5", "code": {"coding": codings(ours), "text": "Recovery"}}
    assert kept(built, base)["code"] == {"coding": [ours, *theirs], "text": "Recovery"}


@pytest.mark.parametrize(("case", "codings", "theirs"), CODINGS, ids=[case for case, _, _ in CODINGS])
def test_so_does_each_figure_in_it(case: str, codings: Callable[[Json], list[Json]], theirs: list[Json]) -> None:
    before = written(new_response())
    base = {**deepcopy(before), "id": "5"}
    for place in (1, 6):  # how many were rated, and item 5
        (ours,) = base["component"][place]["code"]["coding"]
        base["component"][place]["code"] = {"coding": codings(ours), "text": "Theirs"}
    built = written(replace(new_response(), ratings=answers(3, {5: 1})))
    merged = kept(built, {**base, "component": base["component"][::-1]})["component"]
    for place, each in enumerate(built["component"]):
        code = {"coding": [*each["code"]["coding"], *theirs], "text": "Theirs"} if place in (1, 6) else each["code"]
        assert merged[place] == {**each, "code": code}


def test_another_coding_of_ours_in_it_is_none_of_others() -> None:
    """It would be the answer to two questions."""
    built = written(new_response())
    base = {**deepcopy(built), "id": "5"}
    five, six = (base["component"][place]["code"]["coding"] for place in (6, 7))
    five += six
    base["component"].pop(7)
    merged = kept(built, base)
    assert merged["component"] == built["component"]
    assert from_resource(merged, patient="anna").ratings == answers(3)
