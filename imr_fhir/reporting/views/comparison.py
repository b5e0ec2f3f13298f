"""=, !=, <, ... of FHIRPath as SQL: true, false, or NULL where FHIRPath's answer is empty."""

from imr_fhir.reporting.views.fhirpath import PathError
from imr_fhir.reporting.views.value import Value, single

_NUMBERS = {"integer", "decimal"}
_ORDERED = {"integer", "decimal", "string", "moment", "time"}

# A date, month or year is the time from its first to its last microsecond; one without an offset is meant as UTC.
_FIRST = "CAST(CASE length({x}) WHEN 4 THEN {x} || '-01-01' WHEN 7 THEN {x} || '-01' ELSE {x} END AS TIMESTAMPTZ)"
_LAST = (
    "({first} + CASE length({x}) WHEN 4 THEN INTERVAL 1 YEAR - INTERVAL 1 MICROSECOND"
    " WHEN 7 THEN INTERVAL 1 MONTH - INTERVAL 1 MICROSECOND WHEN 10 THEN INTERVAL 1 DAY - INTERVAL 1 MICROSECOND"
    " ELSE INTERVAL 0 DAY END)"
)


def equal(left: Value, right: Value) -> str:
    """``left = right``; empty where either is, false where one has more members. Raises PathError."""
    if left.empty or right.empty:
        return "CAST(NULL AS BOOLEAN)"
    _comparable(left, right, "=")
    if not left.many and not right.many:
        return _equal(left, right)
    if left.kind in ("moment", "time"):
        raise PathError("compares several dates or times with =, which is not known here")
    lists = [each.sql if each.many else f"[{each.sql}]" for each in (left, right)]
    missing = [f"coalesce(len({each.sql}), 0) = 0" if each.many else f"{each.sql} IS NULL" for each in (left, right)]
    return f"CASE WHEN {' OR '.join(missing)} THEN NULL ELSE {lists[0]} = {lists[1]} END"


def unequal(left: Value, right: Value) -> str:
    return f"(NOT {equal(left, right)})"


def ordered(name: str, left: Value, right: Value) -> str:
    """``left < right`` and the like; more than one member is an error when it is run. Raises PathError."""
    if left.empty or right.empty:
        return "CAST(NULL AS BOOLEAN)"
    _comparable(left, right, name)
    if left.kind not in _ORDERED:
        raise PathError(f"compares a {left} by {name}, which is not known here")
    left, right = (single(each, f"{name} compares several values") for each in (left, right))
    if left.kind != "moment":
        return f"({_plain(left)} {name} {_plain(right)})"
    (a, a_last), (b, b_last) = _span(left.sql), _span(right.sql)
    # What is true of every moment of one and every moment of the other; else it can't be said.
    if name == "<":
        return _said(f"{a_last} < {b}", f"{a} > {b_last}", left.sql, right.sql, same="false")
    if name == ">":
        return _said(f"{a} > {b_last}", f"{a_last} < {b}", left.sql, right.sql, same="false")
    if name == "<=":
        return _said(f"{a_last} < {b}", f"{a} > {b_last}", left.sql, right.sql, same="true")
    return _said(f"{a} > {b_last}", f"{a_last} < {b}", left.sql, right.sql, same="true")


def _comparable(left: Value, right: Value, name: str) -> None:
    kinds = {left.kind, right.kind}
    if "" in kinds or (len(kinds) > 1 and kinds != _NUMBERS):
        raise PathError(f"compares a {left} with a {right} by {name}, which is not known here")


def _equal(left: Value, right: Value) -> str:
    if left.kind != "moment":
        return f"({_plain(left)} = {_plain(right)})"
    (a, a_last), (b, b_last) = _span(left.sql), _span(right.sql)
    return _said("false", f"({a_last} < {b} OR {a} > {b_last})", left.sql, right.sql, same="true")


def _said(yes: str, no: str, left: str, right: str, *, same: str) -> str:
    precise = f"(length({left}) > 10 AND length({right}) > 10 OR length({left}) = length({right}))"
    return f"CASE WHEN {yes} THEN true WHEN {no} THEN false WHEN {precise} THEN {same} END"


def _span(sql: str) -> tuple[str, str]:
    first = _FIRST.format(x=sql)
    return first, _LAST.format(x=sql, first=first)


def _plain(of: Value) -> str:
    # 18:12:00 and 18:12:00.000 are the same time.
    return f"CAST({of.sql} AS TIME)" if of.kind == "time" else of.sql
