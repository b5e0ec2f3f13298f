"""The app killed (SIGKILL) between pages and started again: what was kept is there. Filings: tests/faults/kills.py."""

from pathlib import Path

from tests.flows import steps
from tests.flows.killing import killable, save_until_killed
from tests.flows.steps import SAVED, answers, filed, go, heading, say, text
from tests.running import log_in


def test_killed_on_the_way_answers_and_what_the_patient_handed_in_stay(tmp_path: Path) -> None:
    with killable(tmp_path) as (app, run):
        patient = steps.new_patient(run)
        app.start()
        chart = log_in(run, patient=patient)
        start = steps.give(chart)
        check = steps.answer_alone(chart.browser, start, answers(2), "Not to be lost")
        app.start()
        assert heading(steps.hand_in(chart.browser, check)) == say("hand.done")
        app.start()
        assert heading(steps.take_back(chart)) == say("safety.today")
        assert len(filed(run, patient, "QuestionnaireResponse")) == 1
        assert heading(steps.rate(chart)) == SAVED


def test_after_a_restart_the_next_launch_offers_it_in_a_fresh_browser(tmp_path: Path) -> None:
    with killable(tmp_path) as (app, run):
        patient = steps.new_patient(run)
        app.start("sealed")
        chart = log_in(run, patient=patient)
        save_until_killed(chart, steps.begin(chart), "Not to be lost")
        assert app.died()
        app.start()
        assert say("waiting.text", n=1) not in text(log_in(run, patient=patient, user="Practitioner/ola").page)
        again = log_in(run, patient=patient)
        assert say("waiting.text", n=1) in text(again.page)
        outbox = again.browser.get(again.at("outbox"))
        assert say("filing.outbox.empty") in text(go(again.browser, outbox, again.at("outbox")))
        (response,) = filed(run, patient, "QuestionnaireResponse")
        assert "Not to be lost" in str(response["item"])
