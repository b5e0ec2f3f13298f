"""Hand-over in Chromium: what the browser's own buttons, tabs and frames lead to."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import axe
from tests.browser.conftest import NewContext
from tests.browser.flow import Clinician, answer
from tests.flows import steps
from tests.flows.steps import LOCKED, say
from tests.running import Running

pytestmark = pytest.mark.browser


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run)


def launch(run: Running, context: BrowserContext, patient: str) -> Page:
    page = context.new_page()
    page.goto(run.launch_url(patient))
    return page


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_back_after_handing_in_says_finished(run: Running, new_context: NewContext, patient: str, script: bool) -> None:
    page = launch(run, new_context(java_script_enabled=script), patient)
    clinician = Clinician(page.context, page)
    clinician.give()
    assert answer(page, 2) == say("hand.done")
    for _ in range(5):
        page.go_back()
        expect(page.locator("h1")).to_have_text(say("hand.done"))
    assert "Kept to the letter" not in page.content()


def test_back_from_the_questions_shows_nothing_of_the_clinician_s(
    run: Running, new_context: NewContext, patient: str
) -> None:
    page = launch(run, new_context(), patient)
    home = page.url
    Clinician(page.context, page).give()
    for _ in range(2):
        page.go_back()
        expect(page.locator("h1")).to_have_text(LOCKED)
    page.goto(f"{home}outbox")
    expect(page.locator("h1")).to_have_text(LOCKED)


def test_the_frame_and_a_tab_are_locked_together(run: Running, new_context: NewContext, patient: str) -> None:
    """Two cookie jars that do not see each other."""
    context = new_context()
    chart = context.new_page()
    chart.goto(f"{run.hospital.base_url}/chart/{patient}?open=frame")
    chart.frame_locator("iframe").locator("header .who").wait_for()
    frame = chart.frames[1]
    tab = launch(run, context, patient)
    clinician = Clinician(context, frame)
    clinician.lock()
    frame.wait_for_url("**/locked")
    axe.load(frame)
    assert axe.violations(frame) == []
    assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window = clinician.open_window()
    expect(window.locator("h1")).to_have_text(say("patient.hello", name="Eva"))
    assert window.evaluate("window.opener") is None
    tab.reload()
    expect(tab.locator("h1")).to_have_text(LOCKED)
    assert answer(window, 3) == say("hand.done")
    assert window.locator("#pin").count() == 0, "the PIN is for the clinician's own window"
    frame.goto(f"{run.url}{clinician.home}")
    assert clinician.take_back() == say("safety.today")


def test_the_question_is_asked_in_large_targets(run: Running, new_context: NewContext, patient: str) -> None:
    page = launch(run, new_context(viewport={"width": 400, "height": 800}), patient)
    Clinician(page.context, page).give()
    page.goto(f"{page.url}1")
    for choice in page.locator("label.choice").all():
        box = choice.bounding_box()
        assert box
        assert box["height"] >= 48
        assert box["width"] >= 300
    for button in page.locator("main .ds-button:visible").all():
        box = button.bounding_box()
        assert box
        assert box["height"] >= 44
