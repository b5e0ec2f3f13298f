"""The clinician form, 15 items on one page, in Chromium on loopback."""

import statistics
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright

from benchmarks.measure import Line
from tests import parts
from tests.running import running

LOADS = 15
_USABLE = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd / 1000"


def lines() -> Iterator[Line]:
    if parts.chromium() is None:
        return
    with TemporaryDirectory() as folder, running(Path(folder)) as run, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=parts.chromium(), args=list(parts.CHROMIUM_ARGUMENTS))
        page = browser.new_page()
        page.goto(run.launch_url("nora-vik"))
        page.get_by_role("button", name="Rate as clinician").click()
        assert page.locator("input[type=radio]").count() == 76
        seconds = statistics.median(_load(page) for _ in range(LOADS))
        browser.close()
    yield Line("form of 15 items on one page, usable in Chromium on loopback", f"{seconds:.3f} s at the median",
               "under 0.15 s (LHC-Forms 0.6 s, Smart Forms 0.9 s for the same form)", seconds < 0.15)  # fmt: skip


def _load(page: Page) -> float:
    page.reload()
    return float(page.evaluate(_USABLE))
