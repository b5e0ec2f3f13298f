"""lowBoundary() and highBoundary(): the first and the last moment that a date or a time may mean, to the millisecond.

By FHIRPath's definition, without a precision asked for. A date may be meant in any zone of the world, from +14:00 to
-12:00, as SQL on FHIR's own cases have it. Of a decimal it can't be said: 1.0 and 1.00 are read as one number here.
"""

from imr_fhir.reporting.views.fhirpath import PathError
from imr_fhir.reporting.views.value import Value, fault

_DATE = r"\d{4}(-\d\d(-\d\d)?)?"
_TIME = r"\d\d:\d\d:\d\d(\.\d{1,3})?"
_OFFSET = r"(Z|[+-]\d\d:\d\d)"
_PATTERNS = {"date": _DATE, "dateTime": rf"\d{{4}}-\d\d-\d\dT{_TIME}{_OFFSET}", "time": _TIME}


def boundary(of: Value, *, high: bool) -> Value:
    """Of a single value. Raises PathError for what has none, or none that can be told here."""
    if of.empty:
        return of
    if of.type not in ("date", "dateTime", "instant", "time"):
        raise PathError(f"asks for the boundary of a {of}, which is not known here")
    x, type_ = of.sql, "dateTime" if of.type == "instant" else of.type
    day = _last_day(x) if high else _first_day(x)
    match type_:
        case "date":
            found = f"WHEN {_is('date', x)} THEN {day}"
        case "time":
            found = f"WHEN {_is('time', x)} THEN {_exact(x, 8, high)}"
        case _:
            rest = "T23:59:59.999-12:00" if high else "T00:00:00.000+14:00"
            exact = f"{_exact(x, 19, high)} || regexp_extract({x}, '{_OFFSET}$', 1)"
            found = f"WHEN {_is('date', x)} THEN {day} || '{rest}' WHEN {_is('dateTime', x)} THEN {exact}"
    why = fault(f"a {of.type} is none, or finer than a millisecond, and its boundary is asked for")
    return Value(f"CASE WHEN {x} IS NULL THEN NULL {found} ELSE {why} END", type_)


def _is(type_: str, x: str) -> str:
    return f"regexp_full_match({x}, '{_PATTERNS[type_]}')"


def _first_day(x: str) -> str:
    return f"CASE length({x}) WHEN 4 THEN {x} || '-01-01' WHEN 7 THEN {x} || '-01' ELSE {x} END"


def _last_day(x: str) -> str:
    month = f"CAST(last_day(CAST({x} || '-01' AS DATE)) AS VARCHAR)"
    return f"CASE length({x}) WHEN 4 THEN {x} || '-12-31' WHEN 7 THEN {month} ELSE {x} END"


def _exact(x: str, seconds: int, high: bool) -> str:
    """With milliseconds; ``seconds``: how long it is without them. Those that are said stand, .1 for .100."""
    said, none = f"regexp_extract({x}, '\\.(\\d+)', 1)", "999" if high else "000"
    return f"substring({x}, 1, {seconds}) || '.' || CASE {said} WHEN '' THEN '{none}' ELSE rpad({said}, 3, '0') END"
