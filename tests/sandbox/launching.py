"""A SMART client of a few lines, written from the specification: it shares nothing with the one that the app uses."""

import base64
import hashlib
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from werkzeug.test import TestResponse

from smart_app.sandbox import Hospital, Launch

from .conftest import BASE, CALLBACK, FHIR

SCOPE = "openid fhirUser launch online_access patient/*.rs patient/Observation.cruds"
VERIFIER = "verifier-verifier-verifier-verifier-verifier"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Smart:
    client: FlaskClient
    house: Hospital
    patient: str = "eva"
    user: str = "Practitioner/kari"
    faults: tuple[str, ...] = ()
    client_id: str = "imr-app"
    scope: str = SCOPE
    extra: dict[str, str] = field(default_factory=dict)

    def launch(self) -> str:
        return self.house.launch(Launch(self.user, self.patient, "visit", faults=self.faults))

    def request(self, **changes: str | None) -> dict[str, str]:
        """An authorization request; a change to None leaves the parameter out."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": self.scope,
            "state": "state-1",
            "nonce": "nonce-1",
            "aud": FHIR,
            "code_challenge": s256(VERIFIER),
            "code_challenge_method": "S256",
        }
        made = {"launch": self.launch()} | asked | changes
        return {name: value for name, value in made.items() if value is not None}

    def authorize(self, **changes: str | None) -> TestResponse:
        return self.client.get("/oauth2/authorize", query_string=self.request(**changes))

    def code(self, **changes: str | None) -> str:
        reply = self.authorize(**changes)
        assert reply.status_code == 302, reply.text
        return sent_back(reply)["code"]

    def token(self, data: Mapping[str, str]) -> TestResponse:
        return self.client.post("/oauth2/token", data={"client_id": self.client_id, **data, **self.extra})

    def exchange(self, code: str, **changes: str) -> TestResponse:
        asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return self.token({**asked, **changes})

    def refresh(self, refresh_token: str, **changes: str) -> TestResponse:
        return self.token({"grant_type": "refresh_token", "refresh_token": refresh_token, **changes})

    def tokens(self) -> dict[str, Any]:
        reply = self.exchange(self.code())
        assert reply.status_code == 200, reply.text
        answer: dict[str, Any] = json.loads(reply.text)
        return answer


def sent_back(reply: TestResponse) -> dict[str, str]:
    """The parameters with which the browser returns to the application."""
    assert reply.location.startswith(CALLBACK)
    return dict(parse_qsl(urlsplit(reply.location).query))


def assertion(key: RSAKey | ECKey, client_id: str, now: float = 0, alg: str = "", **changes: Any) -> dict[str, str]:
    """The form fields of private_key_jwt."""
    seconds = int(now or time.time())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": f"{BASE}/oauth2/token",
        "exp": seconds + 240,
        "jti": str(uuid.uuid4()),
    }
    header = {
        "alg": alg or ("RS384" if isinstance(key, RSAKey) else "ES384"),
        "kid": changes.pop("kid", key.kid),
        "typ": "JWT",
        **changes.pop("header", {}),
    }
    signed = jwt.encode(header, {**claims, **changes}, key, algorithms=[header["alg"]])
    return {"client_assertion_type": ASSERTION, "client_assertion": signed}
