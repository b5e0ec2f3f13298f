"""The Patient as read: by which name, and which other records of this server and none other it is used instead of."""

from typing import Any

import pytest

from imr_fhir.ehr.patient import from_resource

BASE = "https://ehr.example/fhir"


@pytest.mark.parametrize(
    ("reference", "replaces"),
    [
        ("Patient/old", ("old",)),
        ("Patient/old/_history/3", ("old",)),
        (f"{BASE}/Patient/old", ("old",)),
        ("https://other.example/fhir/Patient/old", ()),
        ("RelatedPerson/old", ()),
        ("urn:uuid:99999999-0000-4000-8000-000000000000", ()),
        (None, ()),
    ],
)
def test_merged_records(reference: str | None, replaces: tuple[str, ...]) -> None:
    link = {"type": "replaces", "other": {"reference": reference}}
    assert from_resource({"resourceType": "Patient", "id": "new", "link": [link]}, BASE).replaces == replaces


NAMES = [
    # case, names, shown
    ("the first", [{"text": "Ada"}, {"text": "Eva"}], "Ada"),
    ("the official one", [{"text": "Ada"}, {"use": "official", "text": "Eva"}], "Eva"),
    ("none that is old", [{"use": "old", "text": "Ada"}, {"use": "nickname", "text": "Eva"}], "Eva"),
    (
        "not the one from before a marriage, official then",
        [
            {"use": "official", "text": "Eva Lie", "period": {"end": "2019-06-01"}},
            {"use": "official", "text": "Eva Berg", "period": {"start": "2019-06-01"}},
        ],
        "Eva Berg",
    ),
    (
        "of names without a use too",
        [{"text": "Adam", "period": {"end": "2024"}}, {"text": "Eva", "period": {"start": "2024"}}],
        "Eva",
    ),
    ("one that has ended, where there is no other", [{"text": "Eva", "period": {"end": "2019"}}], "Eva"),
    ("odd", [{"text": "Eva", "period": 7}], "Eva"),
]


@pytest.mark.parametrize(("case", "names", "shown"), NAMES)
def test_name(case: str, names: list[dict[str, Any]], shown: str) -> None:
    assert from_resource({"resourceType": "Patient", "name": names}, BASE).name == shown, case
