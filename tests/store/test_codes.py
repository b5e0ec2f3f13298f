"""SECURITY A, B: a one-time code opens one hand-over, once, for ten minutes."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from smart_app.store import Store
from smart_app.store.code_tries import SHARE, WITHIN
from smart_app.store.codes import ALPHABET, LAUNCHES, LENGTH, LIFETIME
from smart_app.store.errors import NoAccess, TooManyCodes
from smart_app.store.fair_share import Share, network_of
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


def test_from_one_network_there_is_a_limit_in_each_process(store: Store, place: Path | URL, keys: Keys) -> None:
    twin = Store.open(place, keys)
    for number in range(SHARE.one):
        assert not store.code_tries.too_many("10.0.0.1", NOW)
        (store, twin)[number % 2].code_tries.wrong("10.0.0.1", NOW)
    for each in (store, twin):
        assert each.code_tries.too_many("10.0.0.1", NOW)
        assert not each.code_tries.too_many("10.0.0.2", NOW)
        assert not each.code_tries.too_many("10.0.0.1", NOW + WITHIN + SECOND)
    twin.close()


def used_up(share: Share, networks: Iterable[str]) -> Counter[str]:
    """Each of ``networks`` in turn takes as much as it is let."""
    counted: Counter[str] = Counter()
    for network in networks:
        while not share.is_used_up(network, counted):
            counted[network] += 1
    return counted


@pytest.mark.parametrize("share", [SHARE, LAUNCHES])
def test_nobody_uses_it_up_for_those_who_take_little(share: Share) -> None:
    counted = used_up(share, (f"198.51.100.{number}" for number in range(100)))
    assert not share.is_used_up("192.0.2.1", counted)
    counted["192.0.2.1"] += share.few
    assert share.is_used_up("192.0.2.1", counted), "while it is crowded, a network has few"
    assert used_up(share, (f"10.0.{each // 250}.{each % 250}" for each in range(500))).total() == share.most


def test_in_the_store_they_are_counted_by_network(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    small = Share(one=3, few=1, crowded=6, most=9)
    monkeypatch.setattr("smart_app.store.code_tries.SHARE", small)
    for network in ("198.51.100.1", "198.51.100.2"):
        for _ in range(3):
            assert not store.code_tries.too_many(network, NOW)
            store.code_tries.wrong(network, NOW)
        assert store.code_tries.too_many(network, NOW)
    for network in ("2001:db8:1:2::3", "2001:db8:2::3"):
        assert not store.code_tries.too_many(network, NOW)
        store.code_tries.wrong(network, NOW)
    assert store.code_tries.too_many("2001:db8:1:ffff::9", NOW), "crowded, and the same network"
    assert not store.code_tries.too_many("192.0.2.1", NOW)
    store.code_tries.wrong("192.0.2.1", NOW)
    assert store.code_tries.too_many("192.0.2.2", NOW), "the end for all"
    assert not store.code_tries.too_many("192.0.2.2", NOW + WITHIN + SECOND)


def test_the_sum_in_the_comment_holds() -> None:
    a_year = SHARE.most * timedelta(days=365) / WITHIN
    years = len(ALPHABET) ** LENGTH / (a_year * 100)
    assert 65 < years < 75


@pytest.mark.parametrize(
    ("address", "other", "one"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::3", "2001:db8:1:ffff::9", True),
        ("2001:db8:1:2::3", "2001:db8:2:2::3", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("", "unix:", False),
    ],
)
def test_what_counts_as_one_network(address: str, other: str, one: bool) -> None:
    assert (network_of(address) == network_of(other)) is one


def test_codes_of_launches_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smart_app.store.codes.LAUNCHES", Share(one=3, few=1, crowded=5, most=8))
    for network, number in (("198.51.100.1", 3), ("198.51.100.2", 2), ("198.51.100.3", 1)):
        for _ in range(number):
            store.codes.issue_launch({}, network, NOW)
        with pytest.raises(TooManyCodes):
            store.codes.issue_launch({}, network, NOW)
    code = store.codes.issue_launch({"iss": "https://ehr.example"}, "192.0.2.1", NOW)
    assert store.codes.redeem_launch(code, NOW) == {"iss": "https://ehr.example"}
    assert store.codes.issue_launch({}, "198.51.100.1", NOW + WITHIN + SECOND)


def test_no_address_is_kept_and_none_of_its_tries_beyond_their_use(store: Store) -> None:
    store.code_tries.wrong("192.0.2.1", NOW)
    store.codes.issue_launch({}, "192.0.2.1", NOW)
    with store.reading() as connection:
        assert "192.0.2.1" not in str(connection.exec_driver_sql("SELECT * FROM wrong_code").all())
        assert "192.0.2.1" not in str(connection.exec_driver_sql("SELECT * FROM ticket").all())
    store.purge(NOW + WITHIN + SECOND)
    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT * FROM wrong_code").all() == []
