"""The JSON of questionnaires/ and profiles/: the instrument to the letter, codes, weights, score expressions."""

import importlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from imr_fhir import artefacts
from imr_fhir.errors import ArtefactError
from imr_fhir.scale import RATERS
from tests.validator import Validator

TOP = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data"
ENGLISH = json.loads((DATA / "imr_scales.json").read_text(encoding="utf-8"))
BOKMAL = json.loads((DATA / "imr_scales_nb.json").read_text(encoding="utf-8"))
NOT_PRESCRIBED = {"client": "No medication is prescribed for me", "clinician": "No medication is prescribed"}

HL7 = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"

RESOURCES = artefacts.artefact_resources()
BY_URL = {resource["url"]: resource for resource in RESOURCES}


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
            expected = {"client": ("active", False), "clinician": ("draft", True)}[rater]
            assert (artefact["status"], artefact["experimental"]) == expected


def test_no_text_claims_validation() -> None:
    for artefact in RESOURCES:
        said = json.dumps(artefact, ensure_ascii=False).lower()
        assert said.count("validated") == said.count("not validated"), artefact["url"]


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


# fmt: off
CODES = [
    "score-client", "score-clinician", "sum", "rated", "goal", "step",
    "work-learning", "home", "people", "health-body", "leisure-culture", "money-rights", "meaning", "other",
    "review", "done", "partly", "not-yet", "not-wanted", "what-helped", "hindered-person",
    "hindered-around", "hindered-services", "helps", "hinders",
    "due-outcome", "not-today", "declined", "too-unwell", "not-asked", "new-date",
    "prompt", "talked-about", "will-follow-up", "known-already", "prompt-reason", "prompt-item", "follow-up-date",
    "relapse-recent", "hospital-recent", "total-down", "item-down", "comment", "stopped-early",
    "seen-first",
]
# fmt: on


def test_own_codes() -> None:
    """A change of meaning is a new code: none of these may go, or come to mean something else."""
    concepts = resource("CodeSystem", "imr")["concept"]
    assert [concept["code"] for concept in concepts] == CODES
    assert all(concept["display"] and concept["definition"] and concept["designation"] for concept in concepts)


def test_value_sets_name_what_exists() -> None:
    displays = {concept["code"]: concept["display"] for concept in resource("CodeSystem", "imr")["concept"]}
    for value_set in (r for r in RESOURCES if r["resourceType"] == "ValueSet"):
        (include,) = value_set["compose"]["include"]
        assert (include["system"], include["version"]) == (artefacts.CODES, artefacts.VERSION)
        assert all(displays[concept["code"]] == concept["display"] for concept in include["concept"]), value_set["url"]


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


@pytest.mark.parametrize("artefact", RESOURCES, ids=lambda r: f"{r['resourceType']}-{r['id']}")
class TestEach:
    def test_names_agree(self, artefact: dict[str, Any]) -> None:
        name = artefact["url"].removeprefix(f"{artefacts.BASE}/{artefact['resourceType']}/")
        folder = "questionnaires" if artefact["resourceType"] == "Questionnaire" else "profiles"
        assert (TOP / folder / f"{artefact['resourceType']}-{name}.json").is_file()
        # Each version has an id of its own: HAPI resolved url|version to the first form loaded (its issue 7354).
        assert artefact["id"] == f"{name}-{artefact['version']}"
        assert artefact["version"] == artefacts.VERSION
        algorithm = value(artefact, HL7 + "artifact-versionAlgorithm")
        assert algorithm == {"system": "http://hl7.org/fhir/version-algorithm", "code": "semver"}

    def test_r4b_models_take_it(self, artefact: dict[str, Any]) -> None:
        kind = artefact["resourceType"]
        model = getattr(importlib.import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)

        def plain(element: Any) -> Any:
            if isinstance(element, dict):  # fhir.resources 8.3 knows no translated string inside an Extension
                return {key: plain(inner) for key, inner in element.items() if key != "_valueString"}
            return [plain(inner) for inner in element] if isinstance(element, list) else element

        assert model.model_validate(plain(artefact)).url == artefact["url"]

    @pytest.mark.validator
    def test_validator_finds_no_error(self, artefact: dict[str, Any], fhir_validator: Validator) -> None:
        assert fhir_validator.validate(artefact) == []


def constraining(structure: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Each thing that a profile demands, and its reason."""
    demands = {"min", "max", "type", "maxLength", "binding"}
    for element in structure["differential"]["element"]:
        if any(key in demands or key.startswith(("fixed", "pattern")) for key in element):
            yield element["id"], element.get("requirements") or element.get("comment")
        for constraint in element.get("constraint", []):
            yield constraint["key"], constraint.get("requirements")


@pytest.mark.parametrize(
    "structure", [r for r in RESOURCES if r["resourceType"] == "StructureDefinition"], ids=lambda r: r["id"]
)
def test_each_constraint_has_its_reason(structure: dict[str, Any]) -> None:
    demands = dict(constraining(structure))
    assert demands
    assert [what for what, reason in demands.items() if not reason] == []
    assert structure["purpose"]


class TestReading:
    def test_what_is_referred_to_comes_first(self) -> None:
        kinds = [r["resourceType"] for r in RESOURCES]
        assert kinds == sorted(kinds, key=["CodeSystem", "ValueSet", "StructureDefinition", "Questionnaire"].index)
        structures = [r["type"] == "Extension" for r in RESOURCES if r["resourceType"] == "StructureDefinition"]
        assert structures == sorted(structures, reverse=True)
        assert len(BY_URL) == len(RESOURCES)

    def test_caller_may_change_its_copy(self) -> None:
        artefacts.questionnaire("client")["item"].clear()
        assert artefacts.questionnaire("client")["item"]

    def test_unknown_rater(self) -> None:
        with pytest.raises(ArtefactError, match="'nurse'"):
            artefacts.questionnaire("nurse")

    def test_wheel_carries_them(self, tmp_path: Path) -> None:
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
        subprocess.run(build, cwd=TOP, check=True, capture_output=True)
        (wheel,) = tmp_path.glob("*.whl")
        zipfile.ZipFile(wheel).extractall(tmp_path / "site")
        ask = "import imr_fhir.artefacts as a; print(a.__file__); print(*map(a.content_hash, a.artefact_resources()))"
        told = subprocess.run(
            [sys.executable, "-c", ask],
            cwd=tmp_path,
            env={"PYTHONPATH": str(tmp_path / "site")},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.splitlines()
        assert told[0].startswith(str(tmp_path))
        assert told[1].split() == [artefacts.content_hash(r) for r in RESOURCES]


class TestContentHash:
    def test_what_a_server_adds_is_not_content(self) -> None:
        form = artefacts.questionnaire("client")
        kept = form | {"id": "77", "meta": {"versionId": "3"}, "text": {"status": "generated", "div": "<div/>"}}
        assert artefacts.content_hash(kept) == artefacts.content_hash(form)

    def test_order_of_keys_and_form_of_numbers_are_not_content(self) -> None:
        one = {"item": [{"valueDecimal": 1, "code": "a"}]}
        for other in (Decimal("1.0"), 1.0, Decimal("1")):
            assert artefacts.content_hash({"item": [{"code": "a", "valueDecimal": other}]}) == artefacts.content_hash(
                one
            )

    @pytest.mark.parametrize("changed", [1.5, True, "1", None], ids=repr)
    def test_another_value_is_other_content(self, changed: object) -> None:
        one = {"item": [{"valueDecimal": 1, "code": "a"}]}
        assert artefacts.content_hash({"item": [{"valueDecimal": changed, "code": "a"}]}) != artefacts.content_hash(one)

    def test_one_changed_word_is_other_content(self) -> None:
        form = artefacts.questionnaire("client")
        before = artefacts.content_hash(form)
        form["item"][1]["item"][5]["text"] += " "
        assert artefacts.content_hash(form) != before


@pytest.mark.hapi
def test_hapi_keeps_every_artefact_as_it_is(hapi_base: str) -> None:
    for artefact in RESOURCES:
        address = f"{hapi_base}/{artefact['resourceType']}/{artefact['id']}"
        written = requests.put(
            address,
            data=json.dumps(artefact, default=float).encode(),
            headers={"Content-Type": "application/fhir+json"},
            timeout=60,
        )
        assert written.status_code in (200, 201), written.text
        kept = requests.get(address, timeout=60).json()
        assert artefacts.content_hash(kept) == artefacts.content_hash(artefact), artefact["url"]
