"""JSON in and out without loss: decimals keep their digits (in R4 3.40 is not 3.4), and one meaning a text."""

import json
from collections.abc import Mapping
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from .outcome import bad_request

DEPTH = 64


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in ``body``. Raises FhirError 400 on anything else, duplicate names and NaN included."""
    try:
        value = json.loads(
            body.decode("utf-8"), parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_once_each
        )
    except RecursionError:
        raise bad_request("the JSON is nested too deeply", "structure") from None
    except ValueError as error:
        raise bad_request(f"not JSON: {error}", "structure") from None
    if b"\\ud" in body.lower():  # an escaped half of a pair is no character, and no database takes it
        try:
            write_text(value).encode()
        except UnicodeEncodeError:
            raise bad_request("the JSON has half of a surrogate pair", "structure") from None
    if not isinstance(value, dict):
        raise bad_request("a resource is a JSON object", "structure")
    if _depth(value) > DEPTH:
        raise bad_request(f"the JSON is nested deeper than {DEPTH} levels", "structure")
    return value


def write_text(value: Any) -> str:
    """Compact JSON; ``Decimal`` with the digits that were read."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_no_decimal)
    except _HasDecimal:
        return _write(value)


class _HasDecimal(Exception):
    pass


def _no_decimal(value: object) -> str:
    if isinstance(value, Decimal):
        raise _HasDecimal
    raise TypeError(f"{type(value).__name__} is not JSON")


def _write(value: Any) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{encode_basestring(name)}:{_write(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_write, value)) + "]"
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _depth(value: Any) -> int:
    """Levels of nesting; iterative, so that depth itself can't exhaust the stack."""
    deepest, todo = 0, [(value, 1)]
    while todo:
        part, level = todo.pop()
        deepest = max(deepest, level)
        children = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        todo.extend((child, level + 1) for child in children if isinstance(child, dict | list))
    return deepest
