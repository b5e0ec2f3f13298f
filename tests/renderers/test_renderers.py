"""The same form, the same answers and the same score in form fillers that others wrote, and read right from them."""

import re
from collections.abc import Iterator
from decimal import Decimal
from random import Random

import pytest
from playwright.sync_api import Browser, expect

from imr_fhir import artefacts
from imr_fhir.scale import RATERS, Rater, Ratings, scale
from tests import parts
from tests.answer_sets import KINDS, answer_sets
from tests.renderers.differences import FAULTS, LOSES, NO_WAY_BACK, UNSTORED
from tests.renderers.filling import fill, fill_by_hand, press, type_and_press
from tests.renderers.form import Form
from tests.renderers.renderer import RENDERERS
from tests.renderers.told import figures, filed, judged, library_reads, require_same

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("renderers")]

EACH = 6  # sets of answers a kind and scale, with one of no answer a scale: 50 in each form filler
COMMENT = 'Søvn: <b>dårlig</b> & "kaffe"'


def sets(kind: str, rater: Rater) -> list[Ratings]:
    of_kind = [ratings for found, ratings in answer_sets() if found == kind]
    return Random(f"{kind} {rater}").sample(of_kind, min(EACH, len(of_kind)))


@pytest.fixture(scope="module", params=RENDERERS, ids=lambda renderer: renderer.name)
def form(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Form]:
    parts.need(parts.NODE)
    page = chromium.new_page()
    opened = Form(request.param, page)
    opened.open()
    yield opened
    page.close()
    assert opened.errors == []
    assert opened.asked == [], "The form filler told another address of the form."


@pytest.fixture(params=RATERS)
def rater(request: pytest.FixtureRequest) -> Rater:
    return request.param  # type: ignore[no-any-return]


def test_fifty_sets_in_each() -> None:
    assert sum(len(sets(kind, rater)) for kind in KINDS for rater in RATERS) == 50


def test_every_question_and_every_answer_stands_there_as_it_is(form: Form, rater: Rater) -> None:
    form.show(artefacts.questionnaire(rater))
    expect(form.page.get_by_text(scale(rater).title.en)).to_be_visible()
    groups = form.page.get_by_role("radiogroup")
    for item in scale(rater).items:
        group = groups.nth(item.number - 1)
        expect(group).to_have_accessible_name(re.compile(re.escape(item.prompt.en)))
        assert [label.strip() for label in group.locator("label").all_inner_texts()] == [
            form.renderer.label(anchor) for anchor in item.anchors
        ]
    for figure in ("Sum of the items rated", "Number of items rated", "Mean of the items rated"):
        expect(form.page.get_by_label(figure)).to_be_disabled()


def test_no_rating_stands_there_where_the_form_filler_is_told_so(form: Form) -> None:
    form.page.evaluate("window.settings = { displayScoreWithAnswerText: false }")
    form.show(artefacts.questionnaire("client"))
    labels = form.page.get_by_role("radiogroup").locator("label").all_inner_texts()
    assert [label.strip() for label in labels] == [
        anchor.text.en for item in scale("client").items for anchor in item.anchors
    ]
    form.page.evaluate("window.settings = {}")


@pytest.mark.parametrize("kind", KINDS)
def test_the_score_is_the_library_s_and_the_answers_are_read_as_they_were_given(
    form: Form, rater: Rater, kind: str
) -> None:
    by_script = sets(kind, rater)
    if KINDS.index(kind) % 2 == RATERS.index(rater):  # it takes long
        by_hand = by_script.pop()
        fill_by_hand(form, rater, by_hand, comment=COMMENT, reconsidered=(1, 8, 13))
        require_same(form, rater, by_hand, COMMENT)
    for ratings in by_script:
        fill(form, rater, ratings)
        require_same(form, rater, ratings, "")


def test_the_screen_shows_the_score_that_is_stored(form: Form) -> None:
    fill(form, "client", {item: 1 + item % 5 for item in range(1, 16)})
    shown = {
        name: form.page.get_by_label(text).input_value()
        for name, text in [("sum", "Sum of the items"), ("rated", "Number of items"), ("mean", "Mean of the items")]
    }
    assert {name: Decimal(value) for name, value in shown.items()} == figures(form.response())


def test_an_answer_taken_back(form: Form) -> None:
    ratings = dict.fromkeys(range(1, 16), 4)
    fill(form, "client", ratings)
    clear = form.page.get_by_role("button", name="Clear")
    if form.renderer.name in NO_WAY_BACK:
        press(form, 7, scale("client").item(7).anchor(4))
        expect(clear).to_have_count(0)
    else:
        clear.nth(6).click()
        del ratings[7]
    require_same(form, "client", ratings, "")


def test_an_answer_right_after_a_word(form: Form) -> None:
    form.show(artefacts.questionnaire("client"))
    type_and_press(form, COMMENT, 2, 5)
    assert library_reads(form.response(), "client").ratings == ({} if form.renderer.name in LOSES else {2: 5})


def test_an_empty_form(form: Form, rater: Rater) -> None:
    form.show(artefacts.questionnaire(rater))
    unstored = (form.renderer.name, "rated", 0) in UNSTORED
    told = form.response()
    assert figures(told) == ({} if unstored else {"rated": 0})
    assert [found.code for found in judged(filed(told, rater, {}))] == (
        ["empty"] if (form.renderer.name, ("item",), "empty") in FAULTS else []
    )
