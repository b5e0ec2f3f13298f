"""Whatever the app writes is good; what is called good the app can read; and no shape of JSON is too odd to judge."""

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imr_fhir import response
from imr_fhir.ehr.json_reader import read_json
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.errors import ResourceError
from imr_fhir.observation import score_observation
from imr_fhir.response import Response
from imr_fhir.scale import scale
from imr_fhir.score_parts import score_parts
from imr_fhir.validation import as_written, response_rules, terms
from imr_fhir.validation.judge import Verdict, judge
from tests.changed import changed
from tests.filed import FILING, RESPONSES, every_resource, urn
from tests.revised import revised
from tests.test_response_properties import JSON, READERS, damaged, oddly_answered, responses

no_deadline = settings(deadline=None)
GOOD = Verdict(True)


def verdict(resource: Any) -> Verdict:
    return judge(read_json(write_json(resource)))


@pytest.mark.parametrize("profile", [True, False])
def test_each_kind_that_the_app_files_is_good(profile: bool) -> None:
    found = {name: verdict(resource) for name, resource in every_resource(profile=profile)}
    assert {name: wrong for name, wrong in found.items() if wrong != GOOD} == {}


@pytest.mark.parametrize("name", [name for name, said in RESPONSES.items() if said.status != "in-progress"])
def test_a_score_with_members_is_good(name: str) -> None:
    parts = score_parts(RESPONSES[name], shape="members", urn=urn(5), filing=FILING)
    assert [verdict(part.resource) for part in parts] == [GOOD] * len(parts)


def test_a_member_with_a_rating_outside_1_to_5_is_wrong() -> None:
    parts = score_parts(RESPONSES["client"], shape="members", urn=urn(5), filing=FILING)
    items = [part.resource for part in parts if part.resource["code"]["coding"][0]["system"].endswith("imr-client")]
    wrong = [[fault.code for fault in verdict(each | {"valueInteger": 6}).faults] for each in items]
    assert wrong == [["wrong-value"]] * 15


def named(said: Response) -> Response:
    """With what the app always gives, and other software may leave out."""
    return replace(said, identifier=urn(1), author="Patient/anna", source=said.source or "Practitioner/1")


@no_deadline
@given(responses().map(named))
def test_any_response_and_its_score_are_good(said: Response) -> None:
    assert verdict(response.to_resource(said, filing=FILING)) == GOOD
    if said.status != "in-progress":
        assert verdict(score_observation(said, response_reference="", urn=urn(5), filing=FILING)) == GOOD


@no_deadline
@given(damaged("response"))
def test_a_response_that_is_called_good_can_be_read(raw: Any) -> None:
    if isinstance(raw.get("resourceType"), str) and judge(raw) == GOOD:
        patient = raw["subject"]["reference"].rpartition("/")[2]
        assert isinstance(response.from_resource(raw, patient=patient), Response)


@pytest.mark.parametrize("kind", READERS)
@no_deadline
@given(data=st.data())
def test_no_shape_is_too_odd(kind: str, data: st.DataObject) -> None:
    raw = data.draw(damaged(kind) | st.dictionaries(st.text(max_size=4), JSON))
    types = ["QuestionnaireResponse", "Observation", "Goal", "Questionnaire", "Bundle", "Patient", "none"]
    raw["resourceType"] = (
        data.draw(st.sampled_from(types)) if raw.get("resourceType") not in types else raw["resourceType"]
    )
    try:
        found = judge(raw)
    except ResourceError as fault:  # pragma: no cover
        pytest.fail(f"{fault} came out")
    assert all(fault.message and fault.next_step for fault in found.faults)


@no_deadline
@given(oddly_answered() | damaged("response"))
def test_an_answer_that_is_known_in_one_look_is_what_it_is_looked_through(raw: Any) -> None:
    raw["resourceType"] = "QuestionnaireResponse"
    in_one_look = judge(raw)
    with patch.object(as_written, "as_written", return_value=False):
        assert judge(raw) == in_one_look


def test_an_answer_as_written_is_known_in_one_look() -> None:
    for name in ("client", "clinician", "not applicable"):
        group = response.to_resource(RESPONSES[name], filing=FILING)["item"][0]
        assert all(as_written.as_written(item) for item in group["item"])


def test_what_was_filed_on_an_earlier_version_is_good_still() -> None:
    before = {name: verdict(resource) for name, resource in every_resource(profile=True)}
    written = dict(every_resource(profile=True))
    with revised():
        forget()
        assert {name: verdict(resource) for name, resource in written.items()} == before
        anew = response.to_resource(
            replace(RESPONSES["client"], questionnaire=scale("client").canonical), filing=FILING
        )
        assert verdict(anew) == GOOD
        assert [fault.code for fault in verdict(changed(anew, "item.0.item.2.text", "x")).faults] == ["wrong-text"]
        old_words = next(written[name] for name in written if name == "response client")["item"][0]["item"][2]["text"]
        assert [fault.code for fault in verdict(changed(anew, "item.0.item.2.text", old_words)).faults] == [
            "wrong-text"
        ]
    forget()


def forget() -> None:
    for cached in (response_rules.form, terms.systems, as_written._written):
        cached.cache_clear()
