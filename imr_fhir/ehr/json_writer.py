"""Writes JSON with each Decimal as its own digits: 3.40 stays 3.40, which `json` can't do."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def write_json(value: Any) -> bytes:
    """``value`` as JSON in UTF-8, without spaces, names in their order. Raises TypeError for what is no JSON."""
    return _text(value).encode()


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{_name(name)}:{_text(inner)}' for name, inner in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_text, value))}]"
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"{value} is no JSON number")
        return str(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{name!r} is no name in JSON")
    return json.dumps(name, ensure_ascii=False)
