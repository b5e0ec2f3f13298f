"""A document is saved where what its address leads to is what was sent; no other server is asked."""

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from imr_fhir.bundle import Part
from imr_fhir.document_reading import rating_in, withdrawn_document
from imr_fhir.ehr.attachment import with_data
from imr_fhir.ehr.filing import Duplicate, NotThere, PartOk, Unknown, look_back, send
from tests.filed import FILING, new_response, urn
from tests.small_ehr import SmallEhr, small_ehr
from tests.test_document import ZONE, written
from tests.wire_server import Exchange

BINARY = "Binary/XR-1"


@pytest.fixture
def ehr() -> Iterator[SmallEhr]:
    with small_ehr() as running:
        yield running


def apart(
    ehr: SmallEhr, url: str, changed: Callable[[bytes], bytes] = bytes
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Of what is kept, the data goes to a Binary, ``changed``, and ``url`` stands in its place."""

    def kept(resource: dict[str, Any]) -> dict[str, Any]:
        attachment = resource["content"][0]["attachment"]
        data = base64.b64encode(changed(base64.b64decode(attachment["data"]))).decode()
        meta = {"versionId": "1"}
        ehr.store[BINARY] = {"resourceType": "Binary", "id": "XR-1", "meta": meta, "contentType": "x/y", "data": data}
        there = {name: each for name, each in attachment.items() if name != "data"} | {"url": url, "size": 10}
        return resource | {"content": [{"attachment": there}]}

    return kept


def document() -> Part:
    return Part(written(new_response()), urn(6))


@pytest.mark.parametrize("base", ["", "BASE/"])
def test_what_stands_at_its_address_is_read_back(ehr: SmallEhr, base: str) -> None:
    client = ehr.client()
    ehr.changes = apart(ehr, base.replace("BASE", client.base) + BINARY)
    assert isinstance(send(client, [document()], in_transaction=False), PartOk)
    assert isinstance(look_back(client, [document()], in_transaction=False), PartOk)
    assert ehr.requests.count(f"GET {BINARY}") == 2


def test_other_words_there_are_not_saved(ehr: SmallEhr) -> None:
    ehr.changes = apart(ehr, BINARY, lambda text: text.replace(b"Complete", b"Stopped"))
    outcome = send(ehr.client(), [document()], in_transaction=False)
    assert isinstance(outcome, Duplicate)
    assert "attachment.data" in outcome.reason


@pytest.mark.parametrize("url", ["https://files.example/Binary/XR-1", "file:///etc/passwd", "Patient/anna", 7])
def test_no_other_address_is_asked(ehr: SmallEhr, url: Any) -> None:
    ehr.changes = apart(ehr, url)
    assert isinstance(send(ehr.client(), [document()], in_transaction=False), Duplicate)
    assert {each for each in ehr.requests if each.startswith("GET")} == {"GET DocumentReference/n0"}


@pytest.mark.parametrize("status", [403, 404, 500])
def test_what_may_not_be_read_there_is_not_known_to_be_saved(ehr: SmallEhr, status: int) -> None:
    def refused(exchange: Exchange) -> bool:
        if BINARY in exchange.request.path:
            exchange.answer(status)
            return True
        return False

    ehr.changes, ehr.before = apart(ehr, BINARY), refused
    outcome = send(ehr.client(), [document()], in_transaction=False)
    assert isinstance(outcome, Unknown)
    assert "Binary" in outcome.reason
    assert not isinstance(look_back(ehr.client(), [document()], in_transaction=False), NotThere | PartOk)


def test_withdrawn_it_is_compared_as_it_was_read(ehr: SmallEhr) -> None:
    """It is sent back with its address: nobody has to read what stands there, nor is it taken for another's."""
    client = ehr.client()
    ehr.changes = apart(ehr, BINARY)
    outcome = send(client, [document()], in_transaction=False)
    assert isinstance(outcome, PartOk)
    there = client.read("DocumentReference", "n0")
    ehr.changes = dict
    del ehr.store[BINARY]
    gone = Part(withdrawn_document(there, filing=FILING), urn(6), there["meta"]["versionId"])
    assert isinstance(send(client, [gone], in_transaction=False), PartOk)
    assert isinstance(look_back(client, [gone], in_transaction=False), PartOk)


def test_where_nothing_stands_there_it_is_a_document_without_answers(ehr: SmallEhr) -> None:
    client = ehr.client()
    ehr.changes = apart(ehr, BINARY)
    send(client, [document()], in_transaction=False)
    del ehr.store[BINARY]["data"]
    found = with_data(client, client.read("DocumentReference", "n0"))
    assert rating_in(found, patient="anna", zone=ZONE).ratings == {}
