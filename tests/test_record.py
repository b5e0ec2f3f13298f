"""The small Observations: each kind to FHIR and back, and what is refused."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, cast

import pytest

from imr_fhir.artefacts import CODES, REVIEW_PROFILE
from imr_fhir.errors import NoteError, WrongPatient
from imr_fhir.record import CODES as SEARCHED
from imr_fhir.record import (
    OUTCOMES,
    REASONS,
    RESULTS,
    TAPS,
    DueOutcome,
    Note,
    Prompt,
    Review,
    from_resource,
    to_resource,
    withdrawn,
)
from tests.filed import FILING, NOTES, urn

Json = dict[str, Any]
REVIEW = cast(Review, NOTES["review"])
PROMPT = cast(Prompt, NOTES["prompt"])
DUE = cast(DueOutcome, NOTES["due outcome"])


def written(note: Note, **options: Any) -> Json:
    return to_resource(note, filing=FILING, **options)


@pytest.mark.parametrize(
    "note",
    [
        *NOTES.values(),
        *(replace(REVIEW, result=result) for result in RESULTS),
        *(replace(DUE, outcome=outcome, new_date=None) for outcome in OUTCOMES),
        *(replace(PROMPT, tap=tap, follow_up=None) for tap in TAPS if tap != "will-follow-up"),
        *(replace(PROMPT, reason=reason) for reason in REASONS),
        replace(REVIEW, id="9", helped="  <b>x</b>\r\n\t& "),
    ],
    ids=str,
)
def test_what_is_written_is_read_as_it_was(note: Note) -> None:
    assert replace(from_resource(written(note), patient="anna"), version_id="") == note


def test_all_of_a_review() -> None:
    resource = written(REVIEW, profile=True)
    assert resource["meta"]["profile"] == [REVIEW_PROFILE]
    assert resource["identifier"] == [{"system": "urn:ietf:rfc:3986", "value": urn(4)}]
    assert resource["status"] == "final"
    assert resource["code"]["coding"][0]["code"] == "review"
    assert resource["focus"] == [{"reference": "Goal/2"}]
    assert resource["subject"] == {"reference": "Patient/anna"}
    assert resource["encounter"] == {"reference": "Encounter/3"}
    assert resource["effectiveDateTime"] == "2026-03-31T09:30:00+00:00"
    assert resource["performer"] == [{"reference": "Patient/anna"}]
    assert resource["valueCodeableConcept"] == {
        "coding": [{"system": CODES, "version": "0.1.0", "code": "partly", "display": "Partly"}]
    }
    assert {c["code"]["coding"][0]["code"]: c["valueString"] for c in resource["component"]} == {
        "what-helped": "My sister came along",
        "hindered-person": "Nervous",
        "hindered-around": "No bus",
        "hindered-services": "Waiting list",
    }


def test_all_of_a_prompt() -> None:
    resource = written(PROMPT, profile=True)
    assert "profile" not in resource["meta"]
    assert resource["derivedFrom"] == [{"reference": "QuestionnaireResponse/7"}]
    assert resource["valueCodeableConcept"]["coding"][0]["code"] == "will-follow-up"
    values = {c["code"]["coding"][0]["code"]: c for c in resource["component"]}
    assert values["prompt-reason"]["valueCodeableConcept"]["coding"][0]["code"] == "item-down"
    assert values["prompt-item"]["valueInteger"] == 6
    assert values["follow-up-date"]["valueDateTime"] == "2026-04-02"


def test_a_due_outcome_keeps_its_new_date() -> None:
    resource = written(DUE)
    assert resource["component"][0]["code"]["coding"][0]["code"] == "new-date"
    assert resource["component"][0]["valueDateTime"] == "2026-04-07"


def test_one_search_finds_every_kind() -> None:
    assert {written(note)["code"]["coding"][0]["code"] for note in NOTES.values()} == set(SEARCHED)


def test_a_review_in_one_tap_has_no_components() -> None:
    assert "component" not in written(NOTES["review in one tap"])


def test_a_withdrawn_note_keeps_its_words() -> None:
    gone = withdrawn(written(REVIEW), filing=FILING)
    assert from_resource(gone, patient="anna") == replace(REVIEW, status="entered-in-error")


@pytest.mark.parametrize(
    ("note", "sentence"),
    [
        (replace(REVIEW, result="finished"), "'finished' is no result.*not-wanted"),
        (replace(REVIEW, status="preliminary"), "'preliminary' is no status"),
        (replace(REVIEW, helped="x" * 510), "10 characters too long"),
        (replace(REVIEW, hindered_person="\x00"), r"U\+0000"),
        (replace(DUE, outcome="lost"), "'lost' is no outcome"),
        (replace(PROMPT, tap="ignored", follow_up=None), "'ignored' is no tap"),
        (replace(PROMPT, reason="red"), "'red' is no reason"),
        (replace(PROMPT, item=16), "16 is no item"),
        (replace(PROMPT, follow_up=None), "Give the date"),
        (replace(PROMPT, tap="known-already", follow_up=date(2026, 4, 2)), "Give the date"),
        (replace(NOTES["helps"], text=" "), "is empty"),  # type: ignore[call-arg]
        (replace(NOTES["helps"], kind="neither"), "'neither' is no kind"),  # type: ignore[call-arg]
    ],
)
def test_what_is_no_such_note_is_not_written(note: Note, sentence: str) -> None:
    with pytest.raises(NoteError, match=sentence):
        written(note)


def value(resource: Json, code: str) -> None:
    resource["valueCodeableConcept"]["coding"][0]["code"] = code


REFUSED: dict[str, tuple[str, Callable[[Json], object], type[Exception], str]] = {
    "another patient": ("review", lambda r: r.update(subject={"reference": "Patient/bo"}), WrongPatient, "Patient/bo"),
    "another code": ("review", lambda r: r["code"]["coding"][0].update(code="sum"), NoteError, "'sum'.*none of"),
    "another's code": ("review", lambda r: r["code"]["coding"][0].update(system="http://x"), NoteError, "none of"),
    "two codes": (
        "review", lambda r: r["code"]["coding"].append({"system": CODES, "code": "helps"}), NoteError, "'review, helps",
    ),
    "unknown result": ("review", lambda r: value(r, "talked-about"), NoteError, "'talked-about'.*none of done"),
    "a result in words": (
        "review", lambda r: (r.pop("valueCodeableConcept"), r.update(valueString="done")), NoteError, "no valueCode",
    ),
    "two results": ("review", lambda r: r.update(valueString="done"), NoteError, "no valueCodeableConcept"),
    "no result": ("review", lambda r: r.pop("valueCodeableConcept"), NoteError, "no valueCodeableConcept"),
    "no goal": ("review", lambda r: r.pop("focus"), NoteError, "0 references as focus"),
    "two goals": ("review", lambda r: r["focus"].append(r["focus"][0]), NoteError, "2 references as focus"),
    "no time": ("review", lambda r: r.pop("effectiveDateTime"), NoteError, "when it was said"),
    "malformed time": ("review", lambda r: r.update(effectiveDateTime="31.3.2026"), NoteError, "31.3.2026"),
    "unknown status": ("review", lambda r: r.update(status="registered"), NoteError, "'registered'"),
    "words that are none": ("review", lambda r: r["component"][0].update(valueString=5), NoteError, "not text"),
    "a component twice": (
        "review", lambda r: r["component"].append(r["component"][0]), NoteError, "'what-helped'.*a second time",
    ),
    "a component out of place": (
        "helps", lambda r: r.update(component=[{"code": r["code"], "valueString": "x"}]), NoteError, "out of place",
    ),
    "no words": ("helps", lambda r: r.update(valueString=""), NoteError, "no valueString"),
    "malformed new date": ("due outcome", lambda r: r["component"][0].update(valueDateTime="x"), NoteError, "'x'"),
    "no reason": ("prompt", lambda r: r["component"].pop(0), NoteError, "no component prompt-reason"),
    "no such item": ("prompt", lambda r: r["component"][1].update(valueInteger=16), NoteError, "outside 1 to 15"),
    "not seen": ("seen first", lambda r: r.update(valueBoolean=False), NoteError, "no valueBoolean"),
    "seen what": ("seen first", lambda r: r.pop("derivedFrom"), NoteError, "0 references as derivedFrom"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_what_and_a_next_step(name: str) -> None:
    note, change, error, sentence = REFUSED[name]
    resource = deepcopy(written(NOTES[note]))
    change(resource)
    with pytest.raises(error, match=sentence) as caught:
        from_resource(resource, patient="anna")
    assert getattr(caught.value, "next_step", "")


def test_components_and_codes_of_others_are_left_alone() -> None:
    resource = deepcopy(written(REVIEW))
    resource["component"].append({"code": {"text": "mood"}, "valueString": "good"})
    resource["code"]["coding"].append({"system": "http://loinc.org", "code": "1-8"})
    assert from_resource(resource, patient="anna") == REVIEW


def test_a_day_alone_is_noon() -> None:
    resource = {**written(REVIEW), "effectiveDateTime": "2026-03-31"}
    assert from_resource(resource, patient="anna") == replace(REVIEW, said=datetime(2026, 3, 31, 12, tzinfo=UTC))
