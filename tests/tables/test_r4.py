"""r4.txt is what the official definitions say, and reads as FHIR means it."""

import pytest

from imr_fhir.reporting.views.definitions import elements, is_resource
from tests import parts
from tests.tables.r4 import TABLE, definitions, table


def test_table_is_that_of_the_official_definitions() -> None:
    parts.need(parts.JAVA, parts.MAVEN)
    assert table(definitions()) == TABLE.read_text(encoding="utf-8"), "make it anew: python -m tests.tables.r4"


@pytest.mark.parametrize(
    ("type_", "name", "types", "many"),
    [
        ("Patient", "id", ("id",), False),
        ("Patient", "name", ("HumanName",), True),
        ("Patient", "deceased", ("boolean", "dateTime"), False),
        ("Patient", "contact", ("Patient.contact",), True),
        ("Patient.contact", "extension", ("Extension",), True),
        ("QuestionnaireResponse.item.answer", "item", ("QuestionnaireResponse.item",), True),
        ("Age", "value", ("decimal",), False),
        ("code", "extension", ("Extension",), True),
    ],
)
def test_elements(type_: str, name: str, types: tuple[str, ...], many: bool) -> None:
    found = elements(type_)[name]
    assert (found.types, found.many) == (types, many)


def test_names_in_json() -> None:
    assert elements("Observation")["value"].key("CodeableConcept") == "valueCodeableConcept"
    assert elements("Observation")["status"].key("code") == "status"


@pytest.mark.parametrize(
    ("name", "alone"),
    [("Patient", True), ("HumanName", False), ("Patient.contact", False), ("DomainResource", False), ("none", False)],
)
def test_resources(name: str, alone: bool) -> None:
    assert is_resource(name) is alone
