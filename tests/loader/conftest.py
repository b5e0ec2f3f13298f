"""The servers that are loaded into: each kind behind a front, and without any of our artefacts."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from imr_fhir.artefacts import VERSION, artefact_resources
from imr_fhir.cli import main
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.ehr.transport import Transport
from smart_app.sandbox import HospitalConfig, RunningHospital, running_hospital
from tests.loader.front import Front, front_of

# Kind -> the fixture with its base URL; in process, or real servers that nobody here wrote.
SERVERS = [
    "sandbox",
    pytest.param("npm_fhir_base", marks=pytest.mark.xdist_group("medplum")),
    pytest.param("hapi_base", marks=[pytest.mark.hapi, pytest.mark.xdist_group("java")]),
]


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHospital]:
    with running_hospital(HospitalConfig(tmp_path_factory.mktemp("loader") / "h.sqlite", seed=())) as running:
        yield running


@pytest.fixture
def sandbox(hospital: RunningHospital) -> Iterator[Front]:
    """It deletes nothing: its rows are taken out of its database."""
    token = hospital.hospital.access_token("system/*.cruds")
    with front_of(hospital.fhir_base, token) as front:
        yield front
    with hospital.hospital.database.write() as connection:
        for table in ("search_index", "resource", "version"):
            connection.execute(f"DELETE FROM {table}")


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Front]:
    found = request.getfixturevalue(request.param)
    if isinstance(found, Front):
        yield found
        return
    with front_of(found) as front:
        empty(front)
        yield front
        empty(front)


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., Result]:
    """`imr-fhir load` with its record beside the test."""

    def run(front: Front, *options: str) -> Result:
        front.asked.clear()
        return CliRunner().invoke(main, ["load", front.base, "--record", str(tmp_path / "record.jsonl"), *options])

    return run


def empty(front: Front) -> None:
    """Not by deletes: HAPI takes the terms of a deleted CodeSystem away some seconds later, and says 409 till then."""
    everything = {"resourceType": "Parameters", "parameter": [{"name": "expungeEverything", "valueBoolean": True}]}
    for _ in range(20):  # nor while it is at that
        reply = front.ask("POST", "/$expunge", json=everything)
        if reply.status_code != 409:
            break
        time.sleep(0.5)
    assert reply.status_code == 200, reply.text


def client_of(front: Front) -> FhirClient:
    return FhirClient(Transport([front.base.removesuffix("/fhir")], allow_loopback_http=True), front.base)


def older(version: str = "0.0.9") -> list[dict[str, Any]]:
    """The artefacts as an older version would be: other ids, and another text in the client's form."""
    said = write_json(artefact_resources()).decode().replace(VERSION, version)
    return json.loads(said.replace("In a normal week, how many times", "How many times a week"))


def earlier() -> list[dict[str, Any]]:
    """The artefacts of this version before a text in the client's form was mended, as prereleases allow."""
    said = write_json(artefact_resources()).decode()
    return json.loads(said.replace("In a normal week, how many times", "How many times a week"))


def put(front: Front, resource: dict[str, Any]) -> None:
    """As somebody else does."""
    reply = front.ask("PUT", f"/{resource['resourceType']}/{resource['id']}", data=write_json(resource))
    assert reply.status_code in (200, 201), reply.text


def kept(front: Front, reference: str) -> dict[str, Any]:
    reply = front.ask("GET", f"/{reference}")
    assert reply.status_code == 200, reply.text
    return reply.json()
