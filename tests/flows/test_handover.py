"""SECURITY B: while the screen is with the patient, the clinician's pages are one page, and that asks for the PIN."""

from datetime import timedelta
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from imr_fhir.artefacts import SHOWN_LANGUAGE, SHOWN_WORDING
from smart_app.store.tickets import LIFETIME
from tests.flows import steps
from tests.flows.steps import LOCKED, PIN, answers, filed, go, heading, norsk, post, say, text
from tests.running import Browser, Chart, Running, log_in
from tests.web.steps import end_unused, record_of

FINISHED = say("hand.done")
BEGUN = say("hand.resume", answered=1, total=15, day="\n").partition("\n")[0]


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run)


@pytest.fixture
def chart(run: Running, patient: str) -> Chart:
    return log_in(run, patient=patient)


@pytest.fixture
def framed(run: Running, patient: str) -> Chart:
    return log_in(run, patient=patient, framed=True)


def try_pin(chart: Chart, pin: str) -> requests.Response:
    return go(chart.browser, chart.browser.get(chart.at("locked")), chart.at("back"), pin=pin)


@pytest.mark.parametrize("pin", ["", "12345", "12345a", "１２３４５６", "12 34 56", "1234567890123"])
def test_a_pin_has_six_to_twelve_digits(run: Running, patient: str, chart: Chart, pin: str) -> None:
    page = go(chart.browser, chart.browser.get(chart.at("give")), chart.at("give"), pin=pin)
    assert (page.status_code, heading(page)) == (400, say("hand.give", name="Eva"))
    assert say("hand.pin.short") in text(page)
    assert chart.browser.get(chart.url).status_code == 200, "nothing is locked"
    told = [each["outcome"] for each in steps.audited(run, patient) if each["action"] == "hand-over"]
    assert told == ["refused"]
    assert run.store.drafts.open_for(record_of(run, chart).owner) == (), "nothing was handed over"


def test_all_the_users_windows_are_locked_and_open_with_the_pin(run: Running, chart: Chart) -> None:
    same_browser = log_in(run, patient=steps.new_patient(run), browser=chart.browser)
    elsewhere, colleague = log_in(run), log_in(run, user="Practitioner/ola")
    before = dict(elsewhere.browser.jar["127.0.0.1"])
    steps.give(chart)
    for locked in (chart, same_browser, elsewhere):
        for path in ("", "give", "outbox", "today", "goal/new"):
            page = locked.browser.open(locked.at(path))
            assert heading(page) == LOCKED
            assert "Berg" not in page.text
    assert elsewhere.browser.jar["127.0.0.1"] == before, "the old cookie keeps this one right"
    assert Browser().get(chart.at("locked")).status_code == 404, "without a cookie nobody can burn the tries"
    assert colleague.browser.get(colleague.url).status_code == 200
    assert heading(try_pin(elsewhere, "000000")) == LOCKED
    try_pin(chart, PIN)
    for opened in (chart, same_browser):
        assert opened.browser.get(opened.url).status_code == 200
    assert heading(elsewhere.browser.open(elsewhere.url)) == LOCKED
    try_pin(elsewhere, PIN)
    assert elsewhere.browser.get(elsewhere.url).status_code == 200


def test_five_failures_end_the_launch_and_keep_the_draft(run: Running, patient: str, chart: Chart) -> None:
    start = steps.give(chart)
    go(chart.browser, chart.browser.get(urljoin(start.url, "3")), go="next", **{"03": "03-4"})
    run.asked.clear()
    for left in (4, 3, 2, 1):
        wrong = try_pin(chart, "000000")
        assert wrong.status_code == 403
        assert say("hand.back.wrong", left=left) in text(wrong)
    ended = try_pin(chart, "000000")
    assert say("hand.ended") in text(ended)
    end_unused(run)
    assert "POST /oauth2/revoke" in run.asked
    for path in ("", "locked"):
        assert chart.browser.get(chart.at(path)).status_code == 404
    assert heading(chart.browser.get(start.url)) == say("patient.given_back")
    again = log_in(run, patient=patient)
    assert BEGUN in text(again.browser.get(again.at("give")))
    assert 'value="03-4" checked' in again.browser.get(urljoin(steps.give(again).url, "3")).text
    refusals = [each for each in steps.audited(run, patient) if each["action"] == "take-back"]
    assert [each["outcome"] for each in refusals[-5:]] == ["refused"] * 5


def test_while_handed_over_it_does_not_idle_out_for_two_hours(run: Running, chart: Chart) -> None:
    start = steps.give(chart)
    run.clock.ahead = timedelta(minutes=119)
    assert chart.browser.get(start.url).status_code == 200
    page = chart.browser.get(urljoin(start.url, "1"))
    go(chart.browser, page, go="next", **{"01": "01-2"})
    run.clock.ahead += timedelta(minutes=119)
    assert heading(chart.browser.get(chart.at("locked"))) == LOCKED
    run.clock.ahead += timedelta(minutes=2)
    assert chart.browser.get(start.url).status_code == 404
    assert chart.browser.get(chart.at("locked")).status_code == 404


def test_given_back_before_the_end_the_answers_are_kept(run: Running, patient: str, chart: Chart) -> None:
    start = steps.give(chart)
    go(chart.browser, chart.browser.get(urljoin(start.url, "1")), go="next", **{"01": "01-2"})
    back = chart.browser.get(urljoin(start.url, "back"))
    assert say("patient.back.kept") in text(back)
    today = go(chart.browser, back, chart.at("back"), pin=PIN)
    assert heading(today) == say("safety.today")
    assert filed(run, patient, "QuestionnaireResponse") == []
    assert "1 of 15" in text(chart.browser.get(chart.url))
    over = chart.browser.get(start.url)
    assert heading(over) == say("patient.given_back")
    assert 'name="pin"' not in over.text
    assert 'value="01-2" checked' in chart.browser.get(urljoin(steps.give(chart).url, "1")).text


def test_a_screen_given_and_taken_back_untouched_leaves_no_draft_to_see(run: Running, chart: Chart) -> None:
    steps.give(chart)
    steps.take_back(chart)
    assert "not handed in" not in text(chart.browser.get(chart.url))


def test_the_patient_s_submit_seals_and_the_pin_files(run: Running, patient: str, chart: Chart) -> None:
    start = steps.give(chart)
    check = steps.answer_alone(chart.browser, start, answers(2), "A hard month")
    run.asked.clear()
    assert heading(steps.hand_in(chart.browser, check)) == FINISHED
    assert run.asked == [], "the patient's pages ask the hospital nothing"
    (sealed,) = run.store.filings.outbox(locked_owner(run, chart, patient))
    assert str(sealed.state) == "SEALED"
    steps.take_back(chart)
    (response,) = filed(run, patient, "QuestionnaireResponse")
    assert response["source"] == response["author"] == {"reference": f"Patient/{patient}"}
    (told,) = steps.told_of(run, response)
    agents = {agent["type"]["coding"][0]["code"]: agent["who"].get("reference") for agent in told["agent"]}
    assert (agents["author"], agents["enterer"]) == (f"Patient/{patient}", "Practitioner/kari")


def test_the_clinician_s_page_says_whether_the_patient_is_still_answering(run: Running, chart: Chart) -> None:
    """It is what is looked at while the patient answers on another device."""
    start = steps.give(chart)
    assert say("hand.locked", name="Eva") in text(chart.browser.get(chart.at("locked")))
    steps.hand_in(chart.browser, steps.answer_alone(chart.browser, start, answers(2, without=(9,))))
    done = text(chart.browser.get(chart.at("locked")))
    assert say("hand.locked.done", name="Eva") in done
    assert say("hand.locked", name="Eva") not in done
    assert say("hand.locked.done", name="Eva") in text(try_pin(chart, "000000"))


def test_where_nobody_comes_back_it_waits_for_the_next_launch(run: Running, patient: str, chart: Chart) -> None:
    steps.hand_in(chart.browser, steps.answer_alone(chart.browser, steps.give(chart), answers(2)))
    run.store.launches.end_all("the machine was switched off", run.clock())
    again = log_in(run, patient=patient)
    assert say("waiting.text", n=1) in text(again.page)
    run.asked.clear()
    again.browser.get(again.at("outbox"))
    assert [each for each in run.asked if each.startswith("POST")] == [], "no page that is looked at files"
    assert say("filing.outbox.empty") in text(
        go(again.browser, again.browser.get(again.at("outbox")), again.at("outbox"))
    )
    assert len(filed(run, patient, "QuestionnaireResponse")) == 1


def locked_owner(run: Running, chart: Chart, patient: str):  # type: ignore[no-untyped-def]
    """Whose the drafts of a handed-over launch are."""
    chart_of_another = log_in(run, patient=patient, browser=Browser())
    secret = chart_of_another.browser.jar["127.0.0.1"][f"__Host-l-{chart_of_another.id[:8]}"]
    return run.store.handovers.locked(chart_of_another.id, secret, run.clock()).owner


def test_after_the_submit_every_page_says_finished(run: Running, chart: Chart) -> None:
    start = steps.give(chart)
    steps.hand_in(chart.browser, steps.answer_alone(chart.browser, start, answers(2), "A hard month"))
    for path in ("", "1", "15", "all", "comment", "check", "back"):
        page = chart.browser.get(urljoin(start.url, path))
        assert (page.status_code, heading(page)) == (200, FINISHED)
        assert "hard month" not in page.text
        assert page.text.count("<a ") == page.text.count('class="ds-skip-link"'), "it links nowhere"
    late = chart.browser.get(urljoin(start.url, ""))
    assert post(chart.browser, late, urljoin(start.url, "keep"), **{"01": "01-5"}).status_code in (403, 409)
    steps.take_back(chart)
    over = chart.browser.get(start.url)
    assert heading(over) == FINISHED
    assert 'name="pin"' not in over.text


def test_once_it_is_finished_the_screen_names_nobody_and_soon_opens_no_more(run: Running, chart: Chart) -> None:
    start = steps.give(chart)
    assert "Eva Berg" in start.text
    pages = [steps.hand_in(chart.browser, steps.answer_alone(chart.browser, start, answers(2)))]
    pages += [chart.browser.get(urljoin(start.url, path)) for path in ("", "back")]
    steps.take_back(chart)
    pages += [chart.browser.get(start.url)]
    assert [heading(page) for page in pages] == [FINISHED] * 4
    assert not [page.url for page in pages if "Eva" in page.text or "Berg" in page.text or "1988" in page.text]
    run.clock.ahead += timedelta(minutes=10, seconds=1)
    assert chart.browser.get(start.url).status_code == 404


def test_taken_back_unfinished_the_screen_names_nobody(run: Running, chart: Chart) -> None:
    start = steps.give(chart)
    steps.take_back(chart)
    page = chart.browser.get(start.url)
    assert heading(page) == say("patient.given_back")
    assert "Berg" not in page.text


def test_a_browser_keeps_the_cookie_of_its_last_hand_over_alone(run: Running, chart: Chart) -> None:
    urls = []
    for _ in range(2):
        urls.append(steps.give(chart).url)
        steps.take_back(chart)
    held = [name for name in chart.browser.jar["127.0.0.1"] if name.startswith("__Host-p-")]
    assert held == [f"__Host-p-{urlsplit(urls[1]).path.split('/')[2][:8]}"]


def test_from_a_frame_a_window_of_its_own(run: Running, patient: str, framed: Chart) -> None:
    give = framed.browser.get(framed.at("give"))
    assert say("hand.framed") in text(give)
    offered = go(framed.browser, give, framed.at("give"), pin=PIN)
    assert 'target="_blank"' in offered.text
    assert int(offered.headers["Refresh"]) < LIFETIME.total_seconds()
    ticket = steps.hidden(offered)["ticket"]
    window = Browser()
    start = window.follow(window.post(f"{run.url}/p/open", data={"ticket": ticket}))
    assert heading(start) == say("patient.hello", name="Eva")
    assert [line for line in window.set if "Partitioned" in line] == []
    assert "frame-ancestors 'none'" in start.headers["Content-Security-Policy"]
    spent = Browser().post(f"{run.url}/p/open", data={"ticket": ticket})
    assert (spent.status_code, say("patient.late") in text(spent)) == (410, True)
    assert 'name="ticket"' not in framed.browser.get(framed.at("locked")).text, "it was opened once"
    done = steps.hand_in(window, steps.answer_alone(window, start, answers(2)))
    assert say("patient.done.close") in text(done)
    assert 'name="pin"' not in done.text
    assert heading(steps.take_back(framed)) == say("safety.today")
    assert len(filed(run, patient, "QuestionnaireResponse")) == 1


def test_a_ticket_lives_thirty_seconds(run: Running, framed: Chart) -> None:
    offered = go(framed.browser, framed.browser.get(framed.at("give")), framed.at("give"), pin=PIN)
    run.clock.ahead = LIFETIME + timedelta(seconds=1)
    late = Browser().post(f"{run.url}/p/open", data=steps.hidden(offered))
    assert (late.status_code, say("patient.late") in text(late)) == (410, True)
    anew = framed.browser.get(framed.at("locked"))
    assert Browser().post(f"{run.url}/p/open", data=steps.hidden(anew)).status_code == 303


def test_the_pin_may_be_entered_before_the_window_is_opened(run: Running, framed: Chart) -> None:
    offered = go(framed.browser, framed.browser.get(framed.at("give")), framed.at("give"), pin=PIN)
    page = framed.browser.get(urljoin(offered.url, "locked?pin=1"))
    assert "Refresh" not in page.headers, "a PIN that is being typed is not wiped"
    assert heading(go(framed.browser, page, framed.at("back"), pin=PIN)) == say("safety.today")


def test_no_name_of_a_patient_in_a_title_or_an_address(run: Running, chart: Chart) -> None:
    start = steps.give(chart)
    steps.hand_in(chart.browser, steps.answer_alone(chart.browser, start, answers(2)))
    steps.take_back(chart)
    pages = [page for page in chart.browser.visited if page.url.startswith(run.url) and "<title>" in page.text]
    assert len(pages) > 20
    for page in pages:
        title = page.text.partition("<title>")[2].partition("</title>")[0]
        assert title
        assert "Eva" not in title
        assert "Eva" not in page.url
        assert page.headers["Cache-Control"] == "no-store"


def test_the_pin_page_speaks_the_launch_s_language(run: Running, chart: Chart) -> None:
    chart.browser.submit(chart.page, chart.at("language"), language="nb")
    assert heading(steps.give(chart)) == norsk("patient.hello", name="Eva")
    assert heading(chart.browser.get(chart.at("locked"))) == norsk("hand.locked.title")


def test_what_the_audit_log_has_of_it(run: Running, patient: str, chart: Chart) -> None:
    steps.answered_by_patient(chart)
    mine = steps.audited(run, patient)
    actions = [each["action"] for each in mine if each["action"] not in ("view", "log-in")]
    assert actions == ["hand-over", "save", "take-back", "send"]
    assert {each["user_key"] for each in mine} == {record_of(run, chart).user_key}


def test_the_language_of_the_answers_stays_that_of_the_patient(run: Running, patient: str, chart: Chart) -> None:
    """Though a clinician with another opens them, and hands them in."""
    steps.rate(chart)  # so that nothing is hidden
    check = steps.answer_alone(chart.browser, steps.give(chart), answers(3))
    go(chart.browser, chart.browser.get(urljoin(check.url, "back")), chart.at("back"), pin=PIN)
    chart.browser.submit(chart.browser.get(chart.url), chart.at("language"), language="nb")
    form = steps.begin(chart, "client")
    assert '<html lang="nb"' in form.text
    assert form.text.count('<fieldset class="item" id="item-') == form.text.count('lang="en">\n  <legend>') == 15
    go(chart.browser, form, do="complete", comment="")
    response = filed(run, patient, "QuestionnaireResponse")[-1]
    shown = {each["url"]: each.get("valueCode") for each in response["extension"]}
    assert shown[SHOWN_LANGUAGE] == "en"
    assert SHOWN_WORDING not in str(response)
