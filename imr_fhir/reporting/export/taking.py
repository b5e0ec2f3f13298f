"""What comes is cut down to what may leave before it is written: nothing else of it is ever on the disk.

The raw lines are kept beside it only where a folder for them is named.
"""

import errno
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from imr_fhir.ehr.json_writer import write_json
from imr_fhir.errors import ExportError
from imr_fhir.reporting.export.allowed import leaving
from imr_fhir.reporting.export.ledger import Ledger, Part
from imr_fhir.reporting.export.notes import deleted, issues
from imr_fhir.reporting.export.release import Release

CHECKPOINT = 8_000_000  # bytes written between two states that a later run can go on from


@dataclass(frozen=True)
class Taking:
    """``raw``: a folder for the lines as they came, or None. ``before``: ids of a type that earlier runs took, as they
    leave. ``unknown_systems`` gathers for all files."""

    ledger: Ledger
    release: Release
    episode_types: frozenset[str] = frozenset()
    raw: Path | None = None
    before: Callable[[str], Collection[str]] = lambda _: ()

    def ids_in(self, part: Part) -> set[int]:
        """Of what is safe, to know it again: a page may come twice, or a resource move to the next one meanwhile."""
        path = self.ledger.staged(part)
        if not part.size:
            return set()
        with path.open("rb") as file:
            return {hash(written_id(line)) for line in file if file.tell() <= part.size}

    @contextmanager
    def into(self, part: Part, once: set[int] | None = None) -> Iterator["Into"]:
        """``part``, to be gone on with where it was safe; what came after that is cut off. ``once``: what is in it
        already is left out. Raises ExportError where the disk is full, which leaves what is safe as it is."""
        staged = self.ledger.staged(part)
        with disk(staged), _opened(staged, part.size) as file, ExitStack() as stack:
            raw = stack.enter_context(_opened(self.raw / part.name, part.raw)) if self.raw else None
            yield Into(self, part.copy(), file, raw, once)


class Into:
    """``part``: a copy, ahead of the ledger's by what is not safe yet."""

    def __init__(self, taking: Taking, part: Part, file: BinaryIO, raw: BinaryIO | None, once: set[int] | None) -> None:
        self._once = once
        self.part = part
        self._taking = taking
        self._file = file
        self._raw = raw
        self._release = replace(taking.release, refused=Counter(part.refused), unknown_systems=Counter())
        self._safe = part.size

    def take(self, resource: Mapping[str, Any], line: bytes | None = None) -> None:
        """``line``: as it came, where it is known."""
        part = self.part
        part.given += 1
        if self._raw:
            part.raw += self._raw.write((write_json(resource) if line is None else line) + b"\n")
        if part.type and resource.get("resourceType") != part.type:
            part.leave("other-type", f"{self._place}: it is no {part.type}.")
            return
        kept = leaving(resource, self._release, episode_types=self._taking.episode_types)
        if isinstance(kept, str):
            part.leave(kept, f"{self._place}: it has no id." if kept == "no-id" else "")
            if kept == "not-imr" and (own := self._known(resource)):
                part.gone.append(own)
            return
        if self._once is not None:
            if hash(kept["id"]) in self._once:
                part.leave("twice")
                return
            self._once.add(hash(kept["id"]))
        part.size += self._file.write(write_json(kept) + b"\n")
        part.kept += 1

    def _known(self, resource: Mapping[str, Any]) -> str:
        """The id of what an earlier run took as IMR; else ""."""
        if not self._taking.ledger.since:
            return ""
        kind = str(resource["resourceType"])
        own = self._release.id(kind, str(resource["id"]))
        return own if own in self._taking.before(kind) else ""

    def leave(self, why: str) -> None:
        """It is not even looked at, nor kept raw."""
        self.part.given += 1
        self.part.leave(why)

    def unreadable(self, why: str, reason: str) -> None:
        self.part.given += 1
        self.part.leave(why, f"{self._place}: {reason}")

    def note(self, found: Mapping[str, Any]) -> None:
        """Of what was deleted, and of what went wrong at the server."""
        part = self.part
        part.given += 1
        if part.kind == "error":
            for severity, code in issues(found):
                part.leave(severity, f"{self._place}: {severity}, {code}.")
            return
        for resource_type, own in deleted(found, self._release.base):
            gone = {"resourceType": resource_type, "id": self._release.id(resource_type, own)}
            part.size += self._file.write(write_json(gone) + b"\n")
            part.kept += 1

    @property
    def due(self) -> bool:
        """Whether enough was written for a checkpoint."""
        return self.part.size - self._safe >= CHECKPOINT

    def checkpoint(self, **reached: Any) -> None:
        """What is taken is safe from now on; ``reached``: how far that is (``url``, ``member``, ``done``)."""
        for file in filter(None, (self._file, self._raw)):
            file.flush()
            os.fsync(file.fileno())
        for name, value in reached.items():
            setattr(self.part, name, value)
        self.part.refused = dict(self._release.refused)
        self._taking.release.unknown_systems.update(self._release.unknown_systems)
        self._release.unknown_systems.clear()
        self._safe = self.part.size
        self._taking.ledger.keep(self.part)

    @property
    def _place(self) -> str:
        return f"{self.part.name}, resource {self.part.given}"


_WRITTEN = re.compile(rb'\{"resourceType":"[A-Za-z]+","id":"([A-Za-z0-9.-]+)"')


def written_id(line: bytes) -> str:
    """The id in a line that we wrote."""
    found = _WRITTEN.match(line)
    assert found, "each line begins with type and id"
    return found[1].decode()


@contextmanager
def _opened(path: Path, size: int) -> Iterator[BinaryIO]:
    """``path`` (0600) to write on after its first ``size`` bytes; the rest is cut off."""
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    with os.fdopen(handle, "r+b") as file:
        file.truncate(size)
        file.seek(size)
        yield file


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise ExportError(
            f"There is no room left on the disk of {path.parent} ({error.strerror}).",
            next_step="Make room and run the same command again: it goes on from here.",
        ) from None
