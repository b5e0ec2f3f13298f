"""SECURITY E: keys are changed in batches while the app runs; interrupted, it goes on; then the old key can go."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary
from sqlalchemy.engine import URL

from smart_app.store import Store, rotation
from smart_app.store.audit import Verified
from smart_app.store.cipher import Cipher
from smart_app.store.errors import Damaged, KeyFileError, WrongKey
from smart_app.store.filing_states import State
from smart_app.store.keys import Key, add_key, lead_with_youngest, load_keys
from smart_app.store.launch import Launch
from smart_app.store.rotation import PLACES
from smart_app.store.schema import metadata
from tests.store.make import NOW, bring, draft, entry, start


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    load_keys(tmp_path / "keys" / "imr.keys", create=True)
    return tmp_path / "keys" / "imr.keys"


@pytest.fixture
def store(place: Path | URL, key_file: Path) -> Iterator[Store]:
    opened = Store.open(place, load_keys(key_file))
    yield opened
    opened.close()


def full(store: Store) -> Launch:
    """A row of each kind with each value that it can have."""
    launch = start(store).launch
    made = draft(store, launch)
    store.drafts.set_answers(made.id, launch.owner, {f"{n:02}": f"{n:02}-3" for n in range(1, 13)}, NOW)
    for state in (State.UNKNOWN, State.REFUSED, State.DONE):
        bring(store, launch, state)
    store.tickets.issue("window", {}, NOW)
    store.goal_drafts.keep(launch.owner, "new", "one", [("text", "A dog")], NOW)
    store.handovers.create(launch, store.drafts.get(made.id, launch.owner), "483920", {}, NOW)
    return launch


def test_every_sealed_column_is_known() -> None:
    """A new one that is not would keep its old key for ever."""
    sealed = {name for name, table in metadata.tables.items() if any(isinstance(c.type, LargeBinary) for c in table.c)}
    assert sealed == set(PLACES)


def test_all_values_are_sealed_anew_and_the_old_key_can_go(place: Path | URL, store: Store, key_file: Path) -> None:
    launch = full(store)
    before = load_keys(key_file)
    lead_with_youngest(key_file, "values")
    store.cipher.reread()
    rows = store.rotation.left()
    assert sum(store.rotation.run()) == rows > 30
    assert store.rotation.left() == 0
    new = replace(load_keys(key_file), values=load_keys(key_file).values[:1])
    without_old = Store.open(place, new)
    (opened,) = without_old.drafts.open_for(launch.owner)
    assert opened.codes["12"] == "12-3"
    assert [each.fields for each in without_old.goal_drafts.open_for(launch.owner)] == [(("text", "A dog"),)]
    assert len(without_old.filings.outbox(launch.owner)) == 2
    assert [len(each.receipts) for each in without_old.filings.filed(launch.owner)] == [3]
    assert without_old.audit.verify() == store.audit.verify()
    assert without_old.audit.verify().broken == 0
    assert len(without_old.launches.end_all("test", NOW)) == 1
    without_old.close()
    with pytest.raises(WrongKey):
        Store.open(place, before)


def test_interrupted_it_goes_on(store: Store, key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 3)
    launch = full(store)
    lead_with_youngest(key_file, "values")
    store.cipher.reread()
    rows = store.rotation.left()
    steps = store.rotation.run()
    done = next(steps) + next(steps)
    steps.close()
    assert store.rotation.left() == rows - done
    assert store.drafts.open_for(launch.owner)[0].codes, "old and new side by side"
    assert lead_with_youngest(key_file, "values") == load_keys(key_file), "no third key"
    assert sum(store.rotation.run()) == rows - done


def test_another_process_reads_the_new_key_when_it_meets_it(place: Path | URL, store: Store, key_file: Path) -> None:
    other = Store.open(place, load_keys(key_file))
    launch = full(store)
    old = load_keys(key_file).values[0].id
    lead_with_youngest(key_file, "values")
    store.cipher.reread()
    assert sum(store.rotation.run()) > 30
    assert other.drafts.open_for(launch.owner)[0].codes["01"] == "01-3"
    other.tickets.issue("window", {}, NOW)
    assert store.rotation.left() == 0, f"it writes with the new key too, not with {old}"
    other.close()


def test_what_a_slow_process_writes_with_the_old_key_is_found_by_the_next_run(
    place: Path | URL, store: Store, key_file: Path
) -> None:
    slow = Store.open(place, load_keys(key_file))
    lead_with_youngest(key_file, "values")
    store.cipher.reread()
    assert sum(store.rotation.run()) == 1, "the canary"
    slow.tickets.issue("window", {}, NOW)
    assert store.rotation.left() == 1
    slow.close()


def test_the_audit_chain_goes_on_under_a_new_key_in_all_processes(
    place: Path | URL, store: Store, key_file: Path
) -> None:
    other = Store.open(place, load_keys(key_file))
    launch = start(store).launch
    store.audit.record(entry(launch, "view"), NOW)
    lead_with_youngest(key_file, "audit")
    store.cipher.reread()
    store.audit.record(entry(launch, "view"), NOW)
    other.audit.record(entry(launch, "view"), NOW)
    assert (store.audit.verify().broken, other.audit.verify().rows) == (0, 3)
    other.close()


@pytest.mark.parametrize("time", [1, 2, 3, 4])
def test_a_row_is_chained_with_one_key_whenever_the_key_file_is_read_anew(
    store: Store, key_file: Path, monkeypatch: pytest.MonkeyPatch, time: int
) -> None:
    """As the thread that tidies may, just before the row asks for the key for the ``time``th time."""
    launch = start(store).launch
    store.audit.record(entry(launch, "view"), NOW)
    lead_with_youngest(key_file, "audit")
    real, asked = Cipher.audit_key.fget, itertools.count(1)
    assert real is not None

    def reread(cipher: Cipher) -> Key:
        if next(asked) == time:
            cipher.reread()
        return real(cipher)

    monkeypatch.setattr(Cipher, "audit_key", property(reread))
    for _ in range(2):
        store.audit.record(entry(launch, "view"), NOW)
    assert store.audit.verify() == Verified(3)


def test_while_the_key_file_is_away_the_keys_read_before_are_used(store: Store, key_file: Path) -> None:
    launch = full(store)
    away = key_file.rename(key_file.with_name("away"))
    with pytest.raises(KeyFileError, match="FileNotFoundError"):
        store.cipher.reread()
    assert store.drafts.open_for(launch.owner) != ()
    store.audit.record(entry(launch, "view"), NOW)
    away.rename(key_file)
    lead_with_youngest(key_file, "values")
    store.cipher.reread()
    assert store.rotation.left() > 0, "what is written from now on is sealed with the new one"


def test_a_key_that_was_added_only_reads(store: Store, key_file: Path) -> None:
    first = load_keys(key_file).values[0]
    add_key(key_file, "values")
    store.cipher.reread()
    full(store)
    assert [key.id == first.id for key in load_keys(key_file).values] == [True, False]
    assert store.rotation.left() == 0
    assert lead_with_youngest(key_file, "values").values[1] == first


def test_a_damaged_value_stops_it_by_name(store: Store, key_file: Path) -> None:
    launch = full(store)
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE draft SET value = (SELECT value FROM answer WHERE item = '01')")
    lead_with_youngest(key_file, "values")
    store.cipher.reread()
    with pytest.raises(Damaged, match=r"draft\.value"):
        sum(store.rotation.run())
    assert store.filings.outbox(launch.owner)
