"""Resources and files for the tests of the tables."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

Json = Mapping[str, Any]


def patient(id_: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": id_, **more}


def ndjson(file: Path, *lines: Json | str) -> Path:
    """A file of one resource or one raw line each."""
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return file


def view(name: str, resource: str, **paths: str) -> dict[str, Any]:
    columns = [{"name": column, "path": path} for column, path in paths.items()]
    return {"resourceType": "ViewDefinition", "name": name, "resource": resource, "select": [{"column": columns}]}


def rows(file: Path) -> list[dict[str, Any]]:
    """Of a Parquet file."""
    found = duckdb.sql(f"FROM read_parquet({str(file)!r})")
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def ids(found: Iterable[Mapping[str, Any]]) -> list[Any]:
    return sorted(row["id"] for row in found)
