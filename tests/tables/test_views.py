"""The ViewDefinitions are well made, and the document says what they say."""

from typing import Any

import pytest

from imr_fhir.artefacts import BASE, VERSION, view_definitions
from imr_fhir.reporting.views.compile import compile_view
from tests.tables.document import DOCUMENT, columns, render

VIEWS = view_definitions()


def test_document_is_current() -> None:
    assert render(VIEWS) == DOCUMENT.read_text(encoding="utf-8"), "write it anew: python -m tests.tables"


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view["name"])
def test_view_is_well_made(view: dict[str, Any]) -> None:
    name = view["name"].replace("_", "-")
    assert view["resourceType"] == "ViewDefinition"
    assert (view["url"], view["id"]) == (f"{BASE}/ViewDefinition/{name}", f"{name}-{VERSION}")
    assert (view["version"], view["fhirVersion"]) == (VERSION, ["4.0.1"])
    for column in columns(view["select"]):
        assert column["type"], column
        assert column["description"], column


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view["name"])
def test_types_are_those_of_r4_to_the_letter(view: dict[str, Any]) -> None:
    """Pathling refuses a view that calls an id a string."""
    assert [(column.name, column.type) for column in compile_view(view).columns] == [
        (column["name"], column["type"]) for column in columns(view["select"])
    ]
    assert all(column.inferred in ("", column.type) for column in compile_view(view).columns)
