"""A resource -> the rows by which searches find it."""

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .dates import span_of
from .outcome import bad_request
from .search_parameters import COMMON, PARAMETERS


class Row(NamedTuple):
    param: str
    system: str = ""
    value: str = ""
    low: str = ""
    high: str = ""


def index_rows(resource: Mapping[str, Any]) -> list[Row]:
    """Raises FhirError 400 for a value that its own parameter can't read, such as a malformed date."""
    rows: dict[Row, None] = {}
    for param, defined in {**COMMON, **PARAMETERS[resource["resourceType"]]}.items():
        for path in defined.paths:
            for value in values(resource, path.split(".")):
                try:
                    found = list(_ROWS[defined.kind](param, value))
                except (ValueError, AttributeError, TypeError):
                    raise bad_request(f"{resource['resourceType']}.{path}: {value!r} can't be read", "value") from None
                rows.update(dict.fromkeys(found))
    return list(rows)


def values(part: Any, path: list[str]) -> Iterator[Any]:
    """All values at a path, lists walked."""
    if isinstance(part, list):
        for each in part:
            yield from values(each, path)
    elif not path:
        yield part
    elif isinstance(part, dict) and path[0] in part:
        yield from values(part[path[0]], path[1:])


def folded(text: str) -> str:
    """R4: string search ignores case and accents."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def _token(param: str, value: Any) -> Iterator[Row]:
    if isinstance(value, bool):
        yield Row(param, value="true" if value else "false")
    elif isinstance(value, str):
        yield Row(param, value=value)
    elif "coding" in value or "text" in value:
        for coding in value.get("coding", ()):
            yield from _token(param, coding)
    else:
        code = value.get("code", value.get("value", ""))
        if not isinstance(code, str):
            raise TypeError
        yield Row(param, value.get("system", ""), code)


def _reference(param: str, value: Any) -> Iterator[Row]:
    target = value.get("reference", "").split("/_history/")[0]
    # R4: "patient" parameters are .where(resolve() is Patient)
    if target and not target.startswith("#") and (param != "patient" or target.startswith("Patient/")):
        yield Row(param, value=target)


def _string(param: str, value: Any) -> Iterator[Row]:
    if isinstance(value, str):
        yield Row(param, value=folded(value), system=value)
        return
    for name in ("text", "family", "given", "prefix", "suffix"):
        for part in values(value, [name]):
            yield Row(param, value=folded(part), system=part)


def _date(param: str, value: Any) -> Iterator[Row]:
    low, high = span_of(value)
    yield Row(param, low=low, high=high)


def _uri(param: str, value: Any) -> Iterator[Row]:
    yield Row(param, value=value)


def _canonical(param: str, value: Any) -> Iterator[Row]:
    url, _, version = value.partition("|")
    yield Row(param, version, url)


_ROWS = {
    "token": _token,
    "reference": _reference,
    "string": _string,
    "date": _date,
    "uri": _uri,
    "canonical": _canonical,
}
