"""The page as it is looked at: at a desk, on a telephone, without JavaScript, and on paper."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from imr_fhir.reporting.page import page
from imr_fhir.reporting.words import LANGUAGES
from tests.browser import axe
from tests.reporting.making import reported
from tests.reporting.population import EXPORTED

WIDTHS = (1280, 400)


@pytest.fixture(scope="module", params=LANGUAGES)
def page_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In one language after the other."""
    made = reported(200, 7, tmp_path_factory)
    path = tmp_path_factory.mktemp("page") / "report.html"
    shown = page(made.report, made.reconciliation, made=EXPORTED, language=request.param)
    path.write_text(shown, encoding="utf-8")
    return path


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing(width: int, page_file: Path, chromium: Browser) -> None:
    """With all that is folded open too. The page forbids scripts: axe comes past that rule."""
    context = chromium.new_context(viewport={"width": width, "height": 900}, bypass_csp=True)
    shown = context.new_page()
    shown.goto(page_file.as_uri())
    axe.load(shown)
    shown.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert axe.violations(shown) == []
    context.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_no_wider_than_the_screen(width: int, page_file: Path, chromium: Browser) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, java_script_enabled=False)
    shown = context.new_page()
    shown.goto(page_file.as_uri())
    boxes = [each.bounding_box() for each in shown.locator("body, main, section.card, summary, h2").all()]
    assert max(box["x"] + box["width"] for box in boxes if box) <= width
    context.close()


@pytest.mark.browser
def test_a_telephone_shows_a_table_s_name_whole_and_a_number_of_each_question(
    page_file: Path, chromium: Browser
) -> None:
    """Without scrolling sideways: long names of questions pushed all numbers out of sight."""
    context = chromium.new_context(viewport={"width": 400, "height": 900}, java_script_enabled=False)
    shown = context.new_page()
    shown.goto(page_file.as_uri())
    cells = shown.locator("#agreement tbody tr td:first-of-type").all()
    captions = shown.locator("section > .scroll caption").all()
    assert len(cells) == 15
    assert len(captions) > 5
    boxes = [each.bounding_box() for each in (*cells, *captions)]
    assert max(box["x"] + box["width"] for box in boxes if box) <= 400
    context.close()
