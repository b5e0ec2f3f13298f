"""SECURITY B on the way through the pages: what begins while the screen is with the patient, and the way back."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import Browser as Chromium

from tests.running import Browser, Chart, Running, log_in, running
from tests.web.steps import titled

PIN = "483920"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Running]:
    """One of its own: a hand-over locks all launches of its user."""
    with running(tmp_path) as run:
        yield run


def hand_over(chart: Chart) -> str:
    """Gives the screen; the patient's address."""
    browser = chart.browser
    page = browser.follow(browser.submit(browser.get(chart.at("give")), chart.at("give"), pin=PIN))
    assert urlsplit(page.url).path.startswith("/p/")
    return page.url


def hand_in(browser: Browser, patient: str) -> None:
    page = browser.get(urljoin(patient, "1"))
    browser.submit(page, urljoin(patient, "1"), **{"01": "01-3"})
    browser.submit(browser.get(urljoin(patient, "check")), urljoin(patient, "send"))


def writes(run: Running) -> list[str]:
    return [each for each in run.asked if not each.startswith("GET ")]


@pytest.mark.parametrize("here", [True, False], ids=["this browser", "another machine"])
def test_a_launch_during_a_hand_over_asks_for_the_pin_and_shows_nothing(run: Running, here: bool) -> None:
    chart = log_in(run)
    hand_over(chart)
    again = log_in(run, patient="jonas-lie", browser=chart.browser if here else Browser())
    assert titled(again.page) == "The screen is handed over"
    assert "Jonas Lie" not in again.page.text
    for path in ("", "give", "today"):
        assert titled(again.browser.open(again.at(path))) == "The screen is handed over"
    back = again.browser.follow(again.browser.submit(again.page, again.at("back"), pin=PIN))
    assert "Jonas Lie" in back.text


def test_the_way_into_the_patient_s_window_is_offered_where_it_began(run: Running) -> None:
    frame = log_in(run, framed=True)
    page = frame.browser.follow(frame.browser.submit(frame.browser.get(frame.at("give")), frame.at("give"), pin=PIN))
    assert 'name="ticket"' in page.text
    again = log_in(run, patient="jonas-lie")
    assert 'name="ticket"' not in again.page.text
    assert 'name="pin"' in again.page.text


def test_the_pin_gives_the_new_cookie_before_the_hospital_is_asked(run: Running) -> None:
    chart = log_in(run)
    browser = chart.browser
    hand_in(browser, hand_over(chart))
    locked = browser.get(chart.at("locked"))
    run.asked.clear()
    unlocked = browser.submit(locked, chart.at("back"), pin=PIN)
    assert run.asked == []
    assert any(line.startswith(f"__Host-l-{chart.id[:8]}=") for line in unlocked.raw.headers.getlist("Set-Cookie"))
    received = browser.follow(unlocked)
    assert "Save in the record now" in received.text
    assert writes(run) == [], "a page that is only looked at files nothing"
    filed = browser.submit(received, chart.at("received"))
    assert urlsplit(filed.headers["Location"]).path == urlsplit(chart.at("today")).path
    assert writes(run) != []
    assert browser.get(chart.at("received")).headers["Location"] == filed.headers["Location"], "nothing waits any more"


def test_nothing_handed_in_leads_straight_on(run: Running) -> None:
    chart = log_in(run)
    hand_over(chart)
    locked = chart.browser.get(chart.at("locked"))
    page = chart.browser.follow(chart.browser.submit(locked, chart.at("back"), pin=PIN))
    assert urlsplit(page.url).path == urlsplit(chart.at("today")).path


@pytest.mark.browser
def test_with_script_the_pin_is_the_one_press(run: Running, chromium: Chromium) -> None:
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(run.launch_url("eva-berg"))
    home = page.url
    page.goto(f"{home}give")
    page.fill("[name=pin]", PIN)
    page.locator("form.card button").click()
    patient = page.url
    page.goto(urljoin(patient, "1"))
    page.locator("input[type=radio]").first.check()
    page.get_by_text("Your answer is kept").wait_for()
    page.goto(urljoin(patient, "check"))
    page.locator("form[action$='/send'] button").click()
    page.goto(f"{home}locked")
    page.fill("[name=pin]", PIN)
    page.locator("form.pin button").click()
    page.wait_for_url(f"{home}today*")
    assert any(each.startswith("POST /fhir") for each in run.asked)
    context.close()
