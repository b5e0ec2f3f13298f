"""A hospital that is slow or fails holds no more than one request, and stops no other hospital."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests

from imr_fhir.ehr.discovery import SmartConfiguration
from imr_fhir.errors import BadReply, EhrError, NotConnected
from smart_app import discovered
from smart_app.config import SiteConfig
from smart_app.discovered import Discovered
from tests.running import Browser, running
from tests.web.steps import titled
from tests.wire_server import Exchange, serve

NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)
FIRST = SmartConfiguration("b", "i", "a", "t", "j", "", (), (), (), (), True)
SECOND = replace(FIRST, issuer="second")


class Ehr:
    """Answers what a test says, when it says so."""

    def __init__(self) -> None:
        self.answer: SmartConfiguration | EhrError = FIRST
        self.asked: list[float | None] = []
        self.goes_on = threading.Event()
        self.goes_on.set()

    def __call__(self, seconds: float | None) -> SmartConfiguration:
        self.asked.append(seconds)
        self.goes_on.wait(10)
        if isinstance(self.answer, EhrError):
            raise self.answer
        return self.answer


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    ehr = Ehr()
    yield ehr
    ehr.goes_on.set()


@pytest.fixture
def side_by_side() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come to that")


def test_those_who_come_while_one_asks_get_its_answer(ehr: Ehr, side_by_side: ThreadPoolExecutor) -> None:
    known = Discovered(ehr)
    ehr.goes_on.clear()
    waiting = [side_by_side.submit(known.current, NOW) for _ in range(6)]
    until(lambda: len(ehr.asked) == 1)
    ehr.goes_on.set()
    assert [each.result(5) for each in waiting] == [FIRST] * 6
    assert ehr.asked == [None]


def test_who_waits_too_long_is_let_go(
    ehr: Ehr, side_by_side: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovered, "WAIT", 0.05)
    known = Discovered(ehr)
    ehr.goes_on.clear()
    first = side_by_side.submit(known.current, NOW)
    until(lambda: len(ehr.asked) == 1)
    with pytest.raises(NotConnected, match="Try again in a minute"):
        known.current(NOW)
    ehr.goes_on.set()
    assert first.result(5) is FIRST


def test_of_those_whom_nobody_knows_one_asks_and_one_waits(ehr: Ehr, side_by_side: ThreadPoolExecutor) -> None:
    known = Discovered(ehr)
    ehr.goes_on.clear()
    inside: list[Future[SmartConfiguration]] = []
    for count in (1, 2):
        inside.append(side_by_side.submit(known.current, NOW, anonymous=True))
        until(lambda count=count: known._anonymous == count)  # type: ignore[misc]
    with pytest.raises(NotConnected):
        known.current(NOW, anonymous=True)
    user = side_by_side.submit(known.current, NOW)
    ehr.goes_on.set()
    assert [each.result(5) for each in (*inside, user)] == [FIRST] * 3
    assert known.current(NOW, anonymous=True) is FIRST, "there is room again"


def test_when_all_open_the_app_at_once_a_quick_hospital_refuses_nobody(
    ehr: Ehr, side_by_side: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovered, "MOMENT", 5)
    known = Discovered(ehr)
    ehr.goes_on.clear()
    began: list[int] = []

    def open_app(number: int) -> SmartConfiguration:
        began.append(number)
        return known.current(NOW, anonymous=True)

    opened = [side_by_side.submit(open_app, number) for number in range(6)]
    until(lambda: len(began) == 6 and len(ehr.asked) == 1)
    ehr.goes_on.set()
    assert [each.result(5) for each in opened] == [FIRST] * 6


def test_a_failure_is_remembered_for_a_while(ehr: Ehr, monkeypatch: pytest.MonkeyPatch) -> None:
    known = Discovered(ehr)
    ehr.answer = BadReply("nonsense")
    for _ in range(3):
        with pytest.raises(BadReply, match="nonsense"):
            known.current(NOW)
    assert len(ehr.asked) == 1
    monkeypatch.setattr(discovered, "FAILURE_LIVES", 0)
    monkeypatch.setattr(known, "_failed", (ehr.answer, time.monotonic()))
    ehr.answer = FIRST
    assert known.current(NOW) is FIRST


def test_the_last_good_answer_stands_in_for_a_day(ehr: Ehr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovered, "FAILURE_LIVES", -1)
    known = Discovered(ehr)
    assert known.current(NOW) is FIRST
    ehr.answer = BadReply("nonsense")
    assert known.current(NOW + timedelta(minutes=60)) is FIRST
    assert len(ehr.asked) == 1
    for hours in (2, 24):
        assert known.current(NOW + timedelta(hours=hours)) is FIRST
    assert ehr.asked == [None, discovered.WAIT, discovered.WAIT], "who has an answer waits briefly for a newer one"
    with pytest.raises(BadReply):
        known.current(NOW + timedelta(hours=24, seconds=1))
    ehr.answer = SECOND
    assert known.current(NOW + timedelta(hours=25)) is SECOND


def test_while_a_newer_answer_is_asked_for_the_old_one_is_given(ehr: Ehr, side_by_side: ThreadPoolExecutor) -> None:
    known = Discovered(ehr)
    known.current(NOW)
    later = NOW + timedelta(hours=2)
    ehr.goes_on.clear()
    ehr.answer = SECOND
    asking = side_by_side.submit(known.current, later)
    until(lambda: len(ehr.asked) == 2)
    assert known.current(later, anonymous=True) is FIRST
    ehr.goes_on.set()
    assert asking.result(5) is SECOND
    assert known.current(later) is SECOND


def test_a_slow_hospital_takes_no_more_than_two_of_the_app_s_workers(tmp_path: Path) -> None:
    goes_on = threading.Event()

    def script(exchange: Exchange) -> None:
        goes_on.wait(20)
        exchange.answer(404)

    with serve(script) as slow:
        iss = f"{slow.origin}/fhir"
        site = SiteConfig(name="slow", organization="S", phone="1", iss=iss, client_id="x")
        with running(tmp_path, more_sites=(site,)) as run, ThreadPoolExecutor(30) as crowd:
            address = f"{run.url}/launch?{urlencode({'iss': iss, 'launch': 'x'})}"
            anybody = [crowd.submit(requests.get, address, timeout=20) for _ in range(30)]
            until(lambda: sum(each.done() for each in anybody) >= 28)
            assert Browser().get(run.launch_url("eva-berg")).status_code == 302
            assert len(slow.requests) == 1
            goes_on.set()
            answers = [each.result() for each in anybody]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert len(refused) >= 28
    assert titled(refused[0]) == "The EHR does not answer right now"
    assert "Try again in a minute" in refused[0].text
