"""A syntax tree of FHIRPath to SQL. What is not known here is refused by name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from imr_fhir.reporting.views import functions
from imr_fhir.reporting.views.comparison import equal, ordered, unequal
from imr_fhir.reporting.views.definitions import PRIMITIVES
from imr_fhir.reporting.views.fhirpath import (
    Call,
    Constant,
    Index,
    Literal,
    Member,
    Node,
    Operation,
    PathError,
    Sign,
    This,
    parse,
)
from imr_fhir.reporting.views.functions import FUNCTIONS, boolean
from imr_fhir.reporting.views.value import Names, Value, fault, literal, member, single

_MOMENT = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?", re.ASCII)
_TIME = re.compile(r"\d\d:\d\d:\d\d(\.\d+)?", re.ASCII)
_DECIMAL = "CAST({} AS DECIMAL(38,18))"
_LOGIC = {"and": "({} AND {})", "or": "({} OR {})", "xor": "({} <> {})", "implies": "(NOT {} OR {})"}


@dataclass(frozen=True, slots=True)
class Scope:
    """What a path may name beside the elements: the view's constants, and the row's place in its forEach."""

    constants: Mapping[str, Value]
    names: Names
    row_index: str = "0"

    def value(self, path: Any, focus: Value) -> Value:
        """Raises PathError."""
        if not isinstance(path, str):
            raise PathError("is no text")
        return self.of(parse(path), focus)

    def of(self, node: Node, focus: Value) -> Value:
        match node:
            case Literal():
                return _literal(node)
            case This():
                return focus
            case Constant():
                return self._constant(node.name)
            case Member():
                if focus.root and node == Member(This(), focus.type):
                    return focus
                return member(self.of(node.of, focus), node.name, self.names)
            case Call():
                return self._call(node, focus)
            case Index():
                return self._index(node, focus)
            case Sign():
                found = single(self.of(node.of, focus), f"{node.name} before several values")
                if found.kind not in ("integer", "decimal"):
                    raise PathError(f"has {node.name} before a {found}")
                return Value(f"({node.name}{found.sql})", found.type)
            case Operation():
                return self._operation(node, focus)

    def _constant(self, name: str) -> Value:
        if name == "rowIndex":
            return Value(self.row_index, "integer")
        if name not in self.constants:
            raise PathError(f"names %{name}, which is no constant of the view")
        return self.constants[name]

    def _call(self, node: Call, focus: Value) -> Value:
        function = FUNCTIONS.get(node.name)
        if function is None:
            raise PathError(f"calls {node.name}(), which is not known here")
        if len(node.arguments) not in function.arguments:
            raise PathError(f"calls {node.name}() with {len(node.arguments)} arguments")
        of = self.of(node.of, focus)
        if of.choice and of.many and node.name not in ("ofType", "as"):
            raise PathError(f"calls {node.name}() on several {of}, which need ofType() first")
        return function.compiled(functions.Call(of, node.arguments, focus, self.of, self.names))

    def _index(self, node: Index, focus: Value) -> Value:
        of, index = self.of(node.of, focus), self.of(node.index, focus)
        if of.choice:
            raise PathError(f"has an index after {of}, which needs ofType() first")
        if index.kind != "integer" or not index.sql.isdigit():
            raise PathError("has an index that is no whole number from 0 on")
        if of.many:
            return replace(of, sql=f"{of.sql}[{int(index.sql) + 1}]", many=False)
        if index.sql == "0":
            return of
        return replace(of, sql=f"CASE WHEN false THEN {of.sql} END", sibling=None, root=False)

    def _operation(self, node: Operation, focus: Value) -> Value:
        left = self.of(node.left, focus)
        if node.name == "as":
            return functions.as_type(left, node.right, self.names)
        if node.name == "is":
            return self._is(left, node.right)
        right = self.of(node.right, focus)
        if node.name in _LOGIC:
            sides = [boolean(each, f"beside {node.name}") for each in (left, right)]
            return Value(_LOGIC[node.name].format(*sides), "boolean")
        if node.name == "=":
            return Value(equal(left, right), "boolean")
        if node.name == "!=":
            return Value(unequal(left, right), "boolean")
        if node.name in ("<", ">", "<=", ">="):
            return Value(ordered(node.name, left, right), "boolean")
        if node.name in ("+", "-", "*", "/"):
            return _arithmetic(node.name, left, right)
        raise PathError(f"has the operator {node.name}, which is not known here")

    def _is(self, left: Value, right: Node) -> Value:
        found = single(functions.as_type(left, right, self.names), "several values before is")
        return Value(f"CASE WHEN {functions.present(left)} THEN {functions.present(found)} END", "boolean")


def _literal(node: Literal) -> Value:
    match node.kind:
        case "string":
            return Value(literal(node.value), "string")
        case "integer":
            if int(node.value) >= 2**31:
                raise PathError(f"has {node.value}, which is no integer of FHIR")
            return Value(node.value, "integer")
        case "decimal":
            return Value(_DECIMAL.format(node.value), "decimal")
        case "moment":
            if not _MOMENT.fullmatch(node.value):
                raise PathError(f"has @{node.value}: a time needs its seconds and its offset here")
            return Value(literal(node.value), "dateTime" if "T" in node.value else "date")
        case "time":
            if not _TIME.fullmatch(node.value):
                raise PathError(f"has @T{node.value}: a time needs its seconds here")
            return Value(literal(node.value), "time")
        case "boolean":
            return Value(node.value, "boolean")
    return Value("NULL", "")


def constant(type_: str, value: Any) -> Value:
    """A constant of a view, by its FHIR type. Raises PathError."""
    kind = PRIMITIVES.get(type_)
    whole, number = isinstance(value, int), isinstance(value, int | float)
    if kind == "boolean" and isinstance(value, bool):
        return Value(str(value).lower(), type_)
    if kind == "integer" and whole and not isinstance(value, bool):
        return Value(str(value), type_)
    if kind == "decimal" and number and not isinstance(value, bool):
        return Value(_DECIMAL.format(literal(str(value))), type_)
    if kind in ("string", "moment", "time") and isinstance(value, str):
        if (kind == "moment" and not _MOMENT.fullmatch(value)) or (kind == "time" and not _TIME.fullmatch(value)):
            raise PathError(f"is {value!r}, which is no {type_}")
        return Value(literal(value), type_)
    raise PathError(f"is {value!r}, which is no {type_} that is known here")


def _arithmetic(name: str, left: Value, right: Value) -> Value:
    if left.empty or right.empty:
        return Value("NULL", "")
    left, right = (single(each, f"{name} between several values") for each in (left, right))
    kinds = {left.kind, right.kind}
    if kinds == {"string"} and name == "+":
        return Value(f"({left.sql} || {right.sql})", "string")
    if not kinds <= {"integer", "decimal"}:
        raise PathError(f"has {name} between a {left} and a {right}, which is not known here")
    if name == "/":
        # FHIRPath's decimals have eight digits after the point; division by zero is empty.
        quotient = f"CAST({left.sql} AS DOUBLE) / nullif(CAST({right.sql} AS DOUBLE), 0)"
        return Value(f"CAST(CAST({quotient} AS DECIMAL(38,8)) AS DECIMAL(38,18))", "decimal")
    if kinds == {"integer"}:  # an overflow is empty
        return Value(f"TRY_CAST(({left.sql})::BIGINT {name} ({right.sql})::BIGINT AS INTEGER)", "integer")
    if name == "*":
        sides = [_eight_digits(each.sql) for each in (left, right)]
        return Value(f"CAST({sides[0]} * {sides[1]} AS DECIMAL(38,18))", "decimal")
    return Value(f"({_DECIMAL.format(left.sql)} {name} {_DECIMAL.format(right.sql)})", "decimal")


def _eight_digits(sql: str) -> str:
    """More would be rounded before they are multiplied."""
    fewer, why = f"CAST({sql} AS DECIMAL(18,8))", fault("* with more than eight digits after the point")
    return f"CASE WHEN {fewer} <> {sql} THEN {why} ELSE {fewer} END"
