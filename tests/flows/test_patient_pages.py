"""The patient's own pages: one question a page, one draft and nothing else, all of it without a script."""

import re
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from tests.flows import steps
from tests.flows.steps import answers, filed, go, heading, hidden, norsk, post, say, text
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
        say("form.purpose", who="Kari Nilsen"),
        say("form.readers", org="Nordlys DPS"),
        say("form.stop"),
        say("hand.only"),
        "there is no right or wrong answer",
        say("form.help", who="Kari Nilsen", phone="+47 00 00 00 00"),
    ):
        assert line in said
    assert "In the past 3 months" not in said


def test_one_question_a_page_forth_and_back(chart: Chart, start: requests.Response) -> None:
    browser = chart.browser
    page = browser.get(urljoin(start.url, "1"))
    assert page.text.count("<fieldset") == 1
    assert heading(page) == say("patient.progress", number=1, total=15)
    second = go(browser, page, go="next", **{"01": "01-4"})
    assert heading(second) == say("patient.progress", number=2, total=15)
    first = go(browser, second, go="previous")
    assert 'value="01-4" checked' in first.text
    assert say("form.kept") in text(first)
    assert heading(go(browser, second, go="next")) == say("patient.progress", number=3, total=15), (
        "a question may be left out"
    )
    assert heading(go(browser, browser.get(urljoin(start.url, "15")), go="next")) == say("patient.comment.title")
    assert browser.get(urljoin(start.url, "16")).status_code == 404
    assert browser.get(urljoin(start.url, "0")).status_code == 404


def test_what_is_left_out_can_be_answered_or_handed_in_as_it_is(
    run: Running, patient: str, chart: Chart, start: requests.Response
) -> None:
    check = steps.answer_alone(chart.browser, start, answers(2, without=(5, 9)))
    assert say("patient.check.some", answered=13, total=15) in text(check)
    assert say("form.missing", n=2) in text(check)
    assert f'href="{urlsplit(start.url).path}5' in check.text
    done = steps.hand_in(chart.browser, check)
    assert say("patient.done.kept", answered=13, total=15) in text(done)
    steps.take_back(chart)
    (response,) = filed(run, patient, "QuestionnaireResponse")
    assert response["status"] == "stopped"


def test_who_stops_early_can_still_write_a_comment(chart: Chart, start: requests.Response) -> None:
    """The page for it comes after the last question, to which who stops does not come."""
    question = go(chart.browser, chart.browser.get(urljoin(start.url, "1")), go="next", **{"01": "01-2"})
    check = go(chart.browser, question, go="stop")
    assert heading(check) == say("patient.check.title")
    assert f'href="{urlsplit(start.url).path}comment"' in check.text
    after = go(chart.browser, chart.browser.get(urljoin(start.url, "comment")), comment="Too tired today", go="next")
    assert heading(after) == say("patient.check.title")
    assert "Too tired today" in text(after)
    assert after.text.count(f'href="{urlsplit(start.url).path}comment"') == 1


def test_who_stops_for_now_can_go_on_another_time(chart: Chart, start: requests.Response) -> None:
    """What is handed in can't be gone on with, and "stop for now" promises no such thing."""
    question = go(chart.browser, chart.browser.get(urljoin(start.url, "1")), go="next", **{"01": "01-2"})
    check = go(chart.browser, question, go="stop")
    offered = re.findall(r'<(?:a|button) class="ds-button"[^>]*>(.*?)</', check.text)
    assert offered == [say("patient.answer_rest"), say("patient.send_stopped"), say("own.leave")]
    leads = re.search(r'<a class="ds-button" data-variant="tertiary" href="([^"]+)"', check.text)
    assert leads
    assert say("patient.back.kept") in text(chart.browser.get(urljoin(start.url, leads[1])))


def test_one_answer_is_changed_and_the_way_leads_back_only(chart: Chart, start: requests.Response) -> None:
    """Two buttons "back" led to two places, one of them seven pages from handing in."""
    change = chart.browser.get(urljoin(start.url, "8?came=check"))
    assert say("patient.to_check_again") in text(change)
    assert re.findall(r'name="go" value="(\w+)"', change.text) == ["next"]


def test_back_among_the_open_questions_keeps_to_them(chart: Chart, start: requests.Response) -> None:
    steps.answer_alone(chart.browser, start, answers(2, without=(6, 9)))
    ninth = go(chart.browser, chart.browser.get(urljoin(start.url, "6?came=rest")), go="next", **{"06": "06-3"})
    assert heading(ninth) == say("patient.progress", number=9, total=15)
    eighth = go(chart.browser, ninth, go="previous")
    assert heading(eighth) == say("patient.progress", number=8, total=15)
    again = go(chart.browser, eighth, go="next")
    assert heading(again) == heading(ninth)
    assert heading(go(chart.browser, again, go="next", **{"09": "09-3"})) == say("patient.check.title")


def test_nothing_at_all_can_t_be_handed_in(chart: Chart, start: requests.Response) -> None:
    check = chart.browser.get(urljoin(start.url, "check"))
    assert say("patient.send_stopped") not in text(check)
    again = go(chart.browser, check)
    assert heading(again) == say("patient.check.title")


def test_all_questions_on_one_page(run: Running, patient: str, chart: Chart, start: requests.Response) -> None:
    page = chart.browser.get(urljoin(start.url, "all"))
    assert page.text.count("<fieldset") == 15
    kept = post(chart.browser, page, go="keep-04", **{"04": "04-1"})
    assert kept.headers["Location"].endswith("/all#item-04")
    check = go(chart.browser, page, go="check", **answers(4), comment="All at once")
    assert say("patient.check.all", total=15) in text(check)
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
    after = go(chart.browser, page, urljoin(start.url, "language"), language="nb", next=urlsplit(page.url).path)
    assert after.url == page.url
    assert heading(after) == norsk("patient.progress", number=2, total=15)
    assert '<html lang="nb"' in after.text
    assert 'value="02-4" checked' in after.text
    assert norsk("form.translation") in text(after)
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
        ("6", {"06": "07-3"}, say("form.error.code", number=6)),
        ("6", {"06": ["06-1", "06-2"]}, say("form.error.two", number=6)),
        ("comment", {"comment": "a" * 4001}, say("form.error.long", length=4001, over=1, longest=4000)),
        ("all", {"06": "07-3", "07": "07-1"}, say("form.error.code", number=6)),
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
