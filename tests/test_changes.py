"""Why something was corrected, out of the record's Provenance, and whether that is all of it."""

from collections.abc import Iterator
from datetime import UTC

import pytest

from imr_fhir.ehr import client as client_module
from imr_fhir.ehr.changes import Change, Changes, changes
from imr_fhir.provenance import provenance
from tests.filed import FILING, NOW
from tests.small_ehr import SmallEhr, small_ehr
from tests.test_chart import PATIENT, put
from tests.wire_server import Exchange

TARGET = "QuestionnaireResponse/7"


@pytest.fixture
def ehr() -> Iterator[SmallEhr]:
    with small_ehr() as running:
        running.ignores_search = True
        put(running, PATIENT)
        made = provenance(
            "update", targets=[TARGET], author="Practitioner/berg", enterer="Practitioner/berg", recorded=NOW,
            filing=FILING, reason="Read aloud wrongly",
        )  # fmt: skip
        put(running, made)
        yield running


FOUND = (Change(TARGET, NOW, "Read aloud wrongly"),)


def test_the_reasons_of_what_was_asked_for(ehr: SmallEhr) -> None:
    assert changes(ehr.client(), [TARGET], zone=UTC) == Changes(FOUND)
    assert changes(ehr.client(), ["Observation/8"], zone=UTC) == Changes()


def test_those_of_another_patient_are_dropped_and_it_is_known_that_some_may_be_missing(ehr: SmallEhr) -> None:
    (made,) = ehr.of("Provenance")
    put(ehr, {**made, "id": "other", "target": [{"reference": "Patient/eva"}, *made["target"]]})
    assert changes(ehr.client(), [TARGET], zone=UTC) == Changes(FOUND, whole=False)


@pytest.mark.parametrize("name", ["modifierExtension", "implicitRules"])
def test_so_is_one_whose_meaning_may_be_another(ehr: SmallEhr, name: str) -> None:
    (made,) = ehr.of("Provenance")
    put(ehr, {**made, "id": "other", "reason": [{"text": "Not so"}], name: "https://hospital.example/denied"})
    assert changes(ehr.client(), [TARGET], zone=UTC) == Changes(FOUND, whole=False)


def test_so_it_is_where_there_are_more_pages_than_are_read(ehr: SmallEhr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "PAGES", 1)
    bundle = {
        "resourceType": "Bundle", "type": "searchset", "entry": [{"resource": ehr.of("Provenance")[0]}],
        "link": [{"relation": "next", "url": f"{ehr.client().base}/Provenance?page=2"}],
    }  # fmt: skip

    def first_page(exchange: Exchange) -> bool:
        exchange.answer(200, bundle)
        return True

    ehr.before = first_page
    assert changes(ehr.client(), [TARGET], zone=UTC) == Changes(FOUND, whole=False)
