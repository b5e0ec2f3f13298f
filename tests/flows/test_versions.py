"""SECURITY F: what the record holds instead, beside what was written, in words; and a person decides, with a reason."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.flows import steps
from tests.flows.filings import act, buttons, writes
from tests.flows.steps import SAVED, answers, filed, go, heading, hidden, rate, say, text
from tests.flows.test_filing_parts import one_by_one  # noqa: F401
from tests.flows.wrong import Wsgi, before_send, body_of, in_front, is_send
from tests.running import Chart, Running, log_in

REASON = "Looked it up with a colleague"
DIFFERS = say("filing.duplicate.title")


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run)


@pytest.fixture
def chart(run: Running, patient: str) -> Chart:
    return log_in(run, patient=patient)


Change = Callable[[dict[str, Any]], dict[str, Any]]


def other(
    response: dict[str, Any], item: str = "02", code: str = "02-1", display: str = "Not very much"
) -> dict[str, Any]:
    """The same response with another answer."""
    items = [
        each | {"answer": [{"valueCoding": each["answer"][0]["valueCoding"] | {"code": code, "display": display}}]}
        if each["linkId"] == item
        else each
        for each in response["item"][0]["item"]
    ]
    return response | {"item": [response["item"][0] | {"item": items}, *response["item"][1:]]}


def rated_beside(run: Running, chart: Chart, *changes: Change) -> requests.Response:
    """A rating whose identifier the record has already, in one response for each of ``changes``."""

    def put(bundle: Any) -> None:
        response = next(each["resource"] for each in bundle["entry"] if "item" in each["resource"])
        for number, change in enumerate(changes):
            steps.put(
                run, {"id": f"{chart.id[:8]}-{number}"} | change(response) | {"meta": {"tag": response["meta"]["tag"]}}
            )

    with in_front(run, before_send(run, put)):
        return rate(chart, said=answers(4), comment="Mine")


def responses(run: Running, patient: str) -> list[dict[str, Any]]:
    return filed(run, patient, "QuestionnaireResponse")


def decided(run: Running, patient: str) -> list[tuple[str, str]]:
    rows = steps.audited(run, patient)
    return [(each["action"], each["purpose"]) for each in rows if each["action"] in ("decide", "withdraw")]


def test_both_versions_in_words_item_by_item(run: Running, chart: Chart) -> None:
    page = rated_beside(run, chart, other)
    assert heading(page) == DIFFERS
    table = text(page).partition(say("version.differences"))[2].partition(say("filing.record"))[0]
    assert "2. Knowledge Quite a bit (4) Not very much (1)" in table
    assert "3. " not in table, "only where they differ"
    assert f"{say('version.who')} Kari Nilsen Kari Nilsen" in table
    for key in ("version.when", "version.changed"):
        assert say(key) in table
    assert buttons(page) == {"choose", "correct", "drop"}


def test_labels_that_are_none_leave_nothing_unknown(run: Running, patient: str, chart: Chart) -> None:
    """After the write: a fault of ours there would leave it under way, and each look at it would fail again."""

    def unlabelled(hospital: Wsgi) -> Wsgi:
        def answering(environ: Any, start_response: Any) -> Any:
            if not environ["PATH_INFO"].startswith("/fhir/QuestionnaireResponse/"):
                return hospital(environ, start_response)
            read = json.loads(b"".join(hospital(environ, lambda status, _: start_response(status, []))))
            return [json.dumps(read | {"meta": read["meta"] | {"tag": None}}).encode()]

        return answering

    with in_front(run, unlabelled):
        differs = rate(chart, said=answers(4))
        assert heading(differs) == DIFFERS
        assert heading(chart.browser.get(differs.url)) == DIFFERS
    assert len(responses(run, patient)) == 1


@pytest.mark.parametrize("one", [False, True])
def test_what_was_shown_otherwise_for_a_moment_only_is_saved_by_another_look(
    run: Running, patient: str, chart: Chart, one: bool, request: pytest.FixtureRequest
) -> None:
    """A copy of the database that lags, or somebody at the hospital who put it right: to take one's own back would say
    that the record does not have it."""

    def lagging(hospital: Wsgi) -> Wsgi:
        def answering(environ: Any, start_response: Any) -> Any:
            if not environ["PATH_INFO"].startswith("/fhir/QuestionnaireResponse/"):
                return hospital(environ, start_response)
            read = json.loads(b"".join(hospital(environ, lambda status, _: start_response(status, []))))
            return [json.dumps(other(read)).encode()]

        return answering

    if one:
        request.getfixturevalue("one_by_one")
    with in_front(run, lagging):
        differs = rate(chart, said=answers(4))
    assert heading(differs) == DIFFERS
    differs = chart.browser.get(differs.url)
    assert buttons(differs) == {"send", "drop"}
    assert say("filing.duplicate.none") in text(differs)
    assert heading(act(chart, differs, "send")) == SAVED
    (response,), (score,) = responses(run, patient), filed(run, patient, "Observation")
    assert score["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{response['id']}"}]
    assert len(steps.told_of(run, response)) == 1


def test_the_record_s_is_it(run: Running, patient: str, chart: Chart) -> None:
    page = rated_beside(run, chart, other)
    (before,) = responses(run, patient)
    assert say("form.error.reason") in text(act(chart, page, "choose"))
    chosen = go(chart.browser, page, do="choose", reason=REASON)
    assert heading(chosen) == SAVED
    assert say("filing.chosen") in text(chosen)
    assert say("filing.state.chosen") in text(chosen)
    assert say("filing.saved") not in text(chosen), "it was not read back and equal"
    assert responses(run, patient) == [before]
    assert decided(run, patient) == [("decide", REASON)]
    assert say("filing.outbox.empty") in text(chart.browser.get(chart.at("outbox")))


def test_what_is_there_is_corrected_with_what_was_written(run: Running, patient: str, chart: Chart) -> None:
    page = rated_beside(run, chart, other)
    form = go(chart.browser, page, do="correct", reason=REASON)
    assert say("form.correct.what") in text(form)
    assert form.text.count('-4" checked>') == 15
    assert "Mine</textarea>" in form.text
    assert decided(run, patient) == [("decide", REASON)]
    assert heading(chart.browser.get(page.url)) == DIFFERS, "nothing of it is lost before the correction is saved"
    assert heading(go(chart.browser, form, do="complete", reason="Mine is right")) == SAVED
    (after,) = responses(run, patient)
    assert (after["status"], after["meta"]["versionId"]) == ("amended", "2")
    done = go(chart.browser, chart.browser.get(page.url), do="choose", reason="It has mine now")
    assert say("filing.chosen") in text(done)
    assert len(responses(run, patient)) == 1


def test_mine_is_withdrawn(run: Running, patient: str, chart: Chart) -> None:
    page = rated_beside(run, chart, other)
    (before,) = responses(run, patient)
    assert heading(act(chart, page, "drop", REASON)) == say("filing.withdrawn.title")
    assert responses(run, patient) == [before]
    assert decided(run, patient) == [("withdraw", REASON)]


def test_of_several_one_is_picked(run: Running, patient: str, chart: Chart) -> None:
    page = rated_beside(run, chart, other, dict)
    assert heading(page) == DIFFERS
    there = [f"QuestionnaireResponse/{each['id']}" for each in responses(run, patient)]
    for reference in there:
        assert f'type="radio" name="which" value="{reference}"' in page.text
    assert f"{say('conflict.there')} 1 {say('conflict.there')} 2" in text(page)
    for which in ("", "QuestionnaireResponse/none", "Patient/eva-berg"):
        assert heading(go(chart.browser, page, do="choose", reason=REASON, which=which)) == DIFFERS
    assert " checked>" not in page.text, "which one it is, a person says"
    missing = act(chart, page, "choose", REASON)
    assert (missing.status_code, say("filing.which.missing") in text(missing)) == (400, True)
    assert f'value="{REASON}"' in missing.text
    chosen = go(chart.browser, page, do="choose", reason=REASON, which=there[1])
    assert f"{say('filing.state.chosen')} · {there[1]}" in text(chosen)
    assert there[0] not in text(chosen)
    assert len(responses(run, patient)) == 2


def answers_for_another_patient(run: Running, patient: str, stranger: str) -> Callable[[Any], Any]:
    """A hospital that checks no patient: the transaction finds the identifier in another record (200), and shows it."""
    strange: dict[str, Any] = {}

    def reply(start_response: Any, body: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/fhir+json")])
        return [json.dumps(body).encode()]

    def make(hospital: Any) -> Any:
        def answering(environ: Any, start_response: Any) -> Any:
            if environ["PATH_INFO"].startswith("/fhir/QuestionnaireResponse/") and environ["REQUEST_METHOD"] == "GET":
                return reply(start_response, strange)
            if not is_send(environ):
                return hospital(environ, start_response)
            entries = []
            for number, each in enumerate(body_of(environ)["entry"]):
                resource = each["resource"] | {"id": f"{patient}-{number}"}
                if resource["resourceType"] == "QuestionnaireResponse":
                    theirs = other(resource) | {"subject": {"reference": f"Patient/{stranger}"}}
                    strange.update(theirs)
                    steps.put(run, theirs)
                text = json.dumps(resource).replace(
                    body_of(environ)["entry"][0]["fullUrl"], f"QuestionnaireResponse/{patient}-0"
                )
                if resource["resourceType"] == "Observation":
                    steps.put(run, json.loads(text))
                location = f"{resource['resourceType']}/{resource['id']}"
                entries.append({"response": {"status": "200", "location": location}})
            return reply(start_response, {"resourceType": "Bundle", "type": "transaction-response", "entry": entries})

        return answering

    return make


def test_of_another_patient_s_nothing_is_shown_or_offered(run: Running, patient: str, chart: Chart) -> None:
    """A conditional create (200) that met the same identifier in another record."""
    form = steps.begin(chart)
    with in_front(run, answers_for_another_patient(run, patient, steps.new_patient(run))):
        page = go(chart.browser, form, do="complete", **answers(4))
        assert heading(page) == DIFFERS
        assert say("version.foreign") in text(page)
        assert "Not very much" not in page.text
        assert buttons(page) == {"drop"}
        run.asked.clear()
        for do in ("choose", "correct"):
            after = go(chart.browser, page, do=do, reason=REASON, which=f"QuestionnaireResponse/{patient}-0")
            assert "Not very much" not in after.text
            assert heading(chart.browser.get(page.url)) == DIFFERS
        assert heading(act(chart, page, "drop", REASON)) == say("filing.withdrawn.title")
    assert writes(run) == []


@pytest.mark.usefixtures("one_by_one")
@pytest.mark.parametrize(("change", "scores"), [(other, 0), (dict, 1)], ids=["other answers", "the same answers"])
def test_one_by_one_no_score_goes_beside_other_answers(
    run: Running, patient: str, chart: Chart, change: Change, scores: int
) -> None:
    form = steps.begin(chart)

    def put_two(hospital: Any) -> Any:
        def answering(environ: Any, start_response: Any) -> Any:
            if is_send(environ, "/fhir/QuestionnaireResponse"):
                response = body_of(environ)
                for number, each in enumerate((change, other)):
                    steps.put(run, each(response) | {"id": f"{patient}-{number}"})
            return hospital(environ, start_response)

        return answering

    with in_front(run, put_two):
        page = go(chart.browser, form, do="complete", **answers(4))
    page = act(chart, page, "send") if heading(page) != DIFFERS else page
    assert heading(page) == DIFFERS
    which = f"QuestionnaireResponse/{patient}-0"
    chosen = go(chart.browser, page, do="choose", reason=REASON, which=which)
    assert heading(chosen) == SAVED
    assert len(filed(run, patient, "Observation")) == scores
    assert (say("filing.state.left") in text(chosen)) is (scores == 0)


def test_it_waits_closed_until_the_patient_s_answers_are_opened(run: Running, patient: str, chart: Chart) -> None:
    """The clinician rates blind: neither version of what the patient answered alone is shown before."""
    check = steps.answer_alone(chart.browser, steps.give(chart), answers(4), comment="Mine")
    steps.hand_in(chart.browser, check)

    def put(bundle: Any) -> None:
        response = next(each["resource"] for each in bundle["entry"] if "item" in each["resource"])
        steps.put(run, other(response) | {"id": f"{patient}-0"})

    with in_front(run, before_send(run, put)):
        steps.take_back(chart)
    outbox = chart.browser.get(chart.at("outbox"))
    link = outbox.text.partition("/saved/")[2].partition('"')[0]
    page = chart.browser.get(chart.at(f"saved/{link}"))
    assert heading(page) == DIFFERS
    assert "Not very much" not in page.text
    assert "which" not in hidden(page)
    assert buttons(page) == {"open", "drop"}
    opened = go(chart.browser, page, do="open")
    assert "Not very much (1)" in text(opened)
    assert buttons(opened) == {"choose", "correct", "drop"}


def test_a_copy_that_was_withdrawn_withdraws_nothing_else(run: Running, patient: str, chart: Chart) -> None:
    """Two of one identifier are what is left once of several one was picked; of them one is withdrawn."""
    rate(chart, said=answers(2))
    (response,) = responses(run, patient)
    steps.put(run, {**response, "id": f"{patient}-copy", "status": "entered-in-error"})
    page = chart.browser.get(chart.url).text
    rows = page.partition('class="data ratings"')[2].partition("</table>")[0]
    assert rows.count(say("figure.withdrawn")) == 1
    assert rows.count("2.0") == 1
