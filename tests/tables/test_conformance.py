"""SQL on FHIR's own conformance cases (sql-on-fhir-v2/, MIT): each passes or is refused by name; no answer is wrong."""

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from imr_fhir.errors import ViewError
from imr_fhir.reporting.views.compile import compile_view
from tests.tables.document import DOCUMENT
from tests.tables.in_duckdb import run

FILES = sorted((Path(__file__).parent / "sql-on-fhir-v2").glob("*.json"))
# Refused by name: the boundaries of a decimal, and an element that R4 does not have.
REFUSED = {
    "fn_boundary": 2,
    "repeat": 1,  # "jurisdiction" of a QuestionnaireResponse
}


def cases() -> Iterator[Any]:
    for file in FILES:
        suite = json.loads(file.read_text(encoding="utf-8"))
        for case in suite["tests"]:
            yield pytest.param(suite["resources"], case, id=f"{file.stem}: {case['title']}")


@pytest.mark.parametrize(("resources", "case"), list(cases()))
def test_case_passes_or_is_refused(resources: list[Any], case: dict[str, Any], tmp_path: Path) -> None:
    assert outcome(resources, case, tmp_path) in ("passes", "refused")


def outcome(resources: list[Any], case: dict[str, Any], folder: Path) -> str:
    """ "passes", "refused", or what is wrong."""
    try:
        found = run(case["view"], resources, folder)
    except (ViewError, duckdb.InvalidInputException) as error:  # the latter: several values where one is needed
        if "expectError" in case:
            return "passes"
        return "refused" if isinstance(error, ViewError) else str(error)
    right = (
        "expectError" not in case
        and len(found) == case.get("expectCount", len(found))
        and ("expect" not in case or plain(found) == plain(case["expect"]))
    )
    return "passes" if right else f"gives {found}"


def test_how_many_are_refused() -> None:
    counts: Counter[str] = Counter()
    everything = [(file.stem, case) for file in FILES for case in json.loads(file.read_text(encoding="utf-8"))["tests"]]
    for name, case in everything:
        try:
            compile_view(case["view"])
        except ViewError:
            counts[name] += "expectError" not in case
    passing = len(everything) - counts.total()
    print(f"SQL on FHIR: of {len(everything)} cases {passing} pass, {counts.total()} are refused, none is wrong")
    assert +counts == Counter(REFUSED)
    said = f"{len(everything)} conformance cases {passing} pass, {counts.total()} are refused"
    assert said in DOCUMENT.read_text(encoding="utf-8").replace("\n", " ")


def plain(rows: list[dict[str, Any]]) -> list[str]:
    """The rows in any order; 1 and 1.0 are the same number, 1 and true are not."""
    return sorted(json.dumps({name: _plain(value) for name, value in row.items()}, sort_keys=True) for row in rows)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return float(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else value
