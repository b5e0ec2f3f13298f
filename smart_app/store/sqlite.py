"""SQLite as the store of one machine.

SQLAlchemy's default transactions on SQLite lose updates without an error, and a plain BEGIN that turns into a write
fails as "locked"; so a writer says BEGIN IMMEDIATE before it reads.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from smart_app.store.engine import BUSY_MS, POOL, Database, Ways
from smart_app.store.errors import StoreUnready
from smart_app.store.private import private_directory, private_file

MIN_FREE_BYTES = 100_000_000

_PRAGMAS = (
    (f"busy_timeout={BUSY_MS}", BUSY_MS),
    ("journal_mode=WAL", "wal"),
    ("synchronous=FULL", None),
    ("foreign_keys=ON", None),
    ("temp_store=MEMORY", None),  # no temporary files beside the store
)


def open_sqlite(path: Path) -> Database:
    """The SQLite file at ``path``, 0600 in a directory 0700, made where it is missing."""
    private_directory(path.parent)
    private_file(path)
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"isolation_level": None, "timeout": BUSY_MS / 1000},
        hide_parameters=True,  # SQLAlchemy's errors and log print them
        **POOL,
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return Database(engine, Ways(reading={}, writing={}, busy=_busy, check=lambda _: _check_disk(path.parent)))


def _on_connect(connection: sqlite3.Connection, _record: Any) -> None:
    for pragma, answer in _PRAGMAS:
        row = connection.execute(f"PRAGMA {pragma}").fetchone()
        if answer is not None and (row is None or row[0] != answer):
            raise StoreUnready(
                f"SQLite answered {row!r} to PRAGMA {pragma}.",
                next_step="Put the store on a local disk: network file systems can't hold a WAL journal.",
            )


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options()["writing"] else "BEGIN")


def _busy(error: OperationalError) -> bool:
    return "locked" in str(error.orig)


def _check_disk(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        raise StoreUnready(
            f"{free // 1_000_000} MB are free where the store is, {MIN_FREE_BYTES // 1_000_000} MB are needed.",
            next_step="Make room on that disk.",
        )
