"""A Response as a QuestionnaireResponse and back; corrections and withdrawals."""

from dataclasses import replace
from typing import Any

import pytest

from imr_fhir.artefacts import FIRST_COMPLETED, RESPONSE_PROFILE, SHOWN_LANGUAGE, SHOWN_WORDING
from imr_fhir.ehr.json_reader import read_json
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.errors import RatingError, ResponseError
from imr_fhir.rating_update import kept
from imr_fhir.response import Response, corrected, from_resource, to_resource, withdrawn
from imr_fhir.scale import NA
from tests.filed import FILING, NOW, RESPONSES, new_response, urn
from tests.spec.build import answers, sum_of

Json = dict[str, Any]


def written(response: Response | None = None, **options: Any) -> Json:
    return to_resource(response or new_response(), filing=FILING, **options)


def leaf(resource: Json, link_id: str) -> Json:
    return next(
        item for outer in resource["item"] for item in [outer, *outer.get("item", [])] if item["linkId"] == link_id
    )


@pytest.mark.parametrize("name", RESPONSES)
def test_what_is_written_is_read_as_it_was(name: str) -> None:
    response = RESPONSES[name]
    read = from_resource(written(response), patient="anna")
    assert replace(read, version_id="") == replace(response, version_id="")


def test_it_says_who_when_and_which_form() -> None:
    response = new_response(rater="clinician", encounter="Encounter/3", measured=NOW, authored=NOW.replace(hour=10))
    resource = written(response)
    assert {
        name: resource[name] for name in ("questionnaire", "status", "subject", "source", "author", "encounter")
    } == {
        "questionnaire": "https://w3id.org/imr-fhir/Questionnaire/imr-clinician|0.1.0",
        "status": "completed",
        "subject": {"reference": "Patient/anna"},
        "source": {"reference": "Practitioner/berg"},
        "author": {"reference": "Practitioner/berg"},
        "encounter": {"reference": "Encounter/3"},
    }
    assert resource["authored"] == "2026-03-31T10:30:00+00:00"
    assert {"url": FIRST_COMPLETED, "valueDateTime": "2026-03-31T09:30:00+00:00"} in resource["extension"]
    assert resource["identifier"] == {"system": "urn:ietf:rfc:3986", "value": urn(1)}
    assert "id" not in resource
    assert resource["meta"] == {"tag": [{"system": "https://w3id.org/imr-fhir/filing", "code": FILING}]}


def test_profile_and_labels_only_where_asked_for() -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "SUD"}
    meta = written(profile=True, security=[label])["meta"]
    assert meta["profile"] == [RESPONSE_PROFILE]
    assert meta["security"] == [label]


def test_english_display_always_and_the_wording_shown_where_it_was_another() -> None:
    nb, en = written(new_response(language="nb")), written()
    coding = {
        "system": "https://w3id.org/imr-fhir/CodeSystem/imr-client", "version": "0.1.0", "code": "02-3",
        "display": "Some",
    }  # fmt: skip
    assert leaf(en, "02")["answer"] == [{"valueCoding": coding}]
    shown = {"url": SHOWN_WORDING, "valueString": "En del"}
    assert leaf(nb, "02")["answer"] == [{"extension": [shown], "valueCoding": coding}]
    assert {"url": SHOWN_LANGUAGE, "valueCode": "nb"} in nb["extension"]


@pytest.mark.parametrize(
    ("ratings", "figures"),
    [
        (sum_of(51), {"sum": b"51", "rated": b"15", "mean": b"3.40"}),
        (answers(4), {"sum": b"60", "rated": b"15", "mean": b"4.00"}),
        (answers(3, {13: NA, 1: 5}), {"sum": b"44", "rated": b"14", "mean": b"3.14"}),
        (answers(3, without=[4]), {"sum": b"42", "rated": b"14"}),
        ({13: NA}, {"sum": b"0", "rated": b"0"}),
        ({}, {"rated": b"0"}),
    ],
)
def test_the_score_is_worked_out_and_keeps_its_digits(ratings: dict[int, int], figures: dict[str, bytes]) -> None:
    score = leaf(written(new_response(status="stopped", ratings=ratings)), "score")
    values = {item["linkId"]: next(iter(item["answer"][0].values())) for item in score["item"]}
    assert {name: write_json(value) for name, value in values.items()} == figures


def test_a_group_without_answers_is_left_out_and_so_is_an_empty_comment() -> None:
    resource = written(new_response(status="stopped", ratings={}, comment="  \n"))
    assert [item["linkId"] for item in resource["item"]] == ["score"]


@pytest.mark.parametrize(
    ("said", "error", "sentence"),
    [
        ({"ratings": answers(without=[3, 4])}, ResponseError, "2 questions have no answer.*end the form early"),
        ({"status": "amended", "ratings": {}}, ResponseError, "15 questions have no answer"),
        ({"status": "finished"}, ResponseError, "'finished' is no status"),
        ({"questionnaire": "https://w3id.org/imr-fhir/Questionnaire/imr-client|9.0.0"}, ResponseError, "9.0.0"),
        ({"comment": "x" * 4001}, ResponseError, "1 characters too long.*Shorten it to 4000"),
        ({"comment": "\N{SLIGHTLY SMILING FACE}" * 2001}, ResponseError, "2 characters too long"),
        ({"comment": "a\x00b"}, ResponseError, r"U\+0000, place 2"),
        ({"comment": "a\ud800"}, ResponseError, r"U\+D800"),
        ({"ratings": answers(3, {4: NA})}, RatingError, "Item 4"),
        ({"ratings": answers(3, {4: 6})}, RatingError, "Item 4"),
        ({"source": "Practitioner/berg"}, ResponseError, "the patient's own"),
        ({"source": "Patient/other"}, ResponseError, "the patient's own"),
        ({"language": ""}, ResponseError, "not sound.*extension"),
    ],
)  # fmt: skip
def test_what_would_be_wrong_in_the_record_is_not_written(said: Json, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=f"(?s){sentence}"):
        written(new_response(**said))


def test_a_comment_may_be_4000_characters_long() -> None:
    comment = "x" * 4000
    assert from_resource(written(new_response(comment=comment)), patient="anna").comment == comment


def test_it_survives_the_wire() -> None:
    response = RESPONSES["client"]
    assert from_resource(read_json(write_json(written(response))), patient="anna") == response


# ---- corrections and withdrawals


def test_a_correction_keeps_identity_and_the_measurement_s_time() -> None:
    before = new_response(id="7", version_id="1")
    after = corrected(before, ratings=answers(4), comment="", author="Practitioner/berg", authored=NOW)
    assert after == replace(before, status="amended", ratings=answers(4), author="Practitioner/berg", authored=NOW)
    resource = written(after)
    assert resource["id"] == "7"
    assert from_resource(resource, patient="anna").measured == before.measured


def test_a_stopped_response_stays_stopped_when_corrected() -> None:
    before = RESPONSES["stopped"]
    assert corrected(before, ratings=answers(4), comment="", author="Patient/anna", authored=NOW).status == "stopped"


@pytest.mark.parametrize("status", ["in-progress", "entered-in-error"])
def test_a_draft_or_a_withdrawn_response_is_not_corrected(status: str) -> None:
    with pytest.raises(ResponseError, match=status):
        corrected(new_response(status=status), ratings=answers(4), comment="", author="Patient/anna", authored=NOW)


def test_a_withdrawal_keeps_the_answers_and_happens_once() -> None:
    before = new_response(id="7")
    after = withdrawn(before, authored=NOW)
    assert after == replace(before, status="entered-in-error", authored=NOW)
    with pytest.raises(ResponseError, match="already"):
        withdrawn(after, authored=NOW)


def test_an_update_keeps_what_others_named_without_a_literal_reference() -> None:
    """Who, where and by which number other software knows it: what is not read here is not taken out."""
    named = {name: {"identifier": {"system": "urn:oid:1.2", "value": "4711"}} for name in ("encounter", "source")}
    base = {**written(new_response(rater="clinician", id="7")), **named, "identifier": {"system": "x", "value": "8"}}
    merged = kept(written(replace(from_resource(base, patient="anna"), comment="More")), base)
    assert {name: merged[name] for name in ("encounter", "source", "identifier")} == {
        **named,
        "identifier": {"system": "x", "value": "8"},
    }
