"""SECURITY G: how far the hospital's clock is from ours, by what its replies say."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from imr_fhir.ehr.host_clock import SeenClock, seen_clock
from imr_fhir.ehr.transport import Transport
from tests.wire_server import Exchange, serve

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "took", "off"),
    [
        (0, 1, 0),
        (-1, 1, 0),  # Date has whole seconds
        (90, 0, 90),
        (-90, 0, 89),
        (-29, 30, 0),  # a slow reply: made at its beginning, read to its end half a minute later
        (30, 30, 30),
    ],
)
def test_seconds_from_a_reply_that_ended_now(date: int, took: int, off: int) -> None:
    seen = SeenClock(NOON + timedelta(seconds=date), began=1000 - took, ended=1000)
    assert seen.off(NOON, 1000) == timedelta(seconds=off)
    assert seen.off(NOON + timedelta(hours=1), 1000 + 3600) == timedelta(seconds=off), "an hour later it is as true"


@pytest.mark.parametrize(
    "headers", [{}, {"Date": "soon"}, {"Date": format_datetime(NOON, usegmt=True), "Age": "3600"}], ids=str
)
def test_what_says_no_time(headers: dict[str, str]) -> None:
    assert seen_clock(headers, 0, 1) is None


def test_of_the_last_reply_of_each_host() -> None:
    dates = [timedelta(), timedelta(minutes=6), timedelta()]

    def dated(exchange: Exchange) -> None:
        now = datetime.now(UTC) + dates.pop(0)
        exchange.answer(200, headers={"Date": format_datetime(now, usegmt=True)})

    with serve(dated) as server, serve(lambda exchange: exchange.answer(200)) as silent:
        sender = Transport([server.origin, silent.origin], allow_loopback_http=True)

        def off(origin: str) -> bool:
            return sender.clock_off(f"{origin}/fhir", datetime.now(UTC)) > timedelta(minutes=5)

        assert not off(server.origin)
        for expected in (False, True, False):
            sender.send("GET", f"{server.origin}/fhir/x", purpose="chart")
            sender.send("GET", f"{silent.origin}/fhir/x", purpose="chart")
            assert (off(server.origin), off(silent.origin)) == (expected, False)
