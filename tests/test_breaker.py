"""SECURITY G: a hospital that does not answer is left alone for a while, and asked again by one request."""

import time
from contextlib import suppress
from dataclasses import replace

import pytest

from imr_fhir.ehr.breaker import THRESHOLDS, Breaker, Thresholds
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.limits import Limit
from imr_fhir.ehr.transport import Transport
from imr_fhir.errors import LostReply, NotConnected
from tests.wire_server import Exchange, Server, serve

TWICE = Thresholds(failures=2, rest=1000, fair=2)
LIMITS = {"chart": Limit(20, 1000), "write": Limit(20, 1000), "read-back": Limit(20, 1000, anyway=True)}


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def left_alone(breaker: Breaker) -> bool:
    try:
        breaker.enter()
    except NotConnected:
        return True
    return False


def test_only_failures_in_a_row_count() -> None:
    breaker = Breaker(TWICE)
    for _ in range(3):
        breaker.failed(30)
        breaker.answered()
    assert not left_alone(breaker)
    breaker.failed(30)
    breaker.failed(30)
    assert left_alone(breaker)


def test_after_a_rest_one_tries_and_its_answer_is_believed() -> None:
    seconds = Seconds()
    breaker = Breaker(TWICE, seconds)
    breaker.failed(30)
    breaker.failed(30)
    seconds.now += 999
    assert left_alone(breaker)
    seconds.now += 1
    breaker.check()
    assert [left_alone(breaker) for _ in range(3)] == [False, True, True]
    breaker.failed(30)
    seconds.now += 999
    assert left_alone(breaker)
    seconds.now += 1
    assert not left_alone(breaker)
    breaker.answered()
    assert not left_alone(breaker)
    assert not left_alone(breaker)


def test_a_call_that_had_no_time_says_nothing_of_the_host() -> None:
    breaker = Breaker(TWICE)
    for _ in range(9):
        breaker.failed(1.9)
    assert not left_alone(breaker)


def test_the_thresholds_are_five_in_a_row_and_fifteen_seconds() -> None:
    assert (THRESHOLDS.failures, THRESHOLDS.rest) == (5, 15)


def transport(*servers: Server, thresholds: Thresholds = TWICE) -> Transport:
    origins = [server.origin for server in servers]
    return Transport(origins, allow_loopback_http=True, limits=LIMITS, thresholds=thresholds)


def fault(exchange: Exchange) -> None:
    exchange.answer(500)


def reset(exchange: Exchange) -> None:
    exchange.reset()


@pytest.mark.parametrize("script", [fault, reset])
def test_one_host_is_left_alone_and_no_other(script) -> None:  # type: ignore[no-untyped-def]
    with serve(script) as broken, serve(lambda exchange: exchange.answer(200)) as well:
        sender = transport(broken, well)
        for _ in range(2):
            with suppress(LostReply):
                assert sender.send("POST", f"{broken.origin}/x", purpose="write").status == 500
        for method, purpose in (("GET", "chart"), ("POST", "write")):
            with pytest.raises(NotConnected, match=r"no good answer .* Nothing was sent\. Try again in"):
                sender.send(method, f"{broken.origin}/x", purpose=purpose)
        assert len(broken.requests) == 2
        assert sender.send("GET", f"{well.origin}/x", purpose="chart").status == 200


def test_refusals_and_a_host_that_asks_to_wait_are_answers() -> None:
    replies = [(500, {}), (503, {"Retry-After": "9"}), (500, {}), (404, {}), (500, {}), (429, {})] * 2
    with serve(lambda exchange: exchange.answer(replies[0][0], headers=replies.pop(0)[1])) as server:
        sender = transport(server)
        for _ in range(12):
            sender.send("GET", f"{server.origin}/x", purpose="chart")
        assert len(server.requests) == 12


def test_a_read_whose_turn_came_late_says_nothing_of_the_host() -> None:
    """Of a host that is slow, but answers, the reads that waited for others would be failures in a row."""
    once = Thresholds(failures=1, rest=1000, fair=0.1)
    with serve(lambda exchange: time.sleep(0.6)) as server:
        for late in (True, False):
            sender = transport(server, thresholds=once)
            client = FhirClient(sender, f"{server.origin}/fhir").within(0.3)
            with pytest.raises(LostReply):
                (client.at_once() if late else client).search("Goal", ())
            with pytest.raises(LostReply if late else NotConnected):
                sender.send("GET", f"{server.origin}/x", purpose="chart", seconds=0.2)


def test_what_became_of_a_write_is_asked_anyway_and_its_answer_counts() -> None:
    down = True
    with serve(lambda exchange: exchange.answer(503 if down else 200)) as server:
        sender = transport(server)
        for _ in range(3):
            sender.send("GET", f"{server.origin}/x", purpose="read-back")
        with pytest.raises(NotConnected):
            sender.send("GET", f"{server.origin}/x", purpose="chart")
        down = False
        assert sender.send("GET", f"{server.origin}/x", purpose="read-back").status == 200
        assert sender.send("GET", f"{server.origin}/x", purpose="chart").status == 200


def test_one_that_could_not_be_connected_to_at_all_is_left_alone_too() -> None:
    with serve(fault) as server:
        pass
    sender = transport(server, thresholds=replace(TWICE, failures=1))
    for said in ("No connection", "no good answer"):
        with pytest.raises(NotConnected, match=said):
            sender.send("GET", f"{server.origin}/x", purpose="chart")
