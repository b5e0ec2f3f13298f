"""The whole flow as people press it: rate, hand over, answer, take back, set a goal and review it.

Buttons are found by what they post, so that it is the same with and without a script, and in each language.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Frame, Page

from tests.flows import steps

Surface = Page | Frame


@dataclass
class Clinician:
    """``surface`` is a tab, or the frame inside the chart."""

    context: BrowserContext
    surface: Surface

    @property
    def home(self) -> str:
        parts = urlsplit(self.surface.url).path.split("/")
        return f"/l/{parts[2]}/"

    def to_front(self) -> None:
        """A person presses what is in front; Chromium may lose a press into the frame of a tab behind another."""
        page = self.surface if isinstance(self.surface, Page) else self.surface.page
        page.bring_to_front()

    def press(self, name: str, value: str) -> None:
        self.to_front()
        self.surface.locator(f"button[name={name}][value={value}]:visible").first.click()

    def panel(self) -> None:
        self.to_front()
        self.surface.locator(f"a[href='{self.home}']").first.click()
        self.surface.wait_for_url(f"**{self.home}")

    def rate(self) -> str:
        """The clinician's own scale; the receipt's heading."""
        self.to_front()
        self.surface.locator("form[action$='form/clinician/start'] button").first.click()
        self.surface.wait_for_url("**/draft/*")
        for number in steps.ITEMS:
            self.surface.locator(f"[name='{number:02}']").nth(3).check()
        self.press("do", "complete")
        self.surface.wait_for_url("**/saved/*")
        return self.surface.locator("h1").inner_text()

    def give(self) -> Page:
        """Hands over; the patient's first page, in a window of its own where this is a frame."""
        self.lock()
        if isinstance(self.surface, Page):
            self.surface.wait_for_url("**/p/**")
            return self.surface
        return self.open_window()

    def lock(self) -> None:
        self.to_front()
        self.surface.locator("a[href$='/give']").first.click()
        self.surface.fill("#pin", steps.PIN)
        self.surface.locator("form.pin button").click()

    def open_window(self) -> Page:
        """From the frame."""
        self.to_front()
        with self.context.expect_page() as opened:
            self.surface.locator("form[target=_blank] button").click()
        opened.value.wait_for_url("**/p/**")
        return opened.value

    def take_back(self) -> str:
        """The page at hand-back; without a script there is one press more."""
        self.to_front()
        scripted = self.surface.evaluate("matchMedia('(scripting: enabled)').matches")
        self.surface.fill("#pin", steps.PIN)
        self.surface.locator("form.pin button").click()
        if not scripted:
            self.surface.wait_for_url("**/received")
            self.surface.locator("form[data-submit] button").click()
        self.surface.wait_for_url("**/today")
        return self.surface.locator("h1").inner_text()

    def set_goal(self) -> str:
        self.panel()
        self.surface.locator("a[href$='goal/new']").first.click()
        self.surface.fill("[name=text]", "Sing in a choir again")
        self.surface.fill("[name=step-1]", "Ring the choir")
        self.surface.fill("[name=helps]", "My sister")
        self.press("do", "save")
        self.surface.wait_for_url("**/saved/*")
        return self.surface.locator("h1").inner_text()

    def review(self) -> str:
        self.panel()
        self.surface.locator("a[href$='/review']").first.click()
        self.surface.locator("[value=done]").first.check()
        self.press("do", "save")
        self.surface.wait_for_url("**/saved/*")
        return self.surface.locator("h1").inner_text()

    def correct(self) -> str:
        """The rating at the top of the list, changed with a reason."""
        self.panel()
        self.surface.locator("section[aria-labelledby=ratings] summary").click()
        self.surface.locator("button[formaction$='/correct']").first.click()
        self.surface.wait_for_url("**/draft/*")
        self.surface.locator("[name='06']").first.check()
        self.surface.fill("[name=reason]", "Misread the question")
        self.press("do", "complete")
        self.surface.wait_for_url("**/saved/*")
        return self.surface.locator("h1").inner_text()


def answer(page: Page, rating: int) -> str:
    """The patient, one question a page, from the first to the hand-in; the last page's heading."""
    page.locator("a[href$='/1']").click()
    for number in steps.ITEMS:
        page.wait_for_url(f"**/{number}")
        page.locator("input[type=radio]").nth(rating - 1).check()
        page.locator("button[name=go][value=next]").click()
    page.wait_for_url("**/comment")
    page.fill("#comment", "Kept to the letter")
    page.locator("button[name=go][value=next]").click()
    page.wait_for_url("**/check")
    page.locator("form[action$='/send'] button").click()
    page.wait_for_url(lambda url: url.endswith("/"))
    return page.locator("h1").inner_text()
