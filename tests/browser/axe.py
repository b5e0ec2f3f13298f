"""What axe-core finds wrong with a page, or with the page inside a frame."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Frame, Page

_CORE = Axe().axe_script


def load(surface: Page | Frame) -> None:
    """Once for each page that is looked at."""
    surface.evaluate(_CORE)


def violations(surface: Page | Frame) -> list[tuple[str, str]]:
    """The rule and the first element that breaks it."""
    found = surface.evaluate("axe.run({resultTypes: ['violations']}).then(found => found.violations)")
    return [(each["id"], each["nodes"][0]["html"]) for each in found]
