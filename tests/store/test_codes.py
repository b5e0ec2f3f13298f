"""SECURITY A, B: a one-time code opens one hand-over, once, for ten minutes."""

from datetime import timedelta

import pytest

from smart_app.store import Store
from smart_app.store.codes import ALPHABET, LENGTH, LIFETIME
from smart_app.store.errors import NoAccess
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
