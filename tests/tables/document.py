"""docs/tables.md: each table's grain and columns, as the ViewDefinitions say them."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).parents[2] / "docs" / "tables.md"
_HEAD = """# The tables

Made from `profiles/views/` by `python -m tests.tables`. Each is a ViewDefinition (SQL on FHIR v2) and a file
`<table>.parquet` or `<table>.csv`; a column's type is FHIR's. Times are text as the record has them, with their offset;
an instant (when a server wrote something) is in UTC, to the microsecond. A decimal has six places. Text of spaces alone
is left out. References are as the record has them (`Patient/12`). Columns marked ✎ are a person's own words: left out
unless asked for (`--with-free-text`).

A view of your own may use: paths, `where`, `exists`, `empty`, `not`, `count`, `first`, `last`, `[0]`, `join`, `ofType`,
`as`, `is`, `extension`, `getResourceKey`, `getReferenceKey`, `lowBoundary` and `highBoundary` of dates and times,
`and`, `or`, `xor`, `implies`, `=`, `!=`, `<`, `>`, `<=`, `>=`, `+`, `-`, `*`, `/`, `$this`, constants, `%rowIndex`,
`forEach`, `forEachOrNull`, `repeat`, `unionAll` and collections. Anything else is refused by name. Of SQL on FHIR's own
134 conformance cases 131 pass, 3 are refused (the boundaries of a decimal, since 1.0 and 1.00 are read as one number
here, and an element that R4 does not have), and none is wrong. A date without a time is meant as UTC, but for its
boundaries; in a collection, a primitive element that has extensions and no value is as if it were not there.
"""


def render(views: Iterable[Mapping[str, Any]]) -> str:
    return _HEAD + "".join(_table(view) for view in views)


def _table(view: Mapping[str, Any]) -> str:
    rows = [
        f"| {column['name']}{' ✎' if 'tag' in column else ''} | {column['type']} | {column['description']} |"
        for column in columns(view["select"])
    ]
    head = f"\n## {view['name']}\n\n{view['description']}\nFrom {view['resource']}"
    where = "; ".join(each["description"].rstrip(".") for each in view.get("where", ()))
    return "\n".join([f"{head}{': ' + where if where else ''}.\n", "| column | type | |", "|---|---|---|", *rows, ""])


def columns(selects: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Columns in the table's order; each branch of a unionAll has the same ones."""
    for select in selects:
        yield from select.get("column", ())
        yield from columns(select.get("select", ()))
        yield from columns(select.get("unionAll", ())[:1])
