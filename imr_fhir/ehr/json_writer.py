"""Writes JSON with each Decimal as its own digits: 3.40 stays 3.40, which `json` can't do.

`write_json` for the wire; `write_file` for people, and for the files in questionnaires/ and profiles/.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any


def write_json(value: Any) -> bytes:
    """``value`` as JSON in UTF-8, without spaces, names in their order. Raises TypeError for what is no JSON."""
    return _text(value).encode()


def write_file(value: Any) -> bytes:
    """``value`` as JSON in UTF-8, a line a value, two spaces a level, a newline at the end. Raises TypeError."""
    return f"{_lines(value, chr(10))}\n".encode()


def _lines(value: Any, newline: str) -> str:
    """``newline``: the line break and the spaces of the level on which ``value`` stands."""
    inner = f"{newline}  "
    if isinstance(value, Mapping) and value:
        members = f",{inner}".join(f"{_name(name)}: {_lines(each, inner)}" for name, each in value.items())
        return f"{{{inner}{members}{newline}}}"
    if isinstance(value, list | tuple) and value:
        return f"[{inner}{f',{inner}'.join(_lines(each, inner) for each in value)}{newline}]"
    return _text(value)


def _text(value: Any) -> str:
    kind = value.__class__  # of what was read it is one of these: to ask for a Mapping takes longer than to write
    if kind is str:
        return encode_basestring(value)
    if kind is dict:
        members = [  # most are text, and a call for each would take as long as to write it
            f"{_name(name)}:{encode_basestring(inner) if inner.__class__ is str else _text(inner)}"
            for name, inner in value.items()
        ]
        return f"{{{','.join(members)}}}"
    if kind is list:
        return f"[{','.join([_text(inner) for inner in value])}]"
    if kind is int:
        return str(value)
    if kind is Decimal:
        if not value.is_finite():
            raise TypeError(f"{value} is no JSON number")
        return str(value)
    if isinstance(value, Mapping):
        return _text(dict(value))
    if isinstance(value, list | tuple):
        return _text(list(value))
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


@lru_cache(4096)  # FHIR has a few hundred, thousands of times
def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{name!r} is no name in JSON")
    return encode_basestring(name)
