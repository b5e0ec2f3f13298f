"""All artefacts: names, codes, reasons, reading them, and what the validator and HAPI make of them."""

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
from tests.validator import Validator

TOP = Path(__file__).parent.parent
VERSIONED = {
    "url": "http://hl7.org/fhir/StructureDefinition/artifact-versionAlgorithm",
    "valueCoding": {"system": "http://hl7.org/fhir/version-algorithm", "code": "semver"},
}

RESOURCES = artefacts.artefact_resources()
BY_URL = {resource["url"]: resource for resource in RESOURCES}


def test_no_text_claims_validation() -> None:
    for artefact in RESOURCES:
        if artefact["url"] == artefacts.TRANSLATION_STATUS:
            continue  # the extension that can say so
        said = json.dumps(artefact, ensure_ascii=False).lower()
        assert said.count("validated") == said.count("not validated"), artefact["url"]


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
    concepts = BY_URL[artefacts.CODES]["concept"]
    assert [concept["code"] for concept in concepts] == CODES
    assert all(concept["display"] and concept["definition"] and concept["designation"] for concept in concepts)


def test_value_sets_name_what_exists() -> None:
    displays = {concept["code"]: concept["display"] for concept in BY_URL[artefacts.CODES]["concept"]}
    for value_set in (r for r in RESOURCES if r["resourceType"] == "ValueSet"):
        (include,) = value_set["compose"]["include"]
        assert (include["system"], include["version"]) == (artefacts.CODES, artefacts.VERSION)
        assert all(displays[concept["code"]] == concept["display"] for concept in include["concept"]), value_set["url"]


@pytest.mark.parametrize("artefact", RESOURCES, ids=lambda r: f"{r['resourceType']}-{r['id']}")
class TestEach:
    def test_names_agree(self, artefact: dict[str, Any]) -> None:
        name = artefact["url"].removeprefix(f"{artefacts.BASE}/{artefact['resourceType']}/")
        folder = "questionnaires" if artefact["resourceType"] == "Questionnaire" else "profiles"
        assert (TOP / folder / f"{artefact['resourceType']}-{name}.json").is_file()
        # Each version has an id of its own: HAPI resolved url|version to the first form loaded (its issue 7354).
        assert artefact["id"] == f"{name}-{artefact['version']}"
        assert artefact["version"] == artefacts.VERSION
        assert VERSIONED in artefact["extension"]

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
