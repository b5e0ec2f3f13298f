"""The patient's own pages: one question a page, one draft and nothing else, all of it without a script."""

from urllib.parse import urljoin, urlsplit

import pytest
import requests

from tests.flows import steps
from tests.flows.steps import answers, filed, go, heading, hidden, post, text
from tests.running import Browser, Chart, Running, log_in


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run)


@pytest.fixture
def chart(run: Running, patient: str) -> Chart:
    return log_in(run, patient=patient)


@pytest.fixture
def start(chart: Chart) -> requests.Response:
    return steps.give(chart)


def test_purpose_readers_and_help_come_before_the_first_question(start: requests.Response) -> None:
    said = text(start)
    for line in (
        "They help you and Kari Nilsen choose what to work on.",
        "Your answers go into your record at Nordlys DPS.",
        "You may stop at any time, and still get help.",
        "Afterwards you look at both sets of answers together.",
        "there is no right or wrong answer",
        "Tell Kari Nilsen or call +47 00 00 00 00.",
    ):
        assert line in said
    assert "In the past 3 months" not in said


def test_one_question_a_page_forth_and_back(chart: Chart, start: requests.Response) -> None:
    browser = chart.browser
    page = browser.get(urljoin(start.url, "1"))
    assert page.text.count("<fieldset") == 1
    assert heading(page) == "Question 1 of 15"
    second = go(browser, page, go="next", **{"01": "01-4"})
    assert heading(second) == "Question 2 of 15"
    first = go(browser, second, go="previous")
    assert 'value="01-4" checked' in first.text
    assert "Your answer is kept" in text(first)
    assert heading(go(browser, second, go="next")) == "Question 3 of 15", "a question may be left out"
    assert heading(go(browser, browser.get(urljoin(start.url, "15")), go="next")) == "In your own words"
    assert browser.get(urljoin(start.url, "16")).status_code == 404
    assert browser.get(urljoin(start.url, "0")).status_code == 404


def test_what_is_left_out_can_be_answered_or_handed_in_as_it_is(
    run: Running, patient: str, chart: Chart, start: requests.Response
) -> None:
    check = steps.answer_alone(chart.browser, start, answers(2, without=(5, 9)))
    assert "You have answered 13 of 15 questions." in text(check)
    assert "Questions without an answer: 2" in text(check)
    assert f'href="{urlsplit(start.url).path}5"' in check.text
    done = steps.hand_in(chart.browser, check)
    assert "13 of 15 questions" in text(done)
    steps.take_back(chart)
    (response,) = filed(run, patient, "QuestionnaireResponse")
    assert response["status"] == "stopped"


def test_nothing_at_all_can_t_be_handed_in(chart: Chart, start: requests.Response) -> None:
    check = chart.browser.get(urljoin(start.url, "check"))
    assert "hand in what I have answered" not in text(check)
    again = go(chart.browser, check)
    assert heading(again) == "Before you hand in"


def test_all_questions_on_one_page(run: Running, patient: str, chart: Chart, start: requests.Response) -> None:
    page = chart.browser.get(urljoin(start.url, "all"))
    assert page.text.count("<fieldset") == 15
    kept = post(chart.browser, page, go="keep-04", **{"04": "04-1"})
    assert kept.headers["Location"].endswith("/all#item-04")
    check = go(chart.browser, page, go="check", **answers(4), comment="All at once")
    assert "All 15 questions are answered." in text(check)
    assert "All at once" in text(check)
    steps.hand_in(chart.browser, check)
    steps.take_back(chart)
    (response,) = filed(run, patient, "QuestionnaireResponse")
    assert response["status"] == "completed"
    assert "All at once" in str(response["item"])


def test_no_figure_is_shown_to_the_patient(chart: Chart, start: requests.Response) -> None:
    steps.hand_in(chart.browser, steps.answer_alone(chart.browser, start, answers(2)))
    pages = [page for page in chart.browser.visited if "/p/" in page.url and page.ok]
    assert len(pages) > 30
    for page in pages:
        assert not [word for word in ("Sum", "mean", "score", "higher", "lower than") if word in text(page)]


def test_language_by_hand_and_the_answers_stay(
    run: Running, patient: str, chart: Chart, start: requests.Response
) -> None:
    page = chart.browser.get(urljoin(start.url, "2"))
    go(chart.browser, page, go="next", **{"02": "02-4"})
    norsk = go(chart.browser, page, urljoin(start.url, "language"), language="nb", next=urlsplit(page.url).path)
    assert norsk.url == page.url
    assert heading(norsk) == "Spørsmål 2 av 15"
    assert '<html lang="nb"' in norsk.text
    assert 'value="02-4" checked' in norsk.text
    assert "Oversettelsen er ikke validert" in text(norsk)
    for elsewhere in ("//evil.example/", "https://evil.example/", "/l/x", f"{urlsplit(start.url).path}\\..\\x"):
        moved = post(chart.browser, page, urljoin(start.url, "language"), language="nb", next=elsewhere)
        assert urljoin(page.url, moved.headers["Location"]) == start.url
    steps.hand_in(chart.browser, steps.answer_alone(chart.browser, start, answers(4)))
    steps.take_back(chart)
    (response,) = filed(run, patient, "QuestionnaireResponse")
    answer = response["item"][0]["item"][1]["answer"][0]
    assert answer["valueCoding"]["display"] == "Quite a bit"
    assert answer["extension"][0]["valueString"] == "Ganske mye"


@pytest.mark.parametrize(
    ("path", "posted", "said"),
    [
        ("6", {"06": "07-3"}, "Question 6 has no such answer."),
        ("6", {"06": ["06-1", "06-2"]}, "Question 6 was given two answers."),
        ("comment", {"comment": "a" * 4001}, "The text is 4001 characters long."),
        ("all", {"06": "07-3", "07": "07-1"}, "Question 6 has no such answer."),
    ],
)
def test_what_can_t_be_kept_is_named(
    chart: Chart, start: requests.Response, path: str, posted: dict[str, str], said: str
) -> None:
    page = chart.browser.get(urljoin(start.url, path))
    refused = go(chart.browser, page, **posted)
    assert refused.status_code == 400
    assert said in text(refused)
    if "07" in posted:
        assert 'value="07-1" checked' in refused.text
    if "comment" in posted:
        assert posted["comment"] in refused.text


def test_with_script_each_answer_is_kept_as_it_is_given(chart: Chart, start: requests.Response) -> None:
    page, keep = chart.browser.get(urljoin(start.url, "3")), urljoin(start.url, "keep")
    assert post(chart.browser, page, keep, **{"03": "03-5"}).status_code == 204
    assert post(chart.browser, page, keep, comment="Half a sent").status_code == 204
    assert post(chart.browser, page, keep, **{"03": "04-5"}).status_code == 400
    assert 'value="03-5" checked' in chart.browser.get(page.url).text
    assert "Half a sent</textarea>" in chart.browser.get(urljoin(start.url, "comment")).text


def test_another_browser_and_a_form_from_elsewhere_get_nothing(chart: Chart, start: requests.Response) -> None:
    page = chart.browser.get(urljoin(start.url, "1"))
    for path in ("", "1", "all", "check", "back"):
        assert Browser().get(urljoin(start.url, path)).status_code == 404
    assert Browser().post(page.url, data=hidden(page) | {"01": "01-1"}).status_code == 404
    for origin in ("null", "https://evil.example"):
        refused = chart.browser.post(page.url, data=hidden(page) | {"01": "01-1"}, headers={"Origin": origin})
        assert refused.status_code == 403
    assert chart.browser.post(page.url, data={"01": "01-1"}).status_code == 403
    assert " checked" not in chart.browser.get(page.url).text


def test_a_hand_over_holds_no_token_and_no_way_to_the_record(run: Running, chart: Chart) -> None:
    start = steps.give(chart)
    secret = chart.browser.jar["127.0.0.1"][f"__Host-p-{urlsplit(start.url).path.split('/')[2][:8]}"]
    handover = run.store.handovers.access(urlsplit(start.url).path.split("/")[2], secret, run.clock())
    assert set(handover.value) == {"session", "own_window", "language"}
    assert "token" not in str(handover.value)
    assert "fhir_base" not in str(handover.value)
