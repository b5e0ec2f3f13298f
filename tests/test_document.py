"""A rating as a document: what it says, as text and as PDF, and how it is found again without being counted."""

import base64
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from imr_fhir import pdf
from imr_fhir.document import document_reference, readable
from imr_fhir.document_reading import rating_in, read_document, withdrawn_document
from imr_fhir.documented import Document
from imr_fhir.errors import ResponseError, WrongPatient
from imr_fhir.fhir_time import parse_date_time
from imr_fhir.response import Response
from imr_fhir.scale import NA, RATERS, scale
from tests import parts
from tests.filed import FILING, NOW, RESPONSES, new_response, urn
from tests.revised import revised
from tests.spec.build import answers

ZONE = ZoneInfo("Europe/Oslo")
TYPE = {"system": "http://loinc.org", "code": "74465-6"}


def written(response: Response, *, as_pdf: bool = False, zone: ZoneInfo = ZONE) -> dict[str, Any]:
    return document_reference(response, urn=urn(6), pdf=as_pdf, type_coding=TYPE, zone=zone, filing=FILING)


def test_all_that_is_needed_to_judge_the_answers() -> None:
    said = readable(new_response(ratings=answers(3, {13: NA, 6: 5}), comment="Tired\nbut well"), ZONE)
    form = scale("client")
    assert said.splitlines()[:7] == [
        form.title.en,
        "Rated: 2026-01-01 12:00",
        "Recorded: 2026-01-01 12:00",
        "Answered by the patient. Complete.",
        "Shown in English.",
        "Score: mean 3.14 on a scale from 1 to 5, sum 44, 14 questions rated",
        "",
    ]
    assert f"6. {form.item(6).label.en}: {form.item(6).anchor(5).text.en} (5)\n" in said
    assert f"13. {form.item(13).label.en}: {form.item(13).anchor(NA).text.en}\n" in said
    assert said.endswith("\nComment:\nTired\nbut well\n")


def test_what_was_answered_on_an_earlier_version_is_told_in_its_words() -> None:
    before = readable(new_response(rater="clinician", ratings=answers(2)), ZONE)
    with revised(mended=True):
        assert readable(new_response(rater="clinician", ratings=answers(2)), ZONE) == before


@pytest.mark.parametrize(
    ("response", "lines"),
    [
        (new_response(rater="clinician"), ["The wording of this scale has not been verified: draft."]),
        (new_response(language="nb"), ["Vist på bokmål, i en oversettelse som ikke er validert.", "Fullført."]),
        (RESPONSES["stopped"], ["Ingen skår: 6 spørsmål vurdert", "1. ", "ikke besvart"]),
        (RESPONSES["amended"], ["Answered by the patient. Corrected.", "Recorded: 2026-03-31 11:30"]),
        (RESPONSES["withdrawn"], ["Answered by the patient. Withdrawn: entered in error, not to be used."]),
    ],
)  # fmt: skip
def test_what_must_be_known_of_them_is_marked(response: Response, lines: list[str]) -> None:
    said = readable(response, ZONE)
    assert all(line in said for line in lines), said


@pytest.mark.parametrize("zone", [ZONE, ZoneInfo("Pacific/Kiritimati")])
def test_of_a_day_alone_no_time_is_said(zone: ZoneInfo) -> None:
    said = written(new_response(measured=parse_date_time("2026-03-31")), zone=zone)
    text = base64.b64decode(said["content"][0]["attachment"]["data"]).decode()
    assert "Rated: 2026-03-31\n" in text
    assert said["context"]["period"] == {"start": "2026-03-31"}
    assert said["description"].endswith(", 2026-03-31")
    assert rating_in({**said, "id": "7"}, patient="anna", zone=zone).ratings == new_response().ratings


def test_the_first_attachment_is_the_whole_of_it() -> None:
    response = new_response(encounter="Encounter/3", comment="Søvn: <b>dårlig</b>")
    built = written(response)
    (content,) = built["content"]
    assert base64.b64decode(content["attachment"]["data"]).decode() == readable(response, ZONE)
    assert content["attachment"]["contentType"] == "text/plain; charset=utf-8"
    assert built["context"]["encounter"] == [{"reference": "Encounter/3"}]
    assert (built["status"], built["docStatus"]) == ("current", "final")
    assert "encounter" not in written(new_response())["context"]


@pytest.mark.parametrize("rater", RATERS)
def test_found_again_by_day_and_rater(rater: str) -> None:
    built = {**written(new_response(rater=rater)), "id": "8"}
    day = new_response().measured.date()
    assert read_document(built, patient="anna", zone=ZONE) == Document("8", rater, day, withdrawn=False)  # type: ignore[arg-type]
    alone = {**built, "context": {"period": {"start": day.isoformat()}}}
    there = read_document(alone, patient="anna", zone=ZoneInfo("Pacific/Auckland"))
    assert there is not None
    assert there.day == day
    dropped = {name: value for name, value in built.items() if name not in ("meta", "identifier", "context")}
    assert read_document(dropped, patient="anna", zone=ZONE) is not None, "an EHR that keeps no more than it must"
    withdrawn = read_document({**built, "status": "entered-in-error"}, patient="anna", zone=ZONE)
    assert withdrawn is not None
    assert withdrawn.withdrawn


def test_others_documents_are_none_of_ours() -> None:
    built = written(new_response())
    assert read_document({**built, "description": "Consultation note"}, patient="anna", zone=ZONE) is None
    with pytest.raises(WrongPatient):
        read_document({**built, "subject": {"reference": "Patient/bo"}}, patient="anna", zone=ZONE)
    undated = {name: value for name, value in built.items() if name not in ("date", "context")}
    with pytest.raises(ResponseError, match="which day"):
        read_document(undated, patient="anna", zone=ZONE)


def test_as_a_pdf() -> None:
    parts.need(parts.PANGO)
    built = written(new_response(authored=NOW), as_pdf=True)
    attachment = built["content"][0]["attachment"]
    assert attachment["contentType"] == "application/pdf"
    assert base64.b64decode(attachment["data"]).startswith(b"%PDF-")


def test_a_pdf_fetches_nothing_and_takes_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    parts.need(parts.PANGO)
    asked: list[str] = []
    monkeypatch.setattr(pdf, "_refuses", lambda url, *_, **__: asked.append(url))
    pdf.pdf_of('IMR <img src="http://127.0.0.1:1/x">\n<img src="file:///etc/hostname">', "en")
    assert asked == []
    monkeypatch.undo()
    with pytest.raises(ValueError, match="not fetched"):
        pdf._refuses("file:///etc/passwd")


def test_a_document_says_whether_it_was_ended_early_and_what_it_corrects() -> None:
    early = read_document({**written(RESPONSES["stopped"]), "id": "8"}, patient="anna", zone=ZONE)
    assert early is not None
    assert not early.complete
    corrects = replace(RESPONSES["amended"], id="8", kept="text")
    built = {**written(corrects), "id": "9"}
    assert built["relatesTo"] == [{"code": "replaces", "target": {"reference": "DocumentReference/8"}}]
    after = read_document(built, patient="anna", zone=ZONE)
    assert after is not None
    assert (after.replaces, after.complete) == (("8",), True)


@pytest.mark.parametrize("name", sorted(RESPONSES))
def test_its_answers_are_read_where_its_text_is_ours_to_the_letter(name: str) -> None:
    response = RESPONSES[name]
    if response.status == "in-progress":
        pytest.skip("no document is made of it")
    built = {**written(response), "id": "8"}
    found = rating_in(built, patient="anna", zone=ZONE)
    assert (found.ratings, found.comment.strip()) == (response.ratings, response.comment.strip())
    assert (found.status, found.language, found.rater) == (response.status, response.language, response.rater)
    assert (found.measured, found.authored) == (response.measured, response.authored)
    changed = readable(response, ZONE).replace("(3)", "(4)", 1).encode()
    attachment = built["content"][0]["attachment"] | {"data": base64.b64encode(changed + b".").decode()}
    other = rating_in({**built, "content": [{"attachment": attachment}]}, patient="anna", zone=ZONE)
    assert (other.ratings, other.comment) == ({}, "")


@pytest.mark.parametrize(
    "attachment",
    [
        {},
        {"url": "Binary/1"},
        {"contentType": "text/plain", "data": "no base64!"},
        {"contentType": "text/plain", "data": "på norsk"},
    ],
)
def test_no_answers_of_a_text_that_did_not_come(attachment: dict[str, str]) -> None:
    built = {**written(new_response()), "id": "8", "content": [{"attachment": attachment}]}
    assert rating_in(built, patient="anna", zone=ZONE).ratings == {}


def test_withdrawn_it_keeps_its_content_and_others_labels() -> None:
    house = {"system": "https://house.example", "code": "x"}
    built = {**written(new_response()), "id": "8", "meta": {"versionId": "3", "tag": [house]}}
    gone = withdrawn_document(built, filing=FILING)
    assert (gone["status"], gone["docStatus"], gone["content"]) == ("entered-in-error",) * 2 + (built["content"],)
    assert [tag["code"] for tag in gone["meta"]["tag"]] == [FILING, "x"]
    assert "versionId" not in gone["meta"]


def test_a_document_whose_labels_are_none() -> None:
    built = {**written(new_response()), "id": "8"}
    gone = withdrawn_document({**built, "meta": None}, filing=FILING)
    assert [tag["code"] for tag in gone["meta"]["tag"]] == [FILING]
    with pytest.raises(ResponseError, match="no list of objects as tag"):
        withdrawn_document({**built, "meta": {"tag": None}}, filing=FILING)
    with pytest.raises(ResponseError, match="has nothing as profile, not a list"):
        withdrawn_document({**built, "meta": {"profile": None}}, filing=FILING)
