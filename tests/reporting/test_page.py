"""The page as it is looked at: at a desk, on a telephone, without JavaScript, and on paper."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import axe
from tests.reporting.making import reported

WIDTHS = (1280, 400)


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return reported(200, 7, tmp_path_factory).files[0]


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing(width: int, page_file: Path, chromium: Browser) -> None:
    """With all that is folded open too. The page forbids scripts: axe comes past that rule."""
    context = chromium.new_context(viewport={"width": width, "height": 900}, bypass_csp=True)
    page = context.new_page()
    page.goto(page_file.as_uri())
    axe.load(page)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert axe.violations(page) == []
    context.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_no_wider_than_the_screen(width: int, page_file: Path, chromium: Browser) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    boxes = [each.bounding_box() for each in page.locator("body, main, section.card, summary, h2").all()]
    assert max(box["x"] + box["width"] for box in boxes if box) <= width
    context.close()
