"""Answers put into a form: by the mouse and the keyboard as a person does, or the last few of a draft by a script that
presses the same buttons."""

from collections.abc import Collection
from typing import Any

from imr_fhir import artefacts
from imr_fhir.response import to_resource
from imr_fhir.scale import Anchor, Rater, Ratings, scale
from tests.filed import FILING, new_response
from tests.renderers.form import Form

PRESSED = 2  # of a set whose other answers stand in the draft
_PRESS = """async (presses) => {
  const groups = [...document.querySelectorAll('[role=radiogroup]')];
  for (const [group, option] of presses) {
    groups[group].querySelectorAll('input[type=radio]')[option].click();
    await new Promise((resolve) => setTimeout(resolve)); // as between two presses of a person: the page has its turn
  }
}"""
_TYPE_AND_PRESS = """([text, group, option]) => {
  const box = [...document.querySelectorAll('textarea')].find((each) => each.getAttribute('aria-hidden') !== 'true');
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(box, text); // past React's own
  box.dispatchEvent(new Event('input', { bubbles: true }));
  document.querySelectorAll('[role=radiogroup]')[group].querySelectorAll('input[type=radio]')[option].click();
}"""


def fill(form: Form, rater: Rater, ratings: Ratings) -> None:
    """The form with a draft that this library wrote, and what is open in it then answered."""
    drafted, pressed = list(ratings)[:-PRESSED], list(ratings)[-PRESSED:]
    draft = written(rater, {item: ratings[item] for item in drafted}) if drafted else None
    form.show(artefacts.questionnaire(rater), draft)
    form.page.evaluate(_PRESS, [(item - 1, _place(rater, item, ratings[item])) for item in pressed])


def fill_by_hand(
    form: Form, rater: Rater, ratings: Ratings, *, comment: str = "", reconsidered: Collection[int] = ()
) -> None:
    """The empty form answered from the top. ``reconsidered``: items where another answer is pressed first."""
    form.show(artefacts.questionnaire(rater))
    for number in sorted(ratings):
        item = scale(rater).item(number)
        anchor = item.anchor(ratings[number])
        if number in reconsidered:
            press(form, number, next(other for other in item.anchors if other != anchor))
        press(form, number, anchor)
    if comment:
        form.page.locator("textarea:visible").press_sequentially(comment)
        _until_taken(form, comment)


def type_and_press(form: Form, comment: str, item: int, rating: int) -> None:
    """Both in the same moment, on the client's form."""
    form.page.evaluate(_TYPE_AND_PRESS, [comment, item - 1, _place("client", item, rating)])
    _until_taken(form, comment)


def press(form: Form, number: int, anchor: Anchor) -> None:
    group = form.page.get_by_role("radiogroup").nth(number - 1)
    group.get_by_role("radio", name=form.renderer.label(anchor), exact=True).click()


def written(rater: Rater, ratings: Ratings) -> dict[str, Any]:
    """A draft as this library writes it."""
    draft = new_response(rater=rater, ratings=ratings, status="in-progress", questionnaire=scale(rater).canonical)
    return to_resource(draft, filing=FILING)


def _place(rater: Rater, item: int, rating: int) -> int:
    """How many options stand before it."""
    return [anchor.rating for anchor in scale(rater).item(item).anchors].index(rating)


def _until_taken(form: Form, comment: str) -> None:
    form.page.wait_for_function("comment => JSON.stringify(taken()).includes(JSON.stringify(comment))", arg=comment)
