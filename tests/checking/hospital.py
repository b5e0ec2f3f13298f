"""A sandbox hospital of each kind, what it was asked, and what it holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from imr_fhir.checking.check import Asked, check
from imr_fhir.checking.finding import WORDS
from imr_fhir.checking.report import Report
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.transport import Transport
from smart_app.sandbox import EHRS, HospitalConfig, RunningHospital, running_hospital
from smart_app.sandbox.search_parameters import PARAMETERS

PATIENT = "eva-berg"
VISIT = "Encounter/eva-berg-today"


@dataclass
class Hospital:
    ehr: str
    running: RunningHospital
    asked: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    """(method, resource type, names of the search parameters but ``_count``)"""

    @property
    def origin(self) -> str:
        return self.running.base_url

    def transport(self) -> Transport:
        return Transport([self.origin], allow_loopback_http=True, extra_headers=EHRS[self.ehr].headers)

    def client(self, scopes: str = "") -> FhirClient:
        """As an app that a clinician uses; DIPS lets it read, in one record."""
        scopes = scopes or ("patient/*.read" if self.ehr == "dips" else "user/*.cruds")
        patient = PATIENT if scopes.startswith("patient/") else ""
        token = self.running.hospital.access_token(scopes, patient=patient, user="Practitioner/kari")
        return FhirClient(self.transport(), self.running.fhir_base, token=lambda: token)

    def check(self, **asked: Any) -> Report:
        told: list[str] = []
        options = Asked(**{"headers": tuple(EHRS[self.ehr].headers), **asked})
        return check(self.transport(), self.client(), options, now=datetime.now(UTC), tell=told.append)

    def holds(self) -> dict[str, dict[str, Any]]:
        """All that is there, "Type/id" -> resource."""
        token = self.running.hospital.access_token("system/*.cruds")
        client = FhirClient(self.transport(), self.running.fhir_base, token=lambda: token)
        found = [each for kind in PARAMETERS for each in client.search(kind, ()).resources]
        return {f"{each['resourceType']}/{each['id']}": each for each in found}


@contextmanager
def hospital(folder: Path, ehr: str) -> Iterator[Hospital]:
    folder.mkdir(parents=True, exist_ok=True)
    with running_hospital(HospitalConfig(folder / "hospital.sqlite", seed=("north.json",), ehr=ehr)) as running:
        made = Hospital(ehr, running)
        running.app.wsgi_app = listening(running.app.wsgi_app, made.asked)  # type: ignore[method-assign]
        yield made


def listening(application: Any, asked: list[tuple[str, str, tuple[str, ...]]]) -> Any:
    def listen(environ: Any, start_response: Any) -> Any:
        path = environ["PATH_INFO"].removeprefix("/fhir")
        ours = environ.get("HTTP_USER_AGENT", "").startswith("imr-")  # the tests look into the record themselves too
        if ours and path != environ["PATH_INFO"]:
            names = tuple(name for name, _ in parse_qsl(environ.get("QUERY_STRING", "")) if name != "_count")
            asked.append((environ["REQUEST_METHOD"], path.strip("/").partition("/")[0], names))
        return application(environ, start_response)

    return listen


def verdicts(report: Report, *areas: str) -> dict[str, str]:
    return {each.what: WORDS[each.verdict] for each in report.findings if each.area in areas}
