"""Rules 18 to 20: worth talking about today, at hand-back and before the panel; afterwards both look together."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from tests.flows import steps
from tests.flows.filings import let_time_pass
from tests.flows.steps import answered_by_patient, answers, filed, go, heading, of_code, rate, say, text
from tests.flows.wrong import Wsgi, fault, in_front, is_send
from tests.running import Chart, Running, log_in, running

TALKED, _, KNOWN = say("today.taps", when="").split(" · ")


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run, course=True)


@pytest.fixture
def chart(run: Running, patient: str) -> Chart:
    return log_in(run, patient=patient)


def tap(chart: Chart, point: str, given: str, **fields: str):  # type: ignore[no-untyped-def]
    page = chart.browser.get(chart.at("today"))
    return go(chart.browser, page, chart.at("today"), point=point, tap=given, **fields)


def test_each_line_quotes_its_answer_and_takes_one_tap(run: Running, patient: str, chart: Chart) -> None:
    page = answered_by_patient(chart, answers(3, {9: "1", 10: "1"}), "I stopped my medicine")
    shown = text(page)
    assert heading(page) == say("safety.today")
    for line in (
        f"{say('today.point.relapse-recent')} “Within the last month”",
        f"{say('today.point.hospital-recent')} “Within the last month”",
        f"{say('today.point.comment')} “I stopped my medicine”",
        say("today.limits"),
    ):
        assert line in shown
    assert "Some" not in shown, "the other answers stay hidden until the clinician has rated"
    assert say("today.done", tap=TALKED) in text(tap(chart, "relapse-recent-09", "talked-about"))
    assert say("today.done", tap=KNOWN) in text(tap(chart, "comment-00", "known-already"))
    later = tap(chart, "hospital-recent-10", "will-follow-up", when="2026-12-24")
    assert "24 Dec 2026" in text(later)
    assert 'name="tap"' not in later.text
    (response,) = filed(run, patient, "QuestionnaireResponse")
    prompts = {
        next(each["valueCodeableConcept"]["coding"][0]["code"] for each in prompt["component"]): prompt
        for prompt in of_code(filed(run, patient, "Observation"), "prompt")
    }
    assert set(prompts) == {"relapse-recent", "hospital-recent", "comment"}
    for prompt in prompts.values():
        assert prompt["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{response['id']}"}]
        assert prompt["performer"] == [{"reference": "Practitioner/kari"}]
        assert len(steps.told_of(run, prompt)) == 1
    follow = prompts["hospital-recent"]
    assert follow["valueCodeableConcept"]["coding"][0]["code"] == "will-follow-up"
    assert "2026-12-24" in str(follow["component"])


def test_a_tap_is_filed_once_however_often_it_is_pressed(run: Running, patient: str, chart: Chart) -> None:
    answered_by_patient(chart, answers(3, {9: "1"}))
    first, second = chart.browser.get(chart.at("today")), chart.browser.get(chart.at("today"))
    for page in (first, second, first):
        go(chart.browser, page, chart.at("today"), point="relapse-recent-09", tap="talked-about")
    assert len(of_code(filed(run, patient, "Observation"), "prompt")) == 1


def withdrawn_there(run: Running, patient: str, code: str) -> None:
    for each in of_code(filed(run, patient, "Observation"), code):
        steps.put(run, each | {"status": "entered-in-error"})


def standing(run: Running, patient: str, code: str) -> list[str]:
    return [each["status"] for each in of_code(filed(run, patient, "Observation"), code)]


def deleted(path: str) -> Callable[[Wsgi], Wsgi]:
    def make(hospital: Wsgi) -> Wsgi:
        def answering(environ: Any, start_response: Any) -> Any:
            if environ["PATH_INFO"] == path:
                start_response("410 Gone", [("Content-Length", "0")])
                return [b""]
            return hospital(environ, start_response)

        return answering

    return make


def test_a_tap_that_was_entered_in_error_can_be_made_again(run: Running, patient: str, chart: Chart) -> None:
    answered_by_patient(chart, answers(3, {9: "1"}))
    old = chart.browser.get(chart.at("today"))
    tap(chart, "relapse-recent-09", "talked-about")
    for times in (1, 2):
        withdrawn_there(run, patient, "prompt")
        for _ in range(2):
            again = go(chart.browser, old, chart.at("today"), point="relapse-recent-09", tap="talked-about")
            assert say("today.done", tap=TALKED) in text(again)
        assert standing(run, patient, "prompt") == ["entered-in-error"] * times + ["final"]


def test_so_can_what_became_of_a_due_time(run: Running) -> None:
    patient = steps.new_patient(run, course=True)
    chart = log_in(run, patient=patient)
    old = chart.browser.get(chart.url)
    for _ in range(2):
        withdrawn_there(run, patient, "due-outcome")
        for _ in range(2):
            go(chart.browser, old, chart.at("not-today"), outcome="not-today")
    assert standing(run, patient, "due-outcome") == ["entered-in-error", "final"]
    gone = of_code(filed(run, patient, "Observation"), "due-outcome")[-1]["id"]
    with in_front(run, deleted(f"/fhir/Observation/{gone}")):
        go(chart.browser, old, chart.at("not-today"), outcome="not-today")
    assert standing(run, patient, "due-outcome") == ["entered-in-error", "final", "final"], "it had been deleted"


@pytest.mark.parametrize("what", ["newer answers", "a correction"])
def test_a_tap_ends_nothing_that_its_page_did_not_show(run: Running, patient: str, chart: Chart, what: str) -> None:
    answered_by_patient(chart, answers(3), "A quiet week")
    old = chart.browser.get(chart.at("today"))
    if what == "a correction":
        (response,) = filed(run, patient, "QuestionnaireResponse")
        steps.put(run, {**response, "item": [
            {**each, "answer": [{"valueString": "I can't go on"}]} if each["linkId"] == "comment" else each
            for each in response["item"]
        ]})  # fmt: skip
    else:
        other = log_in(run, patient=patient, user="Practitioner/ola")
        run.clock.ahead = timedelta(minutes=5)
        answered_by_patient(other, answers(3), "I can't go on")
    late = go(chart.browser, old, chart.at("today"), point="comment-00", tap="known-already")
    assert late.status_code == 409
    assert say("today.changed") in text(late)
    assert "I can't go on" in text(late)
    assert 'name="tap"' in late.text
    assert of_code(filed(run, patient, "Observation"), "prompt") == []


def busy_for_writes(hospital: Wsgi) -> Wsgi:
    def answering(environ: Any, start_response: Any) -> Any:
        if is_send(environ):
            start_response("429 Too Many Requests", [("Content-Length", "0")])
            return [b""]
        return hospital(environ, start_response)

    return answering


def said_in(resources: list[dict[str, Any]], code: str) -> list[str]:
    return sorted(each["valueCodeableConcept"]["coding"][0]["code"] for each in of_code(resources, code))


def test_another_tap_is_not_lost_where_the_record_has_yet_to_take_the_first(
    run: Running, patient: str, chart: Chart
) -> None:
    answered_by_patient(chart, answers(3, {9: "1"}))
    with in_front(run, busy_for_writes):
        for _ in range(2):
            tap(chart, "relapse-recent-09", "talked-about")
        tap(chart, "relapse-recent-09", "will-follow-up", when="2026-12-24")
    let_time_pass(run, 60)
    go(chart.browser, chart.browser.get(chart.at("outbox")), chart.at("outbox"))
    assert said_in(filed(run, patient, "Observation"), "prompt") == ["talked-about", "will-follow-up"]


def test_so_is_what_else_became_of_a_due_time(run: Running) -> None:
    patient = steps.new_patient(run, course=True)
    chart = log_in(run, patient=patient)
    with in_front(run, busy_for_writes):
        for outcome in ("not-today", "not-today", "declined"):
            go(chart.browser, chart.browser.get(chart.url), chart.at("not-today"), outcome=outcome)
    let_time_pass(run, 60)
    go(chart.browser, chart.browser.get(chart.at("outbox")), chart.at("outbox"))
    assert said_in(filed(run, patient, "Observation"), "due-outcome") == ["declined", "not-today"]


def test_a_follow_up_without_a_date_is_in_a_week(run: Running, patient: str, chart: Chart) -> None:
    answered_by_patient(chart, answers(3, {9: "1"}))
    tap(chart, "relapse-recent-09", "will-follow-up", when="")
    (prompt,) = of_code(filed(run, patient, "Observation"), "prompt")
    today = run.clock().astimezone(run.site.zone).date()  # the hospital's: there it may be tomorrow already
    assert (today + timedelta(days=7)).isoformat() in str(prompt["component"])


@pytest.mark.parametrize(
    "fields",
    [
        {"point": "comment-00", "tap": "talked-about"},
        {"point": "relapse-recent-09", "tap": "alarm"},
        {"point": "relapse-recent-09", "tap": "will-follow-up", "when": "next week"},
        {"point": "relapse-recent-09", "tap": "will-follow-up", "when": "0026-12-01"},
        {"point": "", "tap": "talked-about"},
    ],
)
def test_what_the_page_does_not_offer_is_refused(
    run: Running, patient: str, chart: Chart, fields: dict[str, str]
) -> None:
    answered_by_patient(chart, answers(3, {9: "1"}))
    page = chart.browser.get(chart.at("today"))
    assert go(chart.browser, page, chart.at("today"), **fields).status_code == 400
    assert of_code(filed(run, patient, "Observation"), "prompt") == []


def test_nothing_today_says_its_limits(chart: Chart) -> None:
    page = answered_by_patient(chart, answers(4))
    assert say("today.none") in text(page)
    assert say("today.limits") in text(page)


@pytest.mark.parametrize("name", ["busy", "down"])
def test_where_the_record_has_not_taken_it_the_lines_stand_all_the_same(
    run: Running, patient: str, chart: Chart, name: str
) -> None:
    start = steps.give(chart)
    check = steps.answer_alone(chart.browser, start, answers(3, {9: "1"}), "I stopped my medicine")
    steps.hand_in(chart.browser, check)
    with fault(run, name):
        page = steps.take_back(chart)
    assert heading(page) == say("safety.today")
    assert say("today.not_filed") in text(page)
    assert "“I stopped my medicine”" in text(page)
    assert 'name="tap"' not in page.text, "there is nothing in the record yet that a note could be about"
    assert filed(run, patient, "QuestionnaireResponse") == []


def test_an_answer_that_the_record_has_and_did_not_show_yet_is_not_compared_with_itself(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """An EHR that keeps scores alone has taken it, and the app waits to hear so."""

    def shows_no_scores(hospital: Wsgi) -> Wsgi:
        def answering(environ: Any, start_response: Any) -> Any:
            if environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].startswith("/fhir/Observation"):
                start_response("500 Internal Server Error", [("Content-Length", "0")])
                return [b""]
            return hospital(environ, start_response)

        return answering

    with running(tmp_path_factory.mktemp("scores"), ehr="observation-only") as run:
        patient = steps.new_patient(run, course=True)
        chart = log_in(run, patient=patient)
        rate(chart, "client", answers(4))
        (before,) = filed(run, patient, "Observation")
        long_ago = (date.today() - timedelta(days=60)).isoformat() + "T10:00:00+01:00"
        steps.put(run, before | {"effectiveDateTime": long_ago, "issued": long_ago})
        check = steps.answer_alone(chart.browser, steps.give(chart), answers(4, {6: "1"}))
        steps.hand_in(chart.browser, check)
        with in_front(run, shows_no_scores):
            steps.take_back(chart)
        assert len(filed(run, patient, "Observation")) == 2
        assert len(run.store.filings.outbox(_owner(run, chart))) == 1
        assert say("today.point.item-down", n=6) in text(chart.browser.get(chart.at("today")))


def test_the_clinician_rates_next_and_then_both_look_together(run: Running, patient: str, chart: Chart) -> None:
    page = answered_by_patient(chart, answers(2, {15: "1"}))
    assert say("form.rate") in text(page)
    assert say("together.title") not in text(page)
    assert say("together.none") in text(chart.browser.get(chart.at("together")))
    rate(chart, said=answers(4, {13: "na"}))
    both = chart.browser.get(chart.at("together"))
    assert say("together.lead") in text(both)
    assert "“A little” Clinician “Quite a bit”" in text(both)
    closed = both.text.rpartition("<details")[2].partition("</details>")[0]
    assert "alcohol" in closed
    assert "Drug use" in closed
    assert "Drug use" not in both.text.replace(closed, ""), "a relative may be in the room"
    assert say("gap.medication") in closed
    assert say("together.title") in text(chart.browser.get(chart.url))


def test_the_patient_s_answers_stay_hidden_on_the_page_of_what_was_saved(
    run: Running, patient: str, chart: Chart
) -> None:
    answered_by_patient(chart, answers(2), "For my clinician")
    (sealed,) = run.store.filings.filed(_owner(run, chart))
    receipt = chart.browser.get(chart.at(f"saved/{sealed.id}"))
    assert "For my clinician" not in receipt.text
    assert say("blind.why") in text(receipt)
    opened = go(chart.browser, receipt, do="open")
    assert "For my clinician" in text(opened)
    seen = [each for each in steps.audited(run, patient) if each["purpose"] == "seen before rating"]
    assert seen[-1]["patient"] == f"Patient/{patient}"


def test_what_the_clinician_typed_is_not_hidden_from_the_clinician(chart: Chart) -> None:
    assert "Said aloud" in text(rate(chart, "client", answers(2), comment="Said aloud"))


def _owner(run: Running, chart: Chart):  # type: ignore[no-untyped-def]
    from tests.web.steps import record_of

    return record_of(run, chart).owner


def test_a_rating_dated_next_year_silences_nothing(run: Running) -> None:
    patient = steps.new_patient(run)
    chart = log_in(run, patient=patient)
    steps.rate(chart, "client")
    (response,) = steps.filed(run, patient, "QuestionnaireResponse")
    (score,) = [each for each in steps.filed(run, patient, "Observation") if "valueQuantity" in each]
    later = f"{date.today().year + 1}{response['authored'][4:]}"
    first = [{**each, "valueDateTime": later} if "valueDateTime" in each else each for each in response["extension"]]
    steps.put(run, {**response, "authored": later, "extension": first})
    steps.put(run, {**score, "effectiveDateTime": later, "issued": later})
    chart = log_in(run, patient=patient)
    steps.rate(chart)
    page = steps.answered_by_patient(chart, steps.answers(4, {10: "1"}))
    assert steps.say("today.point.hospital-recent", n=10) in steps.text(page)
