"""SECURITY G past one machine: what is PostgreSQL's own: one writer at a time, its password, its errors."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from smart_app.store import Store, postgresql
from smart_app.store.errors import StoreBusy, StoreGone, StoreUnready
from smart_app.store.keys import Keys
from tests.postgresql import Cluster
from tests.store.make import NOW, behind, draft, start


@pytest.fixture
def url(postgresql: Cluster) -> URL:
    return postgresql.emptied()


@pytest.fixture
def store(url: URL, keys: Keys) -> Iterator[Store]:
    opened = Store.open(url, keys)
    yield opened
    opened.close()


def test_writer_that_waits_too_long_says_so_and_changes_nothing(
    url: URL, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgresql._SESSION, "lock_timeout", 50)
    one, two = Store.open(url, keys), Store.open(url, keys)
    with one.writing(), pytest.raises(StoreBusy, match="Another writer"):
        two.tickets.issue("window", {}, NOW)
    two.tickets.issue("window", {}, NOW)
    for each in (one, two):
        each.close()


def test_writers_of_two_processes_lose_no_update(store: Store, url: URL, keys: Keys) -> None:
    launch = start(store).launch
    made = draft(store, launch)
    other = Store.open(url, keys)

    def increments(number: int) -> list[int]:
        mine = (store, other)[number % 2]
        texts = [f"{number}: {n}" for n in range(25)]
        kept = [mine.drafts.set_answers(made.id, launch.owner, {"comment": text}, NOW) for text in texts]
        return [each.answers["comment"].version for each in kept]

    with ThreadPoolExecutor(8) as pool:
        versions = sorted(version for given in pool.map(increments, range(8)) for version in given)
    other.close()
    assert versions == list(range(1, 201))


def test_writer_whose_process_hangs_is_put_out(url: URL, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(postgresql._SESSION, "idle_in_transaction_session_timeout", 100)
    hangs, waits = Store.open(url, keys), Store.open(url, keys)

    def hang() -> None:
        with hangs.writing():
            hangs.tickets.issue("window", {}, NOW)
            waits.tickets.issue("window", {}, NOW)  # has the lock once the other is put out

    with pytest.raises(DBAPIError):
        hang()
    with waits.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM ticket").scalar_one() == 1
    hangs.tickets.issue("window", {}, NOW)  # on a new connection
    for each in (hangs, waits):
        each.close()


def test_connections_that_the_database_ended_are_made_again(store: Store, url: URL) -> None:
    store.check()
    with behind(url) as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'imr-app' AND datname = "
            "current_database()"
        )
    store.check()


def test_password_is_looked_up_in_a_file_and_shown_by_nothing(postgresql: Cluster, keys: Keys, tmp_path: Path) -> None:
    database = postgresql.emptied().database
    postgresql.run("DROP ROLE IF EXISTS imr", "CREATE ROLE imr LOGIN SUPERUSER PASSWORD 'geheim-42'")
    passfile = tmp_path / "pgpass"
    passfile.touch(0o600)
    query = {"passfile": str(passfile)}
    url = URL.create("postgresql", "imr", host="127.0.0.1", port=postgresql.port, database=database, query=query)
    with pytest.raises(StoreGone, match="password") as caught:
        Store.open(url, keys)
    passfile.write_text("*:*:*:imr:wrong-42\n")
    with pytest.raises(StoreGone, match="password authentication failed") as wrong:
        Store.open(url, keys)
    assert "-42" not in f"{caught.value}{wrong.value}"
    passfile.write_text("*:*:*:imr:geheim-42\n")
    store = Store.open(url, keys)
    store.check()
    assert "geheim" not in repr(store._database.engine)
    store.close()


def test_commits_that_may_be_lost_are_refused(postgresql: Cluster, url: URL, keys: Keys) -> None:
    postgresql.run(f"ALTER ROLE {url.username} SET synchronous_commit = off")
    with pytest.raises(StoreUnready, match="synchronous_commit"):
        Store.open(url, keys)
    postgresql.run(f"ALTER ROLE {url.username} RESET synchronous_commit")


def test_over_a_network_the_servers_certificate_is_checked() -> None:
    def mode(address: str) -> object:
        from sqlalchemy.engine import make_url

        return postgresql._guarded(make_url(address)).query.get("sslmode")

    assert mode("postgresql://imr@db.hospital.example/imr") == "verify-full"
    assert mode("postgresql:///imr?host=db.hospital.example") == "verify-full"
    assert mode("postgresql://imr@db.hospital.example/imr?sslmode=require") == "require"
    assert [mode("postgresql:///imr?host=/run/postgresql"), mode("postgresql://imr@127.0.0.1/imr")] == [None, None]


def test_missing_driver_is_one_sentence(url: URL, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(StoreUnready, match=r"imr-fhir\[postgres\]"):
        Store.open(url, keys)
