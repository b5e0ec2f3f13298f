from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from smart_app.store import Store
from smart_app.store.keys import Keys, new_keys
from smart_app.store.launch import Launch
from tests.postgresql import Cluster
from tests.store.make import start


@pytest.fixture
def keys() -> Keys:
    return new_keys()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "store.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Path | URL:
    """Where an empty store is to be. A test that asks for it, or for ``store``, runs on both databases."""
    if request.param == "sqlite":
        found: Path = request.getfixturevalue("path")
        return found
    cluster: Cluster = request.getfixturevalue("postgresql")
    return cluster.emptied()


@pytest.fixture
def store(place: Path | URL, keys: Keys) -> Iterator[Store]:
    opened = Store.open(place, keys)
    yield opened
    opened.close()


@pytest.fixture
def launch(store: Store) -> Launch:
    return start(store).launch
