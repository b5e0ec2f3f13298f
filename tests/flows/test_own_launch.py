"""The patient opens the app: answers alone, sees all of the own record, and who opened it."""

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from smart_app.access import EVERYONE
from smart_app.open_launch import opened
from smart_app.store.audit import ACTIONS
from smart_app.store.times import to_ms
from tests.flows import steps
from tests.flows.steps import answers, audited, filed, go, heading, norsk, say, text, told_of
from tests.running import Browser, Chart, Running, log_in
from tests.web.steps import record_of

ORG = "Nordlys DPS"
DAY_MS = 86_400_000


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run, course=True)


def own_launch(run: Running, patient: str, **told: Any) -> Chart:
    return log_in(run, patient=patient, user=f"Patient/{patient}", **told)


def begin(chart: Chart) -> requests.Response:
    return go(chart.browser, chart.browser.get(chart.at("own")), chart.at("answer/start"))


def answered_alone(chart: Chart, said: steps.Said | None = None, comment: str = "") -> requests.Response:
    """All questions and the press that hands in; the receipt."""
    check = steps.answer_alone(chart.browser, begin(chart), answers() if said is None else said, comment)
    return steps.hand_in(chart.browser, check)


def test_the_patient_s_launch_begins_at_the_own_page(run: Running, patient: str) -> None:
    chart = own_launch(run, patient)
    assert chart.url.endswith("/own")
    assert heading(chart.page) == say("patient.hello", name="Eva")
    assert say("page.logout") in chart.page.text


def test_answers_go_into_the_record_as_the_patient_s(run: Running, patient: str) -> None:
    chart = own_launch(run, patient)
    receipt = answered_alone(chart, answers(2, {13: "na"}), "I slept well")
    assert text(receipt).startswith(f"{say('own.done.title')} {say('own.done.saved', org='Nordlys DPS')}")
    (response,) = filed(run, patient, "QuestionnaireResponse")
    assert (response["status"], response["source"], response["author"]) == (
        "completed",
        {"reference": f"Patient/{patient}"},
        {"reference": f"Patient/{patient}"},
    )
    (score,) = filed(run, patient, "Observation")
    assert score["performer"] == [{"reference": f"Patient/{patient}"}]
    (provenance,) = told_of(run, response)
    agents = [agent["who"].get("reference", "app") for agent in provenance["agent"]]
    assert agents == [f"Patient/{patient}", "app"], "nobody else entered it"
    assert {row["role"] for row in audited(run, patient)} == {"patient"}


def test_right_after_answering_no_figure_is_shown_anywhere(run: Running, patient: str) -> None:
    browser = Browser()
    other_tab, chart = (own_launch(run, patient, browser=browser) for _ in range(2))
    receipt = answered_alone(chart, answers(2, {1: "5"}))
    assert browser.open(other_tab.at("./")).url == other_tab.url
    pages = [receipt, chart.browser.open(chart.at("own")), chart.browser.open(chart.at("own/record"))]
    pages += [chart.browser.open(chart.at(path)) for path in ("./", "how", "together")]
    assert [page.url for page in pages[3:]] == [chart.url] * 3, "the summary waits"
    for page in pages:
        assert page.status_code == 200
        assert not re.search(r"2[.,]2|\b33\b|14 to 70|15 to 75", text(page)), page.url
    assert say("own.later", who=ORG) in text(pages[2])
    assert say("own.by.self") in text(pages[2]), "the own answers are there at once"
    assert not shows_figures(own_launch(run, patient, browser=browser)), "opened again"
    assert not shows_figures(own_launch(run, patient)), "on another device"


def shows_figures(chart: Chart) -> bool:
    on_record = "2.2" in text(chart.browser.open(chart.at("own/record")))
    assert on_record is (chart.browser.get(chart.at("./")).status_code == 200)
    return on_record


@pytest.mark.parametrize("handed_over", [True, False])
def test_figures_come_the_next_day(run: Running, patient: str, handed_over: bool) -> None:
    if handed_over:
        steps.answered_by_patient(log_in(run, patient=patient), answers(2, {1: "5"}))
    else:
        answered_alone(own_launch(run, patient), answers(2, {1: "5"}))
    assert not shows_figures(own_launch(run, patient))
    with run.store.writing() as connection:  # the hospital's log-in knows no other day than this one
        connection.exec_driver_sql(f"UPDATE filing SET sealed_at = sealed_at - {DAY_MS}")
    assert shows_figures(own_launch(run, patient))


@pytest.mark.parametrize(("hours", "waits"), [(0.1, True), (5, True), (7, False)])
def test_who_answers_just_before_midnight_sees_none_just_after(
    run: Running, patient: str, hours: float, waits: bool
) -> None:
    chart = own_launch(run, patient)
    record = record_of(run, chart)
    answered_alone(chart)
    here = run.clock().astimezone(run.site.zone)
    midnight = datetime.combine(here.date() + timedelta(days=1), datetime.min.time(), run.site.zone)
    with run.store.writing() as connection:
        sealed = to_ms(midnight - timedelta(minutes=2))
        connection.exec_driver_sql(f"UPDATE filing SET sealed_at = {sealed} WHERE patient = '{record.patient_key}'")
    run.clock.ahead = midnight + timedelta(hours=hours) - here
    with run.app.app_context():
        assert opened(record, "").without_figures is waits


def test_figures_come_once_a_clinician_has_rated_too(run: Running, patient: str) -> None:
    clinician = log_in(run, patient=patient)
    steps.rate(clinician)
    answered_alone(own_launch(run, patient), answers(2, {1: "5"}))
    assert not shows_figures(own_launch(run, patient)), "that rating came before"
    steps.rate(clinician)
    assert shows_figures(own_launch(run, patient))


def test_the_goal_comes_first_and_what_was_answered_today_is_said(run: Running, patient: str) -> None:
    chart = own_launch(run, patient)
    said = text(chart.page)
    assert said.index(say("goal.none")) < said.index(say("own.answer.title"))
    assert say("form.purpose.alone", org=ORG) in said
    assert say("form.help.alone", phone="+47 00 00 00 00") in said
    clinician = log_in(run, patient=patient)
    form = clinician.browser.get(clinician.at("goal/new"))
    go(clinician.browser, form, do="save", text="Sing in a choir", area="people", **{"step-1": "Ring the choir"})
    receipt = answered_alone(chart, answers(2))
    today = say("own.answer.today", answered=15, total=15)
    assert today in text(receipt)
    home = chart.browser.open(chart.at("own"))
    assert today in text(home)
    assert say("own.answer.again") in text(home)
    assert "Sing in a choir" in text(home)
    assert say("goal.next", step="Ring the choir") in text(home)
    assert say("goal.none") not in text(home)


def test_a_record_that_does_not_answer_keeps_nobody_from_the_questions(run: Running, patient: str) -> None:
    chart = own_launch(run, patient)
    run.hospital.hospital.faults.switch_on("busy")
    home = chart.browser.open(chart.at("own"))
    run.hospital.hospital.faults.switch_off("busy")
    assert home.status_code == 200
    assert say("goal.none") not in text(home), "that there is none is not known"
    assert say("own.goals.missing", reason="").strip() in text(home)
    assert say("own.answer.begin") in text(home)


def test_half_a_form_waits_for_the_next_launch(run: Running, patient: str) -> None:
    chart = own_launch(run, patient)
    page = begin(chart)
    question = chart.browser.get(requests.compat.urljoin(page.url, "1"))
    go(chart.browser, question, go="next", **{"01": "01-4"})
    chart.browser.submit(chart.browser.get(chart.at("own")), chart.at("log-out"))
    again = own_launch(run, patient)
    assert "1 of 15" in text(again.page)
    assert 'value="01-4" checked' in again.browser.get(requests.compat.urljoin(begin(again).url, "1")).text


def test_handed_in_twice_it_is_filed_once(run: Running, patient: str) -> None:
    chart = own_launch(run, patient)
    check = steps.answer_alone(chart.browser, begin(chart), answers())
    first, second = steps.hand_in(chart.browser, check), steps.hand_in(chart.browser, check)
    assert first.url == second.url
    assert len(filed(run, patient, "QuestionnaireResponse")) == 1
    question = chart.browser.open(check.url.replace("check", "3"))
    assert question.url == first.url, "Back shows the receipt"
    assert steps.post(chart.browser, check, check.url.replace("check", "keep"), **{"03": "03-1"}).status_code == 409


def test_what_the_record_does_not_take_now_is_kept_and_said(run: Running, patient: str) -> None:
    chart = own_launch(run, patient)
    check = steps.answer_alone(chart.browser, begin(chart), answers())
    run.hospital.hospital.faults.switch_on("busy")
    receipt = steps.hand_in(chart.browser, check)
    assert say("own.done.kept", org="Nordlys DPS") in text(receipt)
    run.hospital.hospital.faults.switch_off("busy")
    again = own_launch(run, patient)
    assert say("own.waiting", n=1) in text(again.page)
    for _ in range(40):  # the hospital said when to come again: in two seconds by the database's clock
        if not filed(run, patient, "QuestionnaireResponse"):
            time.sleep(0.25)
            home = go(again.browser, again.page, again.at("own/save"))
    assert say("own.waiting", n=1) not in text(home)
    assert len(filed(run, patient, "QuestionnaireResponse")) == 1


def test_a_hospital_that_refuses_the_patient_s_answers_says_so_before_anybody_writes(
    run: Running, patient: str
) -> None:
    """OpenEMR takes no response with a patient's scope."""
    chart = own_launch(run, patient, faults=("cut-scopes",))
    assert say("own.answer.not", org=ORG) in text(chart.page)
    assert say("own.answer.begin") not in text(chart.page)
    started = chart.browser.follow(chart.browser.submit(chart.page, chart.at("answer/start")))
    assert started.url == chart.url


def test_refused_at_the_last_moment_the_answers_stay_on_the_page(run: Running, patient: str) -> None:
    chart = own_launch(run, patient, faults=("forbid-create",))
    receipt = answered_alone(chart, answers(4))
    while say("filing.try") in text(receipt):
        receipt = go(chart.browser, receipt)
    assert say("own.done.refused", org=ORG) in text(receipt)
    assert text(receipt).count("15. ") == 1


def test_nothing_of_the_own_record_is_hidden(run: Running, patient: str) -> None:
    clinician = log_in(run, patient=patient)
    steps.answered_by_patient(clinician, answers(3), "Something to <b>say</b>")
    steps.rate(clinician, said=answers(4), comment="Seen from my side")
    (mine,) = [r for r in filed(run, patient, "QuestionnaireResponse") if "client" in r["questionnaire"]]
    correct(clinician, mine["id"], {"02": "02-5"}, "Read out wrongly")
    typed = steps.rate(clinician, "client", answers(1))
    assert heading(typed) == steps.SAVED
    last = filed(run, patient, "QuestionnaireResponse")[-1]
    withdraw(clinician, last["id"], "Another patient's answers")

    chart = own_launch(run, patient)
    page = chart.browser.get(chart.at("own/record"))
    said = text(page)
    for line in (
        "Something to <b>say</b>",
        "Seen from my side",
        "Reason: Read out wrongly",
        "Reason: Another patient's answers",
        say("own.taken_back"),
        say("own.by.typed"),
        f"QuestionnaireResponse/{mine['id']}, version 2",
        say("own.reports", org=ORG),
    ):
        assert line in said
    assert said.count(say("own.answers", n=15)) == 3
    assert "<b>say</b>" not in page.text


def test_who_opened_it_and_what_for(run: Running, patient: str) -> None:
    clinician = log_in(run, patient=patient)
    steps.rate(clinician)
    log_in(run, patient=patient, user="RelatedPerson/mother")
    chart = own_launch(run, patient)
    page = chart.browser.get(chart.at("own/opened")).text
    lines = [" ".join(re.sub("<[^>]+>", "", line).split()) for line in re.findall(r"<li>(.*?)</li>", page, re.DOTALL)]
    yours, reader, kari = lines
    assert yours.startswith(say("opened.you"))
    assert reader.startswith(f"{say('opened.nobody')}, {say('opened.role.reader')}")
    assert kari.startswith("Kari Nilsen, clinician ·")
    assert kari.endswith(" · ".join(say(f"opened.do.{did}") for did in ("log-in", "view", "save", "send")))


@pytest.mark.parametrize("speak", [say, norsk])
def test_all_that_can_be_done_has_its_words(speak: Callable[[str], str]) -> None:
    assert all(speak(f"opened.do.{action}") for action in (*ACTIONS, "seen-first"))
    assert all(speak(f"opened.role.{role}") for role in (*EVERYONE, "nobody"))


def test_another_patient_s_log_is_not_in_it(run: Running, patient: str) -> None:
    other = steps.new_patient(run)
    log_in(run, patient=other, user="Practitioner/ola")
    chart = own_launch(run, patient)
    assert "Ola Hansen" not in text(chart.browser.get(chart.at("own/opened")))


def test_the_clinician_s_answers_do_not_come_first_but_may_be_opened(run: Running, patient: str) -> None:
    steps.rate(log_in(run, patient=patient), said=answers(5), comment="From the clinician")
    chart = own_launch(run, patient)
    page = chart.browser.get(chart.at("own/record"))
    assert say("own.hidden") in text(page)
    assert "From the clinician" not in text(page)
    assert "From the clinician" not in chart.browser.get(chart.at("./")).text
    opened = go(chart.browser, page, chart.at("own/open"))
    assert "From the clinician" in text(opened)
    (note,) = steps.of_code(filed(run, patient, "Observation"), "seen-first")
    assert note["performer"] == [{"reference": f"Patient/{patient}"}]
    again = own_launch(run, patient)
    assert "From the clinician" in text(again.browser.get(again.at("own/record")))


@pytest.mark.parametrize("status", ["entered-in-error", "in-progress"])
def test_nor_do_those_that_were_taken_back_or_only_begun(run: Running, patient: str, status: str) -> None:
    """What was taken back tells as much as what is filed in its place."""
    clinician = log_in(run, patient=patient)
    steps.rate(clinician, said=answers(5), comment="Pressed too early")
    (response,) = filed(run, patient, "QuestionnaireResponse")
    steps.put(run, response | {"status": status})
    steps.rate(clinician, said=answers(4), comment="From the clinician")
    chart = own_launch(run, patient)
    page = chart.browser.get(chart.at("own/record"))
    assert "Pressed too early" not in text(page)
    assert "From the clinician" not in text(page)
    key = f"QuestionnaireResponse/{response['id']}"
    opened = go(chart.browser, page, chart.at("own/open"), key=key)
    assert ("Pressed too early" in text(opened), "From the clinician" in text(opened)) == (True, False)
    again = own_launch(run, patient)
    assert "Pressed too early" in text(again.browser.get(again.at("own/record")))
    answered_alone(chart)
    assert "From the clinician" in text(chart.browser.get(chart.at("own/record")))


@pytest.mark.parametrize(
    "path", ["form/client/start", "form/clinician/start", "give", "goal/new", "outbox", "see-first", "not-today"]
)
def test_what_is_a_clinician_s_stays_so(run: Running, patient: str, path: str) -> None:
    chart = own_launch(run, patient)
    answer = chart.browser.get(chart.at(path))
    if answer.status_code == 404:  # it is there for forms only
        answer = chart.browser.submit(chart.page, chart.at(path))
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["own", "own/record", "own/opened"])
@pytest.mark.parametrize("user", ["Practitioner/kari", "Patient/jonas-lie", "RelatedPerson/mother"])
def test_the_own_pages_are_the_patient_s_alone(run: Running, patient: str, path: str, user: str) -> None:
    chart = log_in(run, patient=patient, user=user)
    assert chart.browser.get(chart.at(path)).status_code == 403


def test_one_patient_s_draft_opens_for_nobody_else(run: Running, patient: str) -> None:
    page = begin(own_launch(run, patient))
    other = steps.new_patient(run)
    chart = own_launch(run, other)
    stolen = chart.at(f"answer/{page.url.rstrip('/').rpartition('/')[2]}/1")
    assert chart.browser.get(stolen).status_code == 404


def test_in_bokmal(run: Running, patient: str) -> None:
    chart = own_launch(run, patient)
    home = chart.browser.follow(chart.browser.submit(chart.page, chart.at("language"), language="nb"))
    home = chart.browser.open(chart.at("own"))
    assert norsk("own.answer.begin") in text(home)
    start = begin(chart)
    assert norsk("patient.begin") in text(start)
    english = go(chart.browser, start, start.url + "language", language="en")
    assert say("patient.begin") in text(english)
    assert say("own.answer.begin") in text(chart.browser.open(chart.at("own")))


def correct(chart: Chart, response_id: str, changed: dict[str, str], reason: str) -> None:
    form = steps.correct(chart, response_id)
    assert heading(go(chart.browser, form, do="complete", reason=reason, **(answers(3) | changed))) == steps.SAVED


def withdraw(chart: Chart, response_id: str, reason: str) -> None:
    page = chart.browser.get(chart.at(f"response/{response_id}/withdraw"))
    assert heading(go(chart.browser, page, chart.at(f"response/{response_id}/withdraw"), reason=reason)) == steps.SAVED
