"""SECURITY E and G: what is SQLite's own: journal, permissions, disk."""

import os
import sqlite3
import stat
from collections import namedtuple
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from smart_app.store import Store, sqlite
from smart_app.store.errors import NotPrivate, StoreBusy, StoreUnready
from smart_app.store.keys import Keys
from tests.store.make import NOW


@pytest.fixture
def store(path: Path, keys: Keys) -> Iterator[Store]:
    opened = Store.open(path, keys)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5000), ("temp_store", 2)],
)
def test_each_connection_is_set_up(store: Store, pragma: str, value: object) -> None:
    with store.reading() as connection, ThreadPoolExecutor(1) as other:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() == value

        def second() -> object:
            with store.reading() as connection:
                return connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one()

        assert other.submit(second).result() == value


def test_journal_that_is_not_wal_is_refused() -> None:
    with closing(sqlite3.connect(":memory:")) as connection, pytest.raises(StoreUnready, match="journal_mode"):
        sqlite._on_connect(connection, None)


def test_files_are_private_whatever_the_umask(tmp_path: Path, keys: Keys) -> None:
    before = os.umask(0)
    try:
        store = Store.open(tmp_path / "a" / "store.db", keys)
        store.tickets.issue("window", {}, NOW)
    finally:
        os.umask(before)
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "a").iterdir()}
    store.close()
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700


@pytest.mark.parametrize(("what", "mode"), [("store.db", 0o644), ("", 0o755)])
def test_store_that_others_may_open_is_refused(tmp_path: Path, keys: Keys, what: str, mode: int) -> None:
    Store.open(tmp_path / "a" / "store.db", keys).close()
    (tmp_path / "a" / what).chmod(mode)
    with pytest.raises(NotPrivate, match="chmod"):
        Store.open(tmp_path / "a" / "store.db", keys)


def test_writer_that_waits_too_long_says_so_and_changes_nothing(
    path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_PRAGMAS", (("busy_timeout=50", 50), *sqlite._PRAGMAS[1:]))
    store = Store.open(path, keys)
    with ThreadPoolExecutor(1) as other, store.writing(), pytest.raises(StoreBusy, match="Another writer"):
        other.submit(store.tickets.issue, "window", {}, NOW).result()
    store.close()


def test_readiness_looks_at_the_disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10**9, 10**9, 1_000_000))
    with pytest.raises(StoreUnready, match="1 MB"):
        store.check()
