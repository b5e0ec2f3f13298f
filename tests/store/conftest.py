from collections.abc import Iterator
from pathlib import Path

import pytest

from smart_app.store import Store
from smart_app.store.keys import Keys, new_keys
from smart_app.store.launch import Launch
from tests.store.make import start


@pytest.fixture
def keys() -> Keys:
    return new_keys()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "store.db"


@pytest.fixture
def store(path: Path, keys: Keys) -> Iterator[Store]:
    opened = Store.open(path, keys)
    yield opened
    opened.close()


@pytest.fixture
def launch(store: Store) -> Launch:
    return start(store).launch
