"""Forms under a person's hands: the keyboard alone, answers kept as they are given, errors that lead to their place."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewContext
from tests.browser.flow import Clinician, answer
from tests.flows import steps
from tests.flows.steps import SAVED, filed, say
from tests.running import Running

pytestmark = pytest.mark.browser


def launch(run: Running, context: object, patient: str) -> Page:
    page: Page = context.new_page()  # type: ignore[attr-defined]
    page.goto(run.launch_url(patient))
    return page


def tab_to(page: Page, what: str, most: int = 60) -> None:
    """By the Tab key alone."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("what => document.activeElement.matches(what)", what):
            return
    raise AssertionError(f"{what} can't be reached")


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run)


def test_the_clinician_scale_by_the_keyboard_alone(run: Running, new_context: NewContext, patient: str) -> None:
    page = launch(run, new_context(), patient)
    tab_to(page, "form[action$='form/clinician/start'] button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/draft/*")
    given = "4321512345432"  # questions 1 to 13, of which the last is "-" below
    for key in given[:12]:
        page.keyboard.press(key)
    page.keyboard.press("-")
    page.keyboard.press("5")
    page.keyboard.press("1")
    expect(page.locator("#comment")).to_be_focused()
    page.keyboard.type("1 of 3 came")
    tab_to(page, "button[value=complete]")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(SAVED)
    (response,) = filed(run, patient, "QuestionnaireResponse")
    codes = [item["answer"][0]["valueCoding"]["code"][3:] for item in response["item"][0]["item"]]
    assert codes == [*given[:12], "na", "5", "1"]
    assert "1 of 3 came" in str(response["item"])


SLOW_REPLIES = """
const real = window.fetch;
window.fetch = async (...asked) => {
  const reply = await real(...asked);
  await new Promise(on => setTimeout(on, 2000));
  return reply;
};"""


def test_what_was_given_survives_the_tab(run: Running, new_context: NewContext, patient: str) -> None:
    """Also where the hospital still owes the reply to an answer when the tab is closed."""
    context = new_context()
    page = launch(run, context, patient)
    page.add_init_script(SLOW_REPLIES)
    home = page.url
    page.locator("form[action$='form/clinician/start'] button").click()
    page.wait_for_url("**/draft/*")
    address = page.url
    page.check("[value='04-2']")
    expect(page.locator("[data-kept]")).to_have_text(say("form.kept"))
    page.check("[value='05-3']")
    page.locator("#comment").press_sequentially("Half a sentence")
    page.goto("about:blank")
    again = context.new_page()
    again.goto(address)
    for _ in range(50):  # it is sent as the tab closes, and may arrive later
        if again.locator("#comment").input_value():
            break
        again.wait_for_timeout(100)
        again.reload()
    expect(again.locator("#comment")).to_have_value("Half a sentence")
    expect(again.locator("[value='04-2']")).to_be_checked()
    expect(again.locator("[value='05-3']")).to_be_checked()
    again.goto(home)
    expect(again.locator("body")).to_contain_text("2 of 15")


def test_a_goal_survives_the_tab(run: Running, new_context: NewContext, patient: str) -> None:
    context = new_context()
    page = launch(run, context, patient)
    home = page.url
    page.goto(f"{home}goal/new")
    page.locator("#text").press_sequentially("A dog")
    expect(page.locator("[data-kept]")).to_have_text(say("goals.kept"))
    page.locator("#helps").press_sequentially("My sister")
    page.goto("about:blank")
    again = context.new_page()
    again.goto(f"{home}goal/new")
    for _ in range(50):  # it is sent as the tab closes, and may arrive later
        if again.locator("#helps").input_value():
            break
        again.wait_for_timeout(100)
        again.reload()
    expect(again.locator("#text")).to_have_value("A dog")
    expect(again.locator("#helps")).to_have_value("My sister")
    again.locator(".ds-button[value=save]").click()
    expect(again.locator("h1")).to_have_text(SAVED)
    again.goto(home)
    expect(again.locator("main")).not_to_contain_text(say("draft.go_on"))
    assert len(filed(run, patient, "Goal")) == 1


def test_what_is_not_kept_says_so(run: Running, new_context: NewContext, patient: str) -> None:
    context = new_context()
    page = launch(run, context, patient)
    page.locator("form[action$='form/clinician/start'] button").click()
    page.wait_for_url("**/draft/*")
    context.set_offline(True)
    page.check("[value='04-2']")
    expect(page.locator("[data-kept]")).to_have_text(say("form.not_kept"))
    context.set_offline(False)
    page.check("[value='05-3']")
    expect(page.locator("[data-kept]")).to_have_text(say("form.kept"))
    page.reload()
    expect(page.locator("[value='04-2']")).to_be_checked()  # what failed went along
    expect(page.locator("[value='05-3']")).to_be_checked()


def test_a_missing_answer_leads_to_its_question(run: Running, new_context: NewContext, patient: str) -> None:
    page = launch(run, new_context(), patient)
    page.locator("form[action$='form/clinician/start'] button").click()
    page.wait_for_url("**/draft/*")
    page.locator("button[value=complete]").click()
    expect(page.get_by_role("alert")).to_contain_text(say("form.missing", n=15))
    page.get_by_role("alert").get_by_role("link").nth(8).click()
    expect(page.locator("#item-09")).to_be_in_viewport()
    described = page.locator("#item-09").get_attribute("aria-describedby") or ""
    expect(page.locator(f"#{described}")).to_have_text(say("form.missing.one"))


def test_enter_in_a_field_of_a_goal_saves_it(run: Running, new_context: NewContext, patient: str) -> None:
    page = launch(run, new_context(), patient)
    page.goto(f"{page.url}goal/new")
    page.fill("[name=text]", "A dog")
    page.locator("[name=step-1]").fill("Ask the landlord")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(SAVED)
    assert len(filed(run, patient, "Goal")) == 2


def test_nothing_jumps_when_an_answer_is_kept(run: Running, new_context: NewContext, patient: str) -> None:
    page = launch(run, new_context(), patient)
    page.goto(f"{page.url}give")
    page.fill("#pin", steps.PIN)
    page.locator("form.pin button").click()
    page.wait_for_url("**/p/**")
    page.goto(f"{page.url}1")
    button = page.locator("button[value=next]")
    before = button.bounding_box()
    page.locator("input[type=radio]").nth(2).check()
    expect(page.locator("[data-kept]")).to_have_text(say("form.kept"))
    assert button.bounding_box() == before


def test_saved_in_two_tabs_of_one_browser(run: Running, new_context: NewContext, patient: str) -> None:
    context = new_context()
    page = launch(run, context, patient)
    page.locator("form[action$='form/clinician/start'] button").click()
    page.wait_for_url("**/draft/*")
    for number in steps.ITEMS:
        page.locator(f"[name='{number:02}']").nth(2).check()
    expect(page.locator("[data-kept]")).to_have_text(say("form.kept"))
    page.wait_for_load_state("networkidle")  # the fifteenth is kept too
    other = context.new_page()
    other.goto(page.url)
    expect(other.locator("input:checked")).to_have_count(15)
    for tab in (page, other):
        tab.locator("button[value=complete]").click()
        expect(tab.locator("h1")).to_have_text(SAVED)
    assert page.url == other.url
    page.go_back()
    expect(page.locator("h1")).to_have_text(SAVED)
    assert len(filed(run, patient, "QuestionnaireResponse")) == 1


def test_after_a_tap_the_keyboard_goes_on_with_the_next_line(
    run: Running, new_context: NewContext, patient: str
) -> None:
    page = launch(run, new_context(viewport={"width": 400, "height": 500}), patient)
    clinician = Clinician(page.context, page)
    answer(clinician.give(), 1)
    clinician.take_back()
    second, third = (page.locator("section.point").nth(number).locator("button").first for number in (1, 2))
    second.focus()
    page.keyboard.press("Enter")
    noted = page.locator("section.point").nth(1)
    expect(noted).to_contain_text(say("today.done", tap="").strip())
    expect(noted).to_be_in_viewport()
    page.keyboard.press("Tab")
    expect(third).to_be_focused()
