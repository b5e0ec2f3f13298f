"""What an export has so far, durable: after a break, a full disk or a press of Ctrl-C the next run goes on from here.

    DIR/.export/state.json          this; gone when the export is whole
    DIR/.export/Goal-00001.ndjson   what has come of a file
    DIR/.export/ready/              what is to be moved to DIR (merging.py)

It holds addresses of the server's files, no ids of patients; like all in DIR it is 0600.
"""

import fcntl
import json
import os
import shutil
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from imr_fhir.errors import ExportError

VERSION = 1
FAULTS = 5  # of a file that are told one by one

PartKind = Literal["output", "deleted", "error", "search"]


@dataclass
class Part:
    """One file of the server's, or one search, and how much of it is in ``name`` (``size`` bytes, safe on the disk)."""

    kind: PartKind
    type: str
    name: str
    url: str = ""  # of the file, or of the next page
    offset: int = 0  # bytes of the server's file that are dealt with
    etag: str = ""  # of the file; "" where it can't be gone on with in the middle
    count: int | None = None  # lines, as the server says
    narrow: bool = True  # whether the search is for IMR alone
    member: int = 0  # of the patients of a group, how many are searched through
    size: int = 0
    raw: int = 0  # bytes of the raw lines beside it, where those are kept
    given: int = 0  # resources that came
    kept: int = 0
    left: dict[str, int] = field(default_factory=dict)  # why -> how many
    refused: dict[str, int] = field(default_factory=dict)  # what of an element's value -> how often
    faults: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)  # ids of what was there before and is no IMR any more
    unavailable: str = ""  # why the server does not give it
    done: bool = False

    def leave(self, why: str, fault: str = "", count: int = 1) -> None:
        self.left[why] = self.left.get(why, 0) + count
        if fault and len(self.faults) < FAULTS:
            self.faults.append(fault)

    def copy(self) -> "Part":
        own = copy(self)
        own.left, own.refused = {**self.left}, {**self.refused}
        own.faults, own.gone = [*self.faults], [*self.gone]
        return own

    def afresh(self) -> None:
        """Nothing of it is there yet."""
        self.offset = self.member = self.size = self.raw = self.given = self.kept = 0
        self.etag, self.left, self.refused, self.faults, self.gone, self.done = "", {}, {}, [], [], False


@dataclass
class Ledger:
    """``asked``: what decides what is in it. ``job``: where to ask for it, "" before. ``token``: its files want one."""

    folder: Path
    asked: dict[str, Any]
    since: str = ""
    anew: bool = False  # what is in the folder is thrown away at the end
    raw: str = ""  # the folder of the raw files, "" where none are kept
    how: Literal["", "bulk", "search"] = ""
    job: str = ""
    narrow: bool = True  # whether the server was asked for IMR alone
    token: bool = False
    transaction_time: str = ""
    parts: list[Part] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    manifest: dict[str, Any] | None = None  # once all is ready to be moved
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def work(self) -> Path:
        return self.folder / ".export"

    @property
    def ready(self) -> Path:
        return self.work / "ready"

    @property
    def how_far(self) -> float:
        """From 0 to 1: by resources where the server says how many, else by files."""
        counts = [part.count for part in self.parts]
        if all(count is not None for count in counts) and any(counts):
            return sum(part.given for part in self.parts) / sum(count or 0 for count in counts)
        return sum(part.done for part in self.parts) / max(len(self.parts), 1)

    def staged(self, part: Part) -> Path:
        return self.work / part.name

    def save(self) -> None:
        """From any thread. Raises OSError; then what was saved before stays."""
        with self._lock:
            self._write()

    def keep(self, part: Part) -> None:
        """``part``, a copy of one of ours, is as far as it says, and safe."""
        with self._lock:
            own = next(each for each in self.parts if each.name == part.name)
            vars(own).update(vars(part.copy()))
            self._write()

    def _write(self) -> None:
        said = {name: getattr(self, name) for name in _SAVED}
        text = json.dumps({"version": VERSION, **said, "parts": [vars(part) for part in self.parts]})
        replace(self.work / "state.json", text.encode())

    def add(self, kind: PartKind, resource_type: str, url: str = "", count: int | None = None) -> Part:
        number = 1 + sum(part.type == resource_type for part in self.parts)
        part = Part(kind, resource_type, f"{resource_type or kind}-{number:05}.ndjson", url, count=count)
        self.parts.append(part)
        return part

    def forget(self) -> None:
        """The export under way is given up; what was there before it stays. Broken off here, it is given up too."""
        (self.work / "state.json").unlink(missing_ok=True)
        shutil.rmtree(self.work)


_SAVED = ("asked", "since", "anew", "raw", "how", "job", "narrow", "token", "transaction_time", "notes", "manifest")


def unfinished(folder: Path) -> Ledger | None:
    """The export under way in ``folder``. Raises ExportError where it can't be read."""
    path = folder / ".export" / "state.json"
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_bytes())
        if found["version"] != VERSION:
            raise ValueError(found["version"])
        return Ledger(folder, **{name: found[name] for name in _SAVED}, parts=[Part(**each) for each in found["parts"]])
    except (ValueError, KeyError, TypeError):
        raise ExportError(
            f"{path} is not what this version writes.", next_step="Begin anew with --anew, or take another folder."
        ) from None


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """``folder``, 0700, for one export at a time. Raises ExportError."""
    private_folder(folder)
    ours = (folder / "manifest.json").exists() or (folder / ".export" / "state.json").exists()
    strange = [each.name for each in folder.iterdir() if each.name != ".export"]
    if strange and not ours:
        raise ExportError(f"{folder} holds other files ({sorted(strange)[0]}).", next_step="Name a new folder.")
    work = folder / ".export"
    handle = os.open(folder, os.O_RDONLY)
    try:
        _lock(handle, folder)
        work.mkdir(mode=0o700, exist_ok=True)
        try:
            yield
        finally:
            if work.exists() and not any(work.iterdir()):  # it was not even begun
                work.rmdir()
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ExportError(f"Another export is under way in {folder}.", next_step="Wait until it has ended.") from None


def private_folder(folder: Path) -> None:
    """Makes it where it is missing. Raises ExportError where others may open it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_uid != os.geteuid():  # whose it is can open it whatever its mode says
        raise ExportError(f"{folder} belongs to another user of this machine.", next_step="Name a new folder.")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise ExportError(f"Others on this machine may open {folder}.", next_step=f"Run: chmod 700 {folder}")


def replace(path: Path, data: bytes) -> None:
    """The file whole or as it was before, whatever happens meanwhile."""
    draft = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read_manifest(folder: Path) -> Mapping[str, Any] | None:
    """What is in ``folder``, where an export was finished there. Raises ExportError."""
    path = folder / "manifest.json"
    if not path.exists():
        return None
    try:
        found: Any = json.loads(path.read_bytes())
        if found["version"] == VERSION:
            return dict(found)
    except (ValueError, KeyError, TypeError):
        pass  # as good as another version's
    raise ExportError(f"{path} is not what this version writes.", next_step="Begin anew with --anew.")
