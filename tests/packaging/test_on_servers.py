"""The package and the Bundles on servers: HAPI's own installer, one POST to HAPI and to the sandbox, the validator."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from imr_fhir.artefacts import artefact_resources, content_hash, view_definitions
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.ehr.transport import Transport
from imr_fhir.loader.load import load, look_and_plan
from imr_fhir.loader.plan import Ours
from imr_fhir.loader.record import Record
from imr_fhir.packaging.bundles import bundle
from imr_fhir.packaging.examples import examples
from imr_fhir.packaging.guide import implementation_guide
from imr_fhir.packaging.identity import PACKAGE_ID, PACKAGE_VERSION
from imr_fhir.packaging.npm import npm_package
from smart_app.sandbox import HospitalConfig, running_hospital
from tests.validator import Validator

ARTEFACTS = artefact_resources()
TYPES = sorted({artefact["resourceType"] for artefact in ARTEFACTS})
FHIR_JSON = {"Content-Type": "application/fhir+json"}


def found(base: str, artefact: dict[str, Any]) -> list[dict[str, Any]]:
    """By canonical and version, as form fillers look for it."""
    asked = {"url": artefact["url"], "version": artefact["version"]}
    headers = {"Cache-Control": "no-cache"}
    reply = requests.get(f"{base}/{artefact['resourceType']}", params=asked, headers=headers, timeout=60).json()
    return [entry["resource"] for entry in reply.get("entry", [])]


@pytest.fixture
def empty_hapi(hapi_base: str) -> Iterator[str]:
    _empty(hapi_base)
    yield hapi_base
    _empty(hapi_base)


def _empty(hapi_base: str) -> None:
    everything = {"resourceType": "Parameters", "parameter": [{"name": "expungeEverything", "valueBoolean": True}]}
    requests.post(f"{hapi_base}/$expunge", json=everything, headers=FHIR_JSON, timeout=60).raise_for_status()


def plan_for(base: str) -> set[str]:
    """What `imr-fhir load` would do."""
    client = FhirClient(Transport([base.removesuffix("/fhir")], allow_loopback_http=True), base)
    return {step.action for step in look_and_plan(client, ARTEFACTS, Record()).steps}


def install(hapi_base: str, **asked: str) -> str:
    package = npm_package(ARTEFACTS, examples(), view_definitions())
    params = {"name": PACKAGE_ID, "version": PACKAGE_VERSION, **asked}
    address = hapi_base.removesuffix("/fhir") + "/install"
    reply = requests.post(address, params=params, data=package, timeout=300)
    assert reply.status_code == 200, reply.text
    return reply.text


@pytest.mark.hapi
class TestHapi:
    @pytest.mark.parametrize("policy", ["MULTI_VERSION", "SINGLE_VERSION"])
    def test_its_installer_takes_the_package_and_all_is_found(self, empty_hapi: str, policy: str) -> None:
        install(empty_hapi, types=",".join(TYPES), drafts="true", policy=policy)
        for artefact in ARTEFACTS:
            (kept,) = found(empty_hapi, artefact)
            assert content_hash(kept) == content_hash(artefact), artefact["url"]
            assert (kept["id"] == artefact["id"]) == (policy == "SINGLE_VERSION")
        assert plan_for(empty_hapi) == {"same"}

    def test_its_installer_skips_questionnaires_unless_told(self, empty_hapi: str) -> None:
        install(empty_hapi)
        kinds = {artefact["resourceType"] for artefact in ARTEFACTS if found(empty_hapi, artefact)}
        assert kinds == set(TYPES) - {"Questionnaire"}

    def test_its_installer_skips_drafts_unless_told(self, empty_hapi: str) -> None:
        install(empty_hapi, types=",".join(TYPES))
        skipped = {artefact["url"].rsplit("/", 1)[-1] for artefact in ARTEFACTS if not found(empty_hapi, artefact)}
        assert skipped == {"imr-clinician"}

    @pytest.mark.parametrize("kind", ["transaction", "batch"])
    def test_a_bundle_loads_in_one_post(self, empty_hapi: str, kind: Any) -> None:
        for expected in ("201", "200"):
            posted = requests.post(empty_hapi, data=write_json(bundle(kind, ARTEFACTS)), headers=FHIR_JSON, timeout=120)
            assert posted.status_code == 200, posted.text
            assert {entry["response"]["status"][:3] for entry in posted.json()["entry"]} == {expected}
        for artefact in ARTEFACTS:
            (kept,) = found(empty_hapi, artefact)
            assert content_hash(kept) == content_hash(artefact), artefact["url"]
            assert kept["meta"]["versionId"] == "1", artefact["url"]


@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_a_bundle_loads_into_the_sandbox_and_the_loader_finds_it_whole(tmp_path: Path, kind: Any) -> None:
    with running_hospital(HospitalConfig(tmp_path / "hospital.sqlite", seed=())) as hospital:
        token = hospital.hospital.access_token("system/*.cruds")
        headers = {**FHIR_JSON, "Authorization": f"Bearer {token}"}
        base = hospital.fhir_base
        posted = requests.post(base, data=write_json(bundle(kind, ARTEFACTS)), headers=headers, timeout=60)
        assert {entry["response"]["status"][:3] for entry in posted.json()["entry"]} == {"201"}, posted.text
        client = FhirClient(
            Transport([base.removesuffix("/fhir")], allow_loopback_http=True), base, token=lambda: token
        )
        steps = load(client, ARTEFACTS).plan.steps
        assert {step.action for step in steps} == {"same"}
        assert all(Ours({}).wrote(each) for step in steps for each in step.there), "so a later load may retire them"


@pytest.mark.validator
@pytest.mark.parametrize(
    "resource", [implementation_guide(ARTEFACTS, examples()), *examples()], ids=lambda resource: resource["id"]
)
def test_validator_finds_no_error(resource: dict[str, Any], fhir_validator: Validator) -> None:
    assert fhir_validator.validate(resource) == []
