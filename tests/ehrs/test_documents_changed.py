"""A rating kept as a document: it lifts the blind, and is corrected and withdrawn as far as a document can be."""

import re
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.ehrs.flow import hospital, launch, patient_of
from tests.flows import steps
from tests.flows.filings import act
from tests.flows.steps import SAVED, answers, filed, go, heading, say, text
from tests.flows.wrong import before_send, in_front, refuses
from tests.presenters.build import words
from tests.running import Chart, Running, log_in

ONLY_DOCUMENTS = {"never_write": ("QuestionnaireResponse", "Observation")}


def linked(chart: Chart, what: str) -> requests.Response:
    """Where the document of the panel leads that can be corrected or withdrawn."""
    page = steps.listed(chart, what)
    assert page
    return page


def documents(run: Running, patient: str) -> list[dict[str, Any]]:
    return filed(run, patient, "DocumentReference")


def ticked(page: requests.Response) -> int:
    return len(re.findall(r'type="radio" name="\d\d" value="[^"]+" checked', page.text))


def test_a_document_of_the_clinician_s_lifts_the_blind(tmp_path: Path) -> None:
    """Oracle Health takes documents within an encounter only: the patient's answers of a launch without stay here."""
    with hospital(tmp_path, "oracle-health") as run:
        patient = patient_of(run)
        without = launch(run, patient, encounter=False)
        steps.answered_by_patient(without)
        assert say("blind.why") in text(without.browser.get(without.url))
        within = launch(run, patient)
        form = steps.begin(within)
        early = go(within.browser, form, do="stop", **{"01": "01-3"})
        assert heading(early) == SAVED
        panel = text(within.browser.get(within.url))
        assert (say("documents.early") in panel, say("blind.why") in panel) == (True, True)
        assert heading(steps.rate(within)) == SAVED
        panel = text(within.browser.get(within.url))
        assert say("blind.why") not in panel
        assert say("rating.kept.print") in panel


def test_of_a_document_that_is_hidden_still_the_log_says_that_no_answer_was_seen(tmp_path: Path) -> None:
    with hospital(tmp_path, "generic", **ONLY_DOCUMENTS) as run:
        patient = patient_of(run)
        chart = launch(run, patient)
        steps.answered_by_patient(chart)
        (document,) = documents(run, patient)
        link = f"DocumentReference~{document['id']}"
        assert ticked(steps.correct(chart, link)) == 0
        steps.rate(chart)
        steps.correct(chart, link)
        rows = [
            each for each in steps.audited(run, patient) if f"DocumentReference/{document['id']}" in each["objects"]
        ]
        said = [each["purpose"] for each in rows if each["action"] == "view"]
        assert (said[0], said[-1]) == ("without its answers", "")


@pytest.mark.parametrize("ehr", ["generic", "oracle-health"])
def test_a_correction_is_a_document_that_replaces_the_one_before(tmp_path: Path, ehr: str) -> None:
    settings = ONLY_DOCUMENTS if ehr == "generic" else {}
    with hospital(tmp_path, ehr, **settings) as run:
        patient = patient_of(run)
        chart = launch(run, patient)
        said = answers(3, {13: "na", 6: "5"})
        steps.go(chart.browser, steps.begin(chart), do="complete", comment="Two\nlines", **said)
        (before,) = documents(run, patient)
        form = linked(chart, "correct")
        assert say("plan.changes.replaces") in text(form)
        assert (ticked(form), "Two\nlines" in form.text) == (15, True)
        saved = go(chart.browser, form, do="complete", reason="Misread", **{"06": "06-1"})
        assert heading(saved) == SAVED
        old, new = sorted(documents(run, patient), key=lambda each: "relatesTo" in each)
        may = ehr == "generic"
        assert {name for name in old if old[name] != before.get(name)} == ({"status", "meta"} if may else set())
        assert old["status"] == ("superseded" if may else "current")
        current = say("plan.documents.current", reference=f"DocumentReference/{old['id']}")
        for page in (form, saved):
            assert (say("plan.documents.marked") in text(page), current in text(page)) == (may, not may)
        target = {"reference": f"DocumentReference/{old['id']}"}
        assert new["relatesTo"] == [{"code": "replaces", "target": target}]
        assert (new["docStatus"], new["context"]["period"]) == ("amended", old["context"]["period"])
        panel = text(chart.browser.get(chart.url))
        assert panel.count(say("documents.replaced")) == 1
        assert ticked(linked(chart, "correct")) == 15, "the newer one can be corrected again"
        if ehr == "oracle-health":
            (told,) = [each for each in steps.told_of(run, new) if "reason" in each]
            assert told["reason"] == [{"text": "Misread"}]


def test_a_document_that_may_not_be_marked_after_all_is_named_and_tried_again(tmp_path: Path) -> None:
    with hospital(tmp_path, "generic", **ONLY_DOCUMENTS) as run:
        patient = patient_of(run)
        chart = launch(run, patient)
        steps.rate(chart)
        (old,) = documents(run, patient)
        with in_front(run, refuses(run, "/fhir", f"/fhir/DocumentReference/{old['id']}")):
            page = go(chart.browser, linked(chart, "correct"), do="complete", reason="Misread", **{"06": "06-1"})
            for press in ("apart", "down"):
                assert heading(page) == say("filing.refused.title")
                page = act(chart, page, press)
        assert heading(page) == say("filing.rest.title")
        assert say("plan.documents.current", reference=f"DocumentReference/{old['id']}") in text(page)
        assert {each["status"] for each in documents(run, patient)} == {"current"}
        assert text(chart.browser.get(chart.url)).count(say("documents.replaced")) == 1
        assert heading(act(chart, page, "change")) == SAVED
        assert {each["status"] for each in documents(run, patient)} == {"current", "superseded"}


def test_changed_by_somebody_else_meanwhile_it_is_not_written_over(tmp_path: Path) -> None:
    with hospital(tmp_path, "generic", **ONLY_DOCUMENTS) as run:
        patient = patient_of(run)
        chart = launch(run, patient)
        steps.rate(chart)
        (old,) = documents(run, patient)

        def changed(_: Any) -> None:
            steps.put(run, old | {"description": f"{old['description']} (seen by the archive)"})

        with in_front(run, before_send(run, changed)):
            page = go(chart.browser, linked(chart, "correct"), do="complete", reason="Misread", **{"06": "06-1"})
        assert heading(page) == say("filing.duplicate.title")
        (now,) = documents(run, patient)
        assert (now["status"], now["description"].endswith("archive)")) == ("current", True)


@pytest.mark.parametrize("url", ["https://elsewhere.example/1", "Binary/not-given"])
def test_a_document_whose_text_is_elsewhere_is_written_anew(tmp_path: Path, url: str) -> None:
    with hospital(tmp_path, "generic", **ONLY_DOCUMENTS) as run:
        patient = patient_of(run)
        chart = launch(run, patient)
        steps.rate(chart)
        (document,) = documents(run, patient)
        attachment = document["content"][0]["attachment"]
        moved = {name: value for name, value in attachment.items() if name != "data"} | {"url": url}
        steps.put(run, document | {"content": [{"attachment": moved}]})
        form = linked(chart, "correct")
        assert ticked(form) == 0
        assert say("form.correct.unread", reference=f"DocumentReference/{document['id']}") in text(form)
        assert heading(go(chart.browser, form, do="complete", reason="Misread", **answers(2))) == SAVED
        assert len(documents(run, patient)) == 2


def test_what_the_patient_answered_alone_stays_closed_in_a_correction(tmp_path: Path) -> None:
    with hospital(tmp_path, "generic", **ONLY_DOCUMENTS) as run:
        chart = launch(run, patient_of(run))
        steps.answered_by_patient(chart, comment="Mine alone")
        form = linked(chart, "correct")
        assert (ticked(form), "Mine alone" in form.text) == (0, False)


def test_withdrawn_where_documents_may_be_changed(tmp_path: Path) -> None:
    with hospital(tmp_path, "generic", **ONLY_DOCUMENTS) as run:
        patient = patient_of(run)
        chart = launch(run, patient)
        steps.rate(chart)
        saved = go(chart.browser, linked(chart, "withdraw"), reason="Another patient's")
        assert heading(saved) == SAVED
        (document,) = documents(run, patient)
        assert (document["status"], document["docStatus"]) == ("entered-in-error", "entered-in-error")
        assert "data" in document["content"][0]["attachment"]
        panel = chart.browser.get(chart.url)
        assert say("documents.withdrawn") in text(panel)
        assert "DocumentReference~" not in panel.text


def test_where_they_may_not_the_page_says_what_to_do(tmp_path: Path) -> None:
    with hospital(tmp_path, "oracle-health") as run:
        patient = patient_of(run)
        chart = launch(run, patient)
        steps.rate(chart)
        (document,) = documents(run, patient)
        page = linked(chart, "withdraw")
        assert say("plan.documents.ask", reference=f"DocumentReference/{document['id']}") in text(page)
        kept = go(chart.browser, page, reason="Another patient's")
        assert heading(kept) == say("filing.printed.title")
        assert documents(run, patient) == [document]


def today(chart: Chart) -> str:
    return text(chart.browser.get(chart.at("today")))


def test_at_hand_back_what_is_only_in_a_document_is_talked_about_too(tmp_path: Path) -> None:
    with hospital(tmp_path, "oracle-health") as run:
        patient = patient_of(run)
        chart = launch(run, patient)
        steps.answered_by_patient(chart, answers(3, {9: "1"}), comment="I am not sleeping")
        (document,) = documents(run, patient)
        shown = today(chart)
        assert "I am not sleeping" in shown
        assert say("today.point.relapse-recent") in shown
        for never in ("today.none", "today.not_filed", "today.unread"):
            assert say(never, name="Eva", day="*").partition("*")[0] not in shown
        colleague = log_in(run, patient=patient, user="Practitioner/ola")
        there = today(colleague)
        assert say("today.none") not in there
        assert say("today.unread", name="Eva", day=day_of(run)) in there, "nobody has looked through them here"
        panel = text(colleague.browser.get(colleague.url))
        assert (say("scales.none") in panel, say("scales.documents") in panel) == (False, True)
        steps.put(run, document | {"status": "entered-in-error"})
        assert say("today.none") in today(chart), "withdrawn"


def test_a_corrected_document_is_talked_about_as_it_is_now(tmp_path: Path) -> None:
    with hospital(tmp_path, "oracle-health") as run:
        patient = patient_of(run)
        chart = launch(run, patient)
        steps.rate(chart)
        steps.answered_by_patient(chart, answers(3), comment="Yes")
        theirs = [each for each in documents(run, patient) if "Client" in each["description"]]
        assert f'href="/l/{chart.id}/together"' not in chart.browser.get(chart.at("today")).text, "it leads nowhere"
        form = steps.correct(chart, f"DocumentReference~{theirs[0]['id']}")
        assert heading(go(chart.browser, form, do="complete", reason="Misread", comment="No, I am not well")) == SAVED
        assert ("No, I am not well" in today(chart), "“Yes”" in today(chart)) == (True, False)


def test_the_due_line_counts_a_document_as_rated(tmp_path: Path) -> None:
    with hospital(tmp_path, "oracle-health") as run:
        patient = patient_of(run)
        steps.put(run, {"resourceType": "EpisodeOfCare", "id": f"{patient}-course", "status": "active",
                        "patient": {"reference": f"Patient/{patient}"},
                        "period": {"start": run.clock().date().isoformat()}})  # fmt: skip
        chart = launch(run, patient)
        assert say("due.who", names="Eva, the clinician") in text(chart.page)
        steps.rate(chart)
        panel = text(chart.browser.get(chart.url))
        assert say("due.who", names="Eva") in panel
        assert say("due.document", name=say("rater.clinician"), day=day_of(run)) in panel
        steps.answered_by_patient(chart)
        panel = text(chart.browser.get(chart.url))
        assert say("due.next", a="*", b="*").partition("*")[0] in panel
        assert say("due.document", name="Eva", day=day_of(run)) in panel


def day_of(run: Running) -> str:
    return words("en").day(run.clock().astimezone(run.site.zone))
