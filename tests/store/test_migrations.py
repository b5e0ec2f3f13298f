"""SECURITY G: numbered migrations under a lock, from each version that ever stood in a hospital to the newest.

tests/data/store-version-1.sql is what the app made of an empty file before there was a second version, with rows in it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, inspect, select, update
from sqlalchemy.engine import URL

from smart_app.store import Store, migrations
from smart_app.store.errors import SchemaError
from smart_app.store.filing_states import State
from smart_app.store.keys import Keys, load_keys
from smart_app.store.migrations import MIGRATIONS, migrate
from smart_app.store.schema import metadata, schema_version
from tests.store.make import NOW, behind, start

DATA = Path(__file__).parents[1] / "data"


def dump_of_version_1() -> str:
    return (DATA / "store-version-1.sql").read_text(encoding="utf-8")


@pytest.fixture
def empty(place: Path | URL) -> Iterator[Engine]:
    engine = create_engine(place if isinstance(place, URL) else "sqlite://")
    yield engine
    engine.dispose()


def tables(connection: Connection) -> dict[str, Any]:
    """What the database says of its tables: columns in order, keys, uniques, indexes; names of constraints left out."""
    found = inspect(connection)
    return {
        name: {
            "columns": [(each["name"], str(each["type"]), each["nullable"]) for each in found.get_columns(name)],
            "key": found.get_pk_constraint(name)["constrained_columns"],
            "unique": sorted(each["column_names"] for each in found.get_unique_constraints(name)),
            "indexes": sorted((each["name"], each["column_names"]) for each in found.get_indexes(name)),
            "foreign": [
                (each["constrained_columns"], each["referred_table"], each["options"])
                for each in found.get_foreign_keys(name)
            ],
        }
        for name in sorted(found.get_table_names())
    }


def test_the_migrations_lead_to_the_tables_of_the_schema(empty: Engine) -> None:
    """A difference: what ``schema`` has and no migration made, or the other way."""
    with empty.begin() as connection:
        migrate(connection)
        made = tables(connection)
        metadata.drop_all(connection)
        metadata.create_all(connection)
        assert made == tables(connection)


def test_the_first_migration_is_what_stores_were_made_by(version_1: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with behind(version_1) as connection:
        frozen = tables(connection)
        metadata.drop_all(connection)
        monkeypatch.setattr(migrations, "MIGRATIONS", MIGRATIONS[:1])
        migrate(connection)
        assert tables(connection) == frozen


@pytest.fixture
def version_1(path: Path) -> Path:
    path.parent.mkdir(mode=0o700)
    path.touch(mode=0o600)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump_of_version_1())
    return path


@pytest.fixture
def its_keys(tmp_path: Path) -> Keys:
    copy = tmp_path / "keys.json"
    copy.touch(mode=0o600)
    copyfile(DATA / "store-version-1.keys.json", copy)
    return load_keys(copy)


def test_a_store_of_version_1_goes_on_with_all_that_was_in_it(version_1: Path, its_keys: Keys) -> None:
    store = Store.open(version_1, its_keys)
    store.check()
    assert store.audit.verify("5:077648bc35cb06a7d81dedc82786f0f262a559ddabed4aade9c7977d5600a49d").broken == 0
    kari, per = start(store).launch, start(store, sub="per", patient="bjorn").launch
    assert kari.state == "handed_over", "the screen was with the patient"
    (draft,) = store.drafts.open_for(kari.owner)
    assert (draft.codes, draft.comment) == ({"01": "01-2", "02": "02-5"}, "as it was")
    assert [each.state for each in store.filings.outbox(per.owner)] == [State.SEALED, State.UNKNOWN]
    assert [each.receipts[0].id for each in store.filings.filed(per.owner)] == ["id-1"]
    assert all(store.filings.bodies(each) for each in store.filings.outbox(per.owner))
    assert store.states.launch_of("state-1")
    store.purge(NOW + timedelta(days=31))
    store.close()


def test_newer_store_is_refused_and_left_as_it_is(place: Path | URL, keys: Keys) -> None:
    Store.open(place, keys).close()
    newer = len(MIGRATIONS) + 1
    with behind(place) as connection:
        connection.execute(update(schema_version).values(version=newer))
    with pytest.raises(SchemaError, match=f"version {newer}"):
        Store.open(place, keys)


def test_migrations_run_once_in_order_and_a_failed_one_changes_nothing(
    place: Path | URL, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    def versions() -> list[int]:
        with behind(place) as connection:
            return list(connection.execute(select(schema_version.c.version)).scalars())

    monkeypatch.setattr(migrations, "MIGRATIONS", MIGRATIONS[:1])
    Store.open(place, keys).close()
    more = ("CREATE TABLE more (one BYTES)", "ALTER TABLE ticket ADD COLUMN more VARCHAR")
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS[:1], more, ("NO SQL",)))
    with pytest.raises(Exception, match="syntax error"):
        Store.open(place, keys)
    assert versions() == [1]
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS[:1], more))
    for _ in range(2):
        Store.open(place, keys).close()  # a second run would find its table there
    assert versions() == [2]
