"""Whatever goes wrong on the way: what `check` wrote is taken back or named, and nothing else is touched."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from imr_fhir.checking.check import Asked, check
from imr_fhir.checking.report import Report
from imr_fhir.checking.writes import Writes
from imr_fhir.ehr.capability import CHART
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.transport import Transport
from tests.small_ehr import SmallEhr, small_ehr
from tests.wire_server import Exchange

PATIENT = {"resourceType": "Patient", "id": "anna", "meta": {"versionId": "1"}}
OTHERS = {
    "resourceType": "Observation", "id": "other", "meta": {"versionId": "1"}, "status": "final",
    "code": {"text": "a laboratory's"}, "subject": {"reference": "Patient/anna"},
}  # fmt: skip
TYPES = (
    *CHART,
    "Patient",
    "Provenance",
    "AuditEvent",
    "Questionnaire",
    "CodeSystem",
    "ValueSet",
    "StructureDefinition",
)
STATEMENT = {
    "resourceType": "CapabilityStatement",
    "fhirVersion": "4.0.1",
    "format": ["json"],
    "rest": [
        {
            "mode": "server",
            "interaction": [{"code": "transaction"}],
            "resource": [
                {
                    "type": kind,
                    "interaction": [{"code": code} for code in ("read", "search-type", "create", "update", "delete")],
                    "conditionalCreate": True,
                }
                for kind in TYPES
            ],
        }
    ],
}


@pytest.fixture
def ehr() -> Iterator[SmallEhr]:
    with small_ehr() as running:
        running.store = {"Patient/anna": dict(PATIENT), "Observation/other": dict(OTHERS)}
        running.before = metadata
        yield running


def metadata(exchange: Exchange) -> bool:
    if exchange.request.path == "/fhir/metadata":
        exchange.answer(200, STATEMENT)
        return True
    return False


def checked(ehr: SmallEhr, told: list[str] | None = None) -> Report:
    transport = Transport([ehr.origin], allow_loopback_http=True)
    client = FhirClient(transport, f"{ehr.origin}/fhir")
    tell = (told if told is not None else []).append
    return check(transport, client, Asked("anna", write=True), now=datetime.now(UTC), tell=tell)


def untouched(ehr: SmallEhr) -> bool:
    return ehr.store == {"Patient/anna": PATIENT, "Observation/other": OTHERS}


def left(report: Report) -> list[str]:
    return [each.what for each in report.findings if each.area == "clean-up" and each.verdict != "yes"]


def test_all_is_tried_and_taken_back(ehr: SmallEhr) -> None:
    report = checked(ehr)
    writes = {each.what: each.verdict for each in report.findings if each.area == "write"}
    assert {what for what, verdict in writes.items() if verdict not in ("yes", "unadvertised")} == set()
    assert untouched(ehr)
    assert left(report) == []


WRITES = 22


@pytest.mark.parametrize("lost", range(WRITES))
def test_an_answer_that_is_lost(ehr: SmallEhr, lost: int) -> None:
    """The server has carried it out, and nobody hears of it: of each write, deletes too."""
    count = 0

    def after(exchange: Exchange) -> bool:
        nonlocal count
        if exchange.request.method != "GET":
            count += 1
            if count == lost + 1:
                exchange.reset()
                return True
        return False

    ehr.after = after
    report = checked(ehr)
    assert count > WRITES, "all of these places were passed"
    assert untouched(ehr)
    assert left(report) == []


def test_a_server_that_names_another_resource_does_not_lose_it(ehr: SmallEhr) -> None:
    def after(exchange: Exchange) -> bool:
        if exchange.request.method == "POST" and exchange.request.path == "/fhir/Observation":
            exchange.answer(201, b"", {"Location": "/fhir/Observation/other/_history/1"})
            return True
        return False

    ehr.after = after
    report = checked(ehr)
    assert untouched(ehr), "what it wrote is found by its identifier, and the other one is not deleted"
    assert left(report) == ["Observation/other is left"]


def test_a_server_that_ignores_what_it_is_asked_and_shows_everything(ehr: SmallEhr) -> None:
    ehr.ignores_search = True
    report = checked(ehr)
    assert ehr.store["Observation/other"] == OTHERS
    assert {each for each in ehr.store if each not in ("Patient/anna", "Observation/other")} == {
        each.split()[0] for each in left(report) if "/" in each
    } - {"Observation/other"}
    ignored = [each for each in report.findings if "is ignored" in each.evidence]
    assert "Observation?patient&code" in [each.what for each in ignored]


def test_interrupted_it_takes_back_what_it_wrote(ehr: SmallEhr, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_: Writes) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(Writes, "_goals", stop)
    told: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        checked(ehr, told)
    assert untouched(ehr)
    assert any(method.startswith("POST") for method in ehr.requests)
    assert "deleted" in told[-1]


def test_what_can_t_be_deleted_is_marked_and_named(ehr: SmallEhr) -> None:
    def before(exchange: Exchange) -> bool:
        if exchange.request.method == "DELETE":
            exchange.answer(405)
            return True
        return metadata(exchange)

    ehr.before = before
    report = checked(ehr)
    there = ehr.store.keys() - {"Patient/anna", "Observation/other"}
    assert {each.split()[0] for each in left(report)} == there
    answers = ehr.of("QuestionnaireResponse")
    assert {each["status"] for each in answers} == {"entered-in-error"}
    assert report.wanting


def test_without_its_patient_nothing_is_written(ehr: SmallEhr) -> None:
    del ehr.store["Patient/anna"]
    with pytest.raises(Exception, match="so nothing was written"):
        checked(ehr)
    assert not [each for each in ehr.requests if not each.startswith("GET")]
