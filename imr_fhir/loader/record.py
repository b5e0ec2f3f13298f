"""The record of what `load` did to one server: JSON lines, each on the disk before the next thing happens.

apply        an apply begins, or goes on where the last one broke off
sending      what is sent next, each with what stood there before
sent         the server has it, and under which id
kept         how it says in its own way what was sent
applied      the apply is whole
undone       a rollback has taken this back
rolled back  the rollback is whole
"""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from imr_fhir.ehr.json_reader import read_json
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.errors import LoadError, NotJson

Row = Mapping[str, Any]

_HEAD = b'{"row":'


class Record:
    """``rows``: all so far. Without a path nothing is kept beyond this run."""

    def __init__(self, path: Path | None = None, server: str = "", now: datetime | None = None) -> None:
        self.path = path
        self._now = now
        self._server = server.rstrip("/")
        self._torn, self.rows = _read(path) if path else (False, [])
        others = {str(row["server"]) for row in self.rows if "server" in row} - {self._server}
        if others:
            raise LoadError(
                f"{path} is the record of {', '.join(sorted(others))}, not of {self._server}.",
                next_step="Name another file with --record: each server has its own.",
            )

    def begin(self, row: str, **more: Any) -> None:
        at = {"at": self._now.isoformat(timespec="seconds")} if self._now else {}
        self.write(row, **at, server=self._server, **more)

    def write(self, row: str, **more: Any) -> None:
        """On the disk when it returns. Raises LoadError: nothing may be sent that is not recorded."""
        line = {"row": row, **more}
        if self.path:
            try:
                _append(self.path, (b"\n" if self._torn else b"") + write_json(line) + b"\n")
            except OSError as error:
                raise LoadError(
                    f"The record {self.path} can't be written: {error.strerror}.",
                    next_step="Name a file that can be written with --record.",
                ) from error
            self._torn = False
        self.rows.append(line)


def _append(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        while data:
            data = data[os.write(handle, data) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> tuple[bool, list[Row]]:
    """Whether its last line was cut off, and its rows."""
    try:
        data = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise LoadError(
            f"The record {path} can't be read: {error.strerror}.", next_step="Name another file with --record."
        ) from error
    lines = enumerate(data.split(b"\n"), 1)
    found = [_row(path, number, line) for number, line in lines if line.strip()]
    return bool(data) and not data.endswith(b"\n"), [row for row in found if row]


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
