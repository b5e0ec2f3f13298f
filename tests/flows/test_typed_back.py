"""What a person typed and the app can't keep is on the page that says so, to be copied."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from tests.flows import steps
from tests.flows.steps import answers, go, heading, post, say, text
from tests.running import Chart, Running, log_in

WORDS = "Something that nobody asked me about"


@pytest.fixture
def chart(run: Running) -> Chart:
    return log_in(run, patient=steps.new_patient(run))


@contextmanager
def busy(run: Running) -> Iterator[None]:
    """A backup, or another process, holds the store."""
    if not isinstance(run.config.store, Path):
        pytest.skip("held as another process holds a SQLite file")
    other = sqlite3.connect(run.config.store, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def clinicians_form(chart: Chart) -> requests.Response:
    return steps.begin(chart, "client")


def patients_page(chart: Chart) -> requests.Response:
    return chart.browser.get(urljoin(steps.give(chart).url, "comment"))


@pytest.mark.parametrize("opened", [clinicians_form, patients_page])
def test_where_the_store_is_busy(run: Running, chart: Chart, opened: Callable[[Chart], requests.Response]) -> None:
    form = opened(chart)
    with busy(run):
        page = post(chart.browser, form, comment=WORDS, do="later", go="next")
    assert (page.status_code, heading(page)) == (503, say("error.busy_here.title"))
    assert f">{WORDS}</textarea>" in page.text
    assert "typed-2" not in page.text, "what no person typed is not shown"


@pytest.mark.parametrize("finished", [False, True])
def test_where_the_screen_was_taken_back_or_all_was_handed_in(chart: Chart, finished: bool) -> None:
    """On a tablet of its own the patient is still writing when the clinician enters the PIN."""
    form = patients_page(chart)
    if finished:
        steps.hand_in(chart.browser, steps.answer_alone(chart.browser, form, answers(2), "A hard month"))
    patients = dict(chart.browser.jar["127.0.0.1"])
    steps.take_back(chart)
    chart.browser.jar["127.0.0.1"] |= patients
    page = go(chart.browser, form, comment=WORDS, go="next")
    assert (page.status_code, heading(page)) == (409, say("error.stale.title"))
    assert f">{WORDS}</textarea>" in page.text
    assert "Berg" not in page.text
    unchanged = go(chart.browser, form, comment="", go="next")
    assert heading(unchanged) == say("hand.done" if finished else "patient.given_back"), text(unchanged)


def test_where_the_launch_is_over(run: Running, chart: Chart) -> None:
    form = chart.browser.get(chart.at("goal/new"))
    run.clock.ahead += timedelta(hours=8, seconds=1)
    page = post(chart.browser, form, chart.at("goal/new"), text=WORDS, do="save")
    assert (page.status_code, heading(page)) == (404, say("error.nothing_here.title"))
    assert f">{WORDS}</textarea>" in page.text
    assert "Berg" not in page.text


def test_nothing_of_a_secret_of_another_site_s_form_or_of_one_too_large(run: Running, chart: Chart) -> None:
    address = f"{run.url}/l/{'0' * 32}/back"
    for sent, origin in (
        ({"pin": "482913", "csrf": "token"}, run.url),
        ({"text": WORDS}, "https://elsewhere.example"),
        ({f"text-{n}": WORDS for n in range(run.app.config["MAX_FORM_PARTS"] + 1)}, run.url),
        ({"text": WORDS * 10_000}, run.url),
    ):
        page = chart.browser.post(address, data=sent, headers={"Origin": origin})
        assert page.status_code == 404
        assert "<textarea" not in page.text
