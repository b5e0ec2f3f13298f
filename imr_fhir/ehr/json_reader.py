"""Reads JSON that somebody else wrote: strict about what would harm us, and fast.

Beyond RFC 8259: at most 64 levels, no name twice in one object, no NaN or Infinity, no NUL, no half of a surrogate
pair, numbers of at most 18 digits. `int(Decimal("1e1000000"))` burns 23 s, so a number is bounded before it is used.
"""

import json
import re
from decimal import Decimal
from functools import lru_cache
from typing import Any

from imr_fhir.errors import NotJson

DEPTH = 64
DIGITS = 18  # FHIR's decimal: "no more than 18 digits"

_SPACE = " \t\n\r"
_BEGINS = re.compile(f"[{_SPACE}]*")
# What follows a backslash: a whole surrogate pair, half of one, NUL, or any other escape.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r"|(?P<nul>u0000)"
    r"|.)",
    re.DOTALL,
)


def read_json(data: bytes) -> Any:
    """The value of a JSON text in UTF-8; decimals as ``Decimal`` with the digits that were sent.

    Raises NotJson, which says what is wrong but quotes none of the text: it may be a patient's.
    """
    return read_text(text_of(data))


def text_of(data: bytes) -> str:
    """The text that ``data`` is in UTF-8, without a byte order mark. Raises NotJson."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refuse(f"byte {error.start} is not UTF-8") from None


def read_text(text: str) -> Any:
    """The same as `read_json` of a text."""
    value, end = read_value(text, 0)
    if rest := text[end:].strip(_SPACE):
        raise _refuse(f"Extra data at character {len(text) - len(rest)}")
    return value


def read_value(text: str, start: int, *, levels: int = DEPTH) -> tuple[Any, int]:
    """The value that begins at ``start`` of ``text``, after spaces or none, of at most ``levels`` levels, and where it
    ends. Raises NotJson."""
    try:
        value, end = _DECODER.raw_decode(text, _BEGINS.match(text, start).end())  # type: ignore[union-attr]
    except json.JSONDecodeError as error:
        raise _refuse(f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise _too_deep() from None
    _check_escapes(text, start, end)
    _check_depth(value, levels)
    return value, end


def _refuse(what: str) -> NotJson:
    return NotJson(f"This is not JSON that we read: {what}.", next_step="The EHR's administrator can see why.")


def _too_deep() -> NotJson:
    return _refuse(f"more than {DEPTH} levels")


def _check_depth(value: Any, levels: int) -> None:
    """Level by level, each in one go: a function call for each value would take as long as to parse the text."""
    level: list[Any] = [[value]]
    for _ in range(levels + 1):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if outer.__class__ is dict else outer)
            if inner.__class__ is dict or inner.__class__ is list
        ]
        if not level:
            return
    raise _too_deep()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _refuse("one object has a name twice")
    return found


@lru_cache(1024)
def _integer(literal: str) -> int:
    if len(literal.lstrip("-")) > DIGITS:
        raise _refuse(f"a number has more than {DIGITS} digits")
    return int(literal)


@lru_cache(1024)
def _decimal(literal: str) -> Decimal:
    mantissa, _, exponent = literal.lower().partition("e")
    if len(mantissa) > 2 * DIGITS + 3 or len(exponent) > 3:  # sign, point, 18 zeros, 18 digits; exponent -18 to +18
        raise _refuse(f"a number has more than {DIGITS} digits")
    value = Decimal(literal)
    _, digits, power = value.as_tuple()
    if len(digits) > DIGITS or not isinstance(power, int) or abs(power) > DIGITS:
        raise _refuse(f"a number has more than {DIGITS} digits")
    return value


def _constant(name: str) -> None:
    raise _refuse(f"{name} is no JSON number")


def _check_escapes(text: str, start: int, end: int) -> None:
    # one character is found far faster than two
    if text.find("\\", start, end) < 0 or text.find("\\u", start, end) < 0:
        return
    for escape in _ESCAPE.finditer(text, start, end):
        if escape["half"]:
            raise _refuse("half of a surrogate pair")
        if escape["nul"]:
            raise _refuse("a NUL character")


_DECODER = json.JSONDecoder(
    parse_float=_decimal, parse_int=_integer, parse_constant=_constant, object_pairs_hook=_object
)
