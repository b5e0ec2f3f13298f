"""SECURITY G: a hospital that is slow holds up no other one's pages, and none that ask no EHR."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from imr_fhir.errors import NotConnected
from smart_app import places
from smart_app.places import Place, Places
from tests.flows.wrong import Wsgi, in_front
from tests.running import Browser, Chart, Running, log_in
from tests.web.steps import stop_before_callback, titled

WORKERS, HALF = 16, 8
SLOW = "The EHR does not answer right now"


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def refused(place: Place) -> bool:
    try:
        place.take()
    except NotConnected:
        return True
    return False


def test_where_all_wait_long_the_next_is_told_at_once() -> None:
    seconds = Seconds()
    hospital = Places(2, seconds)
    first, second = Place(hospital), Place(hospital)
    assert not refused(first)
    assert not refused(second)
    seconds.now += places.SLOW
    third = Place(hospital)
    assert refused(third)
    first.leave()
    assert refused(third), "each call of a request learns the same"
    assert not refused(second), "who has a place keeps it"
    assert not refused(Place(hospital))


def test_where_they_come_and_go_each_gets_one() -> None:
    """Of a quick hospital nobody is refused, however many come at once."""
    hospital = Places(2)

    def look(_: int) -> bool:
        place = Place(hospital)
        found = refused(place)
        place.leave()
        return found

    with ThreadPoolExecutor(40) as crowd:
        assert not any(crowd.map(look, range(400)))


def test_what_comes_late_of_a_request_that_is_over_takes_none() -> None:
    hospital = Places(1)
    late = Place(hospital)
    late.leave()
    assert not refused(late)
    assert not refused(Place(hospital))


@pytest.fixture
def held(run: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The hospital's FHIR server answers nobody before this is set."""
    monkeypatch.setattr(places, "SLOW", 0.2)
    goes_on = threading.Event()

    def make(hospital: Wsgi) -> Wsgi:
        def answering(environ: Any, start_response: Any) -> Any:
            if environ["PATH_INFO"].startswith("/fhir/"):
                goes_on.wait(20)
            return hospital(environ, start_response)

        return answering

    with in_front(run, make):
        try:
            yield goes_on
        finally:
            goes_on.set()


def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come to that")


def look(chart: Chart) -> requests.Response:
    browser = Browser()
    browser.jar = {host: dict(cookies) for host, cookies in chart.browser.jar.items()}
    return browser.get(chart.url)


def test_half_of_the_workers_wait_for_a_slow_hospital_and_the_others_do_not(
    run: Running, request: pytest.FixtureRequest
) -> None:
    assert run.config.threads == WORKERS
    chart, coming = log_in(run), Browser()
    callback = stop_before_callback(run, coming, run.launch_url("eva-berg"))
    goes_on: threading.Event = request.getfixturevalue("held")
    with ThreadPoolExecutor(WORKERS + 4) as crowd:
        try:
            views = [crowd.submit(look, chart) for _ in range(WORKERS + 4)]
            until(lambda: sum(each.done() for each in views) == WORKERS + 4 - HALF)
            assert requests.get(f"{run.url}/livez", timeout=10).text == "alive"
            assert chart.browser.get(chart.at("idle")).status_code == 200
            late = coming.get(callback)
            assert (late.status_code, titled(late)) == (503, SLOW)
        finally:
            goes_on.set()
        pages = [each.result() for each in views]
    assert sorted(page.status_code for page in pages) == [200] * HALF + [503] * (WORKERS + 4 - HALF)
    assert {titled(page) for page in pages if page.status_code == 503} == {SLOW}
    assert coming.follow(coming.get(callback)).status_code == 200, "nothing of the log-in was spent"
    assert chart.browser.get(chart.url).status_code == 200
