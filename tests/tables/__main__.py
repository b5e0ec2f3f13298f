"""Writes docs/tables.md."""

from imr_fhir.artefacts import view_definitions
from tests.tables.document import DOCUMENT, render

if __name__ == "__main__":
    DOCUMENT.write_text(render(view_definitions()), encoding="utf-8")
