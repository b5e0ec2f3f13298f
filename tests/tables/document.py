"""docs/tables.md: each table's grain and columns, as the ViewDefinitions say them."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).parents[2] / "docs" / "tables.md"
_HEAD = """# The tables

Made from `profiles/views/` by `python -m tests.tables`. Each is a ViewDefinition (SQL on FHIR v2) and a file
`<table>.parquet` or `<table>.csv`; a column's type is FHIR's. Times are text as the record has them, with their offset.
References are as the record has them (`Patient/12`). Columns marked ✎ are a person's own words: left out unless asked
for (`--with-free-text`).
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
