"""The hospital's SQLite file: one connection a thread, one writer at a time, readers never wait."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS resource (
    number INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, updated TEXT NOT NULL,
    patient TEXT,                       -- whose record it belongs to; NULL outside the patient compartment
    body TEXT NOT NULL, UNIQUE (type, id));
CREATE INDEX IF NOT EXISTS resource_patient ON resource (patient, type);
CREATE TABLE IF NOT EXISTS version (
    type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, updated TEXT NOT NULL, method TEXT NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (type, id, version)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS search_index (
    resource INTEGER NOT NULL REFERENCES resource (number), type TEXT NOT NULL, param TEXT NOT NULL,
    system TEXT NOT NULL, value TEXT NOT NULL, low TEXT NOT NULL, high TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS search_value ON search_index (value, param, type);
CREATE INDEX IF NOT EXISTS search_resource ON search_index (resource, param);
CREATE TABLE IF NOT EXISTS secret (
    key TEXT PRIMARY KEY, kind TEXT NOT NULL, family TEXT NOT NULL, body TEXT NOT NULL, expires REAL NOT NULL,
    spent INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS secret_family ON secret (family);
CREATE TABLE IF NOT EXISTS signing_key (kid TEXT PRIMARY KEY, jwk TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seeded (name TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class Database:
    """``path`` is made where it is missing; its folder must exist."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._here = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self.connection.executescript(SCHEMA)

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection; outside ``write`` each statement stands by itself."""
        connection: sqlite3.Connection | None = getattr(self._here, "connection", None)
        if connection is None:
            # Closed by another thread at shut-down, hence check_same_thread=False; used by its own thread alone.
            connection = sqlite3.connect(self.path, timeout=5, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            self._here.connection = connection
            with self._lock:
                self._all.append(connection)
        return connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """All or nothing. BEGIN IMMEDIATE: a reader that turns writer inside a transaction fails with "locked"."""
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def close(self) -> None:
        with self._lock:
            while self._all:
                self._all.pop().close()
