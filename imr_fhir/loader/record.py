"""The record of what `load` did to one server: JSON lines, each on the disk before the next thing happens.

apply        an apply begins, or goes on where the last one broke off
sending      what is sent next, each with what stood there before
sent         the server has it, and under which id; whether it was new there
refused      since somebody else was there first: nothing of it was done
met          what somebody else had put there before it was written, and after the plan was made
kept         how it says in its own way what was sent
applied      the apply is whole
undone       a rollback has taken this back
rolled back  the rollback is whole
"""

import fcntl
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from imr_fhir.ehr.json_reader import read_json
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.errors import LoadError, NotJson

Row = Mapping[str, Any]

_HEAD = b'{"row":'
_AGAIN = "Nothing was sent. When that one has ended, look at the plan again."


class Record:
    """``rows``: all so far. Without a path nothing is kept beyond this run."""

    def __init__(self, path: Path | None = None, server: str = "", now: datetime | None = None) -> None:
        self.path = path
        self._now = now
        self._server = server.rstrip("/")
        data = _read(path) if path else b""
        self._size = len(data)
        self._torn = bool(data) and not data.endswith(b"\n")
        self.rows = _rows(path, data) if path else []
        others = {str(row["server"]) for row in self.rows if "server" in row} - {self._server}
        if others:
            raise LoadError(
                f"{path} is the record of {', '.join(sorted(others))}, not of {self._server}.",
                next_step="Name another file with --record: each server has its own.",
            )

    @contextmanager
    def begin(self, row: str, **more: Any) -> Iterator[None]:
        """Till the block ends no other run on this machine writes to it.

        Raises LoadError, also where another one does, or did since it was read: nothing may be sent.
        """
        with _held(self.path, self._size) if self.path else nullcontext():
            at = {"at": self._now.isoformat(timespec="seconds")} if self._now else {}
            self.write(row, **at, server=self._server, **more)
            yield

    def write(self, row: str, **more: Any) -> None:
        """On the disk when it returns. Raises LoadError: nothing may be sent that is not recorded."""
        line = {"row": row, **more}
        if self.path:
            data = (b"\n" if self._torn else b"") + write_json(line) + b"\n"
            try:
                _append(self.path, data)
            except OSError as error:
                raise _not_written(self.path, error) from error
            self._torn, self._size = False, self._size + len(data)
        self.rows.append(line)


def _append(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        while data:
            data = data[os.write(handle, data) :]
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _held(path: Path, size: int) -> Iterator[None]:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise _not_written(path, error) from error
    try:
        if stat.S_ISREG(os.fstat(handle).st_mode):  # /dev/null keeps nothing, and is everybody's
            _lock(handle, path, size)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, path: Path, size: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LoadError(f"Another load writes to the record {path} just now.", next_step=_AGAIN) from None
    if os.fstat(handle).st_size != size:
        raise LoadError(f"Another load wrote to the record {path} since this one read it.", next_step=_AGAIN)


def _not_written(path: Path, error: OSError) -> LoadError:
    return LoadError(
        f"The record {path} can't be written: {error.strerror}.",
        next_step="Name a file that can be written with --record.",
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise LoadError(
            f"The record {path} can't be read: {error.strerror}.", next_step="Name another file with --record."
        ) from error


def _rows(path: Path, data: bytes) -> list[Row]:
    found = [_row(path, number, line) for number, line in enumerate(data.split(b"\n"), 1) if line.strip()]
    return [row for row in found if row]


def _row(path: Path, number: int, line: bytes) -> Row:
    """Empty for a line that was cut off by a kill: what it announces was not begun."""
    row: Any = None
    try:
        row = read_json(line)
    except NotJson:
        if line.startswith(_HEAD[: len(line)]):
            return {}
    if isinstance(row, dict) and isinstance(row.get("row"), str):
        return dict(row)
    raise LoadError(
        f"{path}, line {number}, is no record of this command.", next_step="Name another file with --record."
    )
