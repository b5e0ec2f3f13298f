"""The table of R4 is what HL7's definitions say; each of its invariants is worked out, or left out by name."""

import json

import pytest

from imr_fhir.artefacts import artefact_resources
from imr_fhir.validation.invariants import INVARIANTS, LEFT_OUT
from imr_fhir.validation.own_invariants import OF_ELEMENTS, OF_RESOURCES
from tests.validation.r4_table import TABLE, definitions, table, text
from tests.validator import Validator


@pytest.mark.validator
def test_the_table_is_made_of_the_definitions(fhir_validator: Validator) -> None:
    """With the validator come the definitions."""
    assert TABLE.read_text(encoding="utf-8") == text(table(definitions()))


def test_each_invariant_is_worked_out_or_left_out() -> None:
    types = json.loads(TABLE.read_text(encoding="utf-8"))["types"].values()
    assert {key for shape in types for key in shape["invariants"]} == INVARIANTS.keys() | LEFT_OUT
    assert not INVARIANTS.keys() & LEFT_OUT


def test_each_invariant_of_ours_is_worked_out() -> None:
    ours = {
        constraint["key"]
        for structure in artefact_resources()
        if structure["resourceType"] == "StructureDefinition"
        for element in structure["differential"]["element"]
        for constraint in element.get("constraint", [])
    }
    assert ours == OF_RESOURCES.keys() | OF_ELEMENTS.keys()
