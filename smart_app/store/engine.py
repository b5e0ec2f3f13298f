"""The database behind the store: explicit transactions for readers and writers, and everything that is SQLite's own.

SQLAlchemy's default transactions on SQLite lose updates without an error, and a plain BEGIN that turns into a write
fails as "locked"; so a writer says BEGIN IMMEDIATE before it reads.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Connection, Engine, create_engine, event, literal_column
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from smart_app.store.errors import StoreBusy, StoreUnready
from smart_app.store.private import private_directory, private_file

BUSY_MS = 5_000

DATABASE_MS = literal_column("CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)", BigInteger)
"""The database's own clock in milliseconds since 1970: leases of several app processes are judged by one clock."""

_PRAGMAS = (
    (f"busy_timeout={BUSY_MS}", BUSY_MS),
    ("journal_mode=WAL", "wal"),
    ("synchronous=FULL", None),
    ("foreign_keys=ON", None),
    ("temp_store=MEMORY", None),  # no temporary files beside the store
)


class Database:
    """One engine, made in the process that uses it. A transaction opened inside another of this thread joins it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._thread = threading.local()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its first statement; committed on leaving, undone on error."""
        outer = self._open()
        if outer is not None:
            if not outer.get_execution_options().get("writing"):
                raise StoreUnready("A write was begun inside a read.", next_step="Begin with writing() outside.")
            with outer.begin_nested():  # what fails here is undone here, also where the outer transaction goes on
                yield outer
            return
        with self._transaction(writing=True) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the store."""
        outer = self._open()
        if outer is not None:
            yield outer
            return
        with self._transaction(writing=False) as connection:
            yield connection

    def outside(self, what: str) -> None:
        """Raises StoreUnready inside a transaction: for steps that call a hospital or must be durable by themselves."""
        if self._open() is not None:
            raise StoreUnready(f"{what} inside an open transaction.", next_step="Leave writing() or reading() first.")

    def close(self) -> None:
        self.engine.dispose()

    def _open(self) -> Connection | None:
        connection: Connection | None = getattr(self._thread, "connection", None)
        return connection

    @contextmanager
    def _transaction(self, *, writing: bool) -> Iterator[Connection]:
        with self.engine.connect().execution_options(writing=writing) as connection:
            try:
                begun = connection.begin()
            except OperationalError as error:
                if isinstance(error.orig, sqlite3.OperationalError) and "locked" in str(error.orig):
                    raise StoreBusy(
                        f"Another writer held the store for over {BUSY_MS // 1000} seconds.",
                        next_step="Nothing was changed: try again.",
                    ) from error
                raise
            with begun:
                self._thread.connection = connection
                try:
                    yield connection
                finally:
                    self._thread.connection = None


def open_database(path: Path) -> Database:
    """The SQLite file at ``path``, 0600 in a directory 0700, made where it is missing."""
    private_directory(path.parent)
    private_file(path)
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"isolation_level": None, "timeout": BUSY_MS / 1000},
        hide_parameters=True,  # SQLAlchemy's errors and log print them
        pool_size=8,
        max_overflow=24,
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "checkout", _on_checkout)
    event.listen(engine, "begin", _on_begin)
    return Database(engine)


def _on_connect(connection: sqlite3.Connection, record: Any) -> None:
    record.info["pid"] = os.getpid()
    for pragma, answer in _PRAGMAS:
        row = connection.execute(f"PRAGMA {pragma}").fetchone()
        if answer is not None and (row is None or row[0] != answer):
            raise StoreUnready(
                f"SQLite answered {row!r} to PRAGMA {pragma}.",
                next_step="Put the store on a local disk: network file systems can't hold a WAL journal.",
            )


def _on_checkout(_connection: Any, record: Any, _proxy: Any) -> None:
    if record.info["pid"] != os.getpid():
        raise StoreUnready(
            "This store was opened before the process was forked.",
            next_step="Open it in each worker after the fork.",
        )


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options()["writing"] else "BEGIN")
