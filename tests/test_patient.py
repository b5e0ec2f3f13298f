"""The Patient as read: which other records it is used instead of, on this server and none other."""

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
