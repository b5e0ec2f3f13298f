"""What has come joins what was there: each resource once, in its latest form.

    Goal-00001.ndjson    what was there, without what came anew or was deleted
    Goal-00002.ndjson    what is new
    manifest.json        written last: what it does not name is not part of the export

All is made ready in the folder of work and then moved, so that a break leaves what was there, or is gone on with.
"""

import hashlib
import json
import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imr_fhir.reporting.export import courses_table
from imr_fhir.reporting.export.ledger import Ledger, Part, replace
from imr_fhir.reporting.export.taking import disk, written_id

_NAME = re.compile(r"[A-Za-z]+-(\d{5,})\.ndjson")


@dataclass(frozen=True, slots=True)
class Written:
    """A file of the export."""

    name: str
    type: str
    count: int
    bytes: int
    sha256: str


def make_ready(ledger: Ledger, known: Collection[Written]) -> tuple[list[Written], int]:
    """The files of the export from now on, and how many resources left those of ``known``, which are there now.

    Raises ExportError where the disk is full.
    """
    with disk(ledger.work):
        ledger.ready.mkdir(mode=0o700, exist_ok=True)
        new = _named(ledger, known)
        gone = _gone(ledger, new) if known else {}
        kept = [_without(ledger, each, gone.get(each.type, frozenset())) for each in known]
        files = [each for each in kept if each.count] + [_new(ledger, part, name) for name, part in new.items()]
    left = sum(each.count for each in known) - sum(each.count for each in kept)
    return sorted(files, key=lambda each: each.name), left


def move(ledger: Ledger) -> None:
    """Puts what is ready in its place, however much of it is there already, and ends the export."""
    assert ledger.manifest is not None
    manifest = json.dumps(ledger.manifest, indent=2, ensure_ascii=False).encode()
    names = {each["name"] for each in ledger.manifest["files"]}
    for path in ledger.ready.iterdir():
        path.replace(ledger.folder / path.name)
    replace(ledger.folder / "manifest.json", manifest)
    if not ledger.manifest["courses"]:  # one of an export that this takes the place of may have ids as they were
        (ledger.folder / courses_table.NAME).unlink(missing_ok=True)
    for path in ledger.folder.iterdir():
        if _NAME.fullmatch(path.name) and path.name not in names:
            path.unlink()
    ledger.forget()


def _named(ledger: Ledger, known: Collection[Written]) -> dict[str, Part]:
    """The parts that hold resources, by the names of their files."""
    numbers: dict[str, int] = defaultdict(int)
    for each in known:
        numbers[each.type] = max(numbers[each.type], _number(each.name))
    named = {}
    for part in ledger.parts:
        if part.kind in ("output", "search") and part.kept:
            numbers[part.type] += 1
            named[f"{part.type}-{numbers[part.type]:05}.ndjson"] = part
    return named


def _gone(ledger: Ledger, new: Mapping[str, Part]) -> dict[str, set[str]]:
    """Ids by type of what came anew, of what was deleted, and of what came as no IMR any more."""
    gone: dict[str, set[str]] = defaultdict(set)
    for part in ledger.parts:
        gone[part.type].update(part.gone)
    came = [_where(ledger, part, name) for name, part in new.items()]
    came += [ledger.staged(part) for part in ledger.parts if part.kind == "deleted"]
    for path in came:
        for line in _lines(path):
            gone[_written_type(line)].add(written_id(line))
    return gone


def _where(ledger: Ledger, part: Part, name: str) -> Path:
    """A break may have come when it was ready already."""
    staged = ledger.staged(part)
    return staged if staged.exists() else ledger.ready / name


def _without(ledger: Ledger, file: Written, gone: Collection[str]) -> Written:
    path = ledger.folder / file.name
    if not gone or not any(written_id(line) in gone for line in _lines(path)):
        return file
    count, size, digest = 0, 0, hashlib.sha256()
    handle = os.open(ledger.ready / file.name, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as rewritten:
        for line in _lines(path):
            if written_id(line) not in gone:
                size += rewritten.write(line)
                count += 1
                digest.update(line)
        rewritten.flush()
        os.fsync(handle)
    return Written(file.name, file.type, count, size, digest.hexdigest())


def _new(ledger: Ledger, part: Part, name: str) -> Written:
    ready = _where(ledger, part, name).replace(ledger.ready / name)
    with ready.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Written(name, part.type, part.kept, part.size, digest)


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


def _written_type(line: bytes) -> str:
    return line[len(b'{"resourceType":"') : line.index(b'","id"')].decode()


def _number(name: str) -> int:
    found = _NAME.fullmatch(name)
    assert found, name
    return int(found[1])


def ids_in(ledger: Ledger, files: Collection[Written], resource_type: str) -> set[str]:
    """Ids of that type in ``files``, as they leave."""
    paths = [ledger.ready / each.name for each in files if each.type == resource_type]
    there = [path if path.exists() else ledger.folder / path.name for path in paths]
    return {written_id(line) for path in there for line in _lines(path)}


def known_files(manifest: Mapping[str, Any] | None) -> list[Written]:
    return [Written(**each) for each in manifest["files"]] if manifest else []
