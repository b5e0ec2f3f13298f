"""Each kind of EHR runs the whole flow to what its ladders allow; docs/ehrs.md says what came of it."""

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from smart_app.ready_sites import ready_settings
from tests import parts
from tests.ehrs.document import DOCUMENT, rendered
from tests.ehrs.flow import (
    ORDER,
    Result,
    everything,
    hospital,
    launch,
    patient_of,
    plan_in,
    step_down_to_the_end,
    whole_flow,
)
from tests.flows import steps
from tests.flows.filings import act
from tests.flows.steps import say
from tests.flows.test_own_launch import answered_alone
from tests.flows.wrong import Wsgi, in_front, is_send
from tests.presenters.build import words
from tests.running import Chart, log_in

STALE = "docs/ehrs.md says otherwise; see what changed, then: python -m tests.ehrs"
SAVED, PRINTED = say("filing.saved.title"), say("filing.printed.title")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Result]:
    done: dict[str, Result] = {}

    def of(ehr: str) -> Result:
        if ehr not in done:
            done[ehr] = everything(tmp_path_factory.mktemp(ehr), ehr)
        return done[ehr]

    return of


# What an EHR takes by what is known of it: answers, score, goal, review, audit, events.
RUNGS = {
    "generic": ("form", "components", "goal", "note", "provenance", "event"),
    "epic": ("flat", "flat", "print", "print", "app", "app"),
    "oracle-health": ("text", "print", "print", "print", "provenance", "app"),
    "meditech": ("form", "print", "print", "print", "app", "app"),
    "openemr": ("form", "print", "print", "print", "app", "app"),
    "dips": ("print", "print", "print", "print", "app", "app"),
    "observation-only": ("components", "components", "print", "note", "app", "app"),
}


@pytest.mark.parametrize("ehr", ORDER)
def test_each_thing_is_kept_on_the_best_rung_that_the_ehr_has(results: Callable[[str], Result], ehr: str) -> None:
    result = results(ehr)
    assert tuple(result.rungs.values()) == RUNGS[ehr]
    for done in result.acts:
        assert done.page in (SAVED, PRINTED, ""), done
        assert bool(done.written) == (done.page == SAVED), done


@pytest.mark.parametrize("ehr", ORDER)
def test_the_panel_shows_what_was_saved_in_whatever_shape(results: Callable[[str], Result], ehr: str) -> None:
    panel = results(ehr).panel
    counted = RUNGS[ehr][0] != "text"
    assert ("All 15 questions" in panel) is counted
    assert (say("documents.title") in panel) is (RUNGS[ehr][0] == "text")


@pytest.mark.parametrize("ehr", ORDER)
def test_what_the_ehr_says_that_it_does_not_have_is_no_fault(results: Callable[[str], Result], ehr: str) -> None:
    missing = say("problem.not-available", what="*", reason="*").partition("*")[0]
    assert missing not in results(ehr).panel


@pytest.mark.parametrize("shape", ["members", "flat"])
def test_a_site_s_shape_carries_the_whole_flow(tmp_path: Path, shape: str) -> None:
    """On a server that lets measurements be changed: a correction keeps each Observation's id, in every shape."""
    codes = ready_settings("epic")["flat_codes"]
    with hospital(tmp_path, "observation-only", observation_shape=shape, flat_codes=codes) as run:
        result = whole_flow(run, "observation-only")
    written = {done.name: done.written.get("Observation", 0) for done in result.acts}
    assert (written["rate"], written["hand over"]) == (18, 18)
    seen = {"members": 1, "flat": 0}[shape]  # a note that the other rater's answers were; flat codes keep none
    assert written["correct"] == 18 + seen
    assert written["withdraw"] == 18, "noted already"
    assert "All 15 questions" in result.panel
    assert say(f"rating.kept.{shape}") in result.panel


def test_what_epic_says_that_it_takes_and_refuses_goes_down_the_ladder(tmp_path: Path) -> None:
    """With a site table that believes its CapabilityStatement: each is refused once, and the next launch knows."""
    with hospital(tmp_path, "epic", never_write=()) as run:
        patient = patient_of(run)
        chart = launch(run, patient)
        plan = plan_in(run, chart)
        assert (plan.rung("answers"), plan.rung("goal")) == ("form", "goal")
        refused = steps.rate(chart)
        assert steps.heading(refused) == say("filing.refused.title")
        assert say("filing.down.flat") in steps.text(refused)
        assert steps.heading(step_down_to_the_end(chart, refused)) == SAVED
        assert len(steps.filed(run, patient, "Observation")) == 18
        form = chart.browser.get(chart.at("goal/new"))
        goal = steps.go(chart.browser, form, do="save", text="The choir", theirs="yes", helps="The sea")
        assert steps.heading(goal) == say("filing.refused.title")
        kept = step_down_to_the_end(chart, goal)
        assert steps.heading(kept) == PRINTED
        assert all(words in steps.text(kept) for words in ("The choir", "The sea"))
        again = launch(run, patient)
        plan = plan_in(run, again)
        assert (plan.rung("answers"), plan.rung("goal")) == ("flat", "print")
        assert say("goal.kept") in steps.text(again.browser.get(again.url))


def test_a_document_may_be_a_pdf(tmp_path: Path) -> None:
    parts.need(parts.PANGO)
    with hospital(tmp_path, "oracle-health", document_format="pdf") as run:
        patient = patient_of(run)
        chart = launch(run, patient)
        assert say("plan.answers.pdf") in steps.text(chart.page)
        assert steps.heading(steps.rate(chart)) == SAVED
        (document,) = steps.filed(run, patient, "DocumentReference")
        assert document["content"][0]["attachment"]["contentType"] == "application/pdf"
        assert len(steps.told_of(run, document)) == 1


def test_what_waits_to_be_printed_is_saved_once_a_place_is_open(tmp_path: Path) -> None:
    """Oracle Health without an encounter has no place for a rating; the next launch, from within one, has."""
    with hospital(tmp_path, "oracle-health") as run:
        patient = patient_of(run)
        without = launch(run, patient, encounter=False)
        assert say("plan.answers.no_encounter") in steps.text(steps.begin(without))
        assert steps.heading(steps.rate(without)) == PRINTED
        assert steps.filed(run, patient, "DocumentReference") == []
        within = launch(run, patient)
        outbox = within.browser.get(within.at("outbox"))
        page = within.browser.get(within.at(re.findall(r'href="(/l/[^"]+/saved/[^"]+)"', outbox.text)[-1]))
        assert say("filing.down.text") in steps.text(page)
        assert steps.heading(act(within, page, "down")) == SAVED
        (document,) = steps.filed(run, patient, "DocumentReference")
        assert document["context"]["encounter"] == [{"reference": f"Encounter/{patient}-visit"}]


def test_figures_that_were_taken_before_the_rest_was_refused_are_not_sent_again(tmp_path: Path) -> None:
    with hospital(tmp_path, "epic") as run:
        patient = patient_of(run)
        chart = launch(run, patient)
        taken = itertools.count()

        def five_and_no_more(hospital: Wsgi) -> Wsgi:
            def answering(environ: Any, start_response: Any) -> Any:
                if is_send(environ, "/fhir/DocumentReference") or (
                    is_send(environ, "/fhir/Observation") and next(taken) >= 5
                ):
                    start_response("403 Forbidden", [("Content-Length", "0")])
                    return [b""]
                return hospital(environ, start_response)

            return answering

        with in_front(run, five_and_no_more):
            page = step_down_to_the_end(chart, steps.rate(chart, said=steps.answers(3)))
        assert steps.heading(page) == say("filing.rest.title")
        assert len(steps.filed(run, patient, "Observation")) == 5
        with run.store.writing() as connection:
            connection.exec_driver_sql("DELETE FROM refusal")  # as after a week
        run.asked.clear()
        saved = act(chart, chart.browser.get(page.url), "down")
        assert steps.heading(saved) == SAVED
        assert len(steps.filed(run, patient, "Observation")) == 18
        assert len([each for each in run.asked if each == "POST /fhir/Observation"]) == 13
        assert "3.0" in steps.text(chart.browser.get(chart.url))


def test_no_note_is_offered_where_none_is_taken(tmp_path: Path) -> None:
    with hospital(tmp_path, "meditech") as run:
        chart = launch(run, patient_of(run))
        page = steps.answered_by_patient(chart, comment="It was a good week")
        assert say("plan.notes.none") in steps.text(page)
        assert 'name="tap"' not in page.text
        assert say("filing.outbox.empty") in steps.text(chart.browser.get(chart.at("outbox")))


def test_the_page_for_readers_says_the_same(results: Callable[[str], Result]) -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == rendered(results(ehr) for ehr in ORDER), STALE


def _saved(chart: Chart) -> list[requests.Response]:
    """The page of each thing in the outbox."""
    outbox = chart.browser.get(chart.at("outbox"))
    return [chart.browser.get(chart.at(each)) for each in re.findall(r'href="(/l/[^"]+/saved/[^"]+)"', outbox.text)]


def test_a_record_that_takes_no_answers_is_told_as_that_to_the_patient(tmp_path: Path) -> None:
    with hospital(tmp_path, "dips") as run:
        chart = launch(run, patient_of(run))
        printed = say("form.readers.print", org=run.site.organization, who="Kari Nilsen")
        assert printed in steps.text(steps.begin(chart, "client"))
        assert say("hand.print", name="Eva") in steps.text(chart.browser.get(chart.at("give")))
        start = steps.give(chart)
        check = steps.answer_alone(chart.browser, start, steps.answers())
        for page in (start, check):
            assert printed in steps.text(page)
            assert say("form.readers", org=run.site.organization) not in steps.text(page)


def test_what_can_only_be_printed_is_counted_and_ended_as_that(tmp_path: Path) -> None:
    with hospital(tmp_path, "dips") as run:
        chart = launch(run, patient_of(run))
        page = steps.rate(chart, said=steps.answers(3))
        panel = chart.browser.get(chart.url)
        assert say("waiting.print", n=1) in steps.text(panel)
        assert say("waiting.save") not in steps.text(panel)
        outbox = chart.browser.get(chart.at("outbox"))
        assert say("filing.outbox.print") in steps.text(outbox)
        assert say("filing.save_all", n=1) not in steps.text(outbox)
        assert say("filing.outbox.empty") not in steps.text(outbox)
        assert page.text.index("data-print hidden>", page.text.index("<main")) < page.text.index('value="printed"')
        ended = act(chart, page, "printed")
        assert steps.heading(ended) == say("filing.withdrawn.title")
        assert say("filing.was_printed") in steps.text(ended)
        assert say("waiting.print", n=1) not in steps.text(chart.browser.get(chart.url))


def test_a_printed_receipt_says_whose_rating_it_is_and_its_figures(tmp_path: Path) -> None:
    with hospital(tmp_path, "dips") as run:
        chart = launch(run, patient_of(run))
        steps.answered_by_patient(chart)
        (theirs,) = _saved(chart)
        assert say("filing.printed.blind") in steps.text(theirs)
        assert say("filing.printed") not in steps.text(theirs)
        assert 'value="printed"' not in theirs.text
        page = steps.rate(chart, said=steps.answers(3))
        shown = steps.text(page)
        today = words("en").day(run.clock().astimezone(run.site.zone))
        assert f"{say('form.clinician.title')} · Kari Nilsen · {today}" in shown
        assert f"3.0 {say('score.scale')} · {say('score.sum', sum=45, low=15, high=75)} · {say('score.all')}" in shown
        assert say("form.unverified") in shown
        decide = re.search(r'<details class="([^"]*decide[^"]*)"', page.text)
        assert decide is not None
        assert "no-print" in decide[1]


def test_what_is_only_here_lifts_the_blind_and_comes_together(tmp_path: Path) -> None:
    with hospital(tmp_path, "dips") as run:
        patient = patient_of(run)
        chart = launch(run, patient)
        steps.answered_by_patient(chart)
        panel = steps.text(chart.browser.get(chart.url))
        assert say("blind.why") in panel
        assert say("score.scale") not in panel
        steps.rate(chart, said=steps.answers(2))
        panel = steps.text(chart.browser.get(chart.url))
        assert say("blind.why") not in panel
        assert panel.count(say("score.scale")) == 2
        assert panel.count(say("rating.kept.print")) >= 2
        together = steps.text(chart.browser.get(chart.at("together")))
        assert say("together.none") not in together
        assert together.count(say("rating.kept.print")) == 2
        assert not [each for each in _saved(chart) if say("blind.open") in steps.text(each)]
        colleague = log_in(run, patient=patient, user="Practitioner/ola")
        assert say("rating.kept.print") not in steps.text(colleague.browser.get(colleague.url))


def test_where_nothing_can_be_changed_the_pages_promise_no_change(tmp_path: Path) -> None:
    with hospital(tmp_path, "epic") as run:
        chart = launch(run, patient_of(run))
        steps.rate(chart)
        for what, promise, keep in (
            ("correct", "form.correct.what", "form.keep_correction"),
            ("withdraw", "form.withdraw.what", "form.withdraw.keep"),
        ):
            page = steps.listed(chart, what)
            assert page
            shown = steps.text(page)
            assert say(promise) not in shown
            assert say("form.reason") not in shown
            assert say("form.reason.print") in shown
            assert say(keep) in shown


@pytest.mark.parametrize("ehr", ["epic", "oracle-health"])
def test_a_withdrawal_on_paper_says_what_is_withdrawn_why_and_by_whom(tmp_path: Path, ehr: str) -> None:
    with hospital(tmp_path, ehr) as run:
        patient = patient_of(run)
        chart = launch(run, patient)
        steps.rate(chart)
        panel = chart.browser.get(chart.url).text
        link = re.findall(r'href="(/l/[^"]+/response/[^"/]+/withdraw)"', panel)[-1]
        kept = steps.go(chart.browser, chart.browser.open(chart.at(link)), reason="Another patient's answers")
        today = words("en").day(run.clock().astimezone(run.site.zone))
        shown = steps.text(kept)
        assert steps.heading(kept) == PRINTED
        assert f"{say('filing.kind.withdrawal', day=today)} · Kari Nilsen" in shown
        assert f"{say('filing.why')} Another patient's answers" in shown
        if ehr == "oracle-health":
            assert all(
                f"DocumentReference/{each['id']}" in shown for each in steps.filed(run, patient, "DocumentReference")
            )
        else:
            assert say("filing.in_error.many", n=18) in shown
        assert "(3)" not in shown, "answers that do not count are no rating on paper"
        told = [each["purpose"] for each in steps.audited(run, patient) if each["action"] == "withdraw"]
        assert told == ["Another patient's answers"], "the app's own log says why, where the record can't"


def test_a_reason_that_no_record_takes_is_not_promised_to_stand_there(tmp_path: Path) -> None:
    with hospital(tmp_path, "meditech") as run:
        patient = patient_of(run)
        chart = launch(run, patient)
        steps.rate(chart)
        (response,) = steps.filed(run, patient, "QuestionnaireResponse")
        page = steps.correct(chart, response["id"])
        assert say("form.reason") not in steps.text(page)
        assert say("filing.reason") in steps.text(page)
        saved = steps.go(chart.browser, page, do="complete", reason="Misread it", **{"06": "06-5"})
        assert (steps.heading(saved), "Misread it" in steps.text(saved)) == (SAVED, True)
        told = [each["purpose"] for each in steps.audited(run, patient) if each["action"] == "correct"]
        assert told == ["Misread it"]


def test_a_goal_on_paper_keeps_what_was_chosen_for_it(tmp_path: Path) -> None:
    with hospital(tmp_path, "dips") as run:
        chart = launch(run, patient_of(run))
        form = chart.browser.get(chart.at("goal/new"))
        typed = {"text": "The choir", "theirs": "no", "area": "leisure-culture", "due": "2027-03-01"}
        more = {"step-1": "Ring them", "step-due-1": "2027-01-15"}
        kept = steps.text(steps.go(chart.browser, form, do="save", **typed, **more))
        area, by = say("goals.area.leisure-culture"), say("goals.by", day="1 March 2027")
        assert f"The choir {area} · {by} · {say('goals.theirs')} {say('goals.theirs.no')}" in kept
        assert f"Ring them {say('goals.by', day='15 January 2027')}" in kept


@pytest.mark.parametrize("ehr", ["epic", "oracle-health", "observation-only"])
def test_who_answered_alone_is_told_what_the_own_record_has(tmp_path: Path, ehr: str) -> None:
    with hospital(tmp_path, ehr) as run:
        patient = patient_of(run)
        chart = log_in(run, patient=patient, user=f"Patient/{patient}", encounter=f"{patient}-visit")
        answered_alone(chart)
        home = steps.text(chart.browser.get(chart.at("own")))
        assert say("own.answer.again") in home
        documented = ehr == "oracle-health"
        assert (say("own.answer.today.document") in home) is documented
        record = steps.text(chart.browser.get(chart.at("own/record")))
        ratings = record.partition(say("own.ratings"))[2]
        assert say("own.nothing") not in ratings
        assert (say("documents.title") in ratings) is documented
        assert say("own.by.typed") not in record, "nobody else did"


def test_figures_say_in_which_language_they_were_given(tmp_path: Path) -> None:
    with hospital(tmp_path, "epic") as run:
        patient = patient_of(run)
        chart = launch(run, patient)
        chart.browser.submit(chart.page, chart.at("language"), language="nb")
        steps.rate(chart)
        assert {each["language"] for each in steps.filed(run, patient, "Observation")} == {"nb"}
        panel = steps.text(chart.browser.get(chart.url))
        assert steps.norsk("rating.language.en") not in panel
        assert steps.norsk("rating.language.unknown") not in panel
