"""Where in a JSON text a path stands. Looked up for what is found wrong only, so that what is good costs nothing."""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from json.decoder import scanstring  # type: ignore[attr-defined]

from imr_fhir.validation.finding import Path

_scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # a whole value at C's speed
_blank = re.compile(r"[ \t\r\n]*").match


class Positions:
    """``text`` is sound JSON."""

    def __init__(self, text: str) -> None:
        self._text = text

    def place(self, path: Path, *, last: bool = False) -> tuple[int, int]:
        """Line and column, from 1, of what stands at ``path``; where there is nothing, of what should hold it.

        ``last``: of a name that stands twice, the second.
        """
        return self.line_and_column(self._offset(path, last))

    def line_and_column(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self._text))]

    @cached_property
    def _entries(self) -> list[int]:
        """Of a Bundle with thousands of entries each is found without a walk past all before it."""
        there = self._step(self._start, "entry", last=False)
        return [value for _, _, value in self._inside(there[1])] if there else []

    @property
    def _start(self) -> int:
        return _after(self._text, 0)

    def _offset(self, path: Path, last: bool) -> int:
        at = value = self._start
        if path[:1] == ("entry",) and len(path) > 1 and isinstance(path[1], int) and path[1] < len(self._entries):
            at = value = self._entries[path[1]]
            path = path[2:]
        for step in path:
            there = self._step(value, step, last=last)
            if not there:
                break
            at, value = there
        return at

    def _step(self, at: int, step: str | int, *, last: bool) -> tuple[int, int] | None:
        """Where the name (or element) and the value of ``step`` begin."""
        found: tuple[int, int] | None = None
        for key, begin, value in self._inside(at):
            if key == step:
                found = begin, value
                if not last:
                    break
        return found

    def _inside(self, at: int) -> Iterator[tuple[str | int, int, int]]:
        """Name or number, where it begins and where its value does, for each part of the object or list at ``at``."""
        text, closing = self._text, {"{": "}", "[": "]"}.get(self._text[at])
        if closing is None:
            return
        at, number = _after(text, at + 1), 0
        while text[at] != closing:
            key: str | int = number
            begin = value = at
            if closing == "}":
                key, end = scanstring(text, at + 1)
                value = _after(text, _after(text, end) + 1)  # past the colon
            yield key, begin, value
            at, number = _after(text, _scan(text, value)[1]), number + 1
            if text[at] == ",":
                at = _after(text, at + 1)


def _after(text: str, at: int) -> int:
    found = _blank(text, at)
    assert found
    return found.end()
