"""Provenance says who, through whom, with what and why."""

from typing import Any

import pytest

from imr_fhir.artefacts import BASE
from imr_fhir.errors import ResourceError
from imr_fhir.provenance import provenance
from tests.filed import FILING, NOW, urn

Json = dict[str, Any]


def written(activity: Any = "create", **said: Any) -> Json:
    return provenance(
        activity,
        **{
            "targets": [urn(1), urn(5)], "author": "Patient/anna", "enterer": "Practitioner/berg", "recorded": NOW,
            "filing": FILING, **said,
        },
    )  # fmt: skip


def agents(resource: Json) -> list[tuple[str, str]]:
    return [
        (agent["type"]["coding"][0]["code"], agent["who"].get("reference") or agent["who"]["identifier"]["value"])
        for agent in resource["agent"]
    ]


def test_the_person_is_the_author_the_clinician_enters_the_app_assembles() -> None:
    resource = written()
    assert agents(resource) == [
        ("author", "Patient/anna"), ("enterer", "Practitioner/berg"), ("assembler", BASE),
    ]  # fmt: skip
    assert resource["agent"][2]["who"]["type"] == "Device"
    assert resource["target"] == [{"reference": urn(1)}, {"reference": urn(5)}]
    assert resource["recorded"] == "2026-03-31T09:30:00+00:00"
    assert resource["meta"]["tag"] == [{"system": f"{BASE}/filing", "code": FILING}]


@pytest.mark.parametrize("enterer", ["", "Practitioner/berg"])
def test_who_writes_for_themselves_is_named_once(enterer: str) -> None:
    assert agents(written(author="Practitioner/berg", enterer=enterer)) == [
        ("author", "Practitioner/berg"), ("assembler", BASE),
    ]  # fmt: skip


@pytest.mark.parametrize(("activity", "code"), [("create", "CREATE"), ("update", "UPDATE")])
def test_the_activity(activity: str, code: str) -> None:
    assert written(activity)["activity"]["coding"][0]["code"] == code


def test_a_reason_is_in_the_user_s_words() -> None:
    assert written("update", reason=" Question 4 <b> ")["reason"] == [{"text": " Question 4 <b> "}]
    assert "reason" not in written()


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"targets": []}, "what it is about"),
        ({"reason": "x" * 501}, "The reason is 1 characters too long"),
        ({"reason": "\x00"}, r"U\+0000"),
    ],
)
def test_refused(said: Json, sentence: str) -> None:
    with pytest.raises(ResourceError, match=sentence):
        written(**said)
