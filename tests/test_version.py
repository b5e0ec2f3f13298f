"""Concurrency: no change is written over somebody else's, also at a server that keeps no versions."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from imr_fhir.bundle import Part, transaction
from imr_fhir.ehr.filing import Duplicate, PartOk, Refused, SendOutcome, Unknown, Waiting, look_back, send
from imr_fhir.goal import from_resource, to_resource
from imr_fhir.version import etag, is_at, version_of
from tests.small_ehr import SmallEhr, small_ehr
from tests.test_filing import GOAL, says

READ = {"resourceType": "Goal", "id": "g", "lifecycleStatus": "active", "meta": {"versionId": "4"}}
UNVERSIONED = {name: each for name, each in READ.items() if name != "meta"}


def test_a_version_is_the_server_s_where_it_has_one() -> None:
    assert (version_of(READ), etag("4"), etag("")) == ("4", 'W/"4"', "")
    assert is_at(READ, "4")
    assert not is_at(READ, "3")
    assert not is_at(UNVERSIONED, "4"), "a server that shows its versions no more: not known to be the same"


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"meta": {"lastUpdated": "2026-11-27T10:00:00Z"}}, True),
        ({"meta": {"versionId": "9"}}, True),  # a search gives no ETag, a read does
        ({"text": {"status": "generated"}}, True),
        ({"lifecycleStatus": "cancelled"}, False),
        ({"note": [{"text": "From the ward"}]}, False),
    ],
)
def test_else_it_is_what_the_resource_says(change: dict[str, Any], same: bool) -> None:
    version = version_of(UNVERSIONED)
    assert etag(version) == ""
    assert is_at(UNVERSIONED | change, version) is same


def test_the_order_of_names_is_nothing_and_digits_are_something() -> None:
    one, other = {"a": 1, "b": Decimal("3.40")}, {"b": Decimal("3.40"), "a": 1}
    assert version_of(one) == version_of(other)
    assert version_of(one) != version_of(one | {"b": Decimal("3.4")})


@pytest.fixture
def ehr() -> Iterator[SmallEhr]:
    """It keeps no versions, and heeds no If-Match."""
    with small_ehr() as running:
        running.versions = False
        yield running


def changed(ehr: SmallEhr) -> Part:
    """A goal as it was read, and the change of it that is to be filed."""
    before = to_resource(replace(GOAL, id="g"), filing=str(uuid.uuid4()))
    ehr.store["Goal/g"] = before | {"meta": {**before["meta"], "versionId": "1"}}
    read = from_resource(ehr.client().read("Goal", "g"), patient="anna")
    ehr.requests.clear()
    after = to_resource(replace(read, text="Sing every week"), filing=str(uuid.uuid4()))
    return Part(after, read.identifier, read.version_id)


def somebody_changes_it(ehr: SmallEhr) -> None:
    ehr.store["Goal/g"] = ehr.store["Goal/g"] | {"description": {"text": "Sing at Christmas"}}


def words_of(ehr: SmallEhr) -> str:
    return str(ehr.store["Goal/g"]["description"]["text"])


@pytest.mark.parametrize("in_transaction", [True, False])
def test_it_is_compared_before_it_is_written(ehr: SmallEhr, in_transaction: bool) -> None:
    part = changed(ehr)
    assert isinstance(send(ehr.client(), [part], in_transaction=in_transaction), PartOk)
    write = "POST" if in_transaction else "PUT Goal/g"
    assert ehr.requests == ["GET Goal/g", write, "GET Goal/g"]
    assert words_of(ehr) == "Sing every week"
    assert "ifMatch" not in transaction([part])["entry"][0]["request"]


@pytest.mark.parametrize("in_transaction", [True, False])
def test_what_somebody_changed_since_is_not_written_over(ehr: SmallEhr, in_transaction: bool) -> None:
    part = changed(ehr)
    somebody_changes_it(ehr)
    assert isinstance(send(ehr.client(), [part], in_transaction=in_transaction), Unknown)
    assert ehr.requests == ["GET Goal/g"]
    assert words_of(ehr) == "Sing at Christmas"
    found = look_back(ehr.client(), [part], in_transaction=in_transaction)
    assert isinstance(found, Duplicate)
    assert found.ids == ("Goal/g",)


def test_one_s_own_change_sent_twice_is_saved(ehr: SmallEhr) -> None:
    part = changed(ehr)
    send(ehr.client(), [part], in_transaction=False)
    assert isinstance(send(ehr.client(), [part], in_transaction=False), Unknown)
    assert isinstance(look_back(ehr.client(), [part], in_transaction=False), PartOk)
    assert [each for each in ehr.requests if each.startswith("PUT")] == ["PUT Goal/g"]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [((404,), Refused), ((410,), Refused), ((429,), Waiting), ((500,), Waiting), ((401,), Waiting)],
)
def test_what_can_t_be_compared_is_not_written(ehr: SmallEhr, answer: tuple[int], outcome: type[SendOutcome]) -> None:
    part = changed(ehr)
    ehr.before = says(*answer, to="GET /fhir/Goal")
    assert isinstance(send(ehr.client(), [part], in_transaction=False), outcome)
    assert not [each for each in ehr.requests if each.startswith("PUT")]


def test_nor_what_is_another_patient_s_by_now(ehr: SmallEhr) -> None:
    part = changed(ehr)
    ehr.store["Goal/g"] = ehr.store["Goal/g"] | {"subject": {"reference": "Patient/ola"}}
    assert isinstance(send(ehr.client(), [part], in_transaction=False), Refused)
    assert not [each for each in ehr.requests if each.startswith("PUT")]


def test_versions_that_the_server_shows_and_does_not_heed_are_compared_too(ehr: SmallEhr) -> None:
    part = replace(changed(ehr), if_match="1")
    ehr.etags = True
    assert isinstance(send(ehr.client(), [part], in_transaction=False, versioned=False), PartOk)
    assert isinstance(send(ehr.client(), [part], in_transaction=False, versioned=False), Unknown)


def test_a_version_in_the_header_alone_is_a_version() -> None:
    with small_ehr() as ehr:
        ehr.etags = True
        part = changed(ehr)
        assert part.if_match == "1"
        assert isinstance(send(ehr.client(), [part], in_transaction=False), PartOk)
        assert ehr.requests == ["PUT Goal/g", "GET Goal/g"], "the server sees to it"
