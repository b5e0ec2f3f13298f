"""Faults that are switched on for one launch, on a hospital that serves real connections."""

import http.client
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from smart_app.sandbox import BACKEND_GRANTS, FAULTS, Client, HospitalConfig, RunningHospital, running_hospital
from smart_app.sandbox.faults import DELAYS, cut

from .conftest import EC, bundle, entry, observation
from .launching import assertion

Send = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHospital]:
    path = tmp_path_factory.mktemp("running") / "hospital.sqlite"
    with running_hospital(HospitalConfig(path, seed=("north.json",))) as hospital:
        yield hospital


@pytest.fixture
def send(running: RunningHospital) -> Callable[..., Send]:
    def with_faults(*faults: str) -> Send:
        token = running.hospital.access_token(
            "user/*.cruds", user="Practitioner/kari", patient="eva-berg", faults=faults
        )

        def speak(method: str, path: str, body: Any = None) -> requests.Response:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
            return requests.request(method, f"{running.fhir_base}/{path}", json=body, headers=headers, timeout=30)

        return speak

    return with_faults


def identified(value: str) -> dict[str, Any]:
    return observation("eva-berg", identifier=[{"system": "urn:faults", "value": value}])


def found(send: Callable[..., Send], value: str) -> int:
    return int(send()("GET", f"Observation?identifier=urn:faults|{value}&_summary=count").json()["total"])


def test_without_faults_all_is_well(send: Callable[..., Send]) -> None:
    assert send()("GET", "Patient/eva-berg").status_code == 200
    assert send()("POST", "Observation", identified("well")).status_code == 201


@pytest.mark.parametrize(
    ("fault", "method", "path", "body", "status"),
    [
        ("down", "GET", "Patient/eva-berg", None, 503),
        ("busy", "GET", "Patient/eva-berg", None, 429),
        ("forbid-create", "POST", "Observation", identified("forbidden"), 403),
        ("forbid-create", "POST", "", bundle(entry(identified("forbidden"))), 403),
        ("forbid-create", "GET", "Patient/eva-berg", None, 200),
        ("stale", "PUT", "Patient/eva-berg", {"resourceType": "Patient", "id": "eva-berg"}, 412),
        ("stale", "POST", "", bundle(entry(identified("stale"))), 412),
        ("stale", "GET", "Patient/eva-berg", None, 200),
        ("token-expired", "GET", "Patient/eva-berg", None, 401),
        ("delay-200ms", "GET", "Patient/eva-berg", None, 200),
    ],
)
def test_answers(send: Callable[..., Send], fault: str, method: str, path: str, body: Any, status: int) -> None:
    assert send(fault)(method, path, body).status_code == status
    assert found(send, "forbidden") == found(send, "stale") == 0


def test_busy_says_when_to_come_back(send: Callable[..., Send]) -> None:
    assert send("busy")("GET", "Patient/eva-berg").headers["Retry-After"] == "2"


@pytest.mark.parametrize("path", ["Observation", ""])
def test_a_lost_reply_was_a_write_that_happened_and_is_lost_once(send: Callable[..., Send], path: str) -> None:
    value = path or "transaction"
    body = identified(value) if path else bundle(entry(identified(value)))
    unlucky = send("lost-reply")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        unlucky("POST", path, body)
    assert found(send, value) == 1
    assert unlucky("POST", path, body).status_code in (200, 201)


def test_cut_scopes_leave_what_reads() -> None:
    asked = [
        "openid",
        "launch",
        "patient/*.cruds",
        "patient/Goal.write",
        "patient/Goal.read",
        "user/*.*",
        "patient/Goal.c",
    ]
    assert cut(asked) == ["openid", "launch", "patient/*.rs", "patient/Goal.read", "user/*.read"]


def test_a_test_switches_faults_on_for_everybody(running: RunningHospital, send: Callable[..., Send]) -> None:
    speak = send()
    running.hospital.faults.switch_on("down")
    assert speak("GET", "Patient/eva-berg").status_code == 503
    running.hospital.faults.switch_off("down")
    assert speak("GET", "Patient/eva-berg").status_code == 200
    with pytest.raises(KeyError):
        running.hospital.faults.switch_on("unheard-of")
    assert DELAYS.keys() < FAULTS.keys()


def test_it_listens_on_loopback_alone(running: RunningHospital) -> None:
    host = urlsplit(running.base_url)
    connection = http.client.HTTPConnection("127.0.0.1", host.port)
    connection.request("GET", "/fhir/metadata")
    assert json.loads(connection.getresponse().read())["implementation"]["url"] == running.fhir_base
    connection.close()
    assert running._server.effective_host == "127.0.0.1"


def test_keys_of_a_client_come_from_its_own_address(tmp_path: Path) -> None:
    published: list[dict[str, Any]] = []

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"keys": published}).encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Keys) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        near = Client(
            "near",
            "Near",
            ("system/*.rs",),
            grant_types=BACKEND_GRANTS,
            jwks_uri=f"http://127.0.0.1:{server.server_port}/",
        )
        far = Client("far", "Far", ("system/*.rs",), grant_types=BACKEND_GRANTS, jwks_uri="https://keys.example/jwks")
        with running_hospital(HospitalConfig(tmp_path / "h.sqlite", clients=(near, far), seed=())) as hospital:
            url = f"{hospital.base_url}/oauth2/token"

            def ask(client_id: str) -> requests.Response:
                form = assertion(EC, client_id, aud=url)
                form |= {"grant_type": "client_credentials", "scope": "system/Patient.rs"}
                return requests.post(url, data=form, timeout=30)

            assert ask("near").json()["error"] == "invalid_client"
            published.append(EC.as_dict(private=False))  # keys that were added since are found
            assert ask("near").status_code == 200
            assert ask("far").json()["error"] == "invalid_client"
        server.shutdown()
