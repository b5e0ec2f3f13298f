"""Runs a view on a handful of resources, as a reader of SQL on FHIR's own cases would."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from imr_fhir.reporting.duck import connection, read_ndjson
from imr_fhir.reporting.views.compile import compile_view


def run(view: Mapping[str, Any], resources: Iterable[Mapping[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Its rows. Raises ViewError, TablesError."""
    compiled = compile_view(view)
    file = folder / f"{compiled.resource}-00001.ndjson"
    lines = [json.dumps(each) for each in resources if each["resourceType"] == compiled.resource]
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    with connection([folder]) as duck:
        found = duck.execute(compiled.sql(read_ndjson([file], compiled.needed)))
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
