"""SECURITY G: refresh of tokens by a lease."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from smart_app.store import Store
from smart_app.store.errors import NoAccess, NotRefreshed, StoreBusy, StoreUnready
from smart_app.store.launch import Launch, Tokens
from smart_app.store.token_refresh import LEASE_MS
from tests.store.make import NOW, TOKENS

NEW = Tokens("access-2", NOW + timedelta(hours=1), TOKENS.scopes, "refresh-2")


def test_one_of_many_calls_and_all_get_what_it_got(store: Store, launch: Launch) -> None:
    calls: list[str] = []
    together = threading.Barrier(8)

    def renew(stale: Launch) -> Tokens:
        calls.append(stale.tokens.refresh_token)
        return NEW

    def refresh(_: int) -> Launch:
        together.wait()
        return store.tokens.refresh(launch, renew)

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(refresh, range(8)))
    assert calls == ["refresh-1"]
    assert {each.tokens for each in got} == {NEW}


def test_those_who_wait_learn_that_it_failed_and_do_not_call(store: Store, launch: Launch) -> None:
    calling, waiting = threading.Event(), threading.Event()
    calls: list[int] = []

    def fails(_: Launch) -> Tokens:
        calls.append(1)
        calling.set()
        waiting.wait(10)
        raise ConnectionError

    store.tokens._pause = lambda _: waiting.set()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(store.tokens.refresh, launch, fails)
        calling.wait(10)
        second = pool.submit(store.tokens.refresh, launch, fails)
        with pytest.raises(ConnectionError):
            first.result()
        with pytest.raises(NotRefreshed):
            second.result()
    assert calls == [1]


def test_failed_refresh_can_be_tried_again_by_the_next_request(store: Store, launch: Launch) -> None:
    def fails(_: Launch) -> Tokens:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        store.tokens.refresh(launch, fails)
    (again,) = store.launches.expire(NOW + timedelta(hours=9))  # as it is in the store
    assert (again.tokens, again.tokens_version) == (TOKENS, 2)


def test_lease_of_a_request_that_died_runs_out_by_the_databases_clock(store: Store, launch: Launch) -> None:
    assert store.tokens._claim(launch)
    assert not store.tokens._claim(launch)
    store.tokens._pause = pytest.fail  # type: ignore[assignment]
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE launch SET refresh_until = refresh_until - 40001")
    assert store.tokens.refresh(launch, lambda _: NEW).tokens == NEW


def test_late_winner_does_not_overwrite_what_another_got(store: Store, launch: Launch) -> None:
    def slow(stale: Launch) -> Tokens:
        with store.writing() as connection:
            connection.exec_driver_sql("UPDATE launch SET refresh_until = 0")
        store.tokens.refresh(stale, lambda _: NEW)
        return Tokens("access-late", None, (), "refresh-late")

    assert store.tokens.refresh(launch, slow).tokens == NEW


@pytest.mark.parametrize("times", [1, 3])
def test_new_tokens_are_kept_though_the_store_is_busy_when_they_come(
    store: Store, launch: Launch, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """An EHR that rotates has ended the ones before."""
    write, busy = store.tokens._write, iter([True] * times)

    def held(*given: Any) -> bool:
        if next(busy, False):
            raise StoreBusy("Another writer held the store.")
        return write(*given)

    monkeypatch.setattr(store.tokens, "_write", held)
    assert store.tokens.refresh(launch, lambda _: NEW).tokens == NEW
    (there,) = store.launches.expire(NOW + timedelta(hours=9))
    assert there.tokens == NEW


def test_they_are_not_waited_for_longer_than_the_lease(
    store: Store, launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, tried = iter(range(0, 1000, 9)), []

    def held(*_: Any) -> bool:
        tried.append(1)
        raise StoreBusy("Another writer holds the store.")

    monkeypatch.setattr(store.tokens, "_write", held)
    monkeypatch.setattr("smart_app.store.token_refresh.time.monotonic", lambda: next(clock))
    with pytest.raises(StoreBusy):
        store.tokens.refresh(launch, lambda _: NEW)
    assert len(tried) * 9 <= LEASE_MS / 1000


def test_launch_that_ended_meanwhile_gets_no_token(store: Store, launch: Launch) -> None:
    def renew(stale: Launch) -> Tokens:
        store.launches.end(stale.id, "log-out", NOW)
        return NEW

    with pytest.raises(NoAccess):
        store.tokens.refresh(launch, renew)
    with pytest.raises(NoAccess):
        store.tokens.refresh(launch, renew)


def test_no_transaction_is_open_while_the_hospital_is_called(store: Store, launch: Launch) -> None:
    with store.writing(), pytest.raises(StoreUnready, match="inside an open transaction"):
        store.tokens.refresh(launch, lambda _: NEW)
