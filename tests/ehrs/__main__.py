"""Runs the flow on all of them and writes docs/ehrs.md."""

import tempfile
from pathlib import Path

from tests.ehrs.document import DOCUMENT, rendered
from tests.ehrs.flow import ORDER, everything

with tempfile.TemporaryDirectory() as folder:
    DOCUMENT.write_text(rendered(everything(Path(folder) / ehr, ehr) for ehr in ORDER), encoding="utf-8")
