"""What a path comes to in SQL: its expression, FHIR type and cardinality; and how to go on from there.

A single value that is empty is NULL. Of several there is a list, whose members are never NULL; NULL is an empty one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count

from imr_fhir.reporting.views.definitions import PRIMITIVES, Element, elements, is_type
from imr_fhir.reporting.views.fhirpath import PathError
from imr_fhir.reporting.views.needed import Needed


class NoElement(PathError):
    """A path that asks for an element which the type does not have."""


@dataclass(frozen=True, slots=True)
class Value:
    sql: str
    type: str  # "string", "HumanName", "Patient.contact"; "" of an empty collection
    many: bool = False
    needed: Needed | None = None  # of a complex type
    choice: Element | None = None  # value[x] before ofType: ``sql``, ``needed`` are those of the element that has it
    sibling: "Sibling | None" = None  # of a primitive element: where its id and extensions are
    root: bool = False  # the resource itself

    @property
    def kind(self) -> str:
        """ "string", "integer", "moment", ...; "" for what is no primitive."""
        return "" if self.choice else PRIMITIVES.get(self.type, "")

    @property
    def empty(self) -> bool:
        """Whether it is the empty collection, whatever the data."""
        return not self.type and not self.choice

    def __str__(self) -> str:
        return f"{self.choice.name}[x]" if self.choice else self.type or "{}"


@dataclass(frozen=True, slots=True)
class Sibling:
    """``_birthDate`` beside ``birthDate``."""

    sql: str
    owner: Needed
    key: str

    def value(self) -> Value:
        return Value(self.sql, "Element", needed=self.owner.complex(self.key, False))


@dataclass(slots=True)
class Names:
    """Names of lambda parameters, each of them once in a view."""

    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def new(self) -> str:
        return f"_v{next(self._numbers)}"


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


SAID = "imr-fhir: "  # before what we say ourselves: DuckDB's own errors quote the data


def fault(sentence: str) -> str:
    return f"error({literal(SAID + sentence)})"


def each(of: Value, names: Names, go: Callable[[Value], Value]) -> Value:
    """``go`` for each member of ``of``, the results in one collection."""
    if not of.many:
        return go(of)
    name = names.new()
    found = go(replace(of, sql=name, many=False, sibling=None))
    mapped = f"list_transform({of.sql}, lambda {name}: {found.sql})"
    if found.choice:  # goes on from the same elements
        return replace(found, sql=of.sql, many=True)
    if found.many:
        return replace(found, sql=f"flatten({mapped})", many=True)
    if found.sql == name:
        return replace(found, sql=of.sql, many=True)
    other = names.new()
    kept = f"list_filter({mapped}, lambda {other}: {other} IS NOT NULL)"
    return replace(found, sql=kept, many=True, sibling=None)


def member(of: Value, name: str, names: Names) -> Value:
    """``of.name``. Raises PathError."""
    if of.choice:
        raise PathError(f"goes on after {of.choice.name}[x], which needs ofType() first")
    if of.sibling and name in ("id", "extension"):
        return _child(of.sibling.value(), elements("Element")[name])
    if of.kind and name in ("id", "extension"):
        raise PathError(f"asks for {name} of several values of {of.type}, which is not known here")
    if not of.needed:
        raise PathError(f"asks for {name} of a {of}, which has no elements")
    found = elements(of.type).get(name)
    if found is None:
        raise NoElement(f"asks for {name}, which {of.type} does not have")
    return each(of, names, lambda one: _child(one, found))


def _child(of: Value, element: Element) -> Value:
    if element.choice:
        return replace(of, choice=element, type="", root=False)
    return typed(of, element, element.types[0])


def typed(of: Value, element: Element, type_: str) -> Value:
    """The ``element`` of the single ``of`` as a ``type_``; empty where its value is of another type."""
    assert of.needed is not None
    key = element.key(type_)
    sql = sql_of(of.sql, key)
    if type_ in PRIMITIVES:
        of.needed.primitive(key, type_, element.many)
        if element.many:
            # An element that has extensions only stands as null among the others: its place can't be told from here.
            why = fault(f"{element.name} has an element without a value, which is not known here")
            return Value(f"CASE WHEN list_count({sql}) < len({sql}) THEN {why} ELSE {sql} END", type_, many=True)
        if PRIMITIVES[type_] == "integer":
            why = fault(f"{element.name} is no whole number")
            sql = f"CASE WHEN {sql} <> trunc({sql}) THEN {why} ELSE {sql}::INTEGER END"
        beside = sql_of(of.sql, f"_{key}")
        return Value(sql, type_, sibling=Sibling(beside, of.needed, f"_{key}"))
    if type_ in ("Resource", "xhtml") or not is_type(type_):
        raise PathError(f"goes into {element.name}, a {type_}, which is not known here")
    return Value(sql, type_, element.many, of.needed.complex(key, element.many))


def sql_of(struct: str, key: str) -> str:
    """The field ``key`` of the struct."""
    simple = struct.replace('"', "").replace(".", "").replace("_", "").isalnum()
    return f'{struct}."{key}"' if simple else f"struct_extract({struct}, '{key}')"


def single(of: Value, why: str) -> Value:
    """``of`` where one is needed; several are an error when it is run."""
    if not of.many:
        return of
    sql = f"CASE WHEN len({of.sql}) > 1 THEN {fault(why)} ELSE {of.sql}[1] END"
    return replace(of, sql=sql, many=False)
