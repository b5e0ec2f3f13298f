"""One hospital and app for all tests here; each begins with the real time, no fault, no cookie, nobody logged in,
no token to be ended."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from smart_app.sandbox import FAULTS
from smart_app.state import state_of
from smart_app.tokens import leave_unused
from tests.running import Running, running


@pytest.fixture(scope="session")
def _world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("world")) as run:
        yield run


@pytest.fixture
def run(_world: Running) -> Running:
    _world.clock.ahead = timedelta()
    for fault in FAULTS:
        _world.hospital.hospital.faults.switch_off(fault)
    _world.store.launches.end_all("the test before", _world.clock())
    leave_unused(state_of(_world.app).hospitals)
    _world.asked.clear()
    return _world
