"""FHIR's primitive types in JSON: which kind of value, and its form (R4, datatypes)."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from imr_fhir.element import shown
from imr_fhir.resource import uncarried

_REMEMBERED = 20_000  # texts known to be good; codes, addresses and displays come again and again
UUID = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_HTML = re.compile(r"\s*<div[^<>]*\sxmlns=[\"']http://www\.w3\.org/1999/xhtml[\"'][^<>]*>", re.ASCII)
_ACTIVE = re.compile(r"<\s*(script|iframe|object|embed|form|input|base|link|style)\b|\son\w+\s*=|javascript:", re.I)

_WHOLE = {"integer": (-(2**31), 2**31 - 1), "unsignedInt": (0, 2**31 - 1), "positiveInt": (1, 2**31 - 1)}
_EXAMPLES = {
    "date": "2026-03-31",
    "dateTime": "2026-03-31T09:30:00+02:00",
    "instant": "2026-03-31T09:30:00+02:00",
    "time": "09:30:00",
    "id": "letters, digits, - and ., 64 at most",
    "uuid": "urn:uuid:0e4f7b65-f185-469c-aaf2-8c3fae59ef17",
    "code": "without blanks around it",
}


_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+", re.ASCII)


def is_absolute(uri: str) -> bool:
    """Whether ``uri`` begins with a scheme ("https:", "urn:")."""
    return bool(_ABSOLUTE.fullmatch(uri))


class Format:
    """One primitive type. ``good`` holds texts that were looked at already."""

    __slots__ = ("_matches", "good", "name")

    def __init__(self, name: str, pattern: str) -> None:
        self.name = name
        self._matches: Callable[[str], Any] = re.compile(pattern, re.ASCII).fullmatch if pattern else bool
        self.good: set[str] = set()

    def fault(self, value: Any) -> tuple[str, str]:
        """A code and what is wrong with ``value``, as the end of a sentence; ("", "") where nothing is."""
        wrong = self._number(value) if self.name in ("boolean", "decimal", *_WHOLE) else self._text(value)
        if not wrong[0] and isinstance(value, str):
            if len(self.good) >= _REMEMBERED:
                self.good.clear()
            self.good.add(value)
        return wrong

    def _number(self, value: Any) -> tuple[str, str]:
        if self.name == "boolean":
            return ("", "") if isinstance(value, bool) else ("wrong-type", f"holds {shown(value)}, not true or false")
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            return "wrong-type", f"holds {shown(value)}, not a number"
        if self.name in _WHOLE:
            least, most = _WHOLE[self.name]
            if not isinstance(value, int):
                return "wrong-type", f"holds {value}, not a whole number"
            if not least <= value <= most:
                return "bad-format", f"holds {value}, which is outside {least} to {most}"
        return "", ""

    def _text(self, value: Any) -> tuple[str, str]:
        if not isinstance(value, str):
            return "wrong-type", f"holds {shown(value)}, not text"
        if not value:
            return "empty", "is empty text"
        if not value.isprintable() and (place := uncarried(value)):
            return "bad-format", f"has a character that FHIR can't carry ({place})"
        if self.name in ("string", "markdown"):
            return "", ""
        if self.name == "xhtml":
            return _html(value)
        if not self._matches(value) or not _in_calendar(self.name, value):
            example = f", such as {_EXAMPLES[self.name]}" if self.name in _EXAMPLES else ""
            return "bad-format", f"holds {shown(value)}, which is no {self.name}{example}"
        if self.name == "canonical" and not is_absolute(value) and value[0] != "#":
            return "bad-format", f"holds {shown(value)}, and must be a whole address"
        if self.name in ("uri", "url", "canonical") and value.startswith("urn:uuid:") and not UUID.fullmatch(value):
            return "bad-format", f"holds {shown(value)}, which is no UUID in small letters"
        return "", ""


def formats(patterns: Mapping[str, str]) -> dict[str, Format]:
    """Primitive type -> its Format, with HL7's own regular expressions."""
    return {name: Format(name, pattern) for name, pattern in {**patterns, "xhtml": ""}.items()}


def _in_calendar(name: str, value: str) -> bool:
    if name not in ("date", "dateTime", "instant") or len(value) < 10:
        return True
    try:
        date.fromisoformat(value[:10])
    except ValueError:
        return False
    return True


def _html(value: str) -> tuple[str, str]:
    if not _HTML.match(value) or not value.rstrip().endswith("</div>"):
        return "bad-format", "is no <div> in the namespace of XHTML"
    if active := _ACTIVE.search(value):
        return "bad-format", f"holds {shown(active[0].strip())}, which a narrative must not"
    return "", ""
