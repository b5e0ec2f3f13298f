"""A filing whose parts go their own ways: at an EHR without transactions, or where one part is refused."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from smart_app.sandbox import fhir_api
from smart_app.sandbox.capability import capability_statement
from tests.flows import steps
from tests.flows.filings import NOTHING, ONCE, act, buttons, count, writes
from tests.flows.steps import SAVED, answers, filed, go, heading, rate, say, text
from tests.flows.wrong import fault, in_front, refuses
from tests.running import Chart, Running, log_in


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run)


@pytest.fixture
def chart(run: Running, patient: str) -> Chart:
    return log_in(run, patient=patient)


def test_refused_is_kept_shown_and_tried_part_by_part(run: Running, patient: str, chart: Chart) -> None:
    form = steps.begin(chart)
    with fault(run, "forbid-create"):
        page = go(chart.browser, form, do="complete", **answers(), comment="Not to be lost")
        assert heading(page) == say("filing.refused.title")
        assert "Not to be lost" in text(page)
        assert "(403)" in text(page)
        apart = act(chart, page, "apart")
        assert heading(apart) == say("filing.refused.title")
        assert say("plan.weaker.transaction") not in text(chart.browser.get(chart.url)), "the refusal was of a part"
        assert buttons(apart) == {"down", "drop"}
        assert say("filing.down.components") in text(apart)
        lower = act(chart, apart, "down")
        assert (heading(lower), buttons(lower)) == (say("filing.refused.title"), {"down", "drop"})
        assert say("filing.down.print") in text(lower)
        printed = act(chart, lower, "down")
    assert heading(printed) == say("filing.printed.title")
    assert ("Not to be lost" in text(printed), buttons(printed)) == (True, {"down", "printed", "drop"})
    assert count(run, patient) == NOTHING
    assert say("form.error.reason") in text(act(chart, printed, "drop"))
    dropped = act(chart, printed, "drop", "Written on paper")
    assert heading(dropped) == say("filing.withdrawn.title")
    assert say("filing.outbox.empty") in text(chart.browser.get(chart.at("outbox")))


def test_refused_as_a_whole_and_taken_part_by_part(run: Running, patient: str, chart: Chart) -> None:
    with in_front(run, refuses(run, "/fhir")):
        page = rate(chart)
        assert heading(page) == say("filing.refused.title")
        assert say("plan.weaker.transaction") not in text(chart.browser.get(chart.url)), "it may be about one part"
        assert heading(act(chart, page, "apart")) == SAVED
    assert say("plan.weaker.transaction") in text(chart.browser.get(chart.url)), "it was not: known at once"
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
    assert buttons(part) == {"down", "drop"}
    shown = text(part)
    assert f"{say('filing.part.response')}: {say('filing.state.saved')}" in shown
    assert f"{say('filing.part.score')}: {say('filing.state.refused')}" in shown
    assert heading(act(chart, part, "drop", "Noted by hand")) == say("filing.withdrawn.title")
    assert count(run, patient) == {"responses": 1, "scores": 0, "told": 0}


def test_a_score_that_is_refused_is_left_out(run: Running, patient: str, chart: Chart) -> None:
    with in_front(run, refuses(run, "/fhir", "/fhir/Observation")):
        part = act(chart, rate(chart), "apart")
        assert say("filing.down.score") in text(part)
        assert heading(act(chart, part, "down")) == SAVED
    assert count(run, patient) == {"responses": 1, "scores": 0, "told": 1}


def test_answers_that_are_refused_as_a_form_go_a_rung_lower_and_are_read_from_there(
    run: Running, patient: str, chart: Chart
) -> None:
    with in_front(run, refuses(run, "/fhir", "/fhir/QuestionnaireResponse")):
        part = act(chart, rate(chart, said=answers(3, {13: "na"})), "apart")
        assert say("filing.down.components") in text(part)
        saved = act(chart, part, "down")
        assert (heading(saved), "13." in text(saved)) == (SAVED, True)
    assert filed(run, patient, "QuestionnaireResponse") == []
    (score,) = filed(run, patient, "Observation")
    assert len(steps.told_of(run, score)) == 1
    panel = chart.browser.get(chart.url)
    assert say("rating.kept.components") in text(panel)
    assert say("plan.answers.components") in text(panel), "known at once"
    assert say("plan.answers.refused") in text(panel)
    again = log_in(run, patient=patient)
    assert say("plan.answers.components") in text(again.browser.get(again.url))
    correction = steps.correct(chart, f"Observation~{score['id']}")
    assert heading(go(chart.browser, correction, do="complete", reason="Misread", **{"06": "06-5"})) == SAVED
    withdrawn = chart.browser.open(chart.at(f"response/Observation~{score['id']}/withdraw"))
    assert heading(go(chart.browser, withdrawn, reason="Another patient's")) == SAVED
    (score,) = filed(run, patient, "Observation")
    assert (score["status"], len(steps.told_of(run, score))) == ("entered-in-error", 3)


def test_what_was_refused_is_asked_again_after_a_week(run: Running, patient: str, chart: Chart) -> None:
    with in_front(run, refuses(run, "/fhir", "/fhir/QuestionnaireResponse")):
        act(chart, rate(chart), "apart")
    for days, said in ((6, "plan.answers.components"), (8, "plan.answers.form")):
        with run.store.writing() as connection:
            aged = run.clock() - timedelta(days=days)
            connection.exec_driver_sql(f"UPDATE refusal SET refused_at = {int(aged.timestamp() * 1000)}")
        later = log_in(run, patient=patient)
        assert say(said) in text(later.browser.get(later.url))
    colleague = log_in(run, patient=patient, user="Practitioner/ola")
    assert say("plan.answers.form") in text(colleague.browser.get(colleague.url))


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


def test_a_goal_that_was_kept_to_be_printed_is_offered_again_once_there_is_a_place(
    run: Running, patient: str, chart: Chart
) -> None:
    form = chart.browser.get(chart.at("goal/new"))
    typed = {"text": "The choir", "theirs": "yes", "step-1": "Ring them", "helps": "The sea"}
    with fault(run, "forbid-create"):
        page = go(chart.browser, form, do="save", **typed)
        while 'value="down"' in page.text or 'value="apart"' in page.text:
            page = act(chart, page, "apart" if 'value="apart"' in page.text else "down")
    assert heading(page) == say("filing.printed.title")
    assert "down" not in buttons(page), "the record said no, and is not asked again at once"
    with run.store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM refusal")  # as after a week
    later = log_in(run, patient=patient)
    assert say("waiting.placed", n=1) in text(later.page)
    shown = later.browser.get(later.at(f"saved/{page.url.rpartition('/')[2]}"))
    assert say("filing.down.goal") in text(shown)
    saved = act(later, shown, "down")
    assert heading(saved) == SAVED
    goal, step = filed(run, patient, "Goal")
    assert goal["description"]["text"] == "The choir"
    (helps,) = filed(run, patient, "Observation")
    assert helps["focus"] == [{"reference": f"Goal/{goal['id']}"}]
    (told,) = steps.told_of(run, goal)
    assert told["agent"][0]["who"] == {"reference": f"Patient/{patient}"}
    assert len(told["target"]) == 3
    assert step["id"] != goal["id"]


def to_paper(chart: Chart, page: requests.Response) -> requests.Response:
    """Every next rung that is offered, until it is to be printed."""
    while heading(page) == say("filing.refused.title"):
        page = act(chart, page, next(each for each in ("apart", "down") if each in buttons(page)))
    return page


def forget_refusals(run: Running) -> None:
    """As after a week."""
    with run.store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM refusal")


def test_notes_that_were_refused_beside_their_goal_are_offered_again(run: Running, patient: str, chart: Chart) -> None:
    form = chart.browser.get(chart.at("goal/new"))
    typed = {"text": "The choir", "theirs": "yes", "step-1": "Ring them", "helps": "The sea", "hinders": "The bus"}
    with in_front(run, refuses(run, "/fhir", "/fhir/Observation")):
        page = to_paper(chart, go(chart.browser, form, do="save", **typed))
    assert heading(page) == say("filing.rest.title")
    assert "The sea" in text(page)
    assert (len(filed(run, patient, "Goal")), buttons(page)) == (2, {"printed"})
    forget_refusals(run)
    later = log_in(run, patient=patient)
    assert say("waiting.placed", n=1) in text(later.page)
    assert say("filing.placed") in text(later.browser.get(later.at("outbox")))
    shown = later.browser.get(later.at(f"saved/{page.url.rpartition('/')[2]}"))
    assert (say("filing.down.note") in text(shown), buttons(shown)) == (True, {"down", "printed"})
    run.asked.clear()
    saved = act(later, shown, "down")
    assert heading(saved) == SAVED
    assert not [each for each in writes(run) if "Goal" in each], "what the record has is not sent again"
    goal, _ = filed(run, patient, "Goal")
    notes = filed(run, patient, "Observation")
    assert {each["valueString"] for each in notes} == {"The sea", "The bus"}
    assert {each["focus"][0]["reference"] for each in notes} == {f"Goal/{goal['id']}"}
    assert [len(steps.told_of(run, each)) for each in (goal, *notes)] == [1, 1, 1]
    assert say("filing.outbox.empty") in text(later.browser.get(later.at("outbox")))


def test_so_is_a_note_by_itself(run: Running, patient: str, chart: Chart) -> None:
    rate(chart)
    before = len(filed(run, patient, "Observation"))
    with in_front(run, refuses(run, "/fhir", "/fhir/Observation")):
        panel = chart.browser.get(chart.url)
        chart.browser.submit(panel, chart.at("not-today"), outcome="declined", **{"new-date": "2027-01-15"})
        outbox = chart.browser.get(chart.at("outbox"))
        (link,) = re.findall(r'href="(/l/[^"]+/saved/[^"]+)"', outbox.text)
        page = to_paper(chart, chart.browser.get(urljoin(chart.url, link)))
    assert heading(page) == say("filing.printed.title")
    assert say("due.ask_on", date="15 January 2027") in text(page), "the paper has the date"
    forget_refusals(run)
    shown = chart.browser.get(page.url)
    assert heading(act(chart, shown, "down")) == SAVED
    assert len(filed(run, patient, "Observation")) == before + 1


def test_a_correction_that_was_refused_keeps_its_reason_and_is_offered_again(
    run: Running, patient: str, chart: Chart
) -> None:
    rate(chart)
    (response,) = filed(run, patient, "QuestionnaireResponse")
    form = steps.correct(chart, response["id"])
    here = f"/fhir/QuestionnaireResponse/{response['id']}"
    with in_front(run, refuses(run, "/fhir", here)):
        page = to_paper(chart, go(chart.browser, form, do="complete", reason="Misread it", **{"06": "06-5"}))
    assert heading(page) == say("filing.printed.title")
    assert "Misread it" in text(page)
    assert say("filing.change") in text(page)
    assert heading(act(chart, page, "change")) == SAVED
    (response,), (score,) = filed(run, patient, "QuestionnaireResponse"), filed(run, patient, "Observation")
    assert (response["status"], score["status"]) == ("amended", "corrected")
    (told,) = [each for each in steps.told_of(run, response) if "reason" in each]
    assert (told["reason"], len(told["target"])) == ([{"text": "Misread it"}], 2)


def test_a_review_too(run: Running, patient: str, chart: Chart) -> None:
    new = chart.browser.get(chart.at("goal/new"))
    go(chart.browser, new, do="save", text="The choir", theirs="yes")
    link = re.search(r'href="([^"]+/review)"', chart.browser.get(chart.url).text)
    assert link
    form = chart.browser.get(urljoin(chart.url, link[1]))
    (goal,) = filed(run, patient, "Goal")
    with in_front(run, refuses(run, "/fhir", "/fhir/Observation", f"/fhir/Goal/{goal['id']}")):
        page = go(chart.browser, form, do="save", **{"result-goal": "going"})
        while 'value="down"' in page.text or 'value="apart"' in page.text:
            page = act(chart, page, "apart" if 'value="apart"' in page.text else "down")
    assert heading(page) == say("filing.printed.title")
    with run.store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM refusal")
    shown = chart.browser.get(page.url)
    assert say("filing.down.note") in text(shown)
    assert heading(act(chart, shown, "down")) == SAVED
    (review,) = filed(run, patient, "Observation")
    (goal,) = filed(run, patient, "Goal")
    assert review["focus"] == [{"reference": f"Goal/{goal['id']}"}]
    assert goal["meta"]["versionId"] == "2", "changed once"
