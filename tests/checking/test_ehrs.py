"""`check` at each kind of EHR: what it says of it, and that nothing is written unasked or left behind unsaid."""

from pathlib import Path

import pytest

from smart_app.sandbox import EHRS
from tests.checking.hospital import PATIENT, VISIT, hospital, verdicts

YES, NO, FAILS, UNSAID = "yes", "no", "says yes but fails", "can't tell"

# What came of the writes: the form, the score with components, a goal, a document in plain text.
TRIED = {
    "generic": (YES, YES, YES, UNSAID),
    "azure": (YES, YES, YES, UNSAID),
    "epic": (FAILS, FAILS, FAILS, YES),
    "oracle-health": (NO, FAILS, NO, YES),
    "meditech": (YES, NO, NO, NO),
    "openemr": (YES, NO, FAILS, NO),
    "dips": (NO, NO, NO, NO),
    "observation-only": (NO, YES, NO, NO),
}
KEPT = {
    "generic": ("form", "components", "goal"),
    "azure": ("form", "components", "goal"),
    "epic": ("text", "print", "print"),
    "oracle-health": ("text", "print", "print"),
    "meditech": ("form", "print", "print"),
    "openemr": ("form", "print", "print"),
    "dips": ("print", "print", "print"),
    "observation-only": ("components", "components", "print"),
}


def test_each_kind_is_in_the_tables() -> None:
    assert set(EHRS) == set(TRIED) == set(KEPT)


@pytest.mark.parametrize("ehr", EHRS)
def test_without_write_nothing_is_written(tmp_path: Path, ehr: str) -> None:
    with hospital(tmp_path, ehr) as running:
        before = running.holds()
        running.asked.clear()
        report = running.check(patient=PATIENT)
        assert {method for method, _, _ in running.asked} == {"GET"}
        assert running.holds() == before
    writes = verdicts(report, "write")
    assert set(writes.values()) <= {NO, UNSAID}


@pytest.mark.parametrize("ehr", EHRS)
def test_without_a_patient_nobody_s_record_is_read(tmp_path: Path, ehr: str) -> None:
    with hospital(tmp_path, ehr) as running:
        report = running.check()
        searched = {kind for method, kind, names in running.asked if "patient" in names}
    assert searched >= {"Observation", "QuestionnaireResponse"}
    reads = verdicts(report, "read")
    assert reads["Patient/[id]"] == UNSAID
    if ehr != "dips":  # a log-in for one record is refused another's
        assert reads["Observation?patient&code"] == YES


@pytest.mark.parametrize("ehr", EHRS)
def test_with_write_each_is_tried_and_what_stays_is_named(tmp_path: Path, ehr: str) -> None:
    with hospital(tmp_path, ehr) as running:
        before = running.holds()
        report = running.check(patient=PATIENT, encounter=VISIT, write=True)
        after = running.holds()
    writes = verdicts(report, "write")
    named = ("QuestionnaireResponse: create", "Observation: create, score with components", "Goal: create",
             "DocumentReference: create, plain text")  # fmt: skip
    assert tuple(writes[each] for each in named) == TRIED[ehr]
    assert {one.artefact: one.rung for one in report.kept if one.artefact in ("answers", "score", "goal")} == dict(
        zip(("answers", "score", "goal"), KEPT[ehr], strict=True)
    )
    left = {what.split()[0] for what in verdicts(report, "clean-up")} - {"all"}
    assert left == after.keys() - before.keys(), "this hospital deletes nothing, so all that was made is named"
    changed = {reference for reference in before if before[reference] != after[reference]}
    assert not changed
    marks = [after[each].get("status", after[each].get("lifecycleStatus")) for each in left]
    if EHRS[ehr].takes("update", "QuestionnaireResponse") and ehr != "oracle-health":
        of_answers = [after[each]["status"] for each in left if each.startswith("QuestionnaireResponse/")]
        assert set(of_answers) == {"entered-in-error"}, marks
    assert bool(report.wanting) == bool(left or set(TRIED[ehr][:3]) & {NO, FAILS})


def test_how_responses_are_found_by_their_form_differs(tmp_path: Path) -> None:
    ways = [f"QuestionnaireResponse?{way}" for way in ("questionnaire=url", "questionnaire=url|version")]
    for ehr, expected in (("generic", YES), ("azure", NO)):
        with hospital(tmp_path / ehr, ehr) as running:
            found = verdicts(running.check(patient=PATIENT, write=True), "read")
        assert [found[way] for way in ways] == [expected, expected]
        assert found["QuestionnaireResponse?questionnaire:below=url"] == NO


def test_a_visit_is_asked_for_where_a_document_is_refused_without_one(tmp_path: Path) -> None:
    with hospital(tmp_path, "epic") as running:
        report = running.check(patient=PATIENT, write=True)
    document = next(each for each in report.findings if each.what == "DocumentReference: create, plain text")
    assert (document.verdict, "--encounter" in document.next_step) == ("unknown", True)
    assert "DocumentReference" not in report.settings
