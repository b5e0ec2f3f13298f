"""SECURITY F as people meet it: what a hospital does wrong, the page that says so, and what can be done from there."""

from typing import Any

import pytest
import requests

from imr_fhir.ehr.limits import Limit
from smart_app.state import state_of
from tests.flows import steps
from tests.flows.filings import NOTHING, ONCE, act, buttons, count, let_time_pass, writes
from tests.flows.steps import SAVED, answers, filed, go, heading, rate, say, text
from tests.flows.wrong import before_send, fault, in_front, loses_the_reply_and_goes_down
from tests.running import SITE, Chart, Running, log_in

REASON = "Looked it up with a colleague"


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run)


@pytest.fixture
def chart(run: Running, patient: str) -> Chart:
    return log_in(run, patient=patient)


def test_a_lost_reply_is_looked_for_and_found(run: Running, patient: str, chart: Chart) -> None:
    with fault(run, "lost-reply"):
        assert heading(rate(chart)) == SAVED
    assert count(run, patient) == ONCE


@pytest.fixture
def unknown(run: Running, chart: Chart) -> requests.Response:
    """The page of a filing whose reply was lost, at a hospital that is down since."""
    with in_front(run, loses_the_reply_and_goes_down(run)):
        page = rate(chart)
    assert heading(page) == say("filing.unknown.title")
    assert say("save.unknown") in text(page)
    return page


def test_unknown_is_looked_for_and_never_sent_again_by_itself(
    run: Running, patient: str, chart: Chart, unknown: requests.Response
) -> None:
    assert buttons(unknown) == {"send"}, "nothing else is offered while it may still arrive"
    run.asked.clear()
    assert heading(act(chart, unknown, "send")) == say("filing.unknown.title")
    assert heading(act(chart, unknown, "again", REASON)) == say("filing.unknown.title"), "a hidden button does nothing"
    assert writes(run) == []
    run.hospital.hospital.faults.switch_off("down")
    assert heading(act(chart, unknown, "send")) == SAVED
    assert count(run, patient) == ONCE


def test_unknown_where_a_person_says_that_it_is_there(
    run: Running, patient: str, chart: Chart, unknown: requests.Response
) -> None:
    let_time_pass(run, 11)
    later = chart.browser.get(unknown.url)
    assert buttons(later) == {"send", "there", "again"}
    assert say("form.error.reason") in text(act(chart, later, "there"))
    assert heading(act(chart, later, "there", REASON)) == SAVED
    decided = [each for each in steps.audited(run, patient) if each["action"] == "decide"][-1]
    assert decided["purpose"] == REASON


def test_unknown_where_a_person_sends_it_again(
    run: Running, patient: str, chart: Chart, unknown: requests.Response
) -> None:
    let_time_pass(run, 11)
    run.hospital.hospital.faults.switch_off("down")
    assert heading(act(chart, chart.browser.get(unknown.url), "again", REASON)) == SAVED
    assert count(run, patient) == ONCE, "the same identifier is never there twice"


def test_what_never_arrived_waits_ten_seconds_and_a_press(run: Running, patient: str, chart: Chart) -> None:
    with fault(run, "stale"):  # 412 to a transaction says nothing of what became of it
        page = rate(chart)
        assert heading(page) == say("filing.unknown.title")
    assert heading(act(chart, page, "send")) == say("filing.unknown.title"), "a search is not believed at once"
    let_time_pass(run, 11)
    waiting = act(chart, page, "send")
    assert heading(waiting) == say("filing.waiting.title")
    assert count(run, patient) == NOTHING
    assert heading(act(chart, waiting, "send")) == SAVED
    assert count(run, patient) == ONCE


def test_a_hospital_slower_than_the_deadline(
    run: Running, patient: str, chart: Chart, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending = state_of(run.app).hospitals[SITE].transport
    monkeypatch.setattr(sending, "_limits", {**sending._limits, "write": Limit(0.1, 10_000_000)})
    with fault(run, "delay-200ms"):
        page = rate(chart)
    monkeypatch.undo()
    if heading(page) != SAVED:
        let_time_pass(run, 11)
        page = act(chart, page, "send")
    assert heading(page) == SAVED
    assert count(run, patient) == ONCE


@pytest.mark.parametrize("name", ["down", "busy"])
def test_waiting_goes_with_the_next_press(run: Running, patient: str, chart: Chart, name: str) -> None:
    form = steps.begin(chart)
    with fault(run, name):
        page = go(chart.browser, form, do="complete", **answers())
    if name == "down":  # a proxy's 503 without Retry-After says nothing of what became of it
        let_time_pass(run, 11)
        page = act(chart, page, "send")
    assert heading(page) == say("filing.waiting.title")
    assert "Eva" not in page.text.partition("<title>")[2].partition("</title>")[0]
    assert say("waiting.text", n=1) in text(chart.browser.get(chart.url))
    if name == "busy":
        run.asked.clear()
        act(chart, page, "send")
        assert writes(run) == [], "the hospital said when to come again"
        let_time_pass(run, 3)
    assert heading(act(chart, page, "send")) == SAVED
    assert count(run, patient) == ONCE


def test_the_outbox_at_the_next_launch(run: Running, patient: str, chart: Chart) -> None:
    form, goal = steps.begin(chart), chart.browser.get(chart.at("goal/new"))
    with fault(run, "busy"):
        go(chart.browser, form, do="complete", **answers())
        go(chart.browser, goal, do="save", text="A dog")
    let_time_pass(run, 3)
    again, colleague = log_in(run, patient=patient), log_in(run, patient=patient, user="Practitioner/ola")
    elsewhere = log_in(run, patient=steps.new_patient(run))
    assert say("waiting.text", n=2) in text(again.page)
    for other in (colleague, elsewhere):
        assert say("waiting.text", n=2) not in text(other.page)
    run.asked.clear()
    outbox = again.browser.get(again.at("outbox"))
    assert writes(run) == [], "looking files nothing"
    assert say("filing.outbox.empty") in text(go(again.browser, outbox, again.at("outbox")))
    assert count(run, patient)["responses"] == 1
    assert len(filed(run, patient, "Goal")) == 1


def test_another_user_s_is_named_and_filed_with_a_reason(run: Running, patient: str, chart: Chart) -> None:
    form = steps.begin(chart)
    with fault(run, "busy"):
        page = go(chart.browser, form, do="complete", **answers(), comment="Not to be lost")
    let_time_pass(run, 3)
    colleague = log_in(run, patient=patient, user="Practitioner/ola")
    outbox = colleague.browser.get(colleague.at("outbox"))
    assert "Kari Nilsen" in text(outbox)
    seen = colleague.browser.get(colleague.at(f"saved/{page.url.rpartition('/')[2]}"))
    assert say("filing.by", name="Kari Nilsen") in text(seen)
    assert "Not to be lost" in text(seen), "it can be printed"
    assert say("form.error.reason") in text(act(colleague, seen, "send"))
    assert heading(act(colleague, seen, "send", "Kari is on holiday")) == SAVED
    (response,) = filed(run, patient, "QuestionnaireResponse")
    assert response["author"] == {"reference": "Practitioner/kari"}
    sent = [each for each in steps.audited(run, patient) if each["action"] == "send"][-2]
    assert (sent["display"], sent["purpose"]) == ("Ola Hansen", "Kari is on holiday")
    as_sealed, entered = steps.told_of(run, response)
    people = [[each["who"].get("reference") for each in told["agent"]][:2] for told in (as_sealed, entered)]
    assert people == [["Practitioner/kari", None], ["Practitioner/kari", "Practitioner/ola"]]
    assert entered["reason"] == [{"text": "Kari is on holiday"}]


def test_something_else_is_there_under_the_same_identifier(run: Running, patient: str, chart: Chart) -> None:
    def take_the_identifier(bundle: Any) -> None:
        response = next(each["resource"] for each in bundle["entry"] if "item" in each["resource"])
        steps.put(run, response | {"id": f"{patient}-other", "status": "entered-in-error"})

    with in_front(run, before_send(run, take_the_identifier)):
        page = rate(chart)
    assert heading(page) == say("filing.duplicate.title")
    assert say("filing.duplicate") in text(page)
    assert buttons(page) == {"choose", "drop"}, "one that is withdrawn there can't be corrected"
    assert (
        f"{say('version.status')} {say('version.status.completed')} {say('version.status.entered-in-error')}"
        in text(page)
    )
    assert heading(act(chart, page, "drop", REASON)) == say("filing.withdrawn.title")


def test_what_the_scopes_leave_out_is_not_written(run: Running, patient: str) -> None:
    """A grant that holds no right to write: said before anyone types, kept and printable after."""
    chart = log_in(run, patient=patient, faults=("cut-scopes",))
    form = steps.begin(chart)
    assert say("plan.answers.print") in text(form)
    assert say("plan.goals.none") in text(chart.browser.get(chart.at("goal/new")))
    page = go(chart.browser, form, do="complete", **answers(), comment="For the paper file")
    assert heading(page) == say("filing.printed.title")
    assert "For the paper file" in text(page)
    assert buttons(page) == {"printed", "drop"}
    assert count(run, patient) == NOTHING


def test_a_log_in_that_is_over_keeps_it(run: Running, patient: str, chart: Chart) -> None:
    """The token was ended at the hospital and is not renewed: it waits for the next launch."""
    form = steps.begin(chart)
    vault = run.hospital.hospital.vault
    with run.app.test_request_context():
        from tests.web.steps import record_of

        tokens = record_of(run, chart).tokens
    entry = vault.look("access", tokens.access_token)
    assert entry
    vault.revoke(entry.family)
    page = go(chart.browser, form, do="complete", **answers())
    assert heading(page) == say("filing.waiting.title")
    again = log_in(run, patient=patient)
    outbox = again.browser.get(again.at("outbox"))
    saved = go(again.browser, outbox, again.at("outbox"))
    assert (heading(outbox), heading(saved)) == (say("filing.outbox"), SAVED)
    assert say("filing.outbox.empty") in text(saved)
    assert count(run, patient) == ONCE


def test_what_a_colleague_left_is_not_called_saved(run: Running, patient: str, chart: Chart) -> None:
    form = steps.begin(chart)
    with fault(run, "busy"):
        page = go(chart.browser, form, do="complete", **answers())
    assert heading(page) == say("filing.waiting.title")
    colleague = log_in(run, patient=patient, user="Practitioner/ola")
    outbox = colleague.browser.get(colleague.at("outbox"))
    assert say("filing.outbox.others") in text(outbox)
    assert (heading(outbox), say("filing.outbox.empty") in text(outbox)) == (say("filing.outbox"), False)


def test_nothing_that_is_not_offered_is_done(run: Running, chart: Chart) -> None:
    page = rate(chart)
    for do in ("", "replan", "there'; --"):
        assert chart.browser.post(page.url, data=steps.hidden(chart.page) | {"do": do}).status_code in (400, 403)
    for do in ("send", "again", "there", "drop", "apart", "without"):
        form = chart.browser.get(chart.url)
        answer = chart.browser.submit(form, page.url, do=do, reason=REASON)
        assert heading(chart.browser.follow(answer)) == SAVED
    assert chart.browser.get(chart.at("saved/none")).status_code == 404
