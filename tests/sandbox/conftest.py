"""A hospital without packaged records, one for each test, called in process."""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey, RSAKey
from werkzeug.test import TestResponse

from smart_app.sandbox import BACKEND_GRANTS, Client, Hospital, HospitalConfig, create_hospital, hospital_of

BASE = "http://localhost"
FHIR = f"{BASE}/fhir"
CALLBACK = "http://127.0.0.1:8001/callback/demo"
APP_SCOPES = (
    "openid",
    "fhirUser",
    "launch",
    "launch/patient",
    "online_access",
    "offline_access",
    "patient/*.cruds",
    "user/*.cruds",
)

RSA = RSAKey.generate_key(2048, {"kid": "backend-1", "use": "sig"})
EC = ECKey.generate_key("P-384", {"kid": "app-1", "use": "sig"})

CLIENTS = (
    Client("imr-app", "IMR", APP_SCOPES, (CALLBACK,)),
    Client(
        "imr-keys", "IMR", APP_SCOPES, (CALLBACK,), jwks={"keys": [EC.as_dict(private=False)]}, id_token_alg="ES384"
    ),
    Client(
        "imr-loader",
        "Loader",
        ("system/*.cruds",),
        grant_types=BACKEND_GRANTS,
        jwks={"keys": [RSA.as_dict(private=False)]},
    ),
)


@dataclass
class Clock:
    now: datetime = field(default_factory=lambda: datetime(2026, 11, 23, 9, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Caller:
    """Speaks FHIR to the hospital with one access token."""

    client: FlaskClient
    token: str

    def __call__(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> TestResponse:
        sent = {"Accept": "application/fhir+json", **(headers or {})}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            sent.setdefault("Content-Type", "application/fhir+json")
        data = body if isinstance(body, bytes | str) or body is None else json.dumps(body)
        return self.client.open(f"/fhir/{path}" if path else "/fhir", method=method, data=data, headers=sent)

    def get(self, path: str) -> Any:
        reply = self("GET", path)
        assert reply.status_code == 200, reply.text
        return json.loads(reply.text)

    def create(self, resource: Mapping[str, Any], **headers: str) -> Any:
        reply = self("POST", resource["resourceType"], resource, headers)
        assert reply.status_code == 201, reply.text
        return json.loads(reply.text)

    def ids(self, path: str) -> list[str]:
        return [entry["resource"]["id"] for entry in self.get(path).get("entry", [])]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty hospital's file: its signing keys take a while to make."""
    path = tmp_path_factory.mktemp("hospital") / "hospital.sqlite"
    hospital_of(create_hospital(HospitalConfig(path, seed=()))).close()
    return path


@pytest.fixture
def client(tmp_path: Path, new_database: Path, clock: Clock) -> Iterator[FlaskClient]:
    path = shutil.copy(new_database, tmp_path / "hospital.sqlite")
    app = create_hospital(HospitalConfig(path, clients=CLIENTS, base_url=BASE, seed=(), clock=clock))
    app.testing = True
    yield app.test_client()
    hospital_of(app).close()


@pytest.fixture
def house(client: FlaskClient) -> Hospital:
    """The parts of the hospital that ``client`` calls."""
    return hospital_of(client.application)


@pytest.fixture
def fhir(client: FlaskClient, house: Hospital) -> Caller:
    """A backend service that may do everything."""
    return Caller(client, house.access_token("system/*.cruds"))


@pytest.fixture
def eva(fhir: Caller) -> str:
    """A patient's id."""
    return put_patient(fhir, "eva")


@pytest.fixture
def tor(fhir: Caller) -> str:
    """Another patient's id."""
    return put_patient(fhir, "tor")


def put_patient(fhir: Caller, patient: str) -> str:
    body = {"resourceType": "Patient", "id": patient, "name": [{"family": "Berg", "given": [patient.title()]}]}
    assert fhir("PUT", f"Patient/{patient}", body).status_code == 201
    return patient


def observation(patient: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "urn:codes", "code": "a"}]},
        "subject": {"reference": f"Patient/{patient}"},
        **more,
    }


def entry(resource: Mapping[str, Any], method: str = "POST", url: str = "", **request: str) -> dict[str, Any]:
    """One entry of a transaction; ``fullUrl`` among the keywords goes where it belongs."""
    full_url = request.pop("fullUrl", None)
    made = {
        "resource": dict(resource),
        "request": {"method": method, "url": url or resource["resourceType"], **request},
    }
    return {"fullUrl": full_url, **made} if full_url else made


def bundle(*entries: Mapping[str, Any], kind: str = "transaction") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def problem(reply: TestResponse) -> str:
    """The sentence of a refusal."""
    outcome = json.loads(reply.text)
    assert outcome["resourceType"] == "OperationOutcome"
    return str(outcome["issue"][0]["diagnostics"])
