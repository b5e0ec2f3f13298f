"""A JSON text read, or why it is none: with the line, and what to do."""

import json
from typing import Any

from imr_fhir.ehr.json_reader import DEPTH, read_json
from imr_fhir.element import shown
from imr_fhir.errors import NotJson
from imr_fhir.validation.finding import Finding, Path
from imr_fhir.validation.positions import Positions
from imr_fhir.validation.sources import Text, unreadable


class Unreadable(Exception):
    """``finding`` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def read(text: Text) -> Any:
    """The value of ``text``. Raises Unreadable."""
    try:
        return read_json(text.data)
    except NotJson as fault:
        raise Unreadable(_why(text, fault)) from None


def _why(text: Text, fault: NotJson) -> Finding:
    try:
        said = text.data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = text.data.count(b"\n", 0, wrong.start) + text.first_line
        what = f"is not UTF-8: byte 0x{text.data[wrong.start]:02x} in line {line}"
        return unreadable(text.file, line, what, "Save it as UTF-8 (it may be Latin-1 now).", code="not-utf-8")
    try:
        found = json.loads(said, object_pairs_hook=_Object)
    except json.JSONDecodeError as wrong:
        return _broken(text, said, wrong)
    except RecursionError:
        return _too_deep(text)
    if twice := _twice(found, ()):
        line, column = Positions(said).place(twice, last=True)
        what = f"has {shown(twice[-1])} twice in one object, and readers take one or the other"
        step = "Keep the right one."
        return unreadable(text.file, line + text.first_line - 1, what, step, code="name-twice", column=column)
    if "levels" in fault.message:
        return _too_deep(text)
    what = fault.message.partition("read: ")[2].rstrip(".")
    return unreadable(
        text.file, text.first_line, f"is JSON that FHIR does not allow: {what}", "Correct it.", code="not-json"
    )


def _too_deep(text: Text) -> Finding:
    what = f"is nested more than {DEPTH} levels deep, which no resource of ours is"
    return unreadable(text.file, text.first_line, what, "Find out what wrote it.", code="too-deep")


def _broken(text: Text, said: str, wrong: json.JSONDecodeError) -> Finding:
    line = wrong.lineno + text.first_line - 1
    if wrong.pos >= len(said.rstrip()) or wrong.msg.startswith("Unterminated string"):
        what = f"ends in the middle of its JSON, in line {line}: it is half a text"
        step = "Export or copy it again, to its end."
        return unreadable(text.file, line, what, step, code="half-a-file", column=wrong.colno)
    if wrong.msg == "Extra data":
        what = f"goes on after the end of its JSON, in line {line}"
        step = "One resource a file, a Bundle, or one resource a line (NDJSON)."
    else:
        what, step = f"is not JSON: {wrong.msg.lower()} in line {line}, column {wrong.colno}", "Correct it there."
    return unreadable(text.file, line, what, step, code="not-json", column=wrong.colno)


class _Object(dict[str, Any]):
    """Remembers which name stood in it twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.twice = next((name for place, name in enumerate(names) if name in names[:place]), None)


def _twice(value: Any, path: Path) -> Path:
    if isinstance(value, _Object):
        if value.twice is not None:
            return (*path, value.twice)
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)  # type: ignore[assignment]
    else:
        return ()
    return next((found for key, inner in parts if (found := _twice(inner, (*path, key)))), ())
