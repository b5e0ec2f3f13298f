"""lowBoundary() and highBoundary(). The answers are those of fhirpath.js 5.2, but that it gives a date no offset."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.tables.in_duckdb import run

DIED = "deceased.ofType(dateTime)"
FIRST, LAST = "T00:00:00.000+14:00", "T23:59:59.999-12:00"
DAYS = [
    ("2010", "2010-01-01", "2010-12-31"),
    ("2010-02", "2010-02-01", "2010-02-28"),
    ("2012-02", "2012-02-01", "2012-02-29"),
    ("2010-10-10", "2010-10-10", "2010-10-10"),
]
MOMENTS = [
    ("2010-10-10T10:00:00Z", "2010-10-10T10:00:00.000Z", "2010-10-10T10:00:00.999Z"),
    ("2010-10-10T10:00:00+02:00", "2010-10-10T10:00:00.000+02:00", "2010-10-10T10:00:00.999+02:00"),
    ("2010-10-10T10:00:00.12-05:00", "2010-10-10T10:00:00.120-05:00", "2010-10-10T10:00:00.120-05:00"),
    ("2010-10-10T10:00:00.123Z", "2010-10-10T10:00:00.123Z", "2010-10-10T10:00:00.123Z"),
]
TIMES = [("12:34:00", "12:34:00.000", "12:34:00.999"), ("12:34:56.1", "12:34:56.100", "12:34:56.100")]
CASES = [
    *(("birthDate", {"birthDate": said}, low, high) for said, low, high in DAYS),
    *((f"@{said}", {}, low, high) for said, low, high in DAYS),
    *((DIED, {"deceasedDateTime": said}, f"{low}{FIRST}", f"{high}{LAST}") for said, low, high in DAYS),
    *((DIED, {"deceasedDateTime": said}, low, high) for said, low, high in MOMENTS),
    *(("meta.lastUpdated", {"meta": {"lastUpdated": said}}, low, high) for said, low, high in MOMENTS),
    *((f"@{said}", {}, low, high) for said, low, high in MOMENTS),
    *((f"@T{said}", {}, low, high) for said, low, high in TIMES),
    ("birthDate", {}, None, None),
    ("{}", {}, None, None),
]  # fmt: skip


@pytest.mark.parametrize(("path", "given", "low", "high"), CASES)
def test_boundaries(path: str, given: dict[str, Any], low: str | None, high: str | None, tmp_path: Path) -> None:
    assert answers(path, given, tmp_path) == (low, high)


@pytest.mark.parametrize(
    "said", ["2010-10-10T10:00", "2010-10-10T10:00:00", "2010-10-10T10:00:00.1234Z", "soon", "2010-1"]
)
def test_what_has_no_boundary_is_an_error(said: str, tmp_path: Path) -> None:
    with pytest.raises(duckdb.InvalidInputException, match="a dateTime is none, or finer than a millisecond"):
        answers(DIED, {"deceasedDateTime": said}, tmp_path)


def answers(path: str, given: dict[str, Any], folder: Path) -> tuple[str | None, ...]:
    columns = [{"name": name, "path": f"{path}.{name}Boundary()"} for name in ("low", "high")]
    view = {"resource": "Patient", "select": [{"column": columns}]}
    (row,) = run(view, [{"resourceType": "Patient", "id": "1", **given}], folder)
    return row["low"], row["high"]
