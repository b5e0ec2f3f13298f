"""SECURITY G: transactions, journal, permissions; E: no parameters in errors and logs."""

import logging
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from smart_app.store import Store
from smart_app.store.engine import DATABASE_MS
from smart_app.store.errors import NoAccess, StoreUnready
from smart_app.store.launch import Launch
from smart_app.store.schema import ticket
from smart_app.store.times import from_ms, to_ms
from tests.store.make import NOW, draft


def test_eight_threads_lose_no_update(store: Store, launch: Launch) -> None:
    made = draft(store, launch)
    start = threading.Barrier(8)

    def increments(number: int) -> list[int]:
        start.wait()
        texts = [f"{number}: {n}" for n in range(50)]
        kept = [store.drafts.set_answers(made.id, launch.owner, {"comment": text}, NOW) for text in texts]
        return [each.answers["comment"].version for each in kept]

    with ThreadPoolExecutor(8) as pool:
        versions = sorted(version for given in pool.map(increments, range(8)) for version in given)
    assert versions == list(range(1, 401))
    after = store.drafts.get(made.id, launch.owner)
    assert (after.answers["comment"].version, after.revision) == (400, 401)


def test_eight_threads_that_read_before_they_write_lose_no_update(store: Store, launch: Launch) -> None:
    start = threading.Barrier(8)

    def increments(_: int) -> None:
        start.wait()
        for _ in range(50):
            with store.writing() as connection:
                before = connection.exec_driver_sql("SELECT tokens_version FROM launch").scalar_one()
                connection.exec_driver_sql(f"UPDATE launch SET tokens_version = {before + 1}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(increments, range(8)))
    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT tokens_version FROM launch").scalar_one() == 401


def test_error_and_log_of_the_database_hide_parameters(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("sqlalchemy").setLevel(logging.DEBUG)
    row = {"ticket_sha256": "MARKED", "purpose": "MARKED", "value": b"MARKED", "expires_at": 1}
    try:
        with store.writing() as connection:
            connection.execute(insert(ticket).values(**row))
        with pytest.raises(IntegrityError) as caught, store.writing() as connection:
            connection.execute(insert(ticket).values(**row))
    finally:
        logging.getLogger("sqlalchemy").setLevel(logging.NOTSET)
    assert "MARKED" not in str(caught.value)
    assert "MARKED" not in caplog.text


def test_steps_of_one_transaction_happen_together_or_not_at_all(store: Store) -> None:
    given: list[str] = []

    def fails() -> None:
        with store.writing():
            given.append(store.tickets.issue("window", {}, NOW))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    with pytest.raises(NoAccess):
        store.tickets.redeem("window", given[0], NOW)


def test_inner_step_that_fails_leaves_nothing_in_an_outer_one_that_goes_on(store: Store) -> None:
    given: list[str] = []

    def fails() -> None:
        with store.writing():
            given.append(store.tickets.issue("window", {}, NOW))
            raise RuntimeError

    with store.writing():
        with pytest.raises(RuntimeError):
            fails()
        given.append(store.tickets.issue("window", {"kept": True}, NOW))
    with pytest.raises(NoAccess):
        store.tickets.redeem("window", given[0], NOW)
    assert store.tickets.redeem("window", given[1], NOW) == {"kept": True}


def test_write_inside_a_read_is_refused(store: Store) -> None:
    with store.reading(), pytest.raises(StoreUnready, match="inside a read"):
        store.tickets.issue("window", {}, NOW)


def test_read_sees_one_moment(store: Store) -> None:
    def count() -> int:
        with store.reading() as connection:
            return len(connection.execute(select(ticket)).all())

    with ThreadPoolExecutor(1) as other, store.reading():
        assert count() == 0
        other.submit(store.tickets.issue, "window", {}, NOW).result()
        assert count() == 0
    assert count() == 1


def test_store_opened_before_a_fork_is_refused_after_it(tmp_path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from smart_app.store import Store
from smart_app.store.errors import StoreUnready
from smart_app.store.keys import new_keys
store = Store.open(Path(sys.argv[1]), new_keys())
child = os.fork()
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
try:
    store.check()
except StoreUnready as error:
    os._exit(7 if "forked" in str(error) else 1)
os._exit(0)
"""
    ran = subprocess.run([sys.executable, "-c", script, str(tmp_path / "s" / "store.db")], check=False)
    assert ran.returncode == 7


def test_database_clock_is_the_time_of_day(store: Store) -> None:
    with store.reading() as connection:
        clock = connection.execute(select(DATABASE_MS)).scalar_one()
    assert abs(from_ms(clock) - datetime.now(UTC)) < timedelta(minutes=1)


def test_times_without_a_zone_are_refused() -> None:
    assert from_ms(to_ms(NOW)) == NOW
    with pytest.raises(ValueError, match="time zone"):
        to_ms(NOW.replace(tzinfo=None))
