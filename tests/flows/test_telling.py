"""The EHR is told who saw and wrote what, where it takes AuditEvents: after the page, once, at nobody's expense."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_app import telling
from smart_app.audit_events import event_of
from smart_app.state import state_of
from smart_app.store.audit import Entry
from smart_app.store.unsent import PAUSE
from tests.flows import steps
from tests.flows.steps import filed
from tests.flows.wrong import fault
from tests.running import SITE, Chart, Running, log_in
from tests.web.steps import record_of, rows

TOLD = "POST /fhir/AuditEvent"


@pytest.fixture
def patient(run: Running) -> str:
    with run.store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM audit_unsent")  # what other tests left
    return steps.new_patient(run)


@pytest.fixture
def chart(run: Running, patient: str) -> Chart:
    return log_in(run, patient=patient)


def tell(run: Running) -> None:
    telling.tell(state_of(run.app))


def events(run: Running, patient: str) -> list[tuple[str, str]]:
    return [(each["subtype"][0]["code"], each["outcome"]) for each in filed(run, patient, "AuditEvent")]


def test_log_in_view_write_and_correction_are_told_once_and_after_the_page(
    run: Running, patient: str, chart: Chart
) -> None:
    steps.rate(chart)
    (response,) = filed(run, patient, "QuestionnaireResponse")
    page = steps.correct(chart, response["id"])
    steps.go(chart.browser, page, do="complete", reason="misheard", **steps.answers(4))
    assert TOLD not in run.asked, "no page waits for it"
    tell(run)
    tell(run)
    told = events(run, patient)
    kept = [(each["kind"], each["outcome"]) for each in steps.audited(run, patient) if each["kind"]]
    assert len(told) == len(kept)
    assert {("110122", "0"), ("read", "0"), ("create", "0"), ("update", "0")} <= set(told)
    (created,) = [each for each in filed(run, patient, "AuditEvent") if each["action"] == "C"]
    assert created["agent"][0]["who"]["reference"] == "Practitioner/kari"
    assert created["entity"][0]["what"] == {"reference": f"Patient/{patient}"}
    assert "misheard" not in json.dumps(filed(run, patient, "AuditEvent")), "that stands in the Provenance"


def test_what_the_ehr_refused_to_take_is_told_as_a_refusal(run: Running, patient: str, chart: Chart) -> None:
    with fault(run, "forbid-create"):
        steps.rate(chart)
    tell(run)
    assert ("operation", "4") in events(run, patient)


def test_an_ehr_that_refuses_them_is_asked_once_a_launch(
    run: Running, patient: str, chart: Chart, caplog: pytest.LogCaptureFixture
) -> None:
    chart.browser.get(chart.url)
    with fault(run, "forbid-create"):
        for _ in range(2):
            tell(run)
    assert run.asked.count(TOLD) == 1
    assert "1 AuditEvents were not taken, the app's own log has them: sandbox, Forbidden" in caplog.messages
    assert rows(run, "audit_unsent") == 0
    assert run.store.audit.verify().broken == 0


def test_an_ehr_that_is_down_is_told_later(run: Running, patient: str, chart: Chart) -> None:
    with fault(run, "down"):
        for asked in (1, 2, 2):  # the log-in, the panel, and then each is left alone for a minute
            tell(run)
            assert run.asked.count(TOLD) == asked
    run.clock.ahead = PAUSE * 1.1
    tell(run)
    assert len(events(run, patient)) == len([each for each in steps.audited(run, patient) if each["kind"]])


def test_what_waits_for_a_silent_hospital_hides_nothing_behind_it(run: Running, patient: str) -> None:
    silent = "silent"
    like = record_of(run, log_in(run, patient=patient))
    elsewhere = replace(like.context, site=silent, sub="somebody", patient="p-1", fhir_base="http://127.0.0.1:1/fhir")
    other = run.store.launches.start(elsewhere, like.tokens, (), run.clock()).launch
    view = Entry("view", "success", other.who, silent, "Patient/p-1", other.patient_key)
    for _ in range(120):
        run.store.audit.record(view, run.clock())
    behind = log_in(run, patient=steps.new_patient(run))
    state = state_of(run.app)
    telling.tell(replace(state, hospitals={**state.hospitals, silent: state.hospitals[SITE]}))
    assert events(run, record_of(run, behind).context.patient)


def test_a_lost_reply_doubles_nothing(run: Running, patient: str, chart: Chart) -> None:
    with fault(run, "lost-reply"):
        tell(run)
    run.clock.ahead = PAUSE * 1.1
    tell(run)
    assert run.asked.count(TOLD) > len(events(run, patient))
    assert len(events(run, patient)) == len([each for each in steps.audited(run, patient) if each["kind"]])


def test_where_it_can_t_be_told_once_only_a_lost_reply_ends_it(run: Running, patient: str, chart: Chart) -> None:
    run.store.launches.change(chart.id, lambda was: replace(was, plan={**was.plan, "conditional": False}))
    with fault(run, "lost-reply"):
        tell(run)
    run.clock.ahead = PAUSE * 1.1
    tell(run)
    assert len(events(run, patient)) == len([each for each in steps.audited(run, patient) if each["kind"]])


@pytest.mark.parametrize("conditional", [True, False])
def test_a_crash_while_it_is_told_doubles_nothing(
    run: Running, patient: str, chart: Chart, monkeypatch: pytest.MonkeyPatch, conditional: bool
) -> None:
    run.store.launches.change(chart.id, lambda was: replace(was, plan={**was.plan, "conditional": conditional}))

    def crash(*numbers: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run.store.unsent, "leave", crash)
    with pytest.raises(KeyboardInterrupt):
        tell(run)
    monkeypatch.undo()
    run.clock.ahead = PAUSE * 1.1
    tell(run)
    assert len(events(run, patient)) == len([each for each in steps.audited(run, patient) if each["kind"]])


def test_it_gives_up_after_five_tries_and_the_log_has_it(run: Running, patient: str, chart: Chart) -> None:
    with fault(run, "down"):
        for tries in range(1, 10):
            tell(run)
            run.clock.ahead += PAUSE * tries
    assert 5 <= run.asked.count(TOLD) <= 5 * len(steps.audited(run, patient))
    assert len(steps.audited(run, patient)) >= 2


def test_what_is_left_at_log_out_is_told_by_the_same_persons_next_launch(
    run: Running, patient: str, chart: Chart
) -> None:
    steps.post(chart.browser, chart.browser.get(chart.url), chart.at("log-out"))
    log_in(run, patient=patient, user="Practitioner/ola")
    tell(run)
    assert "Practitioner/kari" not in json.dumps(filed(run, patient, "AuditEvent")), "nobody tells in another's name"
    log_in(run, patient=patient)
    tell(run)
    assert "Practitioner/kari" in json.dumps(filed(run, patient, "AuditEvent"))


def test_a_launch_of_another_patient_tells_nothing_of_this_one(run: Running, patient: str, chart: Chart) -> None:
    steps.post(chart.browser, chart.browser.get(chart.url), chart.at("log-out"))
    log_in(run, patient=steps.new_patient(run))
    tell(run)
    assert events(run, patient) == []


def test_an_ehr_that_takes_none_is_asked_for_none(run: Running, patient: str) -> None:
    log_in(run, patient=patient, faults=("cut-scopes",))
    run.asked.clear()
    tell(run)
    assert TOLD not in run.asked
    assert rows(run, "audit_unsent") == 0


WORDS = st.text(min_size=8, max_size=60)


@given(
    purpose=WORDS,
    objects=st.lists(st.one_of(WORDS, st.just("Goal/1"), st.just("06-3"), WORDS.map(lambda word: f"Goal/{word}"))),
    kind=st.sampled_from(["view", "create", "update", "refusal"]),
)
def test_an_event_says_ids_names_and_codes_only(purpose: str, objects: list[str], kind: str) -> None:
    refused = kind == "refusal"
    row: dict[str, Any] = {
        "id": "8a7b5c70-0000-4000-8000-000000000001", "kind": kind, "action": "view",
        "outcome": "refused" if refused else "success", "user_key": "k", "display": "Kari", "sub": "kari",
        "fhir_user": "Practitioner/kari", "issuer": "https://ehr.example", "patient": "Patient/anna",
        "at": datetime(2026, 11, 3, tzinfo=UTC), "purpose": purpose, "objects": objects,
    }  # fmt: skip
    event = event_of(row, "https://ehr.example/fhir")
    without = event_of({**row, "purpose": "", "objects": []}, "https://ehr.example/fhir")
    assert event is not None
    assert without is not None
    said = [entity["what"] for entity in event.pop("entity")]
    without.pop("entity")
    assert event == without
    assert all(set(what) == {"reference"} and what["reference"].isascii() for what in said)
    assert all(len(what["reference"]) <= len("Patient/") + 128 and " " not in what["reference"] for what in said)
