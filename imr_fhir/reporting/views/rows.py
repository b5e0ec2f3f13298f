"""The rows of a select: its columns, and the levels of elements that it goes through.

After the specification's own algorithm (Process): the parts of a select are multiplied with each other, the branches of
a unionAll come one after the other.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from imr_fhir.reporting.views.columns import Column, compiled_column, list_of, several
from imr_fhir.reporting.views.expression import Scope
from imr_fhir.reporting.views.fhirpath import Call, Member, Node, PathError, parse
from imr_fhir.reporting.views.functions import criterion
from imr_fhir.reporting.views.needed import Needed
from imr_fhir.reporting.views.product import Level, Rows, joined, union
from imr_fhir.reporting.views.repeated import Tree
from imr_fhir.reporting.views.value import Value, member

WAYS = ("forEach", "forEachOrNull", "repeat")


def rows(select: Mapping[str, Any], focus: Value, scope: Scope) -> Rows:
    """The rows of ``select`` from ``focus``. Raises PathError."""
    way = next((name for name in WAYS if name in select), "")
    if not way:
        return _body(select, focus, scope)
    try:
        return _repeated(select, focus, scope) if way == "repeat" else _through(select, way, focus, scope)
    except PathError as error:
        raise PathError(f"{way} {select[way]}: {error}") from error


def _body(select: Mapping[str, Any], focus: Value, scope: Scope) -> Rows:
    made = [compiled_column(column, focus, scope) for column in list_of(select, "column")]
    parts = [Rows(tuple(column for column, _ in made), {column.name: sql for column, sql in made})]
    parts += [rows(inner, focus, scope) for inner in list_of(select, "select")]
    if "unionAll" in select:
        parts.append(union([rows(branch, focus, scope) for branch in list_of(select, "unionAll")], scope.names))
    return joined(parts)


def _through(select: Mapping[str, Any], way: str, focus: Value, scope: Scope) -> Rows:
    foci = scope.value(select[way], focus)
    if foci.choice or foci.empty:
        raise PathError(f"goes through {foci}, which is not known here")
    foci = several(foci)
    one, place = scope.names.new(), scope.names.new()
    body = _of_each(select, foci, one, place, scope)
    if way == "forEachOrNull":
        body = _or_nothing(body, one, place)
        some = f"CASE WHEN len({foci.sql}) > 0 THEN {foci.sql} ELSE [NULL] END"
        return _after([_listed({one: some}, foci.sql, place, body)], body)
    if _mentioned(place, body):  # which counts them all
        return _after([_listed({one: foci.sql}, foci.sql, place, body)], body)
    return _after(_steps(parse(select[way]), focus, scope, one), body)


def _repeated(select: Mapping[str, Any], focus: Value, scope: Scope) -> Rows:
    """Each element that the paths lead to, and before its next sibling those that they lead to from it."""
    tree, read = Tree(select["repeat"], scope), Needed()
    one, place = scope.names.new(), scope.names.new()
    body = _of_each(select, replace(tree.first(focus), needed=read), one, place, scope)
    found = tree.listed(focus, read)
    return _after([_listed({one: found}, found, place, body)], body)


def _of_each(select: Mapping[str, Any], foci: Value, one: str, place: str, scope: Scope) -> Rows:
    return _body(select, _bound(foci, one), replace(scope, row_index=f"{place}::INTEGER"))


def _bound(of: Value, name: str) -> Value:
    return replace(of, sql=name, many=False, sibling=None, root=False)


def _listed(lists: Mapping[str, str], counted: str, place: str, body: Rows) -> Level:
    """``place``: from 0 on, in the list ``counted``; left out where ``body`` does not ask for it."""
    return Level({**lists, place: f"range(len({counted}))"} if _mentioned(place, body) else lists)


def _mentioned(name: str, body: Rows) -> bool:
    told = [*body.values.values(), *(sql for level in body.levels for sql in (*level.lists.values(), level.keep))]
    return any(re.search(rf"\b{name}\b", sql) for sql in told)


def _after(levels: Sequence[Level], body: Rows) -> Rows:
    return Rows(body.columns, {}, (*levels, *body.levels), body.values)


def _steps(node: Node, focus: Value, scope: Scope, one: str) -> list[Level]:
    """``one`` is each element of ``node`` in turn; what its path goes through is unnested too, step by step."""
    match node:
        case Call(name="where") if (of := scope.of(node.of, focus)).many:
            *before, last = _steps(node.of, focus, scope, one)
            kept = criterion(node.arguments[0], _bound(of, one), scope.of)
            return [*before, replace(last, keep=f"({last.keep} AND {kept})" if last.keep else kept)]
        case Member() if (of := scope.of(node.of, focus)).many and not of.choice:
            outer = scope.names.new()
            if (found := member(_bound(of, outer), node.name, scope.names)).many and not found.choice:
                return [*_steps(node.of, focus, scope, outer), Level({one: found.sql})]
    return [Level({one: several(scope.of(node, focus)).sql})]


def _or_nothing(body: Rows, one: str, place: str) -> Rows:
    """``body``, of which all is NULL where there is no ``place``, because there is no element."""

    def levelled(level: Level) -> Level:
        lists = {name: f"CASE WHEN {place} IS NULL THEN [NULL] ELSE {sql} END" for name, sql in level.lists.items()}
        return Level(lists, level.keep and f"({place} IS NULL OR {level.keep})")

    def valued(column: Column) -> str:
        sql = body.values[column.name]
        if re.fullmatch(rf'{one}(\."\w+")*', sql):  # NULL by itself
            return sql
        return f"CASE WHEN {place} IS NULL THEN {'0' if column.row_index else 'NULL'} ELSE {sql} END"

    return Rows(body.columns, {}, tuple(map(levelled, body.levels)), {each.name: valued(each) for each in body.columns})
