"""Rule 11: answers that the patient gave alone and handed back unfinished, and that a clinician goes on typing."""

from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from tests.flows import steps
from tests.flows.steps import PIN, SAVED, answers, filed, go, heading, of_code, rate, say, text
from tests.flows.test_filing_parts import one_by_one  # noqa: F401
from tests.running import Chart, Running, log_in

NOTED = say("blind.noted", name="Eva")


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run, course=True)


@pytest.fixture
def chart(run: Running, patient: str) -> Chart:
    return log_in(run, patient=patient)


def begun_alone(chart: Chart, *, answered: bool = True) -> None:
    start = steps.give(chart)
    if answered:
        go(chart.browser, chart.browser.get(urljoin(start.url, "1")), go="next", **{"01": "01-2"})
    back = chart.browser.get(urljoin(start.url, "back"))
    go(chart.browser, back, chart.at("back"), pin=PIN)


def typed_on(chart: Chart) -> requests.Response:
    return steps.begin(chart, "client")


def notes(run: Running, patient: str) -> list[dict[str, Any]]:
    return of_code(filed(run, patient, "Observation"), "seen-first")


def seen_in_log(run: Running, patient: str) -> int:
    return sum(each["purpose"] == "seen before rating" for each in steps.audited(run, patient))


def test_it_is_said_logged_and_noted_with_the_answers(run: Running, patient: str, chart: Chart) -> None:
    begun_alone(chart)
    form = typed_on(chart)
    assert NOTED in text(form)
    assert 'value="01-2" checked' in form.text
    assert seen_in_log(run, patient) == 1
    assert notes(run, patient) == [], "there is nothing in the record yet that it could be about"
    receipt = go(chart.browser, form, do="complete", **answers(4))
    assert heading(receipt) == SAVED
    assert say("filing.part.seen-first") in text(receipt)
    (note,), (response,) = notes(run, patient), filed(run, patient, "QuestionnaireResponse")
    assert note["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{response['id']}"}]
    assert note["performer"] == [{"reference": "Practitioner/kari"}]
    assert len(steps.told_of(run, response)) == 1


@pytest.mark.usefixtures("one_by_one")
def test_part_by_part_too(run: Running, patient: str, chart: Chart) -> None:
    begun_alone(chart)
    assert heading(go(chart.browser, typed_on(chart), do="complete", **answers(4))) == SAVED
    (note,), (response,) = notes(run, patient), filed(run, patient, "QuestionnaireResponse")
    assert note["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{response['id']}"}]


def test_also_where_the_patient_finishes_alone_after_all(run: Running, patient: str, chart: Chart) -> None:
    begun_alone(chart)
    typed_on(chart)
    check = steps.answer_alone(chart.browser, steps.give(chart), answers(3))
    steps.hand_in(chart.browser, check)
    steps.take_back(chart)
    assert len(notes(run, patient)) == 1


def test_a_colleague_s_pair_is_blind_all_the_same(run: Running, patient: str, chart: Chart) -> None:
    """Noted is who saw them: another clinician still has them hidden."""
    begun_alone(chart)
    go(chart.browser, typed_on(chart), do="complete", **answers(4))
    colleague = log_in(run, patient=patient, user="Practitioner/ola")
    assert say("blind.why") in text(colleague.page)
    assert say("blind.why") not in text(chart.browser.get(chart.url))


def test_not_where_the_own_rating_is_there_already(run: Running, patient: str, chart: Chart) -> None:
    rate(chart)
    begun_alone(chart)
    form = typed_on(chart)
    assert NOTED not in text(form)
    assert heading(go(chart.browser, form, do="complete", **answers(4))) == SAVED
    assert notes(run, patient) == []
    assert seen_in_log(run, patient) == 0


@pytest.mark.parametrize("handed_over", [True, False])
def test_nor_where_the_patient_answered_nothing_alone(
    run: Running, patient: str, chart: Chart, handed_over: bool
) -> None:
    if handed_over:
        begun_alone(chart, answered=False)
    form = typed_on(chart)
    assert NOTED not in text(form)
    go(chart.browser, form, do="complete", **answers(4))
    assert notes(run, patient) == []
