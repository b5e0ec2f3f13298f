"""What counts as "read back and equal to what was sent", and what does not."""

from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from imr_fhir.ehr.json_reader import read_json
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.observation import score_observation
from imr_fhir.response import to_resource
from imr_fhir.same import same_content
from tests.filed import FILING, NOW, every_resource, new_response, urn
from tests.spec.build import sum_of

Json = dict[str, Any]
BASE = "https://ehr.example/fhir"

SENT = score_observation(
    new_response(comment="Hello", ratings=sum_of(51), authored=NOW),
    response_reference=urn(1), urn=urn(5), filing=FILING, profile=True,
    security=[{"system": "http://x", "code": "R"}],
)  # fmt: skip
CODE = ("code.coding[0].code", "code.coding[0].display")
REFERENCES = {urn(1): "QuestionnaireResponse/7", urn(5): "Observation/8"}


def as_read() -> Json:
    read: Json = deepcopy(SENT)
    read["derivedFrom"] = [{"reference": "QuestionnaireResponse/7"}]
    return read


def differences(read: Json) -> list[str]:
    return same_content(SENT, read, references=REFERENCES, base=f"{BASE}/")


def meta(read: Json, **added: Any) -> None:
    read["meta"] = {**read["meta"], **added}


SAME: dict[str, Callable[[Json], object]] = {
    "nothing": lambda r: None,
    "id": lambda r: r.update(id="8"),
    "narrative": lambda r: r.update(text={"status": "generated", "div": "<div/>"}),
    "version": lambda r: meta(r, versionId="1", lastUpdated="2026-03-31T09:30:01Z", source="#x"),
    "more labels": lambda r: meta(r, security=[{"system": "http://y", "code": "V"}, *r["meta"]["security"]]),
    "more profiles": lambda r: meta(r, profile=["http://y", *r["meta"]["profile"]]),
    "more tags": lambda r: meta(r, tag=[{"system": "http://y", "code": "t"}, *r["meta"]["tag"]]),
    "a display of a label": lambda r: meta(r, security=[{**r["meta"]["security"][0], "display": "restricted"}]),
    "Z": lambda r: r.update(issued="2026-03-31T09:30:00Z"),
    "milliseconds": lambda r: r.update(issued="2026-03-31T09:30:00.000+00:00"),
    "another zone": lambda r: r.update(effectiveDateTime="2026-01-01T11:00:00Z"),
    "3.4": lambda r: r["valueQuantity"].update(value=Decimal("3.4")),
    "3.4 as a float": lambda r: r["valueQuantity"].update(value=3.4),
    "names in another order": lambda r: [r.update({name: r.pop(name)}) for name in list(r)[::-1]],
    "absolute address": lambda r: r.update(subject={"reference": f"{BASE}/Patient/anna"}),
    "whom a reference is to": lambda r: r["subject"].update(display="Berg, Anna", type="Patient"),
    "a version in a reference": lambda r: r["derivedFrom"][0].update(reference="QuestionnaireResponse/7/_history/1"),
}


@pytest.mark.parametrize("name", SAME)
def test_the_same(name: str) -> None:
    read = as_read()
    SAME[name](read)
    assert differences(read) == []


DIFFERENT: dict[str, tuple[Callable[[Json], object], list[str]]] = {
    "status": (lambda r: r.update(status="preliminary"), ["status"]),
    "type": (lambda r: r.update(resourceType="Goal"), ["resourceType"]),
    "another patient, by the same name": (
        lambda r: r.update(subject={"reference": "Patient/bo", "display": "Berg, Anna"}), ["subject.reference"],
    ),
    "a number beside a reference": (
        lambda r: r["subject"].update(identifier={"value": "7"}), ["subject.identifier"],
    ),
    "a display that was sent": (lambda r: r["component"][0]["code"]["coding"][0].update(display="x"),
                                ["component[0].code.coding[0].display"]),
    "a display that was not": (lambda r: r["code"].update(display="x"), ["code.display"]),
    "another patient": (lambda r: r.update(subject={"reference": "Patient/bo"}), ["subject.reference"]),
    "the patient of another server": (
        lambda r: r.update(subject={"reference": "https://other.example/fhir/Patient/anna"}), ["subject.reference"],
    ),
    "another response": (
        lambda r: r.update(derivedFrom=[{"reference": "QuestionnaireResponse/9"}]), ["derivedFrom[0].reference"],
    ),
    "not resolved": (lambda r: r.update(derivedFrom=[{"reference": urn(2)}]), ["derivedFrom[0].reference"]),
    "a rating": (lambda r: r["component"][4].update(valueInteger=1), ["component[4].valueInteger"]),
    "a rating that is text": (lambda r: r["component"][4].update(valueInteger="3"), ["component[4].valueInteger"]),
    "true for 1": (lambda r: r["component"][4].update(valueInteger=True), ["component[4].valueInteger"]),
    "the mean": (lambda r: r["valueQuantity"].update(value=Decimal("3.41")), ["valueQuantity.value"]),
    "less": (lambda r: r.pop("note"), ["note"]),
    "more": (lambda r: r.update(bodySite={"text": "x"}), ["bodySite"]),
    "the words": (lambda r: r.update(note=[{"text": "hello"}]), ["note[0].text"]),
    "trimmed words": (lambda r: r.update(note=[{"text": "Hello "}]), ["note[0].text"]),
    "a component less": (lambda r: r["component"].pop(), ["component"]),
    "components in another order": (
        lambda r: r["component"].insert(0, r["component"].pop(1)),
        [f"component[{n}].{name}" for n in (0, 1) for name in (*CODE, "valueInteger")],
    ),
    "a day for a moment": (lambda r: r.update(issued="2026-03-31"), ["issued"]),
    "another moment": (lambda r: r.update(issued="2026-03-31T09:30:00+02:00"), ["issued"]),
    "no moment": (lambda r: r.update(issued=None), ["issued"]),
    "a label lost": (lambda r: meta(r, security=[]), ["meta.security"]),
    "the tag of another filing": (
        lambda r: meta(r, tag=[{**r["meta"]["tag"][0], "code": "other"}]), ["meta.tag"],
    ),
    "no meta": (lambda r: r.pop("meta"), ["meta.profile", "meta.security", "meta.tag"]),
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENT)
def test_different(name: str) -> None:
    change, paths = DIFFERENT[name]
    read = as_read()
    change(read)
    assert differences(read) == paths


@pytest.mark.parametrize("name", ["profile", "security", "tag"])
@pytest.mark.parametrize("labels", [None, "x", [None], [{"system": ["x"], "code": {}}], [["x"]]])
def test_labels_that_are_none_are_not_those_that_were_sent(name: str, labels: Any) -> None:
    read = as_read()
    meta(read, **{name: labels})
    assert differences(read) == [f"meta.{name}"]


def test_a_language_may_be_left_out_and_not_changed() -> None:
    sent = {"resourceType": "Observation", "language": "nb"}
    assert same_content(sent, {"resourceType": "Observation"}) == []
    assert same_content(sent, sent | {"language": "en"}) == ["language"]


def test_a_time_in_words_is_words() -> None:
    sent = {"resourceType": "Observation", "valueString": "2026-03-31T09:30:00Z"}
    assert same_content(sent, {**sent, "valueString": "2026-03-31T09:30:00+00:00"}) == ["valueString"]


def test_without_a_base_an_absolute_address_is_another() -> None:
    sent = {"subject": {"reference": "Patient/anna"}}
    assert same_content(sent, {"subject": {"reference": f"{BASE}/Patient/anna"}}) == ["subject.reference"]


def test_items_of_a_response_are_named_by_place() -> None:
    sent = to_resource(new_response(), filing=FILING)
    read = deepcopy(sent)
    read["item"][0]["item"][5]["answer"][0]["valueCoding"]["code"] = "06-5"
    assert same_content(sent, read) == ["item[0].item[5].answer[0].valueCoding.code"]


@pytest.mark.parametrize(("name", "resource"), list(every_resource(profile=True)))
def test_each_is_the_same_as_itself_over_the_wire(name: str, resource: Json) -> None:
    assert same_content(resource, read_json(write_json(resource))) == []
