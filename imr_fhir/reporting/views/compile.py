"""A ViewDefinition (SQL on FHIR v2) to one SELECT of DuckDB over NDJSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imr_fhir.errors import ViewError
from imr_fhir.reporting.views.columns import NAME, Column, list_of
from imr_fhir.reporting.views.definitions import is_resource
from imr_fhir.reporting.views.expression import Scope, constant
from imr_fhir.reporting.views.fhirpath import PathError
from imr_fhir.reporting.views.functions import boolean
from imr_fhir.reporting.views.needed import Needed
from imr_fhir.reporting.views.product import Rows, joined
from imr_fhir.reporting.views.rows import WAYS, rows
from imr_fhir.reporting.views.value import Names, Value, fault

_SELECT = {"column", "select", "unionAll", *WAYS}
SOURCE = "r"


@dataclass(frozen=True, slots=True)
class View:
    """A view that was compiled: what it reads (``needed``) and the SQL of its rows, but for where they come from."""

    name: str
    resource: str
    columns: tuple[Column, ...]
    needed: Needed
    key: str  # the column that holds the resource's id, of a view without criteria; else ""
    _rows: Rows
    _wheres: tuple[str, ...]

    @property
    def many(self) -> bool:
        """Whether a resource may have several rows, or none."""
        return bool(self._rows.levels)

    def sql(self, source: str, *, strict: bool = False) -> str:
        """Its SELECT. ``source`` yields the columns ``needed``: a read_json() or the name of a table.

        Resources of another type have no row; where ``strict``, and the view has a ``key``, they are an error, since to
        filter them out would cost a tenth of the whole.
        """
        single, is_type = dict(self._rows.single), f"{SOURCE}.\"resourceType\" = '{self.resource}'"
        wheres = list(self._wheres)
        if strict and self.key:
            other = fault(f"a line holds no {self.resource}")
            single[self.key] = f"CASE WHEN {is_type} THEN {single[self.key]} ELSE {other} END"
        else:
            wheres.insert(0, is_type)
        where = "WHERE " + " AND ".join(f"({each})" for each in wheres) if wheres else ""
        if not self._rows.levels:
            columns = ", ".join(f'{single[name]} AS "{name}"' for name in self._rows.names)
            return f"SELECT {columns} FROM {source} AS {SOURCE} {where}"
        found = ", ".join([f"SELECT {SOURCE}.*", *(f'{sql} AS "{_known(name)}"' for name, sql in single.items())])
        found = f"{found} FROM {source} AS {SOURCE} {where}"
        where = ""
        for level in self._rows.levels:
            lists = ", ".join(f"unnest({sql}) AS {name}" for name, sql in level.lists.items())
            found = f"SELECT *, {lists} FROM ({found}) AS {SOURCE} {where}"
            where = f"WHERE {level.keep}" if level.keep else ""
        values = {**{name: f'"{_known(name)}"' for name in single}, **self._rows.inner}
        columns = ", ".join(f'{values[name]} AS "{name}"' for name in self._rows.names)
        return f"SELECT {columns} FROM ({found}) AS {SOURCE} {where}"


def _known(column: str) -> str:
    """What the value of a column is called until all rows are made: no element has such a name."""
    return f"column {column}"


def compile_view(definition: Mapping[str, Any]) -> View:
    """Raises ViewError, which names the view, the path and what in it is not known here."""
    name = definition.get("name", "unnamed")
    try:
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise PathError("its name is none that a table can have")
        return _compiled(definition, name)
    except PathError as error:
        raise ViewError(
            f"The view {name!s:.60} can't be run here: {error}.", next_step="Write it with what docs/tables.md names."
        ) from error


def _compiled(definition: Mapping[str, Any], name: str) -> View:
    resource = definition.get("resource")
    if not isinstance(resource, str) or not is_resource(resource):
        raise PathError(f"its resource is {resource!r}, which is no resource of R4")
    needed = Needed()
    needed.primitive("resourceType", "code", many=False)
    focus = Value(SOURCE, resource, needed=needed, root=True)
    scope = Scope(_constants(definition), Names())
    selects = list_of(definition, "select")
    if not selects:
        raise PathError("it has no select")
    for select in selects:
        _check(select)
    found = joined([rows(select, focus, scope) for select in selects])
    if not found.columns:
        raise PathError("it has no column")
    wheres = tuple(_wheres(definition, focus, scope))
    ids = [column for column, sql in found.single.items() if sql == f'{SOURCE}."id"']
    return View(name, resource, found.columns, needed, ids[0] if ids and not wheres else "", found, wheres)


def _constants(definition: Mapping[str, Any]) -> dict[str, Value]:
    found = {}
    for each in list_of(definition, "constant"):
        name, values = each.get("name"), [key for key in each if key.startswith("value")]
        if not isinstance(name, str) or len(values) != 1 or name in found:
            raise PathError(f"its constant {name!r} has not one value[x], or stands twice")
        type_ = values[0].removeprefix("value")
        try:
            found[name] = constant(type_[:1].lower() + type_[1:], each[values[0]])
        except PathError as error:
            raise PathError(f"constant {name} {error}") from error
    return found


def _check(select: Mapping[str, Any]) -> None:
    unknown = sorted(key for key in select if key not in _SELECT and not key.startswith("_") and key != "extension")
    if unknown:
        raise PathError(f"a select has {unknown[0]}, which is not known here")
    if len([way for way in WAYS if way in select]) > 1:
        raise PathError(f"a select has more than one of {', '.join(WAYS)}")
    for inner in (*list_of(select, "select"), *list_of(select, "unionAll")):
        _check(inner)


def _wheres(definition: Mapping[str, Any], focus: Value, scope: Scope) -> list[str]:
    found = []
    for each in list_of(definition, "where"):
        path = each.get("path")
        try:
            found.append(boolean(scope.value(path, focus), "as its criterion"))
        except PathError as error:
            raise PathError(f"where, path {path}: {error}") from error
    return found
