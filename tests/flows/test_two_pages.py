"""Several pages open on one form: each writes what was changed on it, and what two changed is shown with both."""

from collections.abc import Callable
from urllib.parse import urljoin

import pytest
import requests

from tests.flows import steps
from tests.flows.steps import PIN, answers, filed, go, hidden, norsk, post, say, text
from tests.running import Chart, Running, log_in

COMMENT = "I hear voices at night again"


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run)


@pytest.fixture
def chart(run: Running, patient: str) -> Chart:
    return log_in(run, patient=patient)


def kept(chart: Chart, page: requests.Response, sent: int = 0, **fields: str) -> requests.Response:
    """As the script sends it, by the number that its page counts."""
    address = page.url if "/draft/" in page.url else urljoin(page.url, ".").rstrip("/")
    return chart.browser.post(f"{address}/keep", data=hidden(page) | {"sent": str(sent)} | fields)


def test_a_comment_kept_on_one_page_survives_save_on_an_older_one(run: Running, patient: str, chart: Chart) -> None:
    older = steps.begin(chart, "client")
    assert kept(chart, chart.browser.get(older.url), comment=COMMENT).status_code == 204
    go(chart.browser, older, do="complete", comment="", **answers(3))  # untouched there, a browser sends it empty
    (response,) = filed(run, patient, "QuestionnaireResponse")
    assert COMMENT in str(response)


def test_an_answer_kept_on_one_page_survives_save_on_an_older_one(run: Running, patient: str, chart: Chart) -> None:
    first = steps.begin(chart, "client")
    go(chart.browser, first, do="later", **answers(3))
    older, newer = chart.browser.get(first.url), chart.browser.get(first.url)
    assert kept(chart, newer, **{"10": "10-1"}).status_code == 204
    go(chart.browser, older, do="complete", comment="", **answers(3))
    (response,) = filed(run, patient, "QuestionnaireResponse")
    assert "10-1" in str(response)


def test_later_on_an_empty_older_page_throws_nothing_away(chart: Chart) -> None:
    older = steps.begin(chart, "client")
    kept(chart, chart.browser.get(older.url), comment=COMMENT)
    go(chart.browser, older, do="later", comment="")
    assert COMMENT in steps.begin(chart, "client").text


def test_what_both_changed_is_shown_with_both_and_saved_as_chosen(run: Running, patient: str, chart: Chart) -> None:
    first = steps.begin(chart, "client")
    go(chart.browser, first, do="later", comment="Tired", **answers(3))
    older, newer = chart.browser.get(first.url), chart.browser.get(first.url)
    go(chart.browser, newer, do="later", comment=COMMENT, **answers(3, {10: "1", 11: "5"}))
    page = post(chart.browser, older, do="complete", comment="Less tired", **answers(3, {10: "2", 12: "4"}))
    assert page.status_code == 409
    assert filed(run, patient, "QuestionnaireResponse") == []
    there = 'value="10-1"'
    assert f"{there} checked" not in page.text
    assert 'value="10-2" checked' in page.text
    asked, _, _ = say("form.error.changed", number=10, there="|").partition("|")
    assert asked in text(page)
    assert say("form.error.changed.comment", there=COMMENT) in text(page)
    assert ">Less tired</textarea>" in page.text
    for code in ("11-5", "12-4"):  # what one of the two changed alone
        assert f'value="{code}" checked' in page.text
    go(chart.browser, page, do="complete", comment="Less tired", **answers(3, {10: "2", 11: "5", 12: "4"}))
    (response,) = filed(run, patient, "QuestionnaireResponse")
    for said in ("10-2", "11-5", "12-4", "Less tired"):
        assert said in str(response)


def test_an_older_page_after_save_with_nothing_changed_on_it_leads_to_the_receipt(chart: Chart) -> None:
    first = steps.begin(chart)
    older = chart.browser.get(first.url)
    saved = go(chart.browser, first, do="complete", comment=COMMENT, **answers(3))
    assert go(chart.browser, older, do="later", comment="").url == saved.url


def test_a_correction_is_not_thrown_away_with_what_its_page_never_showed(
    run: Running, patient: str, chart: Chart
) -> None:
    steps.rate(chart)
    (response,) = filed(run, patient, "QuestionnaireResponse")
    older = steps.correct(chart, response["id"])
    kept(chart, chart.browser.get(older.url), comment=COMMENT)
    page = post(chart.browser, older, do="discard", comment="", **answers(3))
    assert page.status_code == 409
    assert say("form.error.discard") in text(page)
    assert f">{COMMENT}</textarea>" in page.text
    assert go(chart.browser, page, do="discard", comment=COMMENT, **answers(3)).url == chart.url
    assert COMMENT not in steps.correct(chart, response["id"]).text


@pytest.mark.parametrize(("path", "field", "there", "mine"), [
    ("6", "06", "06-1", "06-5"), ("all", "06", "06-1", "06-5"), ("comment", "comment", COMMENT, "Nothing"),
])  # fmt: skip
def test_what_the_patient_changed_on_two_pages_is_shown_with_both(
    chart: Chart, path: str, field: str, there: str, mine: str
) -> None:
    start = steps.give(chart)
    go(chart.browser, chart.browser.get(start.url), urljoin(start.url, "language"), language="nb")
    older, newer = (chart.browser.get(urljoin(start.url, path)) for _ in range(2))
    assert kept(chart, newer, **{field: there}).status_code == 204
    told = kept(chart, older, 1, **{field: mine})
    assert told.status_code == 409
    page = post(chart.browser, older, go="next", **{field: mine})
    assert page.status_code == 409
    asked = ("form.error.changed", {"number": 6}) if field == "06" else ("form.error.changed.comment", {})
    assert norsk(asked[0], there="|", **asked[1]).partition("|")[0] in text(page)
    assert (f'value="{mine}" checked' if field == "06" else f">{mine}</textarea>") in page.text
    post(chart.browser, page, go="next", **{field: mine})
    again = chart.browser.get(urljoin(start.url, path))
    assert (f'value="{mine}" checked' if field == "06" else f">{mine}</textarea>") in again.text


def in_the_chart(chart: Chart) -> requests.Response:
    return steps.begin(chart, "client")


def handed_over(chart: Chart) -> requests.Response:
    return chart.browser.get(urljoin(steps.give(chart, PIN).url, "comment"))


@pytest.mark.parametrize("opened", [in_the_chart, handed_over])
def test_what_was_typed_last_is_kept_in_whatever_order_it_arrives(
    chart: Chart, opened: Callable[[Chart], requests.Response]
) -> None:
    page = opened(chart)
    for sent, typed in ((0, "I"), (2, "I am frightened"), (1, "I am f"), (1, "I am f")):
        assert kept(chart, page, sent, comment=typed).status_code == 204
    assert ">I am frightened</textarea>" in chart.browser.get(page.url).text
