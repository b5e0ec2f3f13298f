"""The whole flow in Chromium: in a tab and in a cross-site frame, with JavaScript and without."""

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.conftest import NewContext
from tests.browser.flow import Clinician, Surface, answer
from tests.flows import steps
from tests.flows.steps import SAVED, filed, of_code, say
from tests.running import Running

pytestmark = pytest.mark.browser


def in_a_tab(run: Running, context: BrowserContext, patient: str) -> Surface:
    page = context.new_page()
    page.goto(f"{run.hospital.base_url}/chart/{patient}/launch")
    page.wait_for_url(f"{run.url}/l/**")
    return page


def in_the_chart(run: Running, context: BrowserContext, patient: str) -> Surface:
    page: Page = context.new_page()
    page.goto(f"{run.hospital.base_url}/chart/{patient}?open=frame")
    page.frame_locator("iframe").locator("header .who").wait_for()
    frame = page.frames[1]
    assert frame.url.startswith(f"{run.url}/l/")
    return frame


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("where", [in_a_tab, in_the_chart])
def test_from_the_chart_to_the_record(run: Running, new_context: NewContext, where, script: bool) -> None:  # type: ignore[no-untyped-def]
    patient = steps.new_patient(run, course=True)
    context = new_context(java_script_enabled=script)
    clinician = Clinician(context, where(run, context, patient))
    assert clinician.rate() == SAVED
    clinician.panel()
    page = clinician.give()
    assert answer(page, 2) == say("hand.done")
    if page is not clinician.surface:
        page.close()
        clinician.surface.goto(f"{run.url}{clinician.home}locked")
    assert clinician.take_back() == say("safety.today")
    assert clinician.set_goal() == SAVED
    assert clinician.review() == SAVED
    responses = filed(run, patient, "QuestionnaireResponse")
    assert [one["source"]["reference"] for one in responses] == ["Practitioner/kari", f"Patient/{patient}"]
    assert "Kept to the letter" in str(responses[1]["item"])
    goal, step = filed(run, patient, "Goal")
    assert (goal["lifecycleStatus"], step["lifecycleStatus"]) == ("active", "completed")
    assert len(of_code(filed(run, patient, "Observation"), "review")) == 1
    assert all("partitionKey" in each for each in context.cookies(run.url) if "__Host-l" in str(each.get("name"))) is (
        where is in_the_chart
    )
