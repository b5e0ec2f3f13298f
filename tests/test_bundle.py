"""The transaction: its order, what makes a repeat harmless, and that a real server keeps it as it was sent."""

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest
import requests

from imr_fhir.artefacts import FILING
from imr_fhir.bundle import Part, if_none_exist, in_order, resolved, transaction
from imr_fhir.ehr.json_reader import read_json
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.errors import ResourceError
from imr_fhir.goal import to_resource as goal_resource
from imr_fhir.observation import score_observation
from imr_fhir.provenance import provenance
from imr_fhir.response import Response, corrected, from_resource
from imr_fhir.response import to_resource as response_resource
from imr_fhir.same import same_content
from tests.filed import FILING as UUID
from tests.filed import GOAL, NOW, STEP, new_response, urn
from tests.spec.build import answers, sum_of

Json = dict[str, Any]


def filing(response: Response, number: str = UUID) -> list[Part]:
    """Provenance, score and answers, in the wrong order."""
    targets = [urn(1), urn(5)]
    return [
        Part(
            provenance(
                "create", targets=targets, author=response.source, enterer=response.author, recorded=NOW, filing=number
            ),
            urn(9),
        ),
        Part(score_observation(response, response_reference=urn(1), urn=urn(5), filing=number), urn(5)),
        Part(response_resource(response, filing=number), urn(1)),
    ]


def types(parts: Any) -> list[str]:
    return [part.type for part in parts]


def test_each_part_comes_after_what_it_refers_to() -> None:
    bundle = transaction(filing(new_response()))
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "transaction")
    assert [entry["resource"]["resourceType"] for entry in bundle["entry"]] == [
        "QuestionnaireResponse", "Observation", "Provenance",
    ]  # fmt: skip
    form, score, told = bundle["entry"]
    assert score["resource"]["derivedFrom"] == [{"reference": form["fullUrl"]}]
    assert told["resource"]["target"] == [{"reference": form["fullUrl"]}, {"reference": score["fullUrl"]}]


def test_a_full_url_stands_nowhere_but_in_references() -> None:
    """Medplum puts the new address wherever it stands, in an identifier too: then the record knows it by no name."""
    sent = transaction(filing(new_response()))
    for entry in sent["entry"]:
        unreferenced = resolved(entry["resource"], {each["fullUrl"]: "" for each in sent["entry"]})
        assert not [
            each["fullUrl"] for each in sent["entry"] if each["fullUrl"] in json.dumps(unreferenced, default=str)
        ]
    assert sent["entry"][0]["resource"]["identifier"]["value"] == urn(1)


def test_parts_that_don_t_need_each_other_stay_as_they_came() -> None:
    step = Part(goal_resource(replace(STEP, parent=urn(2)), filing=UUID), urn(3))
    other = Part(goal_resource(replace(GOAL, identifier=urn(6)), filing=UUID), urn(6))
    goal = Part(goal_resource(GOAL, filing=UUID), urn(2))
    assert in_order([step, other, goal]) == (other, goal, step)


def test_what_is_new_is_created_once_by_identifier_or_tag() -> None:
    requested = [entry["request"] for entry in transaction(filing(new_response()))["entry"]]
    assert requested == [
        {
            "method": "POST",
            "url": "QuestionnaireResponse",
            "ifNoneExist": f"identifier=urn:ietf:rfc:3986|{urn(1)}",
        },
        {"method": "POST", "url": "Observation", "ifNoneExist": f"identifier=urn:ietf:rfc:3986|{urn(5)}"},
        {"method": "POST", "url": "Provenance", "ifNoneExist": f"_tag={FILING}|{UUID}"},
    ]


@pytest.mark.parametrize(("version", "if_match"), [("3", {"ifMatch": 'W/"3"'}), ("", {})])
def test_what_has_an_id_is_updated_if_the_version_matches(version: str, if_match: Json) -> None:
    part = Part(response_resource(new_response(id="7", status="amended"), filing=UUID), urn(1), if_match=version)
    assert transaction([part])["entry"][0]["request"] == {
        "method": "PUT", "url": "QuestionnaireResponse/7", **if_match,
    }  # fmt: skip


def test_a_search_needs_no_identifier_of_our_kind() -> None:
    assert if_none_exist({"identifier": [{"system": "s", "value": "v"}]}) == "identifier=s|v"


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ([Part({"resourceType": "Goal"}, urn(1)), Part({"resourceType": "Goal"}, urn(1))], "one fullUrl"),
        (
            [
                Part({"resourceType": "Goal", "x": {"reference": urn(2)}}, urn(1)),
                Part({"resourceType": "Goal", "x": [{"reference": urn(1)}]}, urn(2)),
            ],
            "in a circle",
        ),
        (
            [replace(filing(new_response())[0], full_url=urn(number)) for number in (1, 2)],
            "would count as one Provenance",
        ),
    ],
)
def test_refused(parts: list[Part], sentence: str) -> None:
    with pytest.raises(ResourceError, match=sentence):
        transaction(parts)


def test_references_are_put_in_place_one_by_one() -> None:
    _, score, _ = filing(new_response())
    there = resolved(score.resource, {urn(1): "QuestionnaireResponse/7"})
    assert there["derivedFrom"] == [{"reference": "QuestionnaireResponse/7"}]
    assert there["subject"] == {"reference": "Patient/anna"}
    assert there["identifier"] == score.resource["identifier"]
    assert score.resource["derivedFrom"] == [{"reference": urn(1)}]


# ---- on a real server


class Server:
    def __init__(self, base: str) -> None:
        self.base = base

    def post(self, resource: Json, path: str = "") -> requests.Response:
        headers = {"Content-Type": "application/fhir+json"}
        return requests.post(f"{self.base}{path}", data=write_json(resource), headers=headers, timeout=60)

    def send(self, resource: Json, path: str = "") -> Json:
        reply = self.post(resource, path)
        assert reply.ok, reply.text
        said: Json = read_json(reply.content)
        return said

    def read(self, reference: str) -> Json:
        said: Json = read_json(requests.get(f"{self.base}/{reference}", timeout=60).content)
        return said


def references(sent: Json, said: Json) -> dict[str, str]:
    places = [entry["response"]["location"].split("/") for entry in said["entry"]]
    return {entry["fullUrl"]: "/".join(place[:2]) for entry, place in zip(sent["entry"], places, strict=True)}


@pytest.mark.hapi
def test_hapi_keeps_it_as_sent_once_and_takes_a_correction(hapi_base: str) -> None:
    server = Server(hapi_base)
    patient = server.send({"resourceType": "Patient"}, "/Patient")["id"]
    clinician = server.send({"resourceType": "Practitioner"}, "/Practitioner")["id"]
    me = {"patient": patient, "source": f"Patient/{patient}", "author": f"Practitioner/{clinician}"}
    comment = " two\r\n\tlines <b>\N{SLIGHTLY SMILING FACE} "
    said = new_response(ratings=sum_of(51), comment=comment, language="nb", **me)
    goal = Part(goal_resource(replace(GOAL, patient=patient, text=" Sing "), filing=UUID), urn(2))
    step = Part(goal_resource(replace(STEP, patient=patient, parent=urn(2)), filing=UUID), urn(3))
    sent = transaction([*filing(said, str(uuid.uuid4())), step, goal])

    there = references(sent, server.send(sent))
    for entry in sent["entry"]:
        read = server.read(there[entry["fullUrl"]])
        assert same_content(entry["resource"], read, references=there, base=hapi_base) == []
    assert references(sent, server.send(sent)) == there  # nothing is filed twice

    form = next(reference for reference in there.values() if reference.startswith("QuestionnaireResponse/"))
    before = from_resource(server.read(form), patient=patient)
    assert before == replace(said, id=before.id, version_id="1")
    after = corrected(before, ratings=answers(4), comment="", author=before.author, authored=NOW)
    update = transaction([Part(response_resource(after, filing=UUID), urn(1), if_match="1")])
    assert references(update, server.send(update)) == {update["entry"][0]["fullUrl"]: form}
    read = server.read(form)
    assert same_content(update["entry"][0]["resource"], read) == []
    assert from_resource(read, patient=patient) == replace(after, version_id="2")
    assert server.post(update).status_code in (409, 412)  # it replaces a version that is no longer there
