"""The log-in at the hospital ends while a form is open, and can't be renewed: nothing that was written is lost."""

from urllib.parse import urljoin

import pytest

from tests.flows import steps
from tests.flows.steps import answers, filed, go, heading, of_code, post, say, text
from tests.running import Chart, Running, log_in
from tests.web.steps import record_of


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run, course=True)


@pytest.fixture
def chart(run: Running, patient: str) -> Chart:
    return log_in(run, patient=patient)


def end_log_in(run: Running, chart: Chart, token: str = "") -> None:
    """The hospital takes back the access token and the refresh token."""
    vault = run.hospital.hospital.vault
    entry = vault.look("access", token or record_of(run, chart).tokens.access_token)
    assert entry
    vault.revoke(entry.family)


def test_half_a_clinician_form(run: Running, patient: str, chart: Chart) -> None:
    form = steps.begin(chart)
    assert post(chart.browser, form, f"{form.url}/keep", **{"01": "01-4"}).status_code == 204
    end_log_in(run, chart)
    assert post(chart.browser, form, f"{form.url}/keep", **{"02": "02-5"}).status_code == 204, "keeping asks no EHR"
    assert chart.browser.get(form.url).status_code == 200
    over = chart.browser.get(chart.url)
    assert (over.status_code, heading(over)) == (403, say("error.over.title"))
    again = log_in(run, patient=patient)
    page = steps.begin(again)
    assert 'value="01-4" checked' in page.text
    assert 'value="02-5" checked' in page.text


def test_a_whole_clinician_form(run: Running, patient: str, chart: Chart) -> None:
    form = steps.begin(chart)
    end_log_in(run, chart)
    receipt = go(chart.browser, form, do="complete", **answers(4), comment="All of it")
    assert heading(receipt) == say("filing.waiting.title")
    assert "All of it" in text(receipt)
    again = log_in(run, patient=patient)
    assert say("waiting.text", n=1) in text(again.page)
    outbox = again.browser.get(again.at("outbox"))
    go(again.browser, outbox, again.at("outbox"))
    (response,) = filed(run, patient, "QuestionnaireResponse")
    assert response["status"] == "completed"


def test_a_new_goal(run: Running, patient: str, chart: Chart) -> None:
    form = chart.browser.get(chart.at("goal/new"))
    end_log_in(run, chart)
    receipt = go(chart.browser, form, do="save", text="Sing in a choir", area="people")
    assert heading(receipt) == say("filing.waiting.title")
    again = log_in(run, patient=patient)
    go(again.browser, again.browser.get(again.at("outbox")), again.at("outbox"))
    assert [goal["description"]["text"] for goal in filed(run, patient, "Goal")] == ["Sing in a choir"]


def test_a_change_that_has_to_look_at_the_record_first_gives_back_what_was_written(
    run: Running, patient: str, chart: Chart
) -> None:
    go(chart.browser, chart.browser.get(chart.at("goal/new")), do="save", text="Sing in a choir", area="people")
    (goal,) = filed(run, patient, "Goal")
    form = chart.browser.get(chart.at(f"goal/{goal['id']}/edit"))
    end_log_in(run, chart)
    over = post(chart.browser, form, form.url, do="save", text="Sing <in> two choirs", area="people")
    assert (over.status_code, heading(over)) == (403, say("error.over.title"))
    assert "Sing &lt;in&gt; two choirs" in over.text
    assert steps.hidden(form)["csrf"] not in over.text


def test_a_correction_keeps_its_answers_and_gives_back_the_reason(run: Running, patient: str, chart: Chart) -> None:
    steps.rate(chart, said=answers(3))
    (filed_first,) = filed(run, patient, "QuestionnaireResponse")
    form = steps.correct(chart, filed_first["id"])
    end_log_in(run, chart)
    over = post(chart.browser, form, form.url, do="complete", reason="Misread it", **(answers(3) | {"02": "02-5"}))
    assert over.status_code == 403
    assert "Misread it" in over.text
    again = log_in(run, patient=patient)
    page = steps.correct(again, filed_first["id"])
    assert 'value="02-5" checked' in page.text
    assert heading(go(again.browser, page, do="complete", reason="Misread it")) == steps.SAVED


def test_a_patient_who_answers_alone(run: Running, patient: str) -> None:
    own = f"Patient/{patient}"
    chart = log_in(run, patient=patient, user=own)
    start = chart.browser.follow(chart.browser.submit(chart.page, chart.at("answer/start")))
    end_log_in(run, chart)
    check = steps.answer_alone(chart.browser, start, answers(2), "To the end")
    receipt = steps.hand_in(chart.browser, check)
    assert say("own.done.kept", org="Nordlys DPS") in text(receipt)
    again = log_in(run, patient=patient, user=own)
    home = go(again.browser, again.page, again.at("own/save"))
    assert say("own.waiting", n=1) not in text(home)
    (response,) = filed(run, patient, "QuestionnaireResponse")
    assert response["source"] == {"reference": own}


def test_the_screen_is_with_the_patient(run: Running, patient: str, chart: Chart) -> None:
    token = record_of(run, chart).tokens.access_token
    start = steps.give(chart)
    end_log_in(run, chart, token)
    steps.hand_in(chart.browser, steps.answer_alone(chart.browser, start, answers(3)))
    today = steps.take_back(chart)
    assert today.status_code == 200, "what was handed in is shown from here"
    again = log_in(run, patient=patient)
    go(again.browser, again.browser.get(again.at("outbox")), again.at("outbox"))
    (score,) = of_code(filed(run, patient, "Observation"), "score-client")
    assert score["status"] == "final"


def test_a_question_in_another_tab_is_no_way_past_the_end(run: Running, patient: str, chart: Chart) -> None:
    end_log_in(run, chart)
    for path in ("./", "how", "together"):
        page = chart.browser.get(urljoin(chart.url, path))
        assert (page.status_code, heading(page)) == (403, say("error.over.title"))
