"""Explicit transactions on the database behind the store: one writer at a time, and readers see one moment.

Each page view appends to one audit chain, so writers would wait for each other at its head in any case. As they do so
from their first statement, no step here needs row locks or a second try, and two of them never deadlock. ``sqlite``
and ``postgresql`` hold what differs.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, Engine, FunctionElement, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.compiler import compiles

from smart_app.store.errors import StoreBusy, StoreGone, StoreUnready

BUSY_MS = 5_000
POOL = {"pool_size": 8, "max_overflow": 24}


class _DatabaseMs(FunctionElement[int]):
    type = BigInteger()
    inherit_cache = True


DATABASE_MS = _DatabaseMs()
"""The database's own clock in milliseconds since 1970: leases of several app processes are judged by one clock."""


@compiles(_DatabaseMs, "sqlite")
def _sqlite_ms(_element: Any, _compiler: Any, **_: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


@compiles(_DatabaseMs, "postgresql")
def _postgresql_ms(_element: Any, _compiler: Any, **_: Any) -> str:
    # not now(): that is when the transaction began, and a writer may have waited since
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"


@dataclass(frozen=True, slots=True)
class Ways:
    """What one kind of database does in its own way: the options of its transactions, whether an error of ``begin``
    means that another writer is at work, and what stands in the way of a request (raises StoreUnready)."""

    reading: Mapping[str, Any]
    writing: Mapping[str, Any]
    busy: Callable[[OperationalError], bool]
    check: Callable[[Connection], None]


class Database:
    """One engine, made in the process that uses it. A transaction opened inside another of this thread joins it."""

    def __init__(self, engine: Engine, ways: Ways) -> None:
        self.engine = engine
        self._ways = ways
        self._thread = threading.local()
        self._turn = threading.Lock()
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "checkout", _on_checkout)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its first statement; committed on leaving, undone on error."""
        outer = self._open()
        if outer is not None:
            if not outer.get_execution_options()["writing"]:
                raise StoreUnready("A write was begun inside a read.", next_step="Begin with writing() outside.")
            with outer.begin_nested():  # what fails here is undone here, also where the outer transaction goes on
                yield outer
            return
        # Threads of this process queue: SQLite's own waiting polls, and under load the same one loses each time.
        if not self._turn.acquire(timeout=BUSY_MS / 1000):
            raise _busy()
        try:
            with self._transaction(writing=True) as connection:
                yield connection
        finally:
            self._turn.release()

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

    def check(self) -> None:
        """Raises what stands in the way of a request: StoreUnready, StoreGone."""
        with self.reading() as connection:
            self._ways.check(connection)

    def close(self) -> None:
        self.engine.dispose()

    def _open(self) -> Connection | None:
        connection: Connection | None = getattr(self._thread, "connection", None)
        return connection

    @contextmanager
    def _transaction(self, *, writing: bool) -> Iterator[Connection]:
        options = self._ways.writing if writing else self._ways.reading
        try:
            connected = self.engine.connect()
        except OperationalError as error:
            raise StoreGone(
                f"The store's database can't be reached: {error.orig}", next_step="Try again when it runs."
            ) from error
        with connected.execution_options(writing=writing, **options) as connection:
            try:
                begun = connection.begin()
            except OperationalError as error:
                if self._ways.busy(error):
                    raise _busy() from error
                raise
            with begun:
                self._thread.connection = connection
                try:
                    yield connection
                finally:
                    self._thread.connection = None


def _busy() -> StoreBusy:
    return StoreBusy(
        f"Another writer held the store for over {BUSY_MS // 1000} seconds.",
        next_step="Nothing was changed: try again.",
    )


def _on_connect(_connection: Any, record: Any) -> None:
    record.info["pid"] = os.getpid()


def _on_checkout(_connection: Any, record: Any, _proxy: Any) -> None:
    if record.info["pid"] != os.getpid():
        raise StoreUnready(
            "This store was opened before the process was forked.",
            next_step="Open it in each worker after the fork.",
        )
