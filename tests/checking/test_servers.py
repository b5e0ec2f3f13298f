"""`check` on FHIR servers that nobody here wrote: all that the app uses works there, and nothing is left behind."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from imr_fhir.checking.check import Asked, check
from imr_fhir.checking.report import Report
from imr_fhir.ehr.address import parse
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.transport import Transport
from tests.checking.hospital import verdicts
from tests.servers.medplum import Medplum

TYPES = ("QuestionnaireResponse", "Observation", "Goal", "DocumentReference", "Provenance", "AuditEvent",
         "Questionnaire", "StructureDefinition", "CodeSystem", "ValueSet")  # fmt: skip
YES, NO, FAILS, UNSAID = "yes", "no", "says yes but fails", "works though not advertised"


@dataclass(frozen=True)
class Expected:
    """What differs from one server to the next. ``updates_as_create``: of each type; ``ways``: of searching responses
    by url, url|version and :below; ``guarded``: If-Match."""

    updates_as_create: str
    ways: tuple[str, str, str]
    software: str
    guarded: str = YES


# A fixture that starts the server and gives its base, and what is to be found there.
SERVERS = {
    "hapi_base": Expected(UNSAID, (YES, YES, NO), "HAPI FHIR"),
    "npm_fhir_base": Expected(YES, (FAILS, FAILS, NO), "medplum", UNSAID),
    "npm_strict_base": Expected(NO, (FAILS, FAILS, NO), "medplum", UNSAID),
}


@dataclass(frozen=True)
class World:
    client: FhirClient
    transport: Transport
    expected: Expected
    patient: str
    visit: str

    def check(self, **asked: Any) -> Report:
        return check(self.transport, self.client, Asked(**asked), now=datetime.now(UTC), tell=lambda _: None)

    def holds(self) -> set[str]:
        return {f"{kind}/{each['id']}" for kind in TYPES for each in self.client.search(kind, ()).resources}


@pytest.fixture(scope="session")
def npm_strict_base(medplum_server: Medplum) -> str:
    return medplum_server.strict


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.hapi) if name == "hapi_base" else name for name in SERVERS]
)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    base = request.getfixturevalue(request.param)
    transport = Transport([parse(base).origin], allow_loopback_http=True)
    client = FhirClient(transport, base)
    patient = client.create({"resourceType": "Patient", "name": [{"family": "Test"}]}).id
    about = {"reference": f"Patient/{patient}"}
    visit = {"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}, "subject": about}
    made = client.create(visit)
    yield World(client, transport, SERVERS[request.param], patient, made.reference)
    client.delete("Encounter", made.id)
    client.delete("Patient", patient)


def test_it_works_and_leaves_nothing_behind(world: World) -> None:
    before = world.holds()
    report = world.check(patient=world.patient, encounter=world.visit, write=True)
    assert world.holds() == before
    assert [each.what for each in report.findings if each.area == "clean-up" and each.verdict != "yes"] == []
    assert world.expected.software in report.software
    writes = verdicts(report, "write")
    as_create = {what: verdict for what, verdict in writes.items() if what.endswith("update as create")}
    assert set(as_create.values()) == {world.expected.updates_as_create}
    assert writes.pop("QuestionnaireResponse: update with If-Match") == world.expected.guarded
    assert {what: verdict for what, verdict in writes.items() if what not in as_create and verdict != YES} == {}
    reads = verdicts(report, "read")
    ways = ("questionnaire=url", "questionnaire=url|version", "questionnaire:below=url")
    assert tuple(reads[f"QuestionnaireResponse?{way}"] for way in ways) == world.expected.ways
    assert [each.what for each in report.wanting] == ["SMART configuration"]
    assert {one.artefact: one.rung for one in report.kept} == {
        "answers": "form", "score": "components", "goal": "goal", "review": "note", "audit": "provenance",
        "events": "event",
    }  # fmt: skip


def test_without_write_nothing_is_written(world: World) -> None:
    before = world.holds()
    report = world.check(patient=world.patient)
    assert world.holds() == before
    assert set(verdicts(report, "write").values()) == {"can't tell"}
    assert verdicts(report, "read")["Observation?patient&code"] == YES
