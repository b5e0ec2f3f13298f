"""The rows of a select: single columns, and a list of structs where it makes several rows of one resource.

After the specification's own algorithm (Process): the parts of a select are multiplied with each other, the branches of
a unionAll come one after the other.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from imr_fhir.reporting.views.columns import compiled_column, list_of, several
from imr_fhir.reporting.views.expression import Scope
from imr_fhir.reporting.views.fhirpath import PathError
from imr_fhir.reporting.views.product import Rows, Sql, concatenated, joined, struct, union
from imr_fhir.reporting.views.value import NoElement, Value, fault

WAYS = ("forEach", "forEachOrNull", "repeat")
# How deep a repeat of so many paths is followed. What lies deeper is an error when it is run, and never left out.
_DEEPEST = {1: 8, 2: 5}


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
        parts.append(union([rows(branch, focus, scope) for branch in list_of(select, "unionAll")]))
    return joined(parts, scope.names)


def _through(select: Mapping[str, Any], way: str, focus: Value, scope: Scope) -> Rows:
    foci = scope.value(select[way], focus)
    if foci.choice or foci.empty:
        raise PathError(f"goes through {foci}, which is not known here")
    foci = several(foci)
    one, place = scope.names.new(), scope.names.new()
    inner = replace(scope, row_index=f"({place} - 1)::INTEGER")
    body = _body(select, replace(foci, sql=one, many=False, sibling=None, root=False), inner)

    def many(around: Sql) -> str:
        whole = {**around, **body.single}
        row = body.many(whole) if body.many else struct(whole)
        parameters = f"{one}, {place}" if re.search(rf"\b{place}\b", row) else one
        sql = f"list_transform({foci.sql}, lambda {parameters}: {row})"
        if body.many:
            sql = f"flatten({sql})"
        if way == "forEachOrNull":
            nothing = {column.name: "0" if column.row_index else "NULL" for column in body.columns}
            empty = struct({**around, **nothing})
            sql = f"CASE WHEN coalesce(len({foci.sql}), 0) > 0 THEN {sql} ELSE [{empty}] END"
        return sql

    return Rows(body.columns, {}, many)


def _repeated(select: Mapping[str, Any], focus: Value, scope: Scope) -> Rows:
    """Each element that the paths lead to, and before its next sibling those that they lead to from it."""
    paths = select["repeat"]
    if not isinstance(paths, list) or len(paths) not in _DEEPEST or not all(isinstance(path, str) for path in paths):
        raise PathError("is not one path or two in a list, and more are not known here")
    place = scope.names.new()
    tree = _Tree(select, paths, replace(scope, row_index=place))
    branches = tree.under(focus, 0)
    for error in filter(None, tree.unknown.values()):
        raise error
    body = next((branch.body for branch in branches if branch.body), Rows((), {}))
    marked = re.compile(rf"\b{place}\b")
    counts = {column.name for column in body.columns if column.row_index}
    reckoned = any(marked.search(sql) for name, sql in body.single.items() if name not in counts)
    if reckoned or (body.many and marked.search(body.many({}))):
        raise PathError("reckons with %rowIndex, which is not known here")

    def many(around: Sql) -> str:
        sql = concatenated([branch.listed(around) for branch in branches] or ["[]"])
        if not counts:
            return sql
        # %rowIndex is known only when all rows are together.
        row, number = scope.names.new(), scope.names.new()
        fields = {name: f'{row}."{name}"' for name in (*around, *body.names)}
        fields |= dict.fromkeys(counts, f"({number} - 1)::INTEGER")
        return f"list_transform({marked.sub('0', sql)}, lambda {row}, {number}: {struct(fields)})"

    return Rows(body.columns, {}, many)


@dataclass(frozen=True, slots=True)
class _Branch:
    """What one path of a repeat leads to: the elements, the rows of each of them, and what they lead to."""

    foci: Value
    one: str
    body: Rows | None  # None where it is too deep
    under: "Sequence[_Branch]" = ()

    def listed(self, around: Sql) -> str:
        if self.body is None:
            deep = fault("repeat leads deeper than is known here")
            return f"CASE WHEN len({self.foci.sql}) > 0 THEN {deep} END"
        own = [self.body.listed(around), *(branch.listed(around) for branch in self.under)]
        return f"flatten(list_transform({self.foci.sql}, lambda {self.one}: {concatenated(own)}))"


@dataclass(frozen=True, slots=True)
class _Tree:
    select: Mapping[str, Any]
    paths: Sequence[str]
    scope: Scope
    unknown: dict[str, NoElement | None] = field(default_factory=dict)  # paths that no element has

    def under(self, node: Value, depth: int) -> list[_Branch]:
        return [branch for path in self.paths if (branch := self._branch(path, node, depth))]

    def _branch(self, path: str, node: Value, depth: int) -> _Branch | None:
        try:
            foci = several(self.scope.value(path, node))
        except NoElement as error:  # answer.item begins in an item, not in the response
            self.unknown.setdefault(path, error)
            return None
        self.unknown[path] = None
        if not foci.needed or foci.choice or (depth and foci.type != node.type):
            raise PathError(f"leads through {foci}, which is not known here")
        one = self.scope.names.new()
        if depth == _DEEPEST[len(self.paths)]:
            return _Branch(foci, one, None)
        child = replace(foci, sql=one, many=False, root=False)
        return _Branch(foci, one, _body(self.select, child, self.scope), self.under(child, depth + 1))
