"""A search string -> SQL over the index, as R4 defines each kind of parameter."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from .database import Database
from .dates import span
from .indexing import folded
from .outcome import bad_request
from .search_parameters import PARAMETERS, Parameter, parameter

COUNT, MOST = 20, 500
IGNORED = ("_format", "_pretty", "_total", "_summary", "_elements", "_count", "_sort", "_include", "_revinclude")


@dataclass
class Search:
    """``where``: pieces of SQL about ``resource`` with their arguments, all of which must hold."""

    type: str
    where: list[tuple[str, list[str]]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    count: int = COUNT
    total: bool = False
    count_only: bool = False
    include: list[tuple[str, str]] = field(default_factory=list)
    revinclude: list[tuple[str, str]] = field(default_factory=list)


def parse(resource_type: str, query: str | Iterable[tuple[str, str]], fhir_base: str) -> Search:
    """Raises FhirError 400 for a parameter, modifier or value that the hospital does not have, as HAPI does."""
    pairs = parse_qsl(query, keep_blank_values=True) if isinstance(query, str) else list(query)
    search = Search(resource_type)
    for full_name, value in pairs:
        name, _, modifier = full_name.partition(":")
        if name in IGNORED:
            _result_parameter(search, full_name, value)
        elif value or not (name == "_id" or parameter(resource_type, name)):  # R4: an empty value is no condition
            search.where.append(_condition(resource_type, name, modifier, value, fhir_base))
    return search


def patients_named(resource_type: str, pairs: Iterable[tuple[str, str]]) -> set[str]:
    """Ids of the patients whom a search names, so that a search in another's record is refused, not found empty."""
    names = ("_id",) if resource_type == "Patient" else ("patient", "subject", "patient:Patient", "subject:Patient")
    asked = [each for name, value in pairs if name in names for each in value.split(",") if each]
    return {each.rpartition("/")[2] for each in asked}


def find(database: Database, search: Search, patient: str | None) -> list[int]:
    """Numbers of the matching resources, in order; only those of one patient (id) where ``patient`` is not None."""
    where, arguments = ["type = ?"], [search.type]
    if patient is not None:
        where.append("patient = ?")
        arguments.append(patient)
    for sql, more in search.where:
        where.append(sql)
        arguments += more
    order = ", ".join([*search.order, "number"])
    rows = database.connection.execute(
        f"SELECT number FROM resource WHERE {' AND '.join(where)} ORDER BY {order}",  # noqa: S608  # no value is in it
        arguments,
    )
    return [number for (number,) in rows]


def _result_parameter(search: Search, name: str, value: str) -> None:
    if name == "_count":
        if not value.isdecimal():
            raise bad_request(f"_count={value!r} is not a number")
        search.count = min(int(value), MOST)
        search.count_only = search.count == 0 or search.count_only
    elif name == "_summary":
        if value not in ("count", "false"):
            raise bad_request(f"_summary={value} is not supported", "not-supported")
        search.count_only = value == "count" or search.count_only
    elif name == "_total":
        search.total = value == "accurate"
    elif name == "_sort":
        search.order += [_order(search.type, each) for each in value.split(",")]
    elif name in ("_include", "_revinclude"):
        source, _, param = value.partition(":")
        known = PARAMETERS[source].get(param) if source in PARAMETERS else None
        if known is None or known.kind != "reference":
            raise bad_request(f"{name}={value!r} is not a reference parameter here")
        (search.include if name == "_include" else search.revinclude).append((source, param))
    elif ":" in name:
        raise bad_request(f"{name} is not supported", "not-supported")


def _order(resource_type: str, text: str) -> str:
    name, descending = text.removeprefix("-"), text.startswith("-")
    if name == "_id":
        return "id DESC" if descending else "id"
    known = parameter(resource_type, name)
    if known is None or known.kind not in ("date", "string", "token", "uri"):
        raise bad_request(f"_sort={text!r}: {resource_type} can't be sorted by it")
    column = ("max(low)" if descending else "min(low)") if known.kind == "date" else "min(value)"
    key = f"(SELECT {column} FROM search_index WHERE resource = number AND param = '{name}')"  # noqa: S608  # a known name
    return f"{key} {'DESC' if descending else 'ASC'} NULLS LAST"


def _condition(resource_type: str, name: str, modifier: str, value: str, fhir_base: str) -> tuple[str, list[str]]:
    choices = [each.replace("\\,", ",") for each in re.split(r"(?<!\\),", value)]
    if name == "_id" and not modifier:
        ids = [each.removeprefix(f"{resource_type}/") for each in choices]
        return f"id IN ({','.join('?' * len(ids))})", ids
    known = parameter(resource_type, name)
    if known is None:
        offered = ", ".join(sorted(PARAMETERS[resource_type]))
        raise bad_request(f"Unknown search parameter {name!r} for {resource_type}; it has {offered}")
    rows = "(SELECT resource FROM search_index WHERE type = ? AND param = ?"
    if modifier == "missing" and value in ("true", "false"):
        return f"number {'NOT IN' if value == 'true' else 'IN'} {rows})", [resource_type, name]
    negated = known.kind == "token" and modifier == "not"
    tests, arguments = [], [resource_type, name]
    for choice in choices:
        sql, more = _test(known, "" if negated else modifier, choice, name, fhir_base)
        tests.append(sql)
        arguments += more
    return f"number {'NOT IN' if negated else 'IN'} {rows} AND ({' OR '.join(tests)}))", arguments


def _test(known: Parameter, modifier: str, value: str, name: str, fhir_base: str) -> tuple[str, list[str]]:
    match known.kind, modifier:
        case "token", "":
            system, bar, code = value.rpartition("|")
            conditions = {"value = ?": code, "system = ?": system} if bar else {"value = ?": value}
            if bar and not code:
                del conditions["value = ?"]
            return " AND ".join(conditions), list(conditions.values())
        case "uri", "":
            return "value = ?", [value]
        case "canonical", "":
            url, bar, version = value.partition("|")
            return ("value = ? AND system = ?", [url, version]) if bar else ("value = ?", [url])
        case "string", "" | "contains" | "exact":
            if modifier == "exact":
                return "system = ?", [value]
            text = re.sub(r"([%_\\])", r"\\\1", folded(value))
            return "value LIKE ? ESCAPE '\\'", [f"{'%' if modifier else ''}{text}%"]
        case "reference", _ if not modifier or modifier in PARAMETERS:
            target = value.removeprefix(fhir_base + "/")
            if "/" in target:
                return "value = ?", [target]
            modifier = modifier or ("Patient" if name == "patient" else "")
            return ("value = ?", [f"{modifier}/{target}"]) if modifier else ("value LIKE ?", [f"%/{target}"])
        case "date", "":
            return _date_test(value)
    raise bad_request(f"{name}:{modifier} is not supported", "not-supported")


# R4's prefixes. ``low`` and ``high`` are the target's first instant and the first after it, l and h the value's.
_PREFIX = {
    "eq": ("low >= ? AND high <= ?", "lh"),
    "ne": ("NOT (low >= ? AND high <= ?)", "lh"),
    "gt": ("high > ?", "h"),
    "lt": ("low < ?", "l"),
    "ge": ("(high > ? OR (low >= ? AND high <= ?))", "hlh"),
    "le": ("(low < ? OR (low >= ? AND high <= ?))", "llh"),
    "sa": ("low >= ?", "h"),
    "eb": ("high <= ?", "l"),
}


def _date_test(value: str) -> tuple[str, list[str]]:
    prefix, text = (value[:2], value[2:]) if value[:2] in _PREFIX else ("eq", value)
    try:
        low, high = span(text.replace(" ", "+"))  # a "+" of the zone that nobody escaped arrives as a space
    except ValueError as error:
        raise bad_request(str(error)) from None
    sql, needs = _PREFIX[prefix]
    return sql, [low if each == "l" else high for each in needs]
