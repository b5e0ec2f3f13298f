"""Both Questionnaires and their CodeSystems: the instrument to the letter, codes, weights, score expressions."""

import json
from pathlib import Path
from typing import Any

import pytest

from imr_fhir import artefacts
from imr_fhir.scale import RATERS
from imr_fhir.translation_status import statuses

DATA = Path(__file__).parent / "data"
ENGLISH = json.loads((DATA / "imr_scales.json").read_text(encoding="utf-8"))
BOKMAL = json.loads((DATA / "imr_scales_nb.json").read_text(encoding="utf-8"))
NOT_PRESCRIBED = {"client": "No medication is prescribed for me", "clinician": "No medication is prescribed"}

HL7 = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"

BY_URL = {resource["url"]: resource for resource in artefacts.artefact_resources()}


def resource(kind: str, name: str) -> dict[str, Any]:
    return BY_URL[f"{artefacts.BASE}/{kind}/{name}"]


def value(element: dict[str, Any], url: str) -> Any:
    """The value of the one extension ``url``; None where there is none."""
    found = [e for e in element.get("extension", []) if e["url"] == url]
    assert len(found) <= 1, f"{url} twice"
    return next((v for e in found for key, v in e.items() if key.startswith("value")), None)


def both(element: dict[str, Any], key: str) -> tuple[str, str]:
    """English and bokmål of a string."""
    (translation,) = element[f"_{key}"]["extension"]
    assert translation["url"] == HL7 + "translation"
    lang, content = translation["extension"]
    assert (lang, content["url"]) == ({"url": "lang", "valueCode": "nb"}, "content")
    return element[key], content["valueString"]


def items(rater: str) -> list[dict[str, Any]]:
    (group,) = (item for item in artefacts.questionnaire(rater)["item"] if item["linkId"] == "imr")
    found: list[dict[str, Any]] = group["item"]
    return found


def texts(rater: str) -> list[dict[str, Any]]:
    """Per item: label, prompt and answers as (English, bokmål), as the instrument's files have them."""
    found = []
    for english, bokmal in zip(ENGLISH[rater]["items"], BOKMAL[rater]["items"], strict=True):
        answers = list(zip(english["anchors"], bokmal["anchors"], strict=True))
        if english["item"] == 13:
            answers.append((NOT_PRESCRIBED[rater], bokmal["na"]))
        found.append(
            {key: (english[key], bokmal[key]) for key in ("label", "prompt")}
            | {"number": english["item"], "answers": answers}
        )
    return found


@pytest.mark.parametrize("rater", RATERS)
class TestText:
    def test_title_and_introduction(self, rater: str) -> None:
        form = artefacts.questionnaire(rater)
        assert both(form, "title") == (ENGLISH[rater]["title"], BOKMAL[rater]["title"])
        shown = [both(item, "text") for item in form["item"] if item["type"] == "display"]
        assert shown == [(ENGLISH[rater]["introduction"], BOKMAL[rater]["introduction"])] * (rater == "client")

    def test_every_item(self, rater: str) -> None:
        said = []
        for item in items(rater):
            (short,) = (e for e in item["extension"] if e["url"] == SDC + "shortText")
            said.append(
                {
                    "number": int(item["prefix"]),
                    "label": both(short, "valueString"),
                    "prompt": both(item, "text"),
                    "answers": [both(option["valueCoding"], "display") for option in item["answerOption"]],
                }
            )
        assert said == texts(rater)

    def test_every_concept(self, rater: str) -> None:
        def display(concept: dict[str, Any]) -> tuple[str, str]:
            (designation,) = concept["designation"]
            assert designation["language"] == "nb"
            return concept["display"], designation["value"]

        said = [
            (display(concept), concept["definition"], [display(anchor) for anchor in concept["concept"]])
            for concept in resource("CodeSystem", f"imr-{rater}")["concept"]
        ]
        assert said == [(item["label"], item["prompt"][0], item["answers"]) for item in texts(rater)]

    def test_status_of_the_wording_is_told(self, rater: str) -> None:
        for kind, where in (("Questionnaire", "translation extensions"), ("CodeSystem", "designations")):
            artefact = resource(kind, f"imr-{rater}")
            assert f"Bokmål (nb), in {where}: {BOKMAL['status']}." in artefact["description"]
            assert ("not yet checked against the SAMHSA booklet" in artefact["description"]) == (rater == "clinician")
            (status,) = statuses(artefact)
            assert (status.lang, status.status, status.on) == ("nb", "draft", "2026-11-23")
            assert status.sentence(kind) == f"Bokmål (nb), in {where}: {BOKMAL['status']}."
            expected = {"client": ("active", False), "clinician": ("draft", True)}[rater]
            assert (artefact["status"], artefact["experimental"]) == expected


@pytest.mark.parametrize("rater", RATERS)
class TestCodes:
    def test_answers_carry_their_rating(self, rater: str) -> None:
        for number, item in enumerate(items(rater), 1):
            link_id = f"{number:02}"
            codes = [f"{link_id}-{rating}" for rating in range(1, 6)] + ["13-na"] * (number == 13)
            assert item["linkId"] == item["code"][0]["code"] == link_id
            assert [option["valueCoding"]["code"] for option in item["answerOption"]] == codes
            for option in item["answerOption"]:
                coding = option["valueCoding"]
                assert coding["system"] == f"{artefacts.BASE}/CodeSystem/imr-{rater}"
                assert coding["version"] == artefacts.VERSION
                last = coding["code"][3:]
                weight = None if last == "na" else int(last)
                assert value(option, HL7 + "ordinalValue") == weight
                assert value(option, HL7 + "itemWeight") == weight
                assert value(coding, HL7 + "ordinalValue") == weight

    def test_code_system_has_the_same(self, rater: str) -> None:
        system = resource("CodeSystem", f"imr-{rater}")
        assert system["hierarchyMeaning"] == "grouped-by"
        weights = {
            anchor["code"]: [p["valueDecimal"] for p in anchor.get("property", []) if p["code"] == "itemWeight"]
            for concept in system["concept"]
            for anchor in concept["concept"]
        }
        assert weights == {
            option["valueCoding"]["code"]: [w for w in [value(option, HL7 + "itemWeight")] if w is not None]
            for item in items(rater)
            for option in item["answerOption"]
        }
        assert [c["code"] for c in system["concept"]] == [f"{n:02}" for n in range(1, 16)]
        assert system["count"] == len(weights) + 15 == 91


# The shape that LHC-Forms, Smart Forms, fhirpath.js, fhirpathpy and HAPI work out alike; another was not tried.
_A = "%resource.item.where(linkId='imr').item.answer.value.code"
_R = f"{_A}.where(substring(3)!='na')"
EXPRESSIONS = {
    "sum": f"iif({_A}.exists(), {_R}.aggregate($this.substring(3).toInteger()+$total, 0), {{}})",
    "rated": f"{_R}.count()",
    "mean": f"iif({_A}.count()=15, (({_R}.aggregate($this.substring(3).toInteger()+$total, 0) * 1.00000) / "
    f"{_R}.count()).round(2), {{}})",
}


@pytest.mark.parametrize("rater", RATERS)
class TestForm:
    def test_groups(self, rater: str) -> None:
        top = {item["linkId"]: item for item in artefacts.questionnaire(rater)["item"]}
        assert list(top) == ["introduction"] * (rater == "client") + ["imr", "comment", "score"]
        assert [item["linkId"] for item in top["imr"]["item"]] == [f"{n:02}" for n in range(1, 16)]
        assert top["imr"]["required"]
        assert (top["comment"]["type"], top["comment"]["maxLength"]) == ("text", 4000)
        assert "required" not in top["comment"]

    def test_items(self, rater: str) -> None:
        for item in items(rater):
            assert (item["type"], item["required"]) == ("choice", True)
            control = value(item, HL7 + "questionnaire-itemControl")["coding"][0]
            assert (control["system"], control["code"]) == (
                "http://hl7.org/fhir/questionnaire-item-control",
                "radio-button",
            )

    def test_score_expressions(self, rater: str) -> None:
        (score,) = (item for item in artefacts.questionnaire(rater)["item"] if item["linkId"] == "score")
        assert {item["linkId"]: item["type"] for item in score["item"]} == {
            "sum": "integer",
            "rated": "integer",
            "mean": "decimal",
        }
        for item in score["item"]:
            assert item["readOnly"] is True
            said = value(item, SDC + "calculatedExpression")
            assert said == {"language": "text/fhirpath", "expression": EXPRESSIONS[item["linkId"]]}

    def test_properties(self, rater: str) -> None:
        form = artefacts.questionnaire(rater)
        assert form["subjectType"] == ["Patient"]
        performers = [e["valueCode"] for e in form["extension"] if e["url"] == SDC + "performerType"]
        assert performers == {"client": ["Patient"], "clinician": ["Practitioner", "PractitionerRole"]}[rater]
        assert "SAMHSA" in form["copyright"]
        assert "Mueser" in form["copyright"]
