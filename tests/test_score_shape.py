"""One score in each shape: filed, found again in the chart as the same rating, corrected, withdrawn, counted once."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from imr_fhir import response
from imr_fhir.bundle import in_order
from imr_fhir.ehr.chart import Chart, read_chart
from imr_fhir.ehr.filing import PartOk, send
from imr_fhir.ehr.scores import rating_at, score_of
from imr_fhir.errors import NotFound, ResponseError
from imr_fhir.response import Response
from imr_fhir.scale import NA, RATERS
from imr_fhir.score_parts import score_parts
from imr_fhir.score_reading import not_filed
from imr_fhir.score_shape import NEEDED, SHAPES, Codes, Shape, covers, score_urn
from tests.filed import FILING, NOW, RESPONSES, urn
from tests.revised import VERSION, revised
from tests.small_ehr import SmallEhr, small_ehr
from tests.spec.build import answers
from tests.test_chart import PATIENT, put, refuses

ZONE = ZoneInfo("Europe/Oslo")
FLOWSHEET = "urn:oid:1.2.840.114350.1.13.0.1.7.2.707679"
CODES: Codes = {
    rater: {name: {"system": FLOWSHEET, "code": f"{rater}-{name}"} for name in (*NEEDED, "mean")} for rater in RATERS
}
FRESH = [name for name, said in RESPONSES.items() if said.status in ("completed", "stopped")]


@pytest.fixture
def ehr() -> Iterator[SmallEhr]:
    with small_ehr() as running:
        running.ignores_search = True
        put(running, PATIENT)
        yield running


def file(ehr: SmallEhr, said: Response, shape: Shape, *, one_by_one: bool = False, **more: Any) -> None:
    parts = in_order(score_parts(said, shape=shape, urn=score_urn(urn(1)), codes=CODES, filing=FILING, **more))
    known: dict[str, str] = {}
    for group in [[part] for part in parts] if one_by_one else [parts]:
        ehr.ignores_search = False
        outcome = send(ehr.client(), group, in_transaction=not one_by_one, references=known)
        ehr.ignores_search = True
        assert isinstance(outcome, PartOk), outcome
        known |= {part.full_url: receipt.reference for part, receipt in zip(group, outcome.receipts, strict=True)}


def chart(ehr: SmallEhr) -> Chart:
    return read_chart(ehr.client(), "anna", zone=ZONE, codes=CODES)


def the_one(ehr: SmallEhr) -> Response:
    found = chart(ehr)
    assert found.problems == ()
    (one,) = found.responses
    return one


@pytest.mark.parametrize("one_by_one", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", FRESH)
def test_read_back_it_is_the_same_rating(ehr: SmallEhr, name: str, shape: Shape, one_by_one: bool) -> None:
    said = RESPONSES[name]
    file(ehr, said, shape, one_by_one=one_by_one)
    found = the_one(ehr)
    lost: dict[str, Any] = {}
    without_na = {number: rating for number, rating in said.ratings.items() if rating != NA}
    if shape == "flat" and said.status == "stopped":
        lost["ratings"] = without_na  # such servers keep figures, and nothing of why there is none
    assert replace(found, id="", version_id="") == replace(
        said, author="", identifier=found.identifier, kept=shape, **lost
    )
    assert found.reference == f"Observation/{found.id}"


@pytest.mark.parametrize("shape", SHAPES)
def test_of_a_response_that_is_there_too_it_counts_once(ehr: SmallEhr, shape: Shape) -> None:
    said = RESPONSES["client"]
    put(ehr, {**response.to_resource(said, filing=FILING), "id": "7"})
    file(ehr, said, shape, response_reference="QuestionnaireResponse/7")
    assert the_one(ehr).kept == "form"
    found = score_of(ehr.client(), replace(said, id="7"), CODES)
    assert found is not None
    assert found.shape == shape
    for each in ehr.of("Observation"):
        each.pop("derivedFrom")  # an EHR that keeps no such thing: the identifier follows from the response's
    assert the_one(ehr).kept == "form"
    again = score_of(ehr.client(), replace(said, id="7"), CODES)
    assert again is not None
    assert again.score.id == found.score.id


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_filed_is_known_by_the_identifier_of_what_was_written(ehr: SmallEhr, shape: Shape) -> None:
    said, other = RESPONSES["client"], replace(RESPONSES["client"], identifier=urn(9))
    file(ehr, said, shape)
    assert not_filed([said, other], [the_one(ehr)]) == (other,)


@pytest.mark.parametrize("shape", SHAPES)
def test_corrected_and_withdrawn_in_place(ehr: SmallEhr, shape: Shape) -> None:
    file(ehr, replace(RESPONSES["client"], ratings=answers(3)), shape)
    first = the_one(ehr)
    count = len(ehr.of("Observation"))
    after = response.corrected(
        first, ratings=answers(3, {6: 5, 13: NA}), comment="", author="Practitioner/berg", authored=NOW
    )
    file(ehr, after, shape, stored=score_of(ehr.client(), first, CODES))
    second = the_one(ehr)
    assert (second.status, second.ratings, second.measured) == ("amended", answers(3, {6: 5, 13: NA}), first.measured)
    assert (second.id, second.identifier, second.comment) == (first.id, first.identifier, "")
    stored = rating_at(ehr.client(), second.id, patient="anna", codes=CODES)
    file(ehr, response.withdrawn(second, authored=NOW), shape, stored=stored)
    assert the_one(ehr).status == "entered-in-error"
    assert len(ehr.of("Observation")) == count


@pytest.mark.parametrize("local", [{"system": "https://hospital.example/fhir/codes", "code": "4711"}, {"display": "x"}])
@pytest.mark.parametrize("shape", SHAPES)
def test_corrected_in_place_too_where_the_ehr_put_a_coding_of_its_own_first(
    ehr: SmallEhr, shape: Shape, local: dict[str, str]
) -> None:
    file(ehr, replace(RESPONSES["client"], ratings=answers(3)), shape)
    for each in ehr.of("Observation"):
        for coded in (each, *each.get("component", ())):
            coded["code"]["coding"].insert(0, local)
    first, count = the_one(ehr), len(ehr.of("Observation"))
    after = response.corrected(first, ratings=answers(2), comment="", author="Practitioner/berg", authored=NOW)
    file(ehr, after, shape, stored=score_of(ehr.client(), first, CODES))
    assert (the_one(ehr).ratings, len(ehr.of("Observation"))) == (answers(2), count)


@pytest.mark.parametrize("shape", ["members", "flat"])
def test_of_a_rating_that_is_there_in_part_nothing_counts(ehr: SmallEhr, shape: Shape) -> None:
    file(ehr, RESPONSES["client"], shape)
    ehr.store.pop(next(key for key, each in ehr.store.items() if "06" in str(each.get("code"))))
    found = chart(ehr)
    assert found.responses == ()
    assert [problem.kind for problem in found.problems] == ["unreadable"]


def item_10(ehr: SmallEhr) -> dict[str, Any]:
    return next(each for each in ehr.of("Observation") if each["code"]["coding"][0]["code"][-2:] == "10")


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "registered", "preliminary", "unknown"])
@pytest.mark.parametrize("shape", ["members", "flat"])
def test_an_answer_that_the_record_does_not_let_stand_counts_nothing_and_is_told(
    ehr: SmallEhr, shape: Shape, status: str
) -> None:
    file(ehr, RESPONSES["clinician"], shape)
    item_10(ehr)["status"] = status
    found = chart(ehr)
    assert found.responses == ()
    assert [problem.kind for problem in found.problems] == ["unreadable"]


@pytest.mark.parametrize("status", ["cancelled", "registered", "preliminary", "unknown"])
def test_figures_none_of_which_is_final_are_no_rating(ehr: SmallEhr, status: str) -> None:
    file(ehr, RESPONSES["clinician"], "flat")
    for each in ehr.of("Observation"):
        each["status"] = status
    found = chart(ehr)
    assert (found.responses, len(found.problems)) == ((), 1)


def test_answers_whose_sum_was_withdrawn_were_not_ended_early(ehr: SmallEhr) -> None:
    file(ehr, RESPONSES["clinician"], "flat")
    next(each for each in ehr.of("Observation") if "-sum" in str(each["code"]))["status"] = "entered-in-error"
    found = chart(ehr)
    assert (found.responses, "was withdrawn" in found.problems[0].reason) == ((), True)


@pytest.mark.parametrize("signed", [{"authorReference": {"reference": "Practitioner/nurse"}}, {"authorString": "N."}])
@pytest.mark.parametrize("shape", SHAPES)
def test_what_somebody_else_wrote_beside_it_is_not_the_rater_s_comment(
    ehr: SmallEhr, shape: Shape, signed: dict[str, Any]
) -> None:
    file(ehr, RESPONSES["client"], shape)
    (noted,) = [each for each in ehr.of("Observation") if "note" in each]
    noted["note"].append({**signed, "time": "2026-03-31T12:00:00+02:00", "text": "Smelled of alcohol"})
    assert the_one(ehr).comment == RESPONSES["client"].comment


def test_who_answered_may_sign_the_comment(ehr: SmallEhr) -> None:
    file(ehr, RESPONSES["client"], "components")
    (noted,) = ehr.of("Observation")
    noted["note"][0]["authorReference"] = {"reference": "Patient/anna"}
    assert the_one(ehr).comment == RESPONSES["client"].comment


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("names", ["", "https://other.example/Questionnaire/phq9"])
def test_a_response_that_no_longer_names_its_form_is_told_of(ehr: SmallEhr, shape: Shape, names: str) -> None:
    built = {**response.to_resource(RESPONSES["client"], filing=FILING), "id": "7"}
    put(
        ehr,
        {name: value for name, value in built.items() if name != "questionnaire"}
        | ({"questionnaire": names} if names else {}),
    )
    assert chart(ehr).problems == (), "nothing says that it is ours"
    file(ehr, RESPONSES["client"], shape, response_reference="QuestionnaireResponse/7")
    found = chart(ehr)
    assert found.responses == ()
    assert [(each.kind, each.about) for each in found.problems] == [("unreadable", "QuestionnaireResponse/7")]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_score_of_another_server_s_response_of_the_same_id_is_a_rating_of_its_own(
    ehr: SmallEhr, shape: Shape
) -> None:
    said = replace(RESPONSES["client"], identifier=urn(9))
    put(ehr, {**response.to_resource(said, filing=FILING), "id": "7"})
    file(ehr, RESPONSES["client"], shape, response_reference="QuestionnaireResponse/7")
    for each in ehr.of("Observation"):
        each["derivedFrom"] = [{"reference": f"{ehr.client().base}/QuestionnaireResponse/7"}]
    assert the_one(ehr).kept == "form", "this server's own address"
    for each in ehr.of("Observation"):
        each["derivedFrom"] = [{"reference": "https://other.example/fhir/QuestionnaireResponse/7"}]
    assert sorted(one.kept for one in chart(ehr).responses) == sorted(["form", shape])
    assert score_of(ehr.client(), replace(said, id="7"), CODES) is None


@pytest.mark.parametrize("shape", SHAPES)
def test_a_score_that_can_t_be_read_is_not_filed_a_second_time(ehr: SmallEhr, shape: Shape) -> None:
    put(ehr, {**response.to_resource(RESPONSES["client"], filing=FILING), "id": "7"})
    file(ehr, RESPONSES["client"], shape, response_reference="QuestionnaireResponse/7")
    filed = replace(RESPONSES["client"], id="7")
    assert score_of(ehr.client(), filed, CODES)
    for each in ehr.of("Observation"):
        each["modifierExtension"] = [{"url": "https://hospital.example/fhir/doubted", "valueBoolean": True}]
    with pytest.raises(ResponseError, match=r"score of QuestionnaireResponse/7 that can't be read"):
        score_of(ehr.client(), filed, CODES)
    for each in ehr.of("Observation"):
        each["status"] = "entered-in-error"
    assert score_of(ehr.client(), filed, CODES) is None


def test_members_of_another_server_are_none_of_this_rating(ehr: SmallEhr) -> None:
    file(ehr, RESPONSES["client"], "members")
    for at, read in ((f"{ehr.client().base}/", True), ("https://other.example/fhir/", False)):
        for panel in ehr.of("Observation"):
            for member in panel.get("hasMember", []):
                member["reference"] = f"{at}Observation/{member['reference'].rpartition('/')[2]}"
        found = chart(ehr)
        assert bool(found.responses) == read
        assert bool(found.problems) != read


def test_figures_of_which_the_ehr_keeps_no_language_say_none(ehr: SmallEhr) -> None:
    ehr.changes = lambda resource: {name: value for name, value in resource.items() if name != "language"}
    file(ehr, RESPONSES["clinician"], "flat")
    said = the_one(ehr)
    assert said.language == ""
    after = response.corrected(said, ratings=answers(2), comment="", author="Practitioner/berg", authored=NOW)
    file(ehr, after, "flat", stored=score_of(ehr.client(), said, CODES))
    assert (the_one(ehr).language, the_one(ehr).ratings) == ("", answers(2))


def test_figures_tell_no_version_where_there_have_been_two(ehr: SmallEhr) -> None:
    file(ehr, RESPONSES["clinician"], "flat")
    assert the_one(ehr).questionnaire == RESPONSES["clinician"].questionnaire
    with revised():
        said = the_one(ehr)
        assert (said.questionnaire, said.form.version) == ("", VERSION)
        after = response.corrected(said, ratings=answers(2), comment="", author="Practitioner/berg", authored=NOW)
        file(ehr, after, "flat", stored=score_of(ehr.client(), said, CODES))
        assert the_one(ehr).ratings == answers(2)


def test_a_figure_twice_at_one_time(ehr: SmallEhr) -> None:
    file(ehr, RESPONSES["client"], "flat")
    again = next(each for each in ehr.of("Observation") if "client-06" in str(each["code"]))
    put(ehr, {**again, "id": "twice"})
    found = chart(ehr)
    assert (found.responses, "second time" in found.problems[0].reason) == ((), True)


def test_without_the_right_to_responses_the_scores_stand_for_them(ehr: SmallEhr) -> None:
    file(ehr, RESPONSES["client"], "components")
    ehr.before = refuses("QuestionnaireResponse", 403)
    found = chart(ehr)
    assert [one.kept for one in found.responses] == ["components"]
    assert [(problem.kind, problem.about) for problem in found.problems] == [("not-available", "QuestionnaireResponse")]


def test_several_scores_of_one_rating_are_no_score(ehr: SmallEhr) -> None:
    file(ehr, RESPONSES["client"], "components")
    one = the_one(ehr)
    with pytest.raises(NotFound):
        rating_at(ehr.client(), "another", patient="anna", codes=CODES)
    there = ehr.store[f"Observation/{one.id}"]
    for name in ("x", "y"):
        put(ehr, {**there, "id": name, "derivedFrom": [{"reference": "QuestionnaireResponse/7"}]})
    with pytest.raises(ResponseError, match="2 scores"):
        score_of(ehr.client(), replace(RESPONSES["client"], id="7", identifier=urn(9)), CODES)


def test_which_codes_a_site_needs() -> None:
    assert covers(CODES, RATERS)
    assert covers({"client": CODES["client"]}, ["client"])
    assert not covers({"client": CODES["client"]}, RATERS)
    assert not covers({"client": {name: code for name, code in CODES["client"].items() if name != "sum"}}, ["client"])
