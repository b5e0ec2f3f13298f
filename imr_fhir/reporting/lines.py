"""Which lines of NDJSON files can be counted: each other one is left out, with its file, its number and why.

Slow and exact: it runs where the strict read found that something is wrong. What it keeps stands in copies of the files
in which what was left out is an empty line, so that a line keeps its number.
"""

import json
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from imr_fhir.ehr.address import is_id
from imr_fhir.reporting.duck import LONGEST_LINE
from imr_fhir.reporting.views.needed import Needed

Reason = Literal[
    "not JSON", "cut off", "key twice", "other resource type", "no id", "other shape", "older version", "too long",
    "not UTF-8",
]  # fmt: skip
OLDER: Reason = "older version"  # no fault, of these reasons the only one
NAMED = 1000  # so many are named for each reason, all are counted


@dataclass(frozen=True, slots=True)
class LeftOut:
    """``detail``: an element's name or a resource's type; ``id``: the resource's as the line has it, "" where it has
    none that can be read. Never else what the line says."""

    file: str
    line: int
    reason: Reason
    detail: str = ""
    id: str = ""


@dataclass(slots=True)
class Left:
    """What was left out of the files of one resource type."""

    counts: Counter[str] = field(default_factory=Counter)
    named: list[LeftOut] = field(default_factory=list)

    def add(self, out: LeftOut) -> None:
        self.counts[out.reason] += 1
        if self.counts[out.reason] <= NAMED:
            self.named.append(out)


class _Unfit(Exception):
    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


def count_lines(file: Path) -> int:
    """Lines that are not empty."""
    with file.open("rb", buffering=2**20) as lines:  # a line in several pieces takes three times as long
        return sum(1 for line in lines if not line.isspace())


def sound_lines(files: Iterable[Path], into: Path, resource_type: str, needed: Needed, left: Left) -> list[Path]:
    """Copies of ``files`` in the folder ``into``, without what does not suit ``needed``."""

    def judge(line: bytes) -> None:
        _resource(line, resource_type, needed)

    return [_copy(file, into / file.name, judge, left) for file in files]


def sound_id(line: bytes, resource_type: str, needed: Needed) -> str | None:
    """The id of the resource in ``line``; None where it can't be counted."""
    try:
        return _resource(line, resource_type, needed)
    except _Unfit:
        return None


def newest_lines(files: Iterable[Path], into: Path, several: Iterable[str], left: Left) -> list[Path]:
    """Copies of sound ``files`` with the newest line alone of each id in ``several``.

    By meta.lastUpdated, then meta.versionId, then the later line: a later export comes after an earlier one.
    """
    ids, files = set(several), list(files)
    newest: dict[str, tuple[Any, ...]] = {}
    for number, line in _numbered(files):
        if (found := _version(line, ids)) is not None:
            newest[found[0]] = max(newest.get(found[0], ()), (*found[1:], number))
    keep = {version[-1] for version in newest.values()}
    place = iter(range(sum(1 for _ in _numbered(files))))

    def judge(line: bytes) -> None:
        number = next(place)
        if number not in keep and _version(line, ids) is not None:
            raise _Unfit(OLDER)

    return [_copy(file, into / file.name, judge, left) for file in files]


def _numbered(files: Iterable[Path]) -> Iterator[tuple[int, bytes]]:
    number = 0
    for file in files:
        with file.open("rb") as lines:
            for line in lines:
                if line.strip():
                    yield number, line
                    number += 1


def _version(line: bytes, ids: set[str]) -> tuple[str, datetime, int] | None:
    raw = json.loads(line)
    if raw["id"] not in ids:
        return None
    meta = raw.get("meta") if isinstance(raw.get("meta"), dict) else {}
    try:
        updated = datetime.fromisoformat(str(meta.get("lastUpdated", "")))
    except ValueError:
        updated = datetime.min
    version = str(meta.get("versionId", ""))
    updated = updated if updated.tzinfo else updated.replace(tzinfo=UTC)
    return raw["id"], updated, int(version) if version.isdecimal() else 0


def _copy(file: Path, to: Path, judge: Callable[[bytes], None], left: Left) -> Path:
    with file.open("rb") as lines, to.open("wb") as kept:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                kept.write(b"\n")
                continue
            try:
                judge(line)
            except _Unfit as unfit:
                left.add(LeftOut(file.name, number, unfit.reason, unfit.detail, _id(line)))
                kept.write(b"\n")
            else:
                kept.write(line.removeprefix(BOM_UTF8))  # DuckDB takes it on a file's first line only
    return to


_BEGINS = re.compile(rb'\s*\{\s*"resourceType"\s*:\s*"[A-Za-z]+"\s*,\s*"id"\s*:\s*"([^"]*)"')


def _id(line: bytes) -> str:
    """Of a line that can't be counted: from its beginning, as our export and most servers write it, else read."""
    found: Any = None
    if begins := _BEGINS.match(line.removeprefix(BOM_UTF8)):
        found = begins[1].decode("utf-8", "replace")
    elif len(line) <= LONGEST_LINE:
        with suppress(ValueError, RecursionError):
            raw = json.loads(line)
            found = raw.get("id") if isinstance(raw, dict) else None
    return found if isinstance(found, str) and is_id(found) else ""


def _resource(line: bytes, resource_type: str, needed: Needed) -> str:
    """Its id. Raises _Unfit."""
    if len(line) > LONGEST_LINE:
        raise _Unfit("too long")
    try:
        raw = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_constant)
        if b"\\ud" in line.lower():  # half a character, which JSON can say and UTF-8 not
            json.dumps(raw, ensure_ascii=False).encode()
    except UnicodeError as error:
        raise _Unfit("not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise _Unfit("not JSON" if line.endswith(b"\n") else "cut off") from error
    if not isinstance(raw, dict):
        raise _Unfit("not JSON", "no object")
    if (found := raw.get("resourceType")) != resource_type:
        raise _Unfit("other resource type", found if isinstance(found, str) and found.isalpha() else "none")
    if not isinstance(raw.get("id"), str) or not raw["id"]:
        raise _Unfit("no id")
    _fit(raw, needed, "")
    id_: str = raw["id"]
    return id_


class _Twice(dict[str, Any]):
    """An object in which the keys ``twice`` stood more than once."""

    twice: frozenset[str] = frozenset()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    doubled = _Twice(found)
    doubled.twice = frozenset(name for name, often in Counter(name for name, _ in pairs).items() if often > 1)
    return doubled


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _fit(value: Any, what: Needed | str, name: str) -> None:
    """Raises _Unfit where the strict read would refuse it. A key twice that no table reads moves no figure."""
    if isinstance(what, str):
        right = {
            "VARCHAR": not isinstance(value, dict | list),
            "BOOLEAN": isinstance(value, bool),
            "DOUBLE": isinstance(value, int | float) and value == int(value),
        }.get(what, isinstance(value, int | float))
        if not right:
            raise _Unfit("other shape", name)
        return
    if not isinstance(value, dict):
        raise _Unfit("other shape", name)
    if isinstance(value, _Twice) and (twice := value.twice & what.children.keys()):
        raise _Unfit("key twice", min(twice))
    for key, (inner, many) in what.children.items():
        if (found := value.get(key)) is None:
            continue
        if not many:
            _fit(found, inner, key)
            continue
        if not isinstance(found, list):
            raise _Unfit("other shape", key)
        for each in found:
            if each is not None:
                _fit(each, inner, key)
