"""SECURITY F as people meet it: what a hospital does wrong, the page that says so, and what can be done from there."""

from datetime import timedelta
from typing import Any

import pytest
import requests

from imr_fhir.ehr.transport import Limit
from smart_app.sandbox import fhir_api
from smart_app.sandbox.capability import capability_statement
from smart_app.state import state_of
from tests.flows import steps
from tests.flows.steps import SAVED, answers, filed, go, heading, rate, say, text
from tests.flows.wrong import before_send, fault, in_front, loses_the_reply_and_goes_down, refuses
from tests.running import SITE, Chart, Running, log_in

REASON = "Looked it up with a colleague"
ONCE = {"responses": 1, "scores": 1, "told": 1}
NOTHING = {"responses": 0, "scores": 0, "told": 0}


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run)


@pytest.fixture
def chart(run: Running, patient: str) -> Chart:
    return log_in(run, patient=patient)


def act(chart: Chart, page: requests.Response, do: str, reason: str = "") -> requests.Response:
    return go(chart.browser, page, do=do, reason=reason)


def buttons(page: requests.Response) -> set[str]:
    return {each.partition('"')[0] for each in page.text.split('name="do" value="')[1:]}


def let_time_pass(run: Running, seconds: int) -> None:
    """By the app's clock, and by the database's, which lost replies and waits go by."""
    run.clock.ahead += timedelta(seconds=seconds)
    with run.store.writing() as connection:
        for column in ("lost_at", "not_before"):
            connection.exec_driver_sql(f"UPDATE filing SET {column} = {column} - {seconds * 1000}")


def count(run: Running, patient: str) -> dict[str, int]:
    responses = filed(run, patient, "QuestionnaireResponse")
    told = sum(len(steps.told_of(run, each)) for each in responses)
    return {"responses": len(responses), "scores": len(filed(run, patient, "Observation")), "told": told}


def writes(run: Running) -> list[str]:
    return [each for each in run.asked if each.startswith(("POST /fhir", "PUT /fhir"))]


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
        page = go(chart.browser, form, do="complete", **answers())
    let_time_pass(run, 3)
    colleague = log_in(run, patient=patient, user="Practitioner/ola")
    outbox = colleague.browser.get(colleague.at("outbox"))
    assert "Kari Nilsen" in text(outbox)
    seen = colleague.browser.get(colleague.at(f"saved/{page.url.rpartition('/')[2]}"))
    assert say("filing.by", name="Kari Nilsen") in text(seen)
    assert say("form.error.reason") in text(act(colleague, seen, "send"))
    assert heading(act(colleague, seen, "send", "Kari is on holiday")) == SAVED
    (response,) = filed(run, patient, "QuestionnaireResponse")
    assert response["author"] == {"reference": "Practitioner/kari"}
    sent = [each for each in steps.audited(run, patient) if each["action"] == "send"][-1]
    assert (sent["display"], sent["purpose"]) == ("Ola Hansen", "Kari is on holiday")


def test_refused_is_kept_shown_and_tried_part_by_part(run: Running, patient: str, chart: Chart) -> None:
    form = steps.begin(chart)
    with fault(run, "forbid-create"):
        page = go(chart.browser, form, do="complete", **answers(), comment="Not to be lost")
        assert heading(page) == say("filing.refused.title")
        assert "Not to be lost" in text(page)
        assert "(403)" in text(page)
        apart = act(chart, page, "apart")
        assert heading(apart) == say("filing.refused.title")
        assert buttons(apart) == {"drop"}
    assert count(run, patient) == NOTHING
    assert say("form.error.reason") in text(act(chart, apart, "drop"))
    dropped = act(chart, apart, "drop", "Written on paper")
    assert heading(dropped) == say("filing.withdrawn.title")
    assert say("filing.outbox.empty") in text(chart.browser.get(chart.at("outbox")))


def test_refused_as_a_whole_and_taken_part_by_part(run: Running, patient: str, chart: Chart) -> None:
    with in_front(run, refuses(run, "/fhir")):
        page = rate(chart)
        assert heading(page) == say("filing.refused.title")
        assert heading(act(chart, page, "apart")) == SAVED
    assert count(run, patient) == ONCE
    (response,), (score,) = filed(run, patient, "QuestionnaireResponse"), filed(run, patient, "Observation")
    assert score["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{response['id']}"}]


def test_who_wrote_it_refused(run: Running, patient: str, chart: Chart) -> None:
    with in_front(run, refuses(run, "/fhir", "/fhir/Provenance")):
        part = act(chart, rate(chart), "apart")
        assert heading(part) == say("filing.refused.title")
        assert buttons(part) == {"without", "drop"}
        assert heading(act(chart, part, "without")) == SAVED
    assert count(run, patient) == ONCE | {"told": 0}


def test_a_part_refused_after_another_was_taken(run: Running, patient: str, chart: Chart) -> None:
    with in_front(run, refuses(run, "/fhir", "/fhir/Observation")):
        part = act(chart, rate(chart), "apart")
    assert heading(part) == say("filing.refused.title")
    shown = text(part)
    assert f"{say('filing.part.response')}: {say('filing.state.saved')}" in shown
    assert f"{say('filing.part.score')}: {say('filing.state.refused')}" in shown
    assert heading(act(chart, part, "drop", "Noted by hand")) == say("filing.withdrawn.title")
    assert count(run, patient) == {"responses": 1, "scores": 0, "told": 0}


def test_something_else_is_there_under_the_same_identifier(run: Running, patient: str, chart: Chart) -> None:
    def take_the_identifier(bundle: Any) -> None:
        response = next(each["resource"] for each in bundle["entry"] if "item" in each["resource"])
        steps.put(run, response | {"id": f"{patient}-other", "status": "entered-in-error"})

    with in_front(run, before_send(run, take_the_identifier)):
        page = rate(chart)
    assert heading(page) == say("filing.duplicate.title")
    assert say("filing.duplicate") in text(page)
    assert say("filing.there_now") in text(page)
    assert f"QuestionnaireResponse/{patient}-other" in text(page)
    assert buttons(page) == {"drop"}
    assert heading(act(chart, page, "drop", REASON)) == say("filing.withdrawn.title")


@pytest.fixture
def one_by_one(run: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """An EHR that knows no transactions, and says so."""

    def without(config: Any) -> dict[str, Any]:
        said = capability_statement(config)
        said["rest"][0]["interaction"] = []
        return said

    monkeypatch.setattr(fhir_api, "capability_statement", without)


@pytest.mark.usefixtures("one_by_one")
def test_without_transactions_part_by_part(run: Running, patient: str, chart: Chart) -> None:
    form = steps.begin(chart)
    run.asked.clear()
    assert heading(go(chart.browser, form, do="complete", **answers())) == SAVED
    assert writes(run) == ["POST /fhir/QuestionnaireResponse", "POST /fhir/Observation", "POST /fhir/Provenance"]
    assert count(run, patient) == ONCE


@pytest.mark.usefixtures("one_by_one")
def test_without_transactions_a_part_waits_and_none_is_sent_twice(run: Running, patient: str, chart: Chart) -> None:
    form = steps.begin(chart)

    def busy_for_scores(hospital: Any) -> Any:
        def answering(environ: Any, start_response: Any) -> Any:
            if environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"] == "/fhir/Observation":
                start_response("429 Too Many Requests", [("Content-Length", "0")])
                return [b""]
            return hospital(environ, start_response)

        return answering

    with in_front(run, busy_for_scores):
        page = go(chart.browser, form, do="complete", **answers())
    assert heading(page) == say("filing.waiting.title")
    assert f"{say('filing.part.response')}: {say('filing.state.saved')}" in text(page)
    run.asked.clear()
    assert heading(act(chart, page, "send")) == SAVED
    assert writes(run) == ["POST /fhir/Observation", "POST /fhir/Provenance"]
    assert count(run, patient) == ONCE


@pytest.mark.usefixtures("one_by_one")
def test_without_transactions_a_lost_reply_of_one_part(run: Running, patient: str, chart: Chart) -> None:
    form = steps.begin(chart)
    with fault(run, "lost-reply"):
        assert heading(go(chart.browser, form, do="complete", **answers())) == SAVED
    assert count(run, patient) == ONCE


def test_what_the_scopes_leave_out_is_not_written(run: Running, patient: str) -> None:
    """A grant that holds no right to write: said before anyone types, kept and printable after."""
    chart = log_in(run, patient=patient, faults=("cut-scopes",))
    form = steps.begin(chart)
    assert say("form.where.printed") in text(form)
    assert say("goals.where.printed") in text(chart.browser.get(chart.at("goal/new")))
    page = go(chart.browser, form, do="complete", **answers(), comment="For the paper file")
    assert heading(page) == say("filing.refused.title")
    assert "For the paper file" in text(page)
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
    assert say("filing.outbox.empty") in text(go(again.browser, outbox, again.at("outbox")))
    assert count(run, patient) == ONCE


def test_nothing_that_is_not_offered_is_done(run: Running, chart: Chart) -> None:
    page = rate(chart)
    for do in ("", "replan", "there'; --"):
        assert chart.browser.post(page.url, data=steps.hidden(chart.page) | {"do": do}).status_code in (400, 403)
    for do in ("send", "again", "there", "drop", "apart", "without"):
        form = chart.browser.get(chart.url)
        answer = chart.browser.submit(form, page.url, do=do, reason=REASON)
        assert heading(chart.browser.follow(answer)) == SAVED
    assert chart.browser.get(chart.at("saved/none")).status_code == 404
