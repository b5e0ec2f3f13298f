"""Rule 11: answers that the patient gave alone and handed back unfinished, and that a clinician goes on typing."""

from dataclasses import replace
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from imr_fhir.document import document_reference
from imr_fhir.response import from_resource
from smart_app.sandbox import fhir_api
from smart_app.sandbox.capability import capability_statement
from smart_app.store.refusals import FORBIDDEN
from tests.filed import FILING, urn
from tests.flows import steps
from tests.flows.filings import act, buttons, let_time_pass
from tests.flows.steps import PIN, SAVED, answers, filed, go, heading, of_code, rate, say, text
from tests.flows.test_filing_parts import forget_refusals, one_by_one  # noqa: F401
from tests.flows.test_today import busy_for_writes
from tests.flows.test_versions import other
from tests.flows.wrong import Wsgi, before_send, body_of, fault, in_front, is_send, refuses
from tests.running import Chart, Running, log_in, running
from tests.web.steps import record_of

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


@pytest.mark.usefixtures("one_by_one")
def test_also_where_the_record_takes_no_word_of_who_wrote_the_answers(run: Running, patient: str, chart: Chart) -> None:
    begun_alone(chart)
    form = typed_on(chart)
    with in_front(run, refuses(run, "/fhir/Provenance")):
        refused = go(chart.browser, form, do="complete", **answers(4))
        assert buttons(refused) == {"without", "drop"}
        assert heading(act(chart, refused, "without")) == SAVED
    (note,), (response,) = notes(run, patient), filed(run, patient, "QuestionnaireResponse")
    assert note["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{response['id']}"}]


@pytest.mark.usefixtures("one_by_one")
def test_also_where_the_answers_go_a_rung_lower(run: Running, patient: str, chart: Chart) -> None:
    begun_alone(chart)
    form = typed_on(chart)
    with in_front(run, refuses(run, "/fhir/QuestionnaireResponse")):
        refused = go(chart.browser, form, do="complete", **answers(4))
        assert heading(act(chart, refused, "down")) == SAVED
    (note,), (score,) = notes(run, patient), of_code(filed(run, patient, "Observation"), "score-client")
    assert note["derivedFrom"] == [{"reference": f"Observation/{score['id']}"}]
    assert (len(steps.told_of(run, score)), steps.told_of(run, note)) == (1, []), "the patient did not see it first"


@pytest.mark.usefixtures("one_by_one")
def test_where_the_note_alone_is_refused_nothing_is_sent_twice(run: Running, patient: str, chart: Chart) -> None:
    def refuses_it(hospital: Wsgi) -> Wsgi:
        def answering(environ: Any, start_response: Any) -> Any:
            if is_send(environ, "/fhir/Observation") and of_code([body_of(environ)], "seen-first"):
                start_response("403 Forbidden", [("Content-Length", "0")])
                return [b""]
            return hospital(environ, start_response)

        return answering

    begun_alone(chart)
    form = typed_on(chart)
    with in_front(run, refuses_it):
        refused = go(chart.browser, form, do="complete", **answers(4))
        assert heading(act(chart, refused, "down")) == say("filing.rest.title")
    assert len(filed(run, patient, "QuestionnaireResponse")) == 1
    assert len(filed(run, patient, "Observation")) == 1


def test_also_where_the_record_keeps_scores_alone(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("scores"), ehr="observation-only") as run:
        patient = steps.new_patient(run, course=True)
        chart = log_in(run, patient=patient)
        begun_alone(chart)
        assert heading(go(chart.browser, typed_on(chart), do="complete", **answers(4))) == SAVED
        (note,), (score,) = notes(run, patient), of_code(filed(run, patient, "Observation"), "score-client")
        assert note["derivedFrom"] == [{"reference": f"Observation/{score['id']}"}]
        assert say("blind.why") not in text(chart.browser.get(chart.url))


def test_also_where_the_patient_finishes_alone_after_all(run: Running, patient: str, chart: Chart) -> None:
    begun_alone(chart)
    typed_on(chart)
    check = steps.answer_alone(chart.browser, steps.give(chart), answers(3))
    steps.hand_in(chart.browser, check)
    steps.take_back(chart)
    assert len(notes(run, patient)) == 1


def test_opened_on_the_page_of_what_was_saved_it_is_noted_at_once(run: Running, patient: str, chart: Chart) -> None:
    steps.answered_by_patient(chart, answers(2), "For my clinician")
    (sealed,) = run.store.filings.filed(record_of(run, chart).owner)
    receipt = chart.browser.get(chart.at(f"saved/{sealed.id}"))
    assert "For my clinician" in text(go(chart.browser, receipt, do="open"))
    (note,), (response,) = notes(run, patient), filed(run, patient, "QuestionnaireResponse")
    assert note["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{response['id']}"}]
    assert (note["performer"], seen_in_log(run, patient)) == ([{"reference": "Practitioner/kari"}], 1)
    assert say("blind.why") not in text(log_in(run, patient=patient).page), "also in a launch of another day"


@pytest.mark.parametrize("where", ["on the form", "on the page of what was saved"])
def test_what_had_no_place_when_it_was_saved_is_noted_once_it_has(run: Running, patient: str, where: str) -> None:
    chart = log_in(run, patient=patient, faults=("cut-scopes",))
    if where == "on the form":
        begun_alone(chart)
        kept = go(chart.browser, typed_on(chart), do="complete", **answers(4))
    else:
        steps.answered_by_patient(chart)
        (sealed,) = run.store.filings.outbox(record_of(run, chart).owner)
        kept = act(chart, chart.browser.get(chart.at(f"saved/{sealed.id}")), "open")
    assert heading(kept) == say("filing.printed.title")
    assert seen_in_log(run, patient) == 1
    later = log_in(run, patient=patient)
    shown = later.browser.get(later.at(f"saved/{kept.url.rpartition('/')[2]}"))
    assert heading(act(later, shown, "down")) == SAVED
    (note,), (response,) = notes(run, patient), filed(run, patient, "QuestionnaireResponse")
    assert note["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{response['id']}"}]
    assert note["performer"] == [{"reference": "Practitioner/kari"}]


@pytest.mark.usefixtures("one_by_one")
def test_so_is_what_was_refused_and_kept_to_be_printed(run: Running, patient: str, chart: Chart) -> None:
    begun_alone(chart)
    form = typed_on(chart)
    with in_front(run, refuses(run, "/fhir/QuestionnaireResponse", "/fhir/Observation")):
        page = go(chart.browser, form, do="complete", **answers(4))
        while heading(page) == say("filing.refused.title"):
            page = act(chart, page, "down")
    assert heading(page) == say("filing.printed.title")
    forget_refusals(run)
    later = log_in(run, patient=patient)
    shown = later.browser.get(later.at(f"saved/{page.url.rpartition('/')[2]}"))
    assert heading(act(later, shown, "down")) == SAVED
    (note,), (response,) = notes(run, patient), filed(run, patient, "QuestionnaireResponse")
    assert note["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{response['id']}"}]


def test_of_two_that_were_hidden_each_is_noted(run: Running, patient: str, chart: Chart) -> None:
    for said in (answers(2), answers(4)):
        steps.answered_by_patient(chart, said)
    opened = go(chart.browser, chart.browser.get(chart.url), chart.at("see-first"))
    assert (opened.status_code, say("blind.why") in text(opened)) == (200, False)
    noted = {each["derivedFrom"][0]["reference"] for each in notes(run, patient)}
    assert noted == {f"QuestionnaireResponse/{each['id']}" for each in filed(run, patient, "QuestionnaireResponse")}


def test_so_is_each_of_two_that_the_record_has_instead(run: Running, patient: str, chart: Chart) -> None:
    steps.hand_in(chart.browser, steps.answer_alone(chart.browser, steps.give(chart), answers(2)))

    def put(bundle: Any) -> None:
        response = next(each["resource"] for each in bundle["entry"] if "item" in each["resource"])
        for number in range(2):
            steps.put(run, other(response) | {"id": f"{chart.id[:8]}-{number}"})

    with in_front(run, before_send(run, put)):
        steps.take_back(chart)
    (sealed,) = run.store.filings.outbox(record_of(run, chart).owner)
    page = chart.browser.get(chart.at(f"saved/{sealed.id}"))
    assert (heading(page), "2. Knowledge" in text(page)) == (say("filing.duplicate.title"), False)
    assert "2. Knowledge" in text(act(chart, page, "open"))
    noted = {each["derivedFrom"][0]["reference"] for each in notes(run, patient)}
    assert noted == {f"QuestionnaireResponse/{each['id']}" for each in filed(run, patient, "QuestionnaireResponse")}


def waits(run: Running, chart: Chart) -> requests.Response:
    """The page of what the patient handed in and the record has not taken."""
    check = steps.answer_alone(chart.browser, steps.give(chart), answers(2), "For my clinician")
    steps.hand_in(chart.browser, check)
    with fault(run, "busy"):
        steps.take_back(chart)
    (sealed,) = run.store.filings.outbox(record_of(run, chart).owner)
    let_time_pass(run, 60)
    return chart.browser.get(chart.at(f"saved/{sealed.id}"))


@pytest.mark.parametrize("user", ["Practitioner/kari", "Practitioner/ola"])
def test_opened_before_the_record_has_it_it_is_noted_with_it(
    run: Running, patient: str, chart: Chart, user: str
) -> None:
    """Whoever takes it there, and in a later launch."""
    page = waits(run, chart)
    assert "For my clinician" in text(go(chart.browser, page, do="open"))
    assert notes(run, patient) == []
    later = log_in(run, patient=patient, user=user)
    again = later.browser.get(urljoin(later.url, urlsplit(page.url).path.partition(chart.id)[2].lstrip("/")))
    assert heading(act(later, again, "send", "For Kari")) == SAVED
    (note,), (response,) = notes(run, patient), filed(run, patient, "QuestionnaireResponse")
    assert note["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{response['id']}"}]
    assert note["performer"] == [{"reference": "Practitioner/kari"}]


@pytest.mark.parametrize("page", ["own/save", "received"])
def test_also_where_the_patient_takes_it_there(run: Running, patient: str, chart: Chart, page: str) -> None:
    """Answered in the patient's own launch, and opened by a clinician before the record had it."""
    own = log_in(run, patient=patient, user=f"Patient/{patient}")
    begun = go(own.browser, own.page, own.at("answer/start"))
    check = steps.answer_alone(own.browser, begun, answers(2), "For my clinician")
    with fault(run, "busy"):
        receipt = steps.hand_in(own.browser, check)
    (sealed,) = run.store.filings.outbox(record_of(run, own).owner)
    opened = act(chart, chart.browser.get(chart.at(f"saved/{sealed.id}")), "open")
    assert "For my clinician" in text(opened)
    let_time_pass(run, 60)
    go(own.browser, receipt, own.at("own/save") if page == "own/save" else receipt.url)
    (note,), (response,) = notes(run, patient), filed(run, patient, "QuestionnaireResponse")
    assert note["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{response['id']}"}]
    assert note["performer"] == [{"reference": "Practitioner/kari"}]


def test_all_saved_at_once_too(run: Running, patient: str, chart: Chart) -> None:
    go(chart.browser, waits(run, chart), do="open")
    go(chart.browser, chart.browser.get(chart.at("outbox")), chart.at("outbox"))
    assert len(notes(run, patient)) == 1


def test_what_is_hidden_is_not_said_to_be_seen(run: Running) -> None:
    patient = steps.new_patient(run, course=True)
    chart = log_in(run, patient=patient)
    steps.answered_by_patient(chart, answers(2))
    (response,) = filed(run, patient, "QuestionnaireResponse")

    def seen(address: str) -> bool:
        before = len(steps.audited(run, patient))
        chart.browser.get(address)
        rows = steps.audited(run, patient)[before:]
        assert "view" in {each["action"] for each in rows}
        return any(f"QuestionnaireResponse/{response['id']}" in each["objects"] for each in rows)

    assert [seen(chart.url), seen(chart.at("how"))] == [False, False]
    steps.rate(chart)
    assert seen(chart.url)


def test_opened_after_one_s_own_rating_it_was_not_seen_first(run: Running, patient: str, chart: Chart) -> None:
    rate(chart)
    assert "For my clinician" in text(go(chart.browser, waits(run, chart), do="open"))
    go(chart.browser, chart.browser.get(chart.at("outbox")), chart.at("outbox"))
    assert (notes(run, patient), seen_in_log(run, patient)) == ([], 0)


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


def colleague(run: Running, patient: str, saved: requests.Response) -> tuple[Chart, requests.Response]:
    """Another clinician, on the page of what the first one saved."""
    other = log_in(run, patient=patient, user="Practitioner/ola")
    return other, other.browser.get(other.at(f"saved/{saved.url.rpartition('/')[2]}"))


def test_what_a_clinician_typed_is_hidden_from_a_colleague_until_opened(
    run: Running, patient: str, chart: Chart
) -> None:
    form = steps.begin(chart, "client")
    with fault(run, "busy"):
        saved = go(chart.browser, form, do="complete", **answers(2), comment="Said aloud")
    assert "Said aloud" in text(saved)
    other, page = colleague(run, patient, saved)
    assert ("Said aloud" in text(page), say("blind.why") in text(page)) == (False, True)
    let_time_pass(run, 60)
    sent = act(other, page, "send", "Kari is away")
    assert (heading(sent), "Said aloud" in text(sent)) == (SAVED, False)
    assert notes(run, patient) == []
    assert "Said aloud" in text(act(other, sent, "open"))
    (note,) = notes(run, patient)
    assert note["performer"] == [{"reference": "Practitioner/ola"}]


def test_a_correction_is_hidden_from_a_colleague_too(run: Running, patient: str, chart: Chart) -> None:
    rate(chart, "client", answers(2))
    go(chart.browser, chart.browser.get(chart.url), chart.at("see-first"))
    (response,) = filed(run, patient, "QuestionnaireResponse")
    form = steps.correct(chart, response["id"])
    with in_front(run, refuses(run, "/fhir")):
        saved = go(chart.browser, form, do="complete", reason="Misheard", **answers(4), comment="Said aloud")
    assert "Said aloud" in text(saved)
    other, page = colleague(run, patient, saved)
    assert ("Said aloud" in text(page), say("blind.why") in text(page)) == (False, True)
    assert "Said aloud" in text(act(other, page, "open"))
    opened = [note for note in notes(run, patient) if note["performer"] == [{"reference": "Practitioner/ola"}]]
    assert opened == [], "the correction is not in the record yet"
    assert heading(act(other, other.browser.get(page.url), "apart", "Kari is away")) == SAVED
    opened = [note for note in notes(run, patient) if note["performer"] == [{"reference": "Practitioner/ola"}]]
    assert opened[0]["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{response['id']}"}]


def test_so_are_the_answers_that_a_withdrawal_is_compared_with(run: Running, patient: str, chart: Chart) -> None:
    """Somebody changed them meanwhile: until that is decided they stand in the record."""
    rate(chart, "client", answers(2))
    go(chart.browser, chart.browser.get(chart.url), chart.at("see-first"))
    (response,) = filed(run, patient, "QuestionnaireResponse")
    form = chart.browser.get(chart.at(f"response/{response['id']}/withdraw"))
    with in_front(run, before_send(run, lambda _: steps.put(run, other(response) | {"status": "amended"}))):
        saved = go(chart.browser, form, reason="Of another person")
    assert heading(saved) == say("filing.duplicate.title")
    assert "2. Knowledge" in text(saved)
    other_chart, page = colleague(run, patient, saved)
    assert say("blind.why") in text(other_chart.page)
    assert ("2. Knowledge" in text(page), say("blind.why") in text(page)) == (False, True)
    assert "2. Knowledge" in text(act(other_chart, page, "open"))
    (note,) = [each for each in notes(run, patient) if each["performer"] == [{"reference": "Practitioner/ola"}]]
    assert note["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{response['id']}"}]


def test_who_takes_the_own_rating_back_has_seen_what_stood_beside_it(run: Running, patient: str, chart: Chart) -> None:
    """Rated once more, the two would be a blind pair."""
    steps.answered_by_patient(chart, answers(2))
    rate(chart)
    theirs, own = filed(run, patient, "QuestionnaireResponse")
    assert notes(run, patient) == [], "rated blind"
    page = chart.browser.get(chart.at(f"response/{own['id']}/withdraw"))
    assert heading(go(chart.browser, page, reason="Of another person")) == SAVED
    (note,) = notes(run, patient)
    assert note["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{theirs['id']}"}]
    assert note["performer"] == [{"reference": "Practitioner/kari"}]
    assert steps.told_of(run, note) == [], "why it was taken back is no reason of the note"
    assert say("blind.why") not in text(chart.browser.get(chart.url)), "nothing is hidden that was seen"
    assert say("blind.why") in text(log_in(run, patient=patient, user="Practitioner/ola").page)


def test_who_takes_another_rating_back_has_seen_nothing_by_that(run: Running, patient: str, chart: Chart) -> None:
    rate(chart)
    rate(chart, said=answers(4))
    steps.answered_by_patient(chart, answers(2))
    first = filed(run, patient, "QuestionnaireResponse")[0]
    page = chart.browser.get(chart.at(f"response/{first['id']}/withdraw"))
    assert heading(go(chart.browser, page, reason="Twice")) == SAVED
    assert notes(run, patient) == []


def corrected(chart: Chart, rating: dict[str, Any], **fields: str) -> requests.Response:
    page = steps.correct(chart, rating["id"])
    return go(chart.browser, page, **{"do": "complete", "reason": "Misread the question", **fields})


def rated_blind(run: Running, patient: str, chart: Chart) -> tuple[dict[str, Any], dict[str, Any]]:
    """The patient's answers and the clinician's own."""
    steps.answered_by_patient(chart, answers(2))
    rate(chart)
    theirs, own = filed(run, patient, "QuestionnaireResponse")
    assert notes(run, patient) == [], "rated blind"
    return theirs, own


def test_who_corrects_the_own_rating_has_seen_what_stands_beside_it(run: Running, patient: str, chart: Chart) -> None:
    """Else it would count as rated blind, with answers that were not."""
    theirs, own = rated_blind(run, patient, chart)
    receipt = corrected(chart, own, **{"06": "06-2"})
    assert heading(receipt) == SAVED
    assert say("filing.part.seen-first") in text(receipt)
    (note,) = notes(run, patient)
    assert note["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{theirs['id']}"}]
    assert note["performer"] == [{"reference": "Practitioner/kari"}]
    assert steps.told_of(run, note) == [], "why it was corrected is no reason of the note"
    assert heading(corrected(chart, own, **{"07": "07-2"})) == SAVED
    assert len(notes(run, patient)) == 1, "noted already"


def test_what_the_record_has_yet_to_take_was_seen_too(run: Running, patient: str, chart: Chart) -> None:
    rate(chart)
    (own,) = filed(run, patient, "QuestionnaireResponse")
    with in_front(run, busy_for_writes):
        steps.answered_by_patient(chart, answers(2))
    assert heading(corrected(chart, own, **{"06": "06-2"})) == SAVED
    assert notes(run, patient) == []
    let_time_pass(run, 60)
    go(chart.browser, chart.browser.get(chart.at("outbox")), chart.at("outbox"))
    theirs = next(each for each in filed(run, patient, "QuestionnaireResponse") if each["id"] != own["id"])
    (note,) = notes(run, patient)
    assert note["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{theirs['id']}"}]
    assert note["performer"] == [{"reference": "Practitioner/kari"}]


@pytest.mark.usefixtures("one_by_one")
def test_who_corrects_part_by_part_has_too(run: Running, patient: str, chart: Chart) -> None:
    theirs, own = rated_blind(run, patient, chart)
    assert heading(corrected(chart, own, **{"06": "06-2"})) == SAVED
    (note,) = notes(run, patient)
    assert note["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{theirs['id']}"}]


def test_so_has_a_colleague_who_corrects_it(run: Running, patient: str, chart: Chart) -> None:
    theirs, own = rated_blind(run, patient, chart)
    colleague = log_in(run, patient=patient, user="Practitioner/ola")
    assert heading(corrected(colleague, own, **{"06": "06-2"})) == SAVED
    (note,) = notes(run, patient)
    assert note["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{theirs['id']}"}]
    assert note["performer"] == [{"reference": "Practitioner/ola"}]


def test_so_has_who_corrects_it_long_after(run: Running, patient: str, chart: Chart) -> None:
    """When the due window of that time has closed, nothing of it is hidden from anyone."""
    theirs, own = rated_blind(run, patient, chart)
    before = "2025-11-03T10:00:00+01:00"
    for each in (theirs, own):
        dated = [e | {"valueDateTime": before} if "valueDateTime" in e else e for e in each["extension"]]
        steps.put(run, each | {"authored": before, "extension": dated})
    assert heading(corrected(log_in(run, patient=patient), own, **{"06": "06-2"})) == SAVED
    (note,) = notes(run, patient)
    assert note["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{theirs['id']}"}]


def test_with_other_words_alone_the_answers_are_as_blind_as_they_were(run: Running, patient: str, chart: Chart) -> None:
    _, own = rated_blind(run, patient, chart)
    assert heading(corrected(chart, own, comment="Rated at home")) == SAVED
    assert notes(run, patient) == []


def test_who_corrects_before_the_patient_answers_has_seen_nothing(run: Running, patient: str, chart: Chart) -> None:
    rate(chart)
    (own,) = filed(run, patient, "QuestionnaireResponse")
    assert heading(corrected(chart, own, **{"06": "06-2"})) == SAVED
    steps.answered_by_patient(chart, answers(2))
    assert notes(run, patient) == []


def test_nor_has_who_corrects_the_patient_s_answers(run: Running, patient: str, chart: Chart) -> None:
    theirs, _ = rated_blind(run, patient, chart)
    assert heading(corrected(chart, theirs, **{"06": "06-4"})) == SAVED
    assert notes(run, patient) == []


def without_updates(config: Any) -> dict[str, Any]:
    said = capability_statement(config)
    for each in said["rest"][0]["resource"]:
        each["interaction"] = [{"code": code} for one in each["interaction"] if (code := one["code"]) != "update"]
    return said


def test_no_note_goes_into_a_record_that_takes_no_correction(
    run: Running, patient: str, chart: Chart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There the rating stands as it was given, blind."""
    _, own = rated_blind(run, patient, chart)
    monkeypatch.setattr(fhir_api, "capability_statement", without_updates)
    assert heading(corrected(log_in(run, patient=patient), own, **{"06": "06-2"})) == say("filing.printed.title")
    assert notes(run, patient) == []
    assert filed(run, patient, "QuestionnaireResponse")[-1]["meta"]["versionId"] == own["meta"]["versionId"]


def test_a_withdrawn_document_brings_it_once_the_record_can_mark_one(
    run: Running, patient: str, chart: Chart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rating of before the record took forms; responses and scores that could not be changed never go later."""
    theirs, own = rated_blind(run, patient, chart)
    rating = replace(from_resource(own, patient=patient), id="", version_id="")
    built = document_reference(
        rating, urn=urn(6), pdf=False, type_coding={"system": "http://loinc.org", "code": "74465-6"},
        zone=run.site.zone, filing=FILING,
    )  # fmt: skip
    document = steps.put(run, {**built, "id": f"{patient}-document"})
    for each in (own, *of_code(filed(run, patient, "Observation"), "score-clinician")):
        steps.put(run, each | {"status": "entered-in-error"})
    with monkeypatch.context() as patched:
        patched.setattr(fhir_api, "capability_statement", without_updates)
        before = log_in(run, patient=patient)
        page = before.browser.get(before.at(f"response/DocumentReference~{document['id']}/withdraw"))
        kept = go(before.browser, page, reason="Of another person")
        assert heading(kept) == say("filing.printed.title")
    assert notes(run, patient) == [], "the rating stands"
    later = log_in(run, patient=patient)
    shown = later.browser.get(later.at(f"saved/{kept.url.rpartition('/')[2]}"))
    assert heading(act(later, shown, "change")) == SAVED
    (now,) = filed(run, patient, "DocumentReference")
    assert now["status"] == "entered-in-error"
    (note,) = notes(run, patient)
    assert note["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{theirs['id']}"}]
    assert steps.told_of(run, note) == []


def refused_and_printed(run: Running, chart: Chart, own: dict[str, Any], *, withdraws: bool) -> requests.Response:
    """Its note stays here with it."""
    with in_front(run, refuses(run, f"/fhir/QuestionnaireResponse/{own['id']}")):
        if withdraws:
            page = chart.browser.get(chart.at(f"response/{own['id']}/withdraw"))
            refused = go(chart.browser, page, reason="Of another person")
        else:
            refused = corrected(chart, own, **{"06": "06-2"})
        assert heading(refused) == say("filing.refused.title")
        printed = act(chart, refused, "down")
        assert heading(printed) == say("filing.printed.title")
    forget_refusals(run)
    return printed


@pytest.mark.usefixtures("one_by_one")
@pytest.mark.parametrize("withdraws", [False, True])
def test_nor_into_one_that_refuses_it(run: Running, patient: str, chart: Chart, withdraws: bool) -> None:
    _, own = rated_blind(run, patient, chart)
    printed = refused_and_printed(run, chart, own, withdraws=withdraws)
    assert notes(run, patient) == []
    later = log_in(run, patient=patient)
    shown = later.browser.get(later.at(f"saved/{printed.url.rpartition('/')[2]}"))
    assert heading(act(later, shown, "change")) == SAVED
    (note,) = notes(run, patient)  # once the record takes it, the two go together
    assert steps.told_of(run, note) == [], "why it was changed is no reason of the note"


@pytest.mark.usefixtures("one_by_one")
@pytest.mark.parametrize("withdraws", [False, True])
def test_a_record_that_takes_no_notes_any_more_takes_it_without(
    run: Running, patient: str, chart: Chart, withdraws: bool
) -> None:
    _, own = rated_blind(run, patient, chart)
    printed = refused_and_printed(run, chart, own, withdraws=withdraws)
    owner = record_of(run, chart).owner
    run.store.refusals.note(owner.site, owner.user_key, "note", FORBIDDEN, run.clock())
    later = log_in(run, patient=patient)
    shown = later.browser.get(later.at(f"saved/{printed.url.rpartition('/')[2]}"))
    rest = act(later, shown, "change")
    assert heading(rest) == say("filing.rest.title")
    assert filed(run, patient, "QuestionnaireResponse")[-1]["status"] in ("amended", "entered-in-error")
    assert notes(run, patient) == []
    forget_refusals(run)
    shown = later.browser.get(rest.url)
    assert heading(act(later, shown, "down")) == SAVED
    (note,) = notes(run, patient)
    assert steps.told_of(run, note) == []
