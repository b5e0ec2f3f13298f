"""SECURITY F, G: what may not be sent now, whoever presses: the clocks differ too much, or the record was merged."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests

from tests.flows import steps
from tests.flows.filings import NOTHING, ONCE, act, buttons, count, let_time_pass, writes
from tests.flows.steps import SAVED, answers, filed, go, heading, rate, say, text
from tests.flows.wrong import Wsgi, fault, in_front, is_send, loses_the_reply_and_goes_down, refuses
from tests.running import Chart, Running, log_in
from tests.web.steps import record_of

REASON = "Written anew in the record that is used now"
WAITING = say("filing.waiting.title")


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run)


@pytest.fixture
def chart(run: Running, patient: str) -> Chart:
    return log_in(run, patient=patient)


# The clock of the EHR, by its replies


@pytest.mark.parametrize("sign", [1, -1])
def test_a_clock_five_minutes_off_files_nothing(run: Running, patient: str, chart: Chart, sign: int) -> None:
    form = steps.begin(chart)
    run.clock.hospital_ahead = sign * timedelta(minutes=5, seconds=10)
    assert say("panel.clock.stop", minutes=5) in text(chart.browser.get(chart.url))
    run.asked.clear()
    page = go(chart.browser, form, do="complete", **answers())
    assert (heading(page), writes(run)) == (WAITING, [])
    assert say("filing.held.clock") in text(page)
    refused = steps.audited(run, patient)[-2]
    assert (refused["action"], refused["outcome"]) == ("send", "refused")
    assert say("filing.held.clock") in text(act(chart, page, "send")), "it stays as it is"
    run.clock.hospital_ahead = timedelta()
    assert heading(act(chart, page, "send")) == SAVED
    assert count(run, patient) == ONCE


def test_what_was_sealed_by_a_clock_that_was_ahead_is_not_filed_as_if_it_were_right(
    run: Running, patient: str, chart: Chart
) -> None:
    form = steps.begin(chart)
    run.clock.ahead, run.clock.hospital_ahead = timedelta(minutes=10), timedelta(minutes=-10)
    page = go(chart.browser, form, do="complete", **answers())
    assert say("filing.held.clock") in text(page)
    run.clock.right()
    held = act(chart, page, "send")
    assert (heading(held), count(run, patient)) == (WAITING, NOTHING)
    assert say("filing.held.ahead") in text(held)
    assert buttons(held) == {"send", "drop"}
    run.clock.ahead = timedelta(minutes=6)
    assert heading(act(chart, held, "send")) == SAVED, "a person was told what time it carries"


def test_a_clock_a_minute_off_is_warned_of(run: Running, patient: str, chart: Chart) -> None:
    for seconds, warned in ((58, False), (63, True), (290, True)):
        run.clock.hospital_ahead = timedelta(seconds=seconds)
        shown = text(chart.browser.get(chart.url))
        assert (say("panel.clock.warn", minutes=round(seconds / 60)) in shown) is warned
        assert say("panel.clock.stop", minutes=round(seconds / 60)) not in shown
    assert heading(rate(chart)) == SAVED


def test_a_hospital_that_is_down_is_waited_for_whatever_its_clock_was(run: Running, patient: str, chart: Chart) -> None:
    form = steps.begin(chart)
    with fault(run, "busy"):
        page = go(chart.browser, form, do="complete", **answers())
    assert say("filing.waiting") in text(page)


# A record that was merged into another


def merge(run: Running, old: str, new: str) -> None:
    """As the hospital does it: the old one says what is used instead, the new one what it replaces."""
    name = [{"given": ["Eva"], "family": "Berg"}]
    for patient, kind, other in ((old, "replaced-by", new), (new, "replaces", old)):
        link = {"other": {"reference": f"Patient/{other}"}, "type": kind}
        steps.put(
            run, {"resourceType": "Patient", "id": patient, "name": name, "active": kind == "replaces", "link": [link]}
        )


def test_nothing_more_goes_into_a_record_that_was_merged(run: Running, patient: str, chart: Chart) -> None:
    new = steps.new_patient(run)
    form = steps.begin(chart)
    merge(run, patient, new)
    assert say("panel.merged") in text(chart.browser.get(chart.url))
    run.asked.clear()
    page = go(chart.browser, form, do="complete", **answers(), comment="Not to be lost")
    assert (heading(page), writes(run)) == (WAITING, [])
    assert say("filing.held.merged") in text(page)
    assert "Not to be lost" in text(page), "it can be read and printed"
    act(chart, page, "send")
    go(chart.browser, chart.browser.get(chart.at("outbox")), chart.at("outbox"))
    assert (count(run, patient), count(run, new)) == (NOTHING, NOTHING)
    assert heading(act(chart, page, "drop", REASON)) == say("filing.withdrawn.title")


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
def test_nor_into_one_that_is_gone(run: Running, patient: str, chart: Chart, status: str) -> None:
    form = steps.begin(chart)
    with fault(run, "busy"):
        page = go(chart.browser, form, do="complete", **answers())

    def gone(hospital):  # type: ignore[no-untyped-def]
        def answering(environ, start_response):  # type: ignore[no-untyped-def]
            if environ["PATH_INFO"] != f"/fhir/Patient/{patient}":
                return hospital(environ, start_response)
            start_response(status, [("Content-Length", "0")])
            return [b""]

        return answering

    with in_front(run, gone):
        run.asked.clear()
        held = act(chart, page, "send")
        assert writes(run) == []
        assert say("filing.held.merged") in text(held)
        assert buttons(held) == {"send", "drop"}, "what waited may never go, so it can be ended"
    assert count(run, patient) == NOTHING


def test_nor_where_the_ehr_answers_with_the_record_that_is_used_now(run: Running, patient: str, chart: Chart) -> None:
    """Some servers do, with 200, when asked for the old one."""
    form = steps.begin(chart)
    survivor = json.dumps({"resourceType": "Patient", "id": steps.new_patient(run)}).encode()

    def answers_so(hospital):  # type: ignore[no-untyped-def]
        def answering(environ, start_response):  # type: ignore[no-untyped-def]
            if environ["PATH_INFO"] != f"/fhir/Patient/{patient}":
                return hospital(environ, start_response)
            headers = [("Content-Type", "application/fhir+json"), ("Content-Length", str(len(survivor)))]
            start_response("200 OK", headers)
            return [survivor]

        return answering

    with in_front(run, answers_so):
        run.asked.clear()
        page = go(chart.browser, form, do="complete", **answers())
    assert say("filing.held.merged") in text(page)
    assert (writes(run), count(run, patient)) == ([], NOTHING)


@pytest.fixture
def left(run: Running, patient: str, chart: Chart) -> tuple[str, requests.Response]:
    """The record that is used now, and the page of what was saved for the old one."""
    new = steps.new_patient(run)
    form = steps.begin(chart)
    with fault(run, "busy"):
        page = go(chart.browser, form, do="complete", **answers(), comment="Not to be lost")
    merge(run, patient, new)
    return new, page


@pytest.mark.parametrize("user", ["Practitioner/kari", "Practitioner/ola"])
def test_in_the_record_that_is_used_now_it_is_read_and_ended_and_never_filed(
    run: Running, patient: str, left: tuple[str, requests.Response], user: str
) -> None:
    new, page = left
    fid = page.url.rpartition("/")[2]
    survivor = log_in(run, patient=new, user=user)
    assert say("waiting.merged", n=1) in text(survivor.page)
    outbox = survivor.browser.get(survivor.at("outbox"))
    assert say("filing.outbox.merged") in text(outbox)
    seen = survivor.browser.get(survivor.at(f"saved/{fid}"))
    assert say("filing.held.here") in text(seen)
    assert "Not to be lost" in text(seen)
    assert buttons(seen) == {"drop"}
    run.asked.clear()
    for do in ("send", "again", "there", "choose", "correct", "apart"):
        act(survivor, seen, do, REASON)
    go(survivor.browser, outbox, survivor.at("outbox"))
    assert writes(run) == []
    assert say("form.error.reason") in text(act(survivor, seen, "drop"))
    assert heading(act(survivor, seen, "drop", REASON)) == say("filing.withdrawn.title")
    assert (count(run, patient), count(run, new)) == (NOTHING, NOTHING)
    last = [each for each in steps.audited(run, patient) if each["action"] == "withdraw"][-1]
    assert (last["patient"], last["purpose"]) == (f"Patient/{patient}", REASON)


def test_a_record_that_replaces_none_sees_none_of_it(run: Running, left: tuple[str, requests.Response]) -> None:
    _, page = left
    elsewhere = log_in(run, patient=steps.new_patient(run))
    fid = page.url.rpartition("/")[2]
    assert elsewhere.browser.get(elsewhere.at(f"saved/{fid}")).status_code == 404
    assert say("filing.outbox.merged") not in text(elsewhere.browser.get(elsewhere.at("outbox")))


def test_the_patient_sees_who_opened_the_record_that_was_merged(run: Running, patient: str, chart: Chart) -> None:
    new = steps.new_patient(run)
    merge(run, patient, new)
    log_in(run, patient=new, user="Practitioner/ola")
    own = log_in(run, patient=new, user=f"Patient/{new}")
    yours, ola, kari = re.findall(r"<li>(.*?)</li>", own.browser.get(own.at("own/opened")).text, re.DOTALL)
    assert "Kari Nilsen" in kari
    assert [say("opened.merged") in line for line in (yours, ola, kari)] == [False, False, True]


def test_the_patient_s_own_answers_stay_closed_there_too(run: Running, patient: str, chart: Chart) -> None:
    new = steps.new_patient(run)
    check = steps.answer_alone(chart.browser, steps.give(chart), answers(2), comment="Mine alone")
    steps.hand_in(chart.browser, check)
    merge(run, patient, new)
    steps.take_back(chart)
    survivor = log_in(run, patient=new)
    outbox = survivor.browser.get(survivor.at("outbox"))
    fid = outbox.text.partition("/saved/")[2].partition('"')[0]
    closed = survivor.browser.get(survivor.at(f"saved/{fid}"))
    assert "Mine alone" not in closed.text
    assert "Mine alone" in text(go(survivor.browser, closed, do="open"))
    assert filed(run, new, "QuestionnaireResponse") == []


def test_one_whose_answer_was_lost_is_ended_from_the_record_that_is_used_now(
    run: Running, patient: str, chart: Chart
) -> None:
    new = steps.new_patient(run)
    form = steps.begin(chart)
    with in_front(run, loses_the_reply_and_goes_down(run)):
        page = go(chart.browser, form, do="complete", **answers(), comment="Not to be lost")
    run.hospital.hospital.faults.switch_off("down")
    merge(run, patient, new)
    survivor = log_in(run, patient=new)
    address = survivor.at(f"saved/{page.url.rpartition('/')[2]}")
    assert buttons(survivor.browser.get(address)) == set(), "it may still arrive"
    let_time_pass(run, 60)
    seen = survivor.browser.get(address)
    assert say("filing.held.here.unknown") in text(seen)
    assert say("filing.drop_unknown.what") in text(seen)
    assert "Not to be lost" in text(seen)
    assert buttons(seen) == {"drop"}
    ended = act(survivor, seen, "drop", REASON)
    assert heading(ended) == say("filing.ended.title")
    assert say("filing.state.unknown") in text(ended), "not that it is not sent"
    assert say("waiting.merged", n=1) not in text(survivor.browser.get(survivor.url))


@pytest.mark.parametrize("there", [False, True])
def test_what_is_there_in_part_is_ended_in_either_record(run: Running, patient: str, chart: Chart, there: bool) -> None:
    new = steps.new_patient(run)
    form = steps.begin(chart)
    with in_front(run, refuses(run, "/fhir")):
        whole = go(chart.browser, form, do="complete", **answers(), comment="Not to be lost")
    with in_front(run, gone_after_the_answers(patient)):
        page = act(chart, whole, "apart")
    merge(run, patient, new)
    assert say("filing.held.merged") in text(page)
    assert buttons(page) == {"send", "drop"}
    assert count(run, patient) == NOTHING | {"responses": 1}
    survivor = log_in(run, patient=new) if there else chart
    seen = survivor.browser.get(survivor.at(f"saved/{page.url.rpartition('/')[2]}"))
    if there:
        assert say("filing.held.here.partly") in text(seen)
        assert buttons(seen) == {"drop"}
    assert say("filing.drop_rest") in text(seen)
    ended = act(survivor, seen, "drop", REASON)
    assert heading(ended) == say("filing.withdrawn.title")
    assert say("filing.state.saved") in text(ended)
    assert run.store.filings.outbox(record_of(run, chart).owner) == ()


def gone_after_the_answers(patient: str) -> Callable[[Wsgi], Wsgi]:
    """The answers are taken; before the next part the record is no longer found."""
    taken: list[str] = []

    def make(hospital: Wsgi) -> Wsgi:
        def answering(environ: Any, start_response: Any) -> Any:
            if is_send(environ, "/fhir/QuestionnaireResponse"):
                taken.append("answers")
            if not taken or environ["PATH_INFO"] != f"/fhir/Patient/{patient}":
                return hospital(environ, start_response)
            start_response("410 Gone", [("Content-Length", "0")])
            return [b""]

        return answering

    return make
