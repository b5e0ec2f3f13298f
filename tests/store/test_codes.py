"""SECURITY A, B: a one-time code opens one hand-over, once, for ten minutes."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from smart_app.store import Store
from smart_app.store.code_tries import FROM_ALL, FROM_ONE, WITHIN
from smart_app.store.codes import ALPHABET, LENGTH, LIFETIME
from smart_app.store.errors import NoAccess
from smart_app.store.keys import Keys
from tests.store.make import NOW


def test_it_has_forty_bits_and_nothing_that_is_read_as_something_else() -> None:
    assert len(ALPHABET) ** LENGTH >= 2**40
    assert len(set(ALPHABET)) == len(ALPHABET)
    assert not set("OILU") & set(ALPHABET)
    assert timedelta(minutes=10) == LIFETIME


def test_it_opens_its_hand_over_once(store: Store) -> None:
    one, other = store.codes.issue("hid-1", NOW), store.codes.issue("hid-2", NOW)
    assert one != other
    assert store.codes.redeem(one, NOW) == "hid-1"
    with pytest.raises(NoAccess):
        store.codes.redeem(one, NOW)
    assert store.codes.redeem(other, NOW) == "hid-2"


@pytest.mark.parametrize(
    "typed", [str.lower, lambda code: f" {code[:4]}-{code[4:]} ", lambda code: code.replace("0", "o").replace("1", "l")]
)
def test_it_is_read_as_it_was_meant(store: Store, typed) -> None:  # type: ignore[no-untyped-def]
    for _ in range(20):
        assert store.codes.redeem(typed(store.codes.issue("hid", NOW)), NOW) == "hid"


def test_it_lives_ten_minutes(store: Store) -> None:
    code = store.codes.issue("hid", NOW)
    assert store.codes.redeem(code, NOW + LIFETIME) == "hid"
    code = store.codes.issue("hid", NOW)
    with pytest.raises(NoAccess):
        store.codes.redeem(code, NOW + LIFETIME + timedelta(seconds=1))


def test_a_new_one_voids_the_last(store: Store) -> None:
    first, second = store.codes.issue("hid", NOW), store.codes.issue("hid", NOW)
    with pytest.raises(NoAccess):
        store.codes.redeem(first, NOW)
    assert store.codes.redeem(second, NOW) == "hid"


@pytest.mark.parametrize("typed", ["", "0", "0000 0000", "é" * 8, "A" * 10_000, "%", "\x00"])
def test_what_is_none(store: Store, typed: str) -> None:
    store.codes.issue("hid", NOW)
    with pytest.raises(NoAccess):
        store.codes.redeem(typed, NOW)


def test_neither_code_nor_a_bare_hash_of_it_is_kept(store: Store) -> None:
    from smart_app.store.cipher import sha256_hex

    code = store.codes.issue("hid", NOW)
    with store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM ticket").all()
    assert len(rows) == 1
    assert code not in str(rows)
    assert sha256_hex(code) not in str(rows)


def test_a_ticket_is_no_code(store: Store) -> None:
    ticket = store.tickets.issue("hand-over", {"hid": "hid"}, NOW)
    with pytest.raises(NoAccess):
        store.codes.redeem(ticket, NOW)
    with pytest.raises(NoAccess):
        store.tickets.redeem("hand-over", store.codes.issue("hid", NOW), NOW)


# How many wrong ones are taken

SECOND = timedelta(seconds=1)


def test_what_a_hospital_behind_one_address_gets_wrong_shuts_nobody_out(store: Store) -> None:
    for _ in range(60):
        store.code_tries.wrong("10.0.0.1", NOW)
    assert not store.code_tries.too_many("10.0.0.1", NOW)


def test_from_one_address_there_is_a_limit_in_each_process(store: Store, place: Path | URL, keys: Keys) -> None:
    twin = Store.open(place, keys)
    for number in range(FROM_ONE):
        assert not store.code_tries.too_many("10.0.0.1", NOW)
        (store, twin)[number % 2].code_tries.wrong("10.0.0.1", NOW)
    for each in (store, twin):
        assert each.code_tries.too_many("10.0.0.1", NOW)
        assert not each.code_tries.too_many("10.0.0.2", NOW)
        assert not each.code_tries.too_many("10.0.0.1", NOW + WITHIN + SECOND)
    twin.close()


def test_from_many_addresses_there_is_a_limit_for_all(store: Store) -> None:
    for number in range(FROM_ALL):
        store.code_tries.wrong(f"10.0.{number // 250}.{number % 250}", NOW)
    assert store.code_tries.too_many("192.0.2.1", NOW)
    assert not store.code_tries.too_many("192.0.2.1", NOW + WITHIN + SECOND)


def test_no_address_is_kept_and_none_of_its_tries_beyond_their_use(store: Store) -> None:
    store.code_tries.wrong("192.0.2.1", NOW)
    with store.reading() as connection:
        assert "192.0.2.1" not in str(connection.exec_driver_sql("SELECT * FROM wrong_code").all())
    store.purge(NOW + WITHIN + SECOND)
    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT * FROM wrong_code").all() == []
