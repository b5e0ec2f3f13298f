"""Every screen in both languages, 1280, 400 and 320 px wide: axe-core finds nothing, nothing is wider than the window
or begins at its edge.

320 px is 1280 at 400 % (WCAG 1.4.10).

PICTURES=folder keeps a picture of each.
"""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import axe
from tests.browser.conftest import NewContext
from tests.browser.screens import Walk
from tests.running import Running

pytestmark = pytest.mark.browser

WIDTHS = (1280, 400, 320)
# What a person reads, and that begins at the very edge of the window.
AT_THE_EDGE = """[...document.querySelectorAll("main :is(p, li, h1, h2, h3, a, button, label)")].filter(each => {
  const {left, width} = each.getBoundingClientRect();
  return width > 1 && left < 4;
}).map(each => each.outerHTML)"""


@pytest.mark.parametrize("locale", ["en-GB", "nb-NO"])
def test_every_screen(run: Running, new_context: NewContext, locale: str) -> None:
    found: dict[str, object] = {}
    seen: list[str] = []

    def look(page: Page, name: str) -> None:
        page.wait_for_load_state()
        seen.append(name)
        assert page.locator("html").get_attribute("lang") == locale[:2], name
        assert not {"Eva", "Berg"} & set(page.title().replace("'", " ").split()), name
        axe.load(page)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            if picture := os.environ.get("PICTURES"):
                page.screenshot(path=Path(picture) / f"{locale[:2]}-{name}-{width}.png", full_page=True)
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                found[f"{name} at {width}"] = f"{wide} px wide"
            if edged := page.evaluate(AT_THE_EDGE):
                found[f"{name} at {width}"] = f"at the edge: {edged[0]}"
            if violations := axe.violations(page):
                found[f"{name} at {width}"] = violations

    Walk(run, new_context(locale=locale), look).everything()
    assert found == {}
    assert len(seen) == len(set(seen)) > 30
