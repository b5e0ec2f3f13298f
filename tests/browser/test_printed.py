"""The panel on paper: whose it is on each sheet, what is folded on the screen, and nothing that is pressed."""

import io

import pytest
from playwright.sync_api import Page
from pypdf import PdfReader

from tests.browser.conftest import NewContext
from tests.flows import steps
from tests.flows.steps import say
from tests.running import Running, log_in

pytestmark = pytest.mark.browser


def sheets(page: Page) -> list[str]:
    """The words of each, in the order in which they are read."""
    return [sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_each_sheet_says_whose_it_is_and_what_is_folded_is_there(
    run: Running, new_context: NewContext, script: bool
) -> None:
    patient = steps.new_patient(run, course=True)
    steps.rate(log_in(run, patient=patient))
    page = new_context(java_script_enabled=script).new_page()
    page.goto(run.launch_url(patient))
    who = " ".join(page.locator("header p").all_inner_texts())
    printed = sheets(page)
    assert len(printed) > 1
    for number, sheet in enumerate(printed, 1):
        assert sheet.startswith(f"{number} / {len(printed)}\n{who}\n"), sheet
    whole = " ".join(" ".join(printed).split())
    for folded in (say("ratings.who"), say("chart.day")):
        assert folded in whole
    for pressed in (say("form.rate"), say("page.logout"), say("ratings.correct")):
        assert pressed not in whole
