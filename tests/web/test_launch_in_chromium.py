"""The launch in a real browser: a cross-site frame, a tab, a frame that keeps no cookie, an unused page, Back."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, Route, expect

from smart_app import access
from smart_app.store.launches import IDLE
from tests.running import Running, running

pytestmark = pytest.mark.browser


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(locale="en-GB")
    refused: list[str] = []
    context.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    yield context
    context.close()
    assert refused == [], "a page broke its own policy"


def chart_with_frame(run: Running, page: Page) -> FrameLocator:
    page.goto(f"{run.hospital.base_url}/chart/eva-berg?open=frame")
    return page.frame_locator("iframe")


def test_in_a_frame_of_another_site(run: Running, context: BrowserContext) -> None:
    frame = chart_with_frame(run, context.new_page())
    expect(frame.locator("header .who")).to_have_text("Eva Berg")
    frame.get_by_role("button", name="Norsk").click()
    expect(frame.locator("html")).to_have_attribute("lang", "nb")
    assert all("partitionKey" in cookie for cookie in context.cookies(run.url))


def test_in_a_tab(run: Running, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{run.hospital.base_url}/chart/eva-berg")
    with context.expect_page() as opened:
        page.get_by_role("button", name="tab").click()
    expect(opened.value.locator("header .who")).to_have_text("Eva Berg")


def test_the_request_for_a_log_in_as_a_form(tmp_path: Path, context: BrowserContext) -> None:
    """`form-action` counts for the redirect back to the app, too."""
    with running(tmp_path, authorize_by_post=True) as run:
        frame = chart_with_frame(run, context.new_page())
        expect(frame.locator("header .who")).to_have_text("Eva Berg")
        assert "POST /oauth2/authorize" in run.asked


def test_standalone_the_hospital_asks_for_the_patient(run: Running, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{run.url}/launch/standalone/sandbox")
    page.get_by_label("Patient").select_option("jonas-lie")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("header .who")).to_have_text("Jonas Lie")
    assert page.url.startswith(f"{run.url}/l/")


def without_cookies(route: Route) -> None:
    """What a browser does that keeps no cookie in a frame of another site."""
    response = route.fetch(max_redirects=0)
    headers = {name: value for name, value in response.headers.items() if name != "set-cookie"}
    route.fulfill(status=response.status, headers=headers, body=response.body())


def test_from_a_frame_that_keeps_no_cookie_into_a_window(run: Running, context: BrowserContext) -> None:
    page = context.new_page()
    page.route("**/launch?**", without_cookies)
    frame = chart_with_frame(run, page)
    with context.expect_page() as opened:
        frame.get_by_role("button", name="Open in a new window").click()
    expect(opened.value.locator("header .who")).to_have_text("Eva Berg")
    assert opened.value.url.startswith(f"{run.url}/l/")


def test_an_unused_page_covers_itself(run: Running, context: BrowserContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "LOCK_BEFORE", IDLE - timedelta(seconds=1))
    frame = chart_with_frame(run, context.new_page())
    expect(frame.get_by_role("heading", level=1)).to_have_text("Locked because it was not used")
    expect(frame.locator("header")).to_have_count(0)
    monkeypatch.undo()
    frame.get_by_role("button", name="Go on").click()
    expect(frame.locator("header .who")).to_have_text("Eva Berg")


def tab(run: Running, context: BrowserContext, patient: str = "eva-berg") -> Page:
    page = context.new_page()
    page.goto(run.launch_url(patient))
    expect(page.locator("header .who")).to_be_visible()
    return page


def test_a_hand_over_covers_what_other_tabs_show(run: Running, context: BrowserContext) -> None:
    other, giving = tab(run, context, "jonas-lie"), tab(run, context)
    giving.goto(giving.url + "give")
    giving.locator("input[name=pin]").fill("482913")
    giving.locator("form button.ds-button").click()
    expect(giving).to_have_url(re.compile("/p/"))
    expect(other).to_have_url(re.compile("/locked$"))
    expect(other.locator("header .who")).to_have_count(0)
    giving.reload()
    expect(other).to_have_url(re.compile("/locked$"))


def test_a_log_out_covers_other_tabs_of_this_launch_only(run: Running, context: BrowserContext) -> None:
    launch, other = tab(run, context), tab(run, context, "jonas-lie")
    second = context.new_page()
    second.goto(launch.url + "how#main")
    expect(second.locator("header .who")).to_have_text("Eva Berg")
    other.goto(other.url + "goal/new")
    other.locator("textarea").first.fill("half a goal")
    launch.get_by_role("button", name="Log out").click()
    expect(second.get_by_role("heading", level=1)).to_have_text("This page is not open any more")
    expect(other.locator("textarea").first).to_have_value("half a goal")


def test_bidi_characters_in_a_person_s_words_turn_nothing_around_them(run: Running, context: BrowserContext) -> None:
    page = tab(run, context)
    page.evaluate("""() => {
        document.querySelector("main").innerHTML =
            '<p><span class="pre">abc\u202e</span><i>first</i> <i>second</i></p>'
    }""")
    first, second = (page.locator("i").nth(number).bounding_box() for number in (0, 1))
    assert first
    assert second
    assert first["x"] < second["x"]


def test_back_after_the_log_out_shows_nothing_of_the_patient(run: Running, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{run.hospital.base_url}/chart/eva-berg/launch")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are logged out")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("This page is not open any more")


def test_back_after_the_log_out_in_a_frame_is_refused_by_the_browser(run: Running, chromium: Browser) -> None:
    """Its cookie is gone, so no site is known that might frame the page."""
    page = chromium.new_page()
    frame = chart_with_frame(run, page)
    frame.get_by_role("button", name="Log out").click()
    expect(frame.get_by_role("heading", level=1)).to_have_text("You are logged out")
    with page.expect_console_message(lambda message: "frame-ancestors 'none'" in message.text):
        page.evaluate("history.back()")
    expect(frame.locator("header .who")).to_have_count(0)
    page.close()
