"""A browser context a test; a page that breaks its own content policy fails it."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

WAIT = 15_000  # ms; a machine under load

NewContext = Callable[..., BrowserContext]


@pytest.fixture
def new_context(chromium: Browser) -> Iterator[NewContext]:
    """Makes contexts with Playwright's options; all are closed at the end."""
    made: list[BrowserContext] = []
    broken: list[str] = []

    def make(**options: object) -> BrowserContext:
        context = chromium.new_context(**{"locale": "en-GB", **options})  # type: ignore[arg-type]
        context.set_default_timeout(WAIT)
        context.on("console", lambda said: broken.append(said.text) if "Content Security" in said.text else None)
        context.on("weberror", lambda error: broken.append(str(error.error)))
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()
    assert broken == []
