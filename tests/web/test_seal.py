"""What a browser gives back: as old as it may be, and of no later time than the machines' clocks may differ."""

from datetime import UTC, datetime, timedelta

import pytest

from smart_app.seal import Seal
from smart_app.store.cipher import Cipher
from smart_app.store.keys import new_keys

NOW = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
LIFETIME = timedelta(minutes=10)


@pytest.mark.parametrize(
    ("after", "opens"),
    [
        (timedelta(minutes=10), True),
        (timedelta(minutes=10, milliseconds=1), False),
        (timedelta(milliseconds=-500), True),  # sealed by a machine whose clock is ahead
        (timedelta(seconds=-30), True),
        (timedelta(seconds=-31), False),
    ],
)
def test_how_long_what_was_sealed_opens(after: timedelta, opens: bool) -> None:
    seal = Seal(Cipher(new_keys()))
    sealed = seal.close("log-in", "x", {"a": 1}, NOW)
    assert seal.open("log-in", "x", sealed, NOW + after, lifetime=LIFETIME) == (({"a": 1}, NOW) if opens else None)
