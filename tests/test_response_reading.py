"""Reading a QuestionnaireResponse: what is refused with a sentence, and what other software may do differently."""

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from imr_fhir.errors import ResponseError, WrongPatient
from imr_fhir.response import Response, from_resource, to_resource
from tests.filed import FILING, new_response
from tests.spec.build import sum_of

Json = dict[str, Any]


def written(response: Response | None = None) -> Json:
    return to_resource(response or new_response(), filing=FILING)


def leaf(resource: Json, link_id: str) -> Json:
    return next(
        item for outer in resource["item"] for item in [outer, *outer.get("item", [])] if item["linkId"] == link_id
    )


def answer(resource: Json, link_id: str, **value: Any) -> None:
    leaf(resource, link_id)["answer"] = [value]


def coded(resource: Json, link_id: str, **changed: str) -> None:
    leaf(resource, link_id)["answer"][0]["valueCoding"].update(changed)


def twice(resource: Json, link_id: str) -> None:
    leaf(resource, link_id)["answer"] *= 2


@pytest.mark.parametrize(
    ("answer", "comment"),
    [
        ({"valueString": "Well", "_valueString": {"extension": [{"url": "http://x", "valueCode": "y"}]}}, "Well"),
        ({"valueString": "Well", "_valueString": {"id": "c"}, "id": "a"}, "Well"),
        (
            {
                "_valueString": {
                    "extension": [
                        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
                    ]
                }
            },
            "",
        ),
    ],
)
def test_a_comment_with_an_extension_beside_it_is_read(answer: Json, comment: str) -> None:
    """R4, JSON: what is said of a primitive stands in its sibling with an underscore."""
    raw = written(new_response(comment="Well"))
    leaf(raw, "comment")["answer"] = [answer]
    assert from_resource(raw, patient="anna").comment == comment


REFUSED: dict[str, tuple[Callable[[Json], object], type[Exception], str]] = {
    "code of another item": (lambda r: coded(r, "06", code="07-3"), ResponseError, "06 has .*'07-3'.*question 07"),
    "not applicable on another item": (lambda r: coded(r, "06", code="13-na"), ResponseError, "belongs to question 13"),
    "unknown code": (lambda r: coded(r, "06", code="06-6"), ResponseError, "'06-6'.*does not offer"),
    "no code": (lambda r: leaf(r, "06")["answer"][0]["valueCoding"].pop("code"), ResponseError, "does not offer"),
    "the other rater's codes": (
        lambda r: coded(r, "06", system="https://w3id.org/imr-fhir/CodeSystem/imr-clinician"),
        ResponseError,
        "code system .*imr-clinician",
    ),
    "unknown system": (lambda r: coded(r, "06", system="http://loinc.org"), ResponseError, "http://loinc.org"),
    "two answers": (lambda r: twice(r, "06"), ResponseError, "question 06 has 2 answers"),
    "an item twice": (lambda r: r["item"][0]["item"].append(leaf(r, "06")), ResponseError, "06 has two answers"),
    "two comments": (lambda r: twice(r, "comment"), ResponseError, "question comment has 2 answers"),
    "an item outside the form": (
        lambda r: r["item"][0]["item"].append({"linkId": "16", "answer": [{"valueInteger": 1}]}),
        ResponseError,
        "linkId '16'.*no question",
    ),
    "another item beside the groups": (
        lambda r: r["item"].append({"linkId": "phq", "answer": [{"valueInteger": 1}]}), ResponseError, "'phq'",
    ),
    "questions under an answer": (
        lambda r: leaf(r, "06")["answer"][0].update(item=[{"linkId": "07"}]), ResponseError, "questions under it",
    ),
    "an answer of the group": (
        lambda r: r["item"][0].update(answer=[{"valueString": "x"}]), ResponseError, "is a group",
    ),
    "a rating as a number": (lambda r: answer(r, "06", valueInteger=3), ResponseError, "'valueInteger'.*valueCoding"),
    "a rating as text": (lambda r: answer(r, "06", valueString="06-3"), ResponseError, "'valueString'"),
    "an answer of nothing": (
        lambda r: leaf(r, "06")["answer"][0].update(valueCoding=None), ResponseError, "question 06 has nothing",
    ),
    "an answer without a value": (lambda r: answer(r, "06"), ResponseError, "question 06.*not a valueCoding"),
    "a coding that is text": (lambda r: answer(r, "06", valueCoding="06-3"), ResponseError, "not an object"),
    "a coded comment": (
        lambda r: answer(r, "comment", valueCoding={"code": "06-3"}), ResponseError, "comment has 'valueCoding'",
    ),
    "another questionnaire": (
        lambda r: r.update(questionnaire="http://loinc.org/q/44249-1"), ResponseError, "no IMR Scale",
    ),
    "no questionnaire": (lambda r: r.pop("questionnaire"), ResponseError, "no IMR Scale"),
    "unknown version": (
        lambda r: r.update(questionnaire="https://w3id.org/imr-fhir/Questionnaire/imr-client|0.9.0"),
        ResponseError,
        "a version that is not known here",
    ),
    "no version": (
        lambda r: r.update(questionnaire="https://w3id.org/imr-fhir/Questionnaire/imr-client"),
        ResponseError,
        "a version that is not known here",
    ),
    "another patient": (lambda r: r.update(subject={"reference": "Patient/bo"}), WrongPatient, "'Patient/bo'"),
    "no patient": (lambda r: r.pop("subject"), WrongPatient, "not the patient of this chart"),
    "a patient by identifier": (
        lambda r: r.update(subject={"identifier": {"value": "anna"}}), WrongPatient, "not the patient of this chart",
    ),
    "answered by another patient": (lambda r: r.update(source={"reference": "Patient/bo"}), WrongPatient, "source"),
    "recorded by another patient": (lambda r: r.update(author={"reference": "Patient/bo"}), WrongPatient, "author"),
    "answered by a relative": (
        lambda r: r.update(source={"reference": "RelatedPerson/1"}), ResponseError, "the patient's own",
    ),
    "unknown status": (lambda r: r.update(status="final"), ResponseError, "status 'final'.*none of in-progress"),
    "no status": (lambda r: r.pop("status"), ResponseError, "status ''"),
    "malformed time": (lambda r: r.update(authored="2026-02-30T10:00:00Z"), ResponseError, "authored.*2026-02-30"),
    "a time without a zone": (lambda r: r.update(authored="2026-02-20T10:00:00"), ResponseError, "time zone"),
    "a month": (lambda r: r.update(authored="2026-02"), ResponseError, "authored.*'2026-02'"),
    "no time": (lambda r: r.pop("authored"), ResponseError, "when it was answered"),
    "a time that is a number": (lambda r: r.update(authored=20260220), ResponseError, "a number as authored"),
    "malformed first completion": (
        lambda r: r["extension"][0].update(valueDateTime="soon"), ResponseError, "'soon' is not a time",
    ),
    "first completion without a time": (
        lambda r: r["extension"][0].pop("valueDateTime"), ResponseError, "first completed",
    ),
    "two first completions": (
        lambda r: r["extension"].append(r["extension"][0]), ResponseError, "2 extensions.*first-completed",
    ),
    "unknown language": (lambda r: r["extension"][1].update(valueCode="da"), ResponseError, "'da'"),
    "a modifier": (lambda r: r.update(modifierExtension=[{"url": "http://x"}]), ResponseError, "change its meaning"),
    "a modified item": (
        lambda r: leaf(r, "06").update(modifierExtension=[{"url": "http://x"}]), ResponseError, "question 06.*meaning",
    ),
    "rules of its own": (lambda r: r.update(implicitRules="http://x"), ResponseError, "implicitRules"),
    "an id that is a path": (lambda r: r.update(id=".."), ResponseError, "has id '..'"),
    "identifiers in a list": (lambda r: r.update(identifier=[r["identifier"]]), ResponseError, "not an object"),
    "items in no list": (lambda r: r.update(item={"linkId": "imr"}), ResponseError, "no list of objects"),
    "another type": (lambda r: r.update(resourceType="Observation"), ResponseError, "no QuestionnaireResponse"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_what_and_a_next_step(name: str) -> None:
    change, error, sentence = REFUSED[name]
    resource = deepcopy(written(new_response(id="7", comment="Hello")))
    change(resource)
    with pytest.raises(error, match=sentence) as caught:
        from_resource(resource, patient="anna")
    assert getattr(caught.value, "next_step", "")


def test_a_sentence_never_carries_control_characters_or_more_than_60_of_a_value() -> None:
    resource = written()
    coded(resource, "06", code="\x1b[31m\u202e" + "x" * 1000)
    with pytest.raises(ResponseError) as caught:
        from_resource(resource, patient="anna")
    assert "\x1b" not in str(caught.value)
    assert "\u202e" not in str(caught.value)
    assert len(str(caught.value)) < 300


# ---- what other software may do differently


def flatten(resource: Json) -> None:
    resource["item"][:1] = resource["item"][0]["item"]


def without_texts(resource: Json) -> None:
    for item in [*resource["item"], *resource["item"][0]["item"]]:
        del item["text"]


def with_weights(resource: Json) -> None:
    weight = {"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 5}
    for item in resource["item"][0]["item"]:
        item["answer"][0].setdefault("extension", []).append(weight)
        item["answer"][0]["valueCoding"]["extension"] = [weight]


TOLERATED: dict[str, Callable[[Json], object]] = {
    "no texts": without_texts,
    "weights of a renderer": with_weights,
    "another display": lambda r: coded(r, "06", display="Very well"),
    "no display, no version": lambda r: [
        leaf(r, "06")["answer"][0]["valueCoding"].pop(n) for n in ("display", "version")
    ],
    "a wrong score": lambda r: answer(r, "sum", valueInteger=75),
    "a score that is no number": lambda r: answer(r, "mean", valueString="high"),
    "no score": lambda r: r["item"].pop(),
    "no group": flatten,
    "the introduction as an item": lambda r: r["item"].insert(0, {"linkId": "introduction"}),
    "items in another order": lambda r: r["item"][0]["item"].reverse(),
    "an item without an answer": lambda r: r["item"][0]["item"].append({"linkId": "06"}),
    "a version in the reference": lambda r: r.update(subject={"reference": "Patient/anna/_history/2"}),
    "the same moment elsewhere": lambda r: r.update(authored="2026-01-01T11:00:00.000Z"),
    "no first completion": lambda r: r["extension"].pop(0),
    "no language": lambda r: r["extension"].pop(1),
    "no source": lambda r: r.pop("source"),
    "narrative and contained": lambda r: r.update(text={"div": "<p/>"}, contained=[{"resourceType": "Unheard"}]),
}


@pytest.mark.parametrize("name", TOLERATED)
def test_tolerated(name: str) -> None:
    response = new_response(ratings=sum_of(51))
    resource = deepcopy(written(response))
    TOLERATED[name](resource)
    assert from_resource(resource, patient="anna") == response


def test_a_date_alone_is_noon_and_without_an_extension_the_time_of_measurement() -> None:
    resource = written()
    del resource["extension"]
    resource["authored"] = "2026-05-04"
    found = from_resource(resource, patient="anna")
    assert found.measured == found.authored == datetime(2026, 5, 4, 12, tzinfo=UTC)


def test_the_language_of_other_software_is_the_resource_s() -> None:
    resource = written()
    del resource["extension"]
    assert from_resource({**resource, "language": "nb-NO"}, patient="anna").language == "nb"


def test_completed_with_14_answers_is_read_and_not_complete() -> None:
    resource = written()
    resource["item"][0]["item"].pop()
    found = from_resource(resource, patient="anna")
    assert len(found.ratings) == 14
    assert not found.complete


def test_server_ids_are_read() -> None:
    resource = {**written(), "id": "7", "meta": {"versionId": "3"}}
    found = from_resource(resource, patient="anna")
    assert (found.id, found.version_id, found.key) == ("7", "3", "QuestionnaireResponse/7")


def test_an_identifier_that_is_not_ours_is_none() -> None:
    resource = {**written(), "id": "7", "identifier": {"system": "urn:oid:1.2", "value": "4711"}}
    assert from_resource(resource, patient="anna").identifier == ""
