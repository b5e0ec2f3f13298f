"""One column of a view: its SQL, and what the view says of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from imr_fhir.artefacts import BASE
from imr_fhir.reporting.views.definitions import PRIMITIVES
from imr_fhir.reporting.views.expression import Scope
from imr_fhir.reporting.views.fhirpath import PathError
from imr_fhir.reporting.views.value import Value, single

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
FREE_TEXT = f"{BASE}/free-text"  # tag of a column that holds a person's own words


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str  # FHIR's, as the view says
    inferred: str  # ... and as the path has it; "" of what is always empty
    kind: str
    collection: bool
    row_index: bool = False  # %rowIndex, which is 0 where there is nothing to count


def without_free_text(select: Mapping[str, Any]) -> dict[str, Any]:
    """``select``, or a whole view, without the columns that hold a person's own words: they are not even read."""
    found = dict(select)
    if "column" in select:
        found["column"] = [column for column in list_of(select, "column") if not _is_free_text(column)]
    for name in ("select", "unionAll"):
        if name in select:
            found[name] = [without_free_text(inner) for inner in list_of(select, name)]
    return found


def _is_free_text(column: Mapping[str, Any]) -> bool:
    return any(tag.get("name") == FREE_TEXT and tag.get("value") == "true" for tag in list_of(column, "tag"))


def list_of(select: Any, name: str) -> list[Mapping[str, Any]]:
    found = select.get(name, []) if isinstance(select, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
        raise PathError(f"has a {name} that is no list of objects")
    return found


def compiled_column(column: Mapping[str, Any], focus: Value, scope: Scope) -> tuple[Column, str]:
    name, path = column.get("name"), column.get("path")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise PathError(f"has a column named {name!r}, which no table can have")
    try:
        found = scope.value(path, focus)
        made = _described(column, found)
        if made.collection:
            sql = f"coalesce({several(found).sql}, [])"
        else:
            sql = single(found, f"column {name}, path {path}: has several values, and is no collection").sql
    except PathError as error:
        raise PathError(f"column {name}, path {path}: {error}") from error
    return made, sql


def _described(column: Mapping[str, Any], found: Value) -> Column:
    type_ = str(column.get("type", found.type or "string")).removeprefix("http://hl7.org/fhir/StructureDefinition/")
    kind = PRIMITIVES.get(type_)
    if not found.empty and not found.kind:
        raise PathError(f"is a {found}, and only primitive types are known here")
    if not found.empty and kind != found.kind and (kind, found.kind) != ("decimal", "integer"):
        raise PathError(f"is a {found}, and the view says {type_}")
    return Column(
        name=column["name"],
        type=type_,
        inferred=found.type,
        kind=str(kind),
        collection=column.get("collection") is True,
        row_index=column["path"] == "%rowIndex",
    )


def several(of: Value) -> Value:
    """``of`` as a collection."""
    return of if of.many else replace(of, sql=f"CASE WHEN {of.sql} IS NULL THEN [] ELSE [{of.sql}] END", many=True)
