"""A scale on one page: filled in, kept on the way, saved, and then in the hospital's record."""

from datetime import datetime

import pytest

from imr_fhir.artefacts import FIRST_COMPLETED, SHOWN_LANGUAGE
from tests.flows import steps
from tests.flows.steps import SAVED, answers, begin, filed, go, heading, norsk, of_code, post, rate, say, text
from tests.running import Browser, Running, log_in
from tests.web.steps import record_of


def test_filled_in_saved_and_in_the_record(run: Running) -> None:
    patient = steps.new_patient(run)
    chart = log_in(run, patient=patient)
    receipt = rate(chart, said=answers(3, {6: "5"}), comment="Came by bus, on his own")
    assert heading(receipt) == SAVED
    assert "Came by bus, on his own" in text(receipt)
    (response,) = filed(run, patient, "QuestionnaireResponse")
    (score,) = filed(run, patient, "Observation")
    (told,) = steps.told_of(run, response)
    for resource in (response, score, told):
        reference = f"{resource['resourceType']}/{resource['id']}"
        assert f'href="{run.hospital.base_url}/record/{reference}"' in receipt.text
    assert (response["status"], response["source"]) == ("completed", {"reference": "Practitioner/kari"})
    assert response["author"] == response["source"]
    assert score["valueQuantity"]["value"] == 3.13
    assert score["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{response['id']}"}]
    targets = {target["reference"] for target in told["target"]}
    assert targets == {f"QuestionnaireResponse/{response['id']}", f"Observation/{score['id']}"}
    assert datetime.fromisoformat(response["authored"]).utcoffset() is not None


def test_the_encounter_of_the_launch_stands_in_what_is_filed(run: Running) -> None:
    patient = steps.new_patient(run)
    visit = f"{patient}-visit"
    steps.put(run, {"resourceType": "Encounter", "id": visit, "status": "in-progress", "class": {"code": "AMB"},
                    "subject": {"reference": f"Patient/{patient}"}})  # fmt: skip
    rate(log_in(run, patient=patient, encounter=visit))
    (response,), (score,) = filed(run, patient, "QuestionnaireResponse"), filed(run, patient, "Observation")
    assert response["encounter"] == score["encounter"] == {"reference": f"Encounter/{visit}"}


def test_the_link_of_a_receipt_leads_to_the_resource(run: Running) -> None:
    chart = log_in(run, patient=steps.new_patient(run))
    receipt = rate(chart)
    link = receipt.text.partition("/record/QuestionnaireResponse/")[2].partition('"')[0]
    page = Browser().open(f"{run.hospital.base_url}/record/QuestionnaireResponse/{link}")
    assert "imr-clinician" in page.text


def test_what_is_missing_is_named_and_all_else_kept(run: Running) -> None:
    patient = steps.new_patient(run)
    chart = log_in(run, patient=patient)
    form = begin(chart)
    page = go(chart.browser, form, do="complete", **answers(without=(4, 13)))
    assert page.status_code == 400
    named = "4. Contact with people outside of the family 13. Using medication effectively"
    assert f"{say('form.missing', n=2)} {named}" in text(page)
    assert page.text.count(" checked>") == 13
    assert 'href="#item-04"' in page.text
    assert filed(run, patient, "QuestionnaireResponse") == []
    assert heading(go(chart.browser, page, do="complete", **{"04": "04-1", "13": "13-na"})) == SAVED


def test_stopped_early(run: Running) -> None:
    patient = steps.new_patient(run)
    receipt = rate(log_in(run, patient=patient), said=answers(without=tuple(range(4, 16))), do="stop")
    assert heading(receipt) == SAVED
    (response,), (score,) = filed(run, patient, "QuestionnaireResponse"), filed(run, patient, "Observation")
    assert response["status"] == "stopped"
    assert "valueQuantity" not in score
    assert score["dataAbsentReason"]["coding"][0]["code"] == "not-performed"


def test_nothing_at_all_is_not_saved(run: Running) -> None:
    patient = steps.new_patient(run)
    page = rate(log_in(run, patient=patient), said={}, do="stop")
    assert page.status_code == 400
    assert say("form.error.empty") in text(page)
    assert filed(run, patient, "QuestionnaireResponse") == []


def test_without_script_a_button_keeps_each_answer(run: Running) -> None:
    patient = steps.new_patient(run)
    chart = log_in(run, patient=patient)
    form = begin(chart)
    assert form.text.count('name="do" value="keep-') == 15
    said = say("form.no_script", button=say("form.keep"))
    assert f"{said} {say('form.no_script.covered', minutes=13)}" in form.text
    assert form.headers["Refresh"].startswith("780;"), "as the sentence says"
    kept = post(chart.browser, form, do="keep-07", **{"07": "07-2"}, comment="half a")
    assert kept.headers["Location"].endswith("#item-07")
    later = begin(log_in(run, patient=patient))
    assert 'value="07-2" checked' in later.text
    assert "half a</textarea>" in later.text


def test_with_script_each_answer_is_kept_as_it_is_given(run: Running) -> None:
    patient = steps.new_patient(run)
    chart = log_in(run, patient=patient)
    form = begin(chart)
    assert post(chart.browser, form, f"{form.url}/keep", **{"07": "07-2"}).status_code == 204
    assert post(chart.browser, form, f"{form.url}/keep", **{"07": "07-4"}).status_code == 204
    wrong = post(chart.browser, form, f"{form.url}/keep", **{"08": "07-2"})
    assert (wrong.status_code, wrong.text) == (400, say("form.error.code", number=8))
    assert 'value="07-4" checked' in begin(log_in(run, patient=patient)).text
    panel = chart.browser.get(chart.url)
    assert "1 of 15" in text(panel)


def test_left_with_nothing_answered_leaves_no_trace(run: Running) -> None:
    chart = log_in(run, patient=steps.new_patient(run))
    panel = go(chart.browser, begin(chart), do="later")
    assert panel.url == chart.url
    assert "not handed in" not in text(panel)
    assert run.store.drafts.open_for(record_of(run, chart).owner) == ()


@pytest.mark.parametrize(
    ("posted", "said"),
    [
        ({"06": "07-3"}, say("form.error.code", number=6)),
        ({"06": "06-9"}, say("form.error.code", number=6)),
        ({"06": ["06-3", "06-4"]}, say("form.error.two", number=6)),
        ({"06": "06-na"}, say("form.error.code", number=6)),
        ({"comment": "a" * 4001}, say("form.error.long", length=4001, over=1, longest=4000)),
        ({"comment": "\N{GRINNING FACE}" * 2001}, say("form.error.long", length=4002, over=2, longest=4000)),
        ({"comment": "bell \x07"}, say("form.error.characters", place="U+0007, place 6")),
    ],
)
def test_what_can_t_be_kept_is_named_and_takes_nothing_with_it(run: Running, posted: dict[str, str], said: str) -> None:
    patient = steps.new_patient(run)
    chart = log_in(run, patient=patient)
    page = go(chart.browser, begin(chart), do="complete", **(answers() | posted))
    assert page.status_code == 400
    assert said in text(page)
    assert page.text.count(" checked>") == 15 - sum(name in posted for name in ("06",))
    if "comment" in posted:
        assert posted["comment"] in page.text, "what was typed is there to be shortened"
    assert filed(run, patient, "QuestionnaireResponse") == []


def test_the_form_follows_the_language_and_the_answer_says_which(run: Running) -> None:
    patient = steps.new_patient(run)
    chart = log_in(run, patient=patient)
    form = begin(chart)
    assert "A personal goal and has finished it" in text(form)
    chart.browser.submit(form, chart.at("language"), language="nb")
    form = chart.browser.get(form.url)
    assert "personlig mål" in text(form)
    assert norsk("form.translation") in text(form)
    go(chart.browser, form, do="complete", **answers())
    (response,) = filed(run, patient, "QuestionnaireResponse")
    shown = {each["url"]: each for each in response["extension"]}
    assert shown[SHOWN_LANGUAGE]["valueCode"] == "nb"
    assert datetime.fromisoformat(shown[FIRST_COMPLETED]["valueDateTime"]) == datetime.fromisoformat(
        response["authored"]
    )


def test_the_patient_s_answers_typed_by_the_clinician(run: Running) -> None:
    patient = steps.new_patient(run)
    chart = log_in(run, patient=patient)
    form = begin(chart, "client")
    before_first = text(form).partition("In the past 3 months")[0]
    for purpose in (
        say("form.typed", name="Eva"),
        say("form.purpose", who="Kari Nilsen"),
        say("form.readers", org="Nordlys DPS"),
        say("form.stop"),
        say("form.help", who="Kari Nilsen", phone="+47 00 00 00 00"),
    ):
        assert purpose in before_first
    assert "Eva" not in form.text.partition("<title>")[2].partition("</title>")[0]
    go(chart.browser, form, do="complete", **answers(2))
    (response,) = filed(run, patient, "QuestionnaireResponse")
    assert response["source"] == {"reference": f"Patient/{patient}"}
    assert response["author"] == {"reference": "Practitioner/kari"}
    (told,) = steps.told_of(run, response)
    agents = {agent["type"]["coding"][0]["code"]: agent["who"].get("reference") for agent in told["agent"]}
    assert agents["author"] == f"Patient/{patient}"
    assert agents["enterer"] == "Practitioner/kari"
    assert of_code(filed(run, patient, "Observation"), "score-client")[0]["performer"] == [
        {"reference": f"Patient/{patient}"}
    ]


def test_a_draft_opens_for_its_own_user_and_patient_alone(run: Running) -> None:
    patient = steps.new_patient(run)
    form = begin(log_in(run, patient=patient))
    draft = form.url.rpartition("/")[2]
    for other in (log_in(run, patient=patient, user="Practitioner/ola"), log_in(run, patient=steps.new_patient(run))):
        assert other.browser.get(other.at(f"draft/{draft}")).status_code == 404
        for path in (f"draft/{draft}", f"draft/{draft}/keep"):
            assert other.browser.submit(other.page, other.at(path), do="stop", **{"01": "01-1"}).status_code == 404


def test_there_are_two_scales_and_no_other(run: Running) -> None:
    chart = log_in(run, patient=steps.new_patient(run))
    assert chart.browser.submit(chart.page, chart.at("form/nurse/start")).status_code == 404
