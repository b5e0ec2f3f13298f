"""SECURITY E: the audit log: who, which patient, what, when, why; gapless, chained, verified."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select
from sqlalchemy.engine import URL

from smart_app.store import Store
from smart_app.store.audit import Entry, Verified
from smart_app.store.errors import Damaged
from smart_app.store.keys import Keys, new_key
from smart_app.store.launch import Launch
from smart_app.store.schema import audit_head
from smart_app.store.who import Who
from tests.store.make import NOW, behind, entry, start


def test_entry_says_who_which_patient_what_when_why_and_how_it_ended(store: Store, launch: Launch) -> None:
    seen = replace(entry(launch, "view", "follow-up"), objects=("Goal/1", "Goal/2"))
    assert store.audit.record(seen, NOW) == 1
    (row,) = store.audit.entries()
    assert str(uuid.UUID(row["id"], version=4)) == row["id"]
    assert [row] == [
        {
            "id": row["id"],
            "seq": 1,
            "at": NOW,
            "action": "view",
            "kind": "view",
            "outcome": "success",
            "user_key": launch.user_key,
            "display": "Kari Nordmann",
            "role": "clinician",
            "fhir_user": "Practitioner/kari",
            "issuer": "https://ehr.example",
            "sub": "kari",
            "site": "sandbox",
            "patient": "anna",
            "purpose": "follow-up",
            "objects": ["Goal/1", "Goal/2"],
        }
    ]


def test_refusal_before_log_in_has_no_user_and_is_told_as_one(store: Store) -> None:
    store.audit.record(Entry("log-in", "refused", Who(""), "sandbox", purpose="IdentityError"), NOW)
    (row,) = store.audit.entries()
    assert (row["kind"], row["user_key"], row["patient"]) == ("refusal", "", "")


def test_action_that_is_none_is_refused(launch: Launch) -> None:
    with pytest.raises(ValueError, match="peek"):
        entry(launch, "peek")


def test_rows_are_durable_before_anything_is_shown(store: Store, launch: Launch, place: Path | URL) -> None:
    store.audit.record(entry(launch, "view"), NOW)
    with behind(place) as another_process:
        assert another_process.exec_driver_sql("SELECT count(*) FROM audit").fetchone() == (1,)


def test_names_and_reasons_are_sealed(store: Store, launch: Launch, place: Path | URL) -> None:
    store.audit.record(entry(launch, "view", "follow-up"), NOW)
    with behind(place) as connection:
        shown = repr(connection.exec_driver_sql("SELECT * FROM audit").fetchall())
    assert not any(word in shown for word in ("Kari", "kari", "anna", "follow-up"))


def test_numbers_have_no_gap_whoever_writes_and_whatever_is_undone(store: Store, launch: Launch) -> None:
    def write(_: int) -> None:
        def undone() -> None:
            with store.writing():
                store.audit.record(entry(launch, "view"), NOW)
                raise RuntimeError

        for _ in range(5):
            store.audit.record(entry(launch, "view"), NOW)
            with pytest.raises(RuntimeError):
                undone()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert [row["seq"] for row in store.audit.entries()] == list(range(1, 41))
    assert store.audit.verify() == Verified(40)


def test_pages_and_one_patients_rows(store: Store, launch: Launch) -> None:
    other = start(store, patient="bjorn").launch
    for each in (launch, other, launch, other, launch):
        store.audit.record(entry(each, "view"), NOW)
    assert [row["seq"] for row in store.audit.entries(limit=2)] == [1, 2]
    assert [row["seq"] for row in store.audit.entries(after=2, limit=2)] == [3, 4]
    assert [row["seq"] for row in store.audit.entries(patient_keys=[launch.patient_key])] == [1, 3, 5]


def move_value(connection: Connection) -> None:
    connection.exec_driver_sql("UPDATE audit SET value = (SELECT value FROM audit WHERE seq = 4) WHERE seq = 3")


BREAKS: dict[str, tuple[Callable[[Connection], object], int, str]] = {
    "outcome": (lambda c: c.exec_driver_sql("UPDATE audit SET outcome = 'refused' WHERE seq = 3"), 3, "changed"),
    "time": (lambda c: c.exec_driver_sql("UPDATE audit SET at = at + 1 WHERE seq = 3"), 3, "changed"),
    "user": (lambda c: c.exec_driver_sql("UPDATE audit SET user_key = '' WHERE seq = 3"), 3, "changed"),
    "patient": (lambda c: c.exec_driver_sql("UPDATE audit SET patient = '' WHERE seq = 3"), 3, "changed"),
    "action": (lambda c: c.exec_driver_sql("UPDATE audit SET action = 'print' WHERE seq = 3"), 3, "changed"),
    "mac": (lambda c: c.exec_driver_sql("UPDATE audit SET mac = '' WHERE seq = 3"), 3, "changed"),
    "key": (lambda c: c.exec_driver_sql("UPDATE audit SET key_id = 'other' WHERE seq = 3"), 3, "changed"),
    "moved value": (move_value, 3, "does not open"),
    "removed": (lambda c: c.exec_driver_sql("DELETE FROM audit WHERE seq = 3"), 3, "missing"),
    "first removed": (lambda c: c.exec_driver_sql("DELETE FROM audit WHERE seq = 1"), 1, "missing"),
    "last removed": (lambda c: c.exec_driver_sql("DELETE FROM audit WHERE seq = 5"), 5, "ends here"),
    "renumbered": (lambda c: c.exec_driver_sql("UPDATE audit SET seq = 6 WHERE seq = 5"), 5, "missing"),
    "all removed": (lambda c: c.exec_driver_sql("DELETE FROM audit"), 1, "ends here"),
    "head moved back": (
        lambda c: c.exec_driver_sql("UPDATE audit_head SET seq = 4, mac = (SELECT mac FROM audit WHERE seq = 4)"),
        6,
        "head of the chain",
    ),
    "head removed": (lambda c: c.exec_driver_sql("DELETE FROM audit_head"), 6, "head of the chain"),
}


@pytest.mark.parametrize("how", BREAKS)
def test_verify_names_the_first_broken_row(store: Store, launch: Launch, place: Path | URL, how: str) -> None:
    for _ in range(5):
        store.audit.record(entry(launch, "view"), NOW)
    assert store.audit.verify() == Verified(5)
    spoil, first, what = BREAKS[how]
    with behind(place) as connection:
        spoil(connection)
    verified = store.audit.verify()
    assert (verified.broken, verified.rows) == (first, first - 1)
    assert what in verified.what


def test_rows_swapped_as_a_whole_are_found(store: Store, launch: Launch, place: Path | URL) -> None:
    for purpose in "abcde":
        store.audit.record(entry(launch, "view", purpose), NOW)
    with behind(place) as connection:
        for old, new in ((2, 0), (3, 2), (0, 3)):
            connection.exec_driver_sql(f"UPDATE audit SET seq = {new} WHERE seq = {old}")
    assert store.audit.verify().broken == 2


def test_nothing_is_appended_after_a_head_that_was_changed(store: Store, launch: Launch, place: Path | URL) -> None:
    with behind(place) as connection:
        connection.exec_driver_sql("UPDATE audit_head SET seq = 7")
    with pytest.raises(Damaged, match="audit verify"):
        store.audit.record(entry(launch, "view"), NOW)


def test_older_copy_put_back_is_seen_against_a_mark_kept_elsewhere(
    store: Store, launch: Launch, place: Path | URL
) -> None:
    marks = [store.audit.head()]
    heads = []
    for _ in range(3):
        store.audit.record(entry(launch, "view"), NOW)
        marks.append(store.audit.head())
        with behind(place) as connection:
            heads.append(connection.execute(select(audit_head)).one()._asdict())
    assert [store.audit.verify(mark) for mark in marks] == [Verified(3)] * 4
    with behind(place) as connection:
        connection.exec_driver_sql("DELETE FROM audit WHERE seq = 3")
        connection.exec_driver_sql("DELETE FROM audit_head")
        connection.execute(insert(audit_head).values(**heads[1]))
    assert store.audit.verify() == Verified(2)
    assert [store.audit.verify(mark).broken for mark in marks] == [0, 0, 0, 3]
    assert store.audit.verify("2:forged").broken == 3


def test_chain_goes_on_under_a_new_key_and_needs_the_old_one_to_verify(place: Path | URL, keys: Keys) -> None:
    first = Store.open(place, keys)
    launch = start(first).launch
    first.audit.record(entry(launch, "view"), NOW)
    first.close()
    both = replace(keys, audit=(new_key(), *keys.audit))
    second = Store.open(place, both)
    second.audit.record(entry(launch, "view"), NOW)
    assert second.audit.verify() == Verified(2)
    second.close()
