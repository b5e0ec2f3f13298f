"""The functions of FHIRPath that are known here, each to SQL."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from imr_fhir.reporting.views.boundary import boundary
from imr_fhir.reporting.views.definitions import is_type
from imr_fhir.reporting.views.fhirpath import Member, Node, PathError, This
from imr_fhir.reporting.views.value import Names, Value, each, member, single, typed

_REFERENCE = r"^(?:{type})/([A-Za-z0-9.-]{{1,64}})(?:/_history/[A-Za-z0-9.-]{{1,64}})?$"


class Evaluate(Protocol):
    """A node to its value, from a focus."""

    def __call__(self, node: Node, focus: Value) -> Value: ...


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is compiled: what it is called on, and what its arguments need. ``here``: the focus around it."""

    of: Value
    arguments: tuple[Node, ...]
    here: Value
    evaluate: Evaluate
    names: Names


def boolean(of: Value, what: str) -> str:
    """The SQL of a single Boolean. Raises PathError for anything else."""
    if of.empty:
        return "CAST(NULL AS BOOLEAN)"
    if of.kind != "boolean":
        raise PathError(f"needs a Boolean {what}, not a {of}")
    return single(of, f"several values {what}").sql


def present(of: Value) -> str:
    """Whether there is one; a primitive may have extensions only."""
    if of.choice:
        assert of.needed is not None
        if of.many:
            raise PathError(f"asks whether several {of} are there, which is not known here")
        return "(" + " OR ".join(present(typed(of, of.choice, type_)) for type_ in of.choice.types) + ")"
    if of.empty:
        return "false"
    if of.many:
        return f"coalesce(len({of.sql}) > 0, false)"
    if of.sibling:
        return f"({of.sql} IS NOT NULL OR {of.sibling.value().sql} IS NOT NULL)"
    return "true" if of.root else f"({of.sql} IS NOT NULL)"


def criterion(node: Node, one: Value, evaluate: Evaluate) -> str:
    """Of where(): whether ``one`` stays."""
    return boolean(evaluate(node, one), "in where()")


def where(call: Call) -> Value:
    if call.of.empty:
        return call.of

    if not call.of.many:
        kept = criterion(call.arguments[0], call.of, call.evaluate)
        return replace(call.of, sql=f"CASE WHEN {kept} THEN {call.of.sql} END", root=False, sibling=None)
    name = call.names.new()
    kept = criterion(call.arguments[0], replace(call.of, sql=name, many=False), call.evaluate)
    return replace(call.of, sql=f"list_filter({call.of.sql}, lambda {name}: {kept})")


def exists(call: Call) -> Value:
    return Value(present(where(call) if call.arguments else call.of), "boolean")


def empty(call: Call) -> Value:
    return Value(f"(NOT {present(call.of)})", "boolean")


def negated(call: Call) -> Value:
    return Value(f"(NOT {boolean(call.of, 'before not()')})", "boolean")


def count(call: Call) -> Value:
    if call.of.many:
        return Value(f"coalesce(len({call.of.sql}), 0)::INTEGER", "integer")
    return Value(f"CASE WHEN {present(call.of)} THEN 1 ELSE 0 END", "integer")


def first(call: Call) -> Value:
    return replace(call.of, sql=f"{call.of.sql}[1]", many=False) if call.of.many else call.of


def last(call: Call) -> Value:
    return replace(call.of, sql=f"{call.of.sql}[-1]", many=False) if call.of.many else call.of


def join(call: Call) -> Value:
    separator = call.evaluate(call.arguments[0], call.here) if call.arguments else Value("''", "string")
    if separator.kind != "string" or separator.many:
        raise PathError(f"needs a string in join(), not a {separator}")
    if not call.of.empty and call.of.kind != "string":
        raise PathError(f"joins a {call.of}, and join() takes strings")
    listed = call.of.sql if call.of.many else f"[{call.of.sql}]"
    return Value(f"coalesce(array_to_string({listed}, {separator.sql}), '')", "string")


def of_type(call: Call) -> Value:
    return as_type(call.of, call.arguments[0], call.names)


def as_type(of: Value, node: Node, names: Names) -> Value:
    """Of a choice, its value where it is of this type; else empty."""
    type_ = type_named(node)
    if of.choice is None:
        if of.type == type_:
            return of
        raise PathError(f"asks whether a {of} is a {type_}, which is not known here")
    choice = of.choice
    if type_ not in choice.types:
        raise PathError(f"asks for a {type_} in {choice.name}[x], which is {', '.join(choice.types)}")
    return each(replace(of, choice=None, type="Element"), names, lambda one: typed(one, choice, type_))


def type_named(node: Node) -> str:
    if isinstance(node, Member) and node.of in (This(), Member(This(), "FHIR")) and is_type(node.name):
        return node.name
    raise PathError("names a type that is none of R4")


def extension(call: Call) -> Value:
    url = call.evaluate(call.arguments[0], call.here)
    if url.kind != "string" or url.many:
        raise PathError(f"needs a string in extension(), not a {url}")
    found = member(call.of, "extension", call.names)
    name = call.names.new()
    own = member(replace(found, sql=name, many=False), "url", call.names)
    return replace(found, sql=f"list_filter({found.sql}, lambda {name}: {own.sql} = {url.sql})")


def resource_key(call: Call) -> Value:
    if not call.of.root:
        raise PathError("asks for getResourceKey() of what is no resource")
    return replace(member(call.of, "id", call.names), sibling=None)


def reference_key(call: Call) -> Value:
    """Of a relative literal reference; of any other it is empty, as the specification allows."""
    if call.of.type != "Reference":
        raise PathError(f"asks for getReferenceKey() of a {call.of}, which is no Reference")
    type_ = type_named(call.arguments[0]) if call.arguments else "[A-Z][A-Za-z]+"
    pattern = _REFERENCE.format(type=type_)

    def key(one: Value) -> Value:
        reference = member(one, "reference", call.names)
        return Value(f"nullif(regexp_extract({reference.sql}, '{pattern}', 1), '')", "id")

    return each(call.of, call.names, key)


def low_boundary(call: Call) -> Value:
    return boundary(single(call.of, "several values before lowBoundary()"), high=False)


def high_boundary(call: Call) -> Value:
    return boundary(single(call.of, "several values before highBoundary()"), high=True)


@dataclass(frozen=True, slots=True)
class Function:
    arguments: range  # how many
    compiled: Callable[[Call], Value]


FUNCTIONS = {
    "where": Function(range(1, 2), where),
    "exists": Function(range(2), exists),
    "empty": Function(range(1), empty),
    "not": Function(range(1), negated),
    "count": Function(range(1), count),
    "first": Function(range(1), first),
    "last": Function(range(1), last),
    "join": Function(range(2), join),
    "ofType": Function(range(1, 2), of_type),
    "as": Function(range(1, 2), of_type),
    "extension": Function(range(1, 2), extension),
    "getResourceKey": Function(range(1), resource_key),
    "getReferenceKey": Function(range(2), reference_key),
    "lowBoundary": Function(range(1), low_boundary),
    "highBoundary": Function(range(1), high_boundary),
}
