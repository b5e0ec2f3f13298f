"""What was filed is changed or withdrawn with a reason: ids and times stay, nobody's change is overwritten unseen."""

import io
import json
import re
from typing import Any

import pytest

from imr_fhir.artefacts import FIRST_COMPLETED
from tests.flows import steps
from tests.flows.steps import SAVED, answers, filed, go, heading, rate, say, text
from tests.flows.wrong import Wsgi, body_of, in_front, is_send
from tests.running import Chart, Running, log_in
from tests.web.steps import record_of


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run)


@pytest.fixture
def chart(run: Running, patient: str) -> Chart:
    found = log_in(run, patient=patient)
    rate(found, said=answers(3), comment="As filed")
    return found


def only(run: Running, patient: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The one response and the one score."""
    (response,), (score,) = filed(run, patient, "QuestionnaireResponse"), filed(run, patient, "Observation")
    return response, score


def first_completed(response: dict[str, Any]) -> str:
    return next(each["valueDateTime"] for each in response["extension"] if each["url"] == FIRST_COMPLETED)


def correct(run: Running, chart: Chart, patient: str, **fields: str) -> Any:
    page = steps.correct(chart, only(run, patient)[0]["id"])
    return go(chart.browser, page, **{"do": "complete", "reason": "Misread the question", **fields})


def test_what_is_still_hidden_is_not_logged_as_looked_at(run: Running, patient: str) -> None:
    chart = log_in(run, patient=patient)
    steps.answered_by_patient(chart)
    (response,) = filed(run, patient, "QuestionnaireResponse")
    reference = f"QuestionnaireResponse/{response['id']}"
    assert steps.correct(chart, response["id"]).url == chart.url
    assert chart.browser.open(chart.at(f"response/{response['id']}/withdraw")).url == chart.url
    rows = [each for each in steps.audited(run, patient) if each["action"] == "view"]
    assert rows
    assert not [each for each in rows if reference in each["objects"]]


def test_a_look_at_its_address_begins_no_correction(run: Running, patient: str, chart: Chart) -> None:
    page = chart.at(f"response/{only(run, patient)[0]['id']}/correct")
    assert chart.browser.get(page).status_code == 404
    assert steps.post(chart.browser, chart.page, page, csrf="").status_code == 403


def test_corrected_with_a_reason(run: Running, patient: str, chart: Chart) -> None:
    before, score_before = only(run, patient)
    receipt = correct(run, chart, patient, **{"06": "06-5"})
    assert heading(receipt) == SAVED
    after, score = only(run, patient)
    assert (after["id"], after["identifier"]) == (before["id"], before["identifier"])
    assert (score["id"], score["identifier"]) == (score_before["id"], score_before["identifier"])
    assert (after["status"], score["status"]) == ("amended", "corrected")
    assert first_completed(after) == first_completed(before)
    assert score["effectiveDateTime"] == score_before["effectiveDateTime"]
    assert score["valueQuantity"]["value"] == 3.13
    first, second = steps.told_of(run, after)
    assert "reason" not in first
    assert second["reason"] == [{"text": "Misread the question"}]
    assert second["activity"]["coding"][0]["code"] == "UPDATE"


@pytest.mark.parametrize("extended", [False, True])
def test_a_rating_that_names_no_time_gets_none(run: Running, patient: str, chart: Chart, extended: bool) -> None:
    response, score = only(run, patient)
    day = response["authored"][:10]
    others = [each for each in response["extension"] if each["url"] != FIRST_COMPLETED]
    said = [{"url": FIRST_COMPLETED, "valueDateTime": day}] if extended else []
    steps.put(run, {**response, "authored": day, "extension": [*others, *said]})
    steps.put(run, {**score, "effectiveDateTime": day})
    assert heading(correct(run, chart, patient, **{"06": "06-5"})) == SAVED
    response, score = only(run, patient)
    assert (first_completed(response)[:13], score["effectiveDateTime"]) == (
        f"{day}T12",
        day,
    )
    assert "T" in response["authored"]


LABEL = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "code": "V",
    "display": "very restricted",
}
THEIR_CODE = {"system": "urn:oid:2.16.578.1", "code": "review"}  # one of our notes has this code in our system
THEIRS = {
    "basedOn": [{"reference": "ServiceRequest/imr-1"}],
    "extension": [{"url": "https://hospital.example/fhir/reviewed-by", "valueString": "ward 3"}],
}


@pytest.mark.parametrize("act", ["correct", "withdraw"])
def test_what_others_wrote_in_it_stays(run: Running, patient: str, chart: Chart, act: str) -> None:
    request = {"resourceType": "ServiceRequest", "id": "imr-1", "status": "active", "intent": "order"}
    steps.put(run, {**request, "subject": {"reference": f"Patient/{patient}"}})
    for each in only(run, patient):
        labelled = {**each, "meta": {**each["meta"], "security": [LABEL]}, "basedOn": THEIRS["basedOn"]}
        if "code" in each:  # an EHR may put its own before ours
            labelled["code"] = {"coding": [THEIR_CODE, *each["code"]["coding"]], "text": "IMR"}
        steps.put(run, labelled | {"extension": [*each["extension"], *THEIRS["extension"]]})
    if act == "correct":
        assert heading(correct(run, chart, patient, **{"06": "06-5"})) == SAVED
    else:
        page = chart.browser.open(chart.at(f"response/{only(run, patient)[0]['id']}/withdraw"))
        assert heading(go(chart.browser, page, reason="Another patient's")) == SAVED
    response, score = only(run, patient)
    assert response["status"] == ("amended" if act == "correct" else "entered-in-error")
    for each in (response, score):
        assert each["meta"]["security"] == [LABEL]
        assert each["basedOn"] == THEIRS["basedOn"]
        assert THEIRS["extension"][0] in each["extension"]
    assert [each["url"] for each in response["extension"]].count(FIRST_COMPLETED) == 1
    assert [each["code"] for each in score["code"]["coding"]] == ["score-clinician", "review"]
    assert (score["code"]["coding"][1], score["code"]["text"]) == (THEIR_CODE, "IMR")
    filing = run.store.filings.filed(record_of(run, chart).owner)[-1]
    assert {part.request["rung"] for part in filing.parts} == {"form", "components", "provenance"}


THEIR_COMMENT = "\n\r\nOther software's\r\nline ends\r "
GIVEN_BACK = "\r\nOther software's\r\nline ends\r\n "  # by a browser, where nobody touched it


@pytest.mark.parametrize("first", [GIVEN_BACK, "Typed, and then put back as it was"])
def test_a_comment_that_is_left_as_it_was_stays_to_the_letter(
    run: Running, patient: str, chart: Chart, first: str
) -> None:
    response, _ = only(run, patient)
    (comment,) = (item for item in response["item"] if item["linkId"] == "comment")
    comment["answer"] = [{"valueString": THEIR_COMMENT}]
    steps.put(run, response)
    page = steps.correct(chart, response["id"])
    page = go(chart.browser, page, do="keep-06", comment=first)
    unchanged = go(chart.browser, page, do="complete", reason="Misread", comment=GIVEN_BACK)
    assert say("form.error.unchanged") in text(unchanged)
    saved = go(chart.browser, unchanged, do="complete", reason="Misread", comment=GIVEN_BACK, **{"06": "06-5"})
    assert heading(saved) == SAVED
    after, _ = only(run, patient)
    (comment,) = (item for item in after["item"] if item["linkId"] == "comment")
    assert (after["status"], comment["answer"]) == ("amended", [{"valueString": THEIR_COMMENT}])


def test_begins_with_the_answers_as_filed(run: Running, patient: str, chart: Chart) -> None:
    page = steps.correct(chart, only(run, patient)[0]["id"])
    assert page.text.count('-3" checked>') == 15
    assert "As filed</textarea>" in page.text


def test_the_day_is_the_hospital_s_where_its_ehr_tells_times_in_utc(run: Running, patient: str, chart: Chart) -> None:
    """Half past midnight on the 15th in Oslo is the 14th in UTC."""
    response, _ = only(run, patient)
    for each in response["extension"]:
        if each["url"] == FIRST_COMPLETED:
            each["valueDateTime"] = "2026-01-14T23:30:00Z"
    steps.put(run, response)
    page = steps.correct(chart, response["id"])
    assert heading(page) == say("form.correct.title", day="15 January 2026")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"reason": " ", "06": "06-5"}, say("form.error.reason")),
        ({"reason": "a" * 501, "06": "06-5"}, say("form.error.long", length=501, over=1, longest=500)),
        ({}, say("form.error.unchanged")),
    ],
)
def test_what_a_correction_lacks_is_said(
    run: Running, patient: str, chart: Chart, fields: dict[str, str], said: str
) -> None:
    page = correct(run, chart, patient, **fields)
    assert page.status_code == 400
    assert said in text(page)
    assert only(run, patient)[0]["status"] == "completed"


def test_withdrawn_with_a_reason(run: Running, patient: str, chart: Chart) -> None:
    before, score_before = only(run, patient)
    page = chart.browser.get(chart.at(f"response/{before['id']}/withdraw"))
    assert say("form.error.reason") in text(go(chart.browser, page))
    for _ in range(2):
        assert heading(go(chart.browser, page, reason="Another patient's")) == SAVED
    after, score = only(run, patient)
    assert (after["status"], score["status"]) == ("entered-in-error", "entered-in-error")
    assert after["item"] == before["item"], "the answers stay in it"
    assert score["effectiveDateTime"] == score_before["effectiveDateTime"]
    assert [each.get("reason") for each in steps.told_of(run, after)] == [None, [{"text": "Another patient's"}]]
    panel = chart.browser.get(chart.url)
    assert "withdrawn" in text(panel)
    assert f"response/{after['id']}/correct" not in panel.text
    assert steps.correct(chart, after["id"]).url == chart.url
    assert chart.browser.open(chart.at(f"response/{after['id']}/withdraw")).url == chart.url


def changed_by_another(
    run: Running, patient: str, code: str = "02-1", display: str = "Not very much"
) -> dict[str, Any]:
    response, _ = only(run, patient)
    for item in response["item"][0]["item"]:
        if item["linkId"] == "02":
            item["answer"][0]["valueCoding"] |= {"code": code, "display": display}
    return steps.put(run, response | {"status": "amended"})


def test_what_was_changed_after_it_was_shown_is_not_withdrawn_unseen(run: Running, patient: str, chart: Chart) -> None:
    page = chart.browser.get(chart.at(f"response/{only(run, patient)[0]['id']}/withdraw"))
    changed_by_another(run, patient)
    late = go(chart.browser, page, reason="A wrong answer")
    assert late.status_code == 409
    assert say("form.withdraw.changed") in text(late)
    assert only(run, patient)[0]["status"] == "amended"
    assert heading(go(chart.browser, late, reason="A wrong answer")) == SAVED


def test_a_version_that_is_no_longer_the_record_s(run: Running, patient: str, chart: Chart) -> None:
    page = steps.correct(chart, only(run, patient)[0]["id"])
    theirs = changed_by_another(run, patient)
    conflict = go(chart.browser, page, do="complete", reason="Misread", **{"02": "02-5"})
    assert (conflict.status_code, heading(conflict)) == (409, say("conflict.title"))
    assert "2. Knowledge Not very much A great deal" in text(conflict)
    assert re.search(r"\(Kari Nilsen, \d+ \w+ \d{4} \d\d:\d\d\)", text(conflict)), "who changed it, and when"
    buttons = re.findall(
        r'<button class="ds-button"( data-variant="secondary")? name="do" value="(\w+)"', conflict.text
    )
    assert buttons == [(' data-variant="secondary"', "discard"), (' data-variant="secondary"', "rebase")]
    assert only(run, patient)[0] == theirs, "nothing was overwritten"
    mine = chart.browser.open(page.url)
    assert heading(mine) == say("conflict.title")
    again = go(chart.browser, conflict, do="rebase")
    assert again.text.count(" checked>") == 15
    assert 'value="02-5" checked' in again.text
    assert heading(go(chart.browser, again, do="complete", reason="Misread")) == SAVED
    after, _ = only(run, patient)
    assert int(after["meta"]["versionId"]) == int(theirs["meta"]["versionId"]) + 1


def test_of_a_version_that_names_no_time_the_day_is_shown(run: Running, patient: str, chart: Chart) -> None:
    response, _ = only(run, patient)
    page = steps.correct(chart, response["id"])
    steps.put(run, response | {"status": "amended", "authored": "2026-03-31"})
    conflict = go(chart.browser, page, do="complete", reason="Misread", **{"02": "02-5"})
    assert heading(conflict) == say("conflict.title")
    assert "(Kari Nilsen, 31 March 2026)" in text(conflict)


def test_changed_once_more_while_the_two_were_compared(run: Running, patient: str, chart: Chart) -> None:
    page = steps.correct(chart, only(run, patient)[0]["id"])
    changed_by_another(run, patient)
    conflict = go(chart.browser, page, do="complete", reason="Misread", **{"02": "02-5"})
    changed_by_another(run, patient, "02-2", "A little")
    again = go(chart.browser, conflict, do="rebase")
    assert (again.status_code, heading(again)) == (409, say("conflict.title"))
    assert "2. Knowledge A little A great deal" in text(again)
    assert 'value="02-5" checked' in go(chart.browser, again, do="rebase").text


def test_one_s_own_correction_may_be_left(run: Running, patient: str, chart: Chart) -> None:
    response, _ = only(run, patient)
    page = steps.correct(chart, response["id"])
    go(chart.browser, page, do="later", **{"02": "02-5"})
    kept = steps.correct(chart, response["id"])
    assert (kept.url, 'value="02-5" checked' in kept.text) == (page.url, True)
    assert go(chart.browser, kept, do="discard").url == chart.url
    fresh = steps.correct(chart, response["id"])
    assert 'value="02-3" checked' in fresh.text
    assert only(run, patient)[0] == response


def test_overtaken_between_the_look_and_the_send(run: Running, patient: str, chart: Chart) -> None:
    """The hospital refuses the older version (412); both versions are shown, and the correction begins anew."""
    page = steps.correct(chart, only(run, patient)[0]["id"])
    application = run.hospital.app.wsgi_app

    def overtaking(environ: Any, start_response: Any) -> Any:
        if environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"] == "/fhir":
            run.hospital.app.wsgi_app = application  # type: ignore[method-assign]
            changed_by_another(run, patient)
        return application(environ, start_response)

    run.hospital.app.wsgi_app = overtaking  # type: ignore[method-assign]
    late = go(chart.browser, page, do="complete", reason="Misread", **{"02": "02-5"})
    assert heading(late) == say("filing.duplicate.title")
    assert say("filing.changed") in text(late)
    assert "2. Knowledge A great deal (5) Not very much (1)" in text(late)
    assert "3. " not in text(late).partition(say("filing.record"))[0], "only where they differ"
    assert only(run, patient)[0]["status"] == "amended"
    dropped = go(chart.browser, late, do="drop", reason="Theirs is right")
    assert heading(dropped) == say("filing.withdrawn.title")
    assert "Theirs is right" in text(dropped)
    anew = steps.correct(chart, only(run, patient)[0]["id"])
    assert 'value="02-1" checked' in anew.text


def test_another_patient_s_rating_is_not_corrected_here(run: Running, patient: str, chart: Chart) -> None:
    elsewhere = log_in(run, patient=steps.new_patient(run))
    response_id = only(run, patient)[0]["id"]
    for page in (
        steps.correct(elsewhere, response_id),
        elsewhere.browser.open(elsewhere.at(f"response/{response_id}/withdraw")),
    ):
        assert page.status_code in (403, 502)
        assert "As filed" not in page.text


def without_versions(hospital: Wsgi) -> Wsgi:
    """It shows no version, and heeds none."""

    def answering(environ: Any, start_response: Any) -> Any:
        environ.pop("HTTP_IF_MATCH", None)
        if is_send(environ):
            bundle = body_of(environ)
            for entry in bundle["entry"]:
                entry["request"].pop("ifMatch", None)
            sent = json.dumps(bundle).encode()
            environ |= {"wsgi.input": io.BytesIO(sent), "CONTENT_LENGTH": str(len(sent))}
        said: list[Any] = []
        body = b"".join(hospital(environ, lambda *given: said.append(given)))
        status, headers, *_ = said[0]
        body = re.sub(rb'"versionId":"[0-9]+",|,?"versionId":"[0-9]+"', b"", body)
        kept = [each for each in headers if each[0] not in ("Content-Length", "ETag")]
        start_response(status, [*kept, ("Content-Length", str(len(body)))])
        return [body]

    return answering


def test_at_a_record_that_keeps_no_versions(run: Running, patient: str, chart: Chart) -> None:
    """What it has is compared before it is written over, when the form is saved and when it is sent."""
    before, _ = only(run, patient)
    hospital = run.hospital.app.wsgi_app

    def overtaking(environ: Any, start_response: Any) -> Any:
        """Somebody is faster, between the app's last look and its comparison."""
        if environ["PATH_INFO"] == f"/fhir/Patient/{patient}":
            run.hospital.app.wsgi_app = without_versions(hospital)  # type: ignore[method-assign]
            changed_by_another(run, patient)
        return without_versions(hospital)(environ, start_response)

    with in_front(run, without_versions):
        assert heading(correct(run, chart, patient, **{"06": "06-5"})) == SAVED
        page = steps.correct(chart, before["id"])
        run.hospital.app.wsgi_app = overtaking  # type: ignore[method-assign]
        run.asked.clear()
        late = go(chart.browser, page, do="complete", reason="Misread", **{"02": "02-5"})
        assert heading(late) == say("filing.duplicate.title")
        assert "2. Knowledge A great deal (5) Not very much (1)" in text(late)
        assert "POST /fhir" not in run.asked, "nothing was written over it"
        conflict = steps.correct(chart, before["id"])
        changed_by_another(run, patient, code="02-4", display="Quite a bit")
        shown = go(chart.browser, conflict, do="complete", reason="Misread", **{"02": "02-5"})
        assert (shown.status_code, heading(shown)) == (409, say("conflict.title"))
