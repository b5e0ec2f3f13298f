"""A realm of a Keycloak that runs already: it takes minutes to start, so whoever wants these tests starts it.

    mvn -C dependency:copy -Dartifact=org.keycloak:keycloak-quarkus-dist:26.7.0:zip -DoutputDirectory=.
    unzip keycloak-quarkus-dist-26.7.0.zip
    KC_BOOTSTRAP_ADMIN_USERNAME=admin KC_BOOTSTRAP_ADMIN_PASSWORD=admin \
        keycloak-26.7.0/bin/kc.sh start-dev --http-host=127.0.0.1 --http-port=18080
    IMR_KEYCLOAK=http://127.0.0.1:18080 pytest tests/verification/test_flow_on_keycloak.py
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from tests.oidc_front import Paths

ADDRESS = os.environ.get("IMR_KEYCLOAK", "")
REALM = "imr-test"
USER, PASSWORD = "kari", "only-for-this-test"
_ROOT = f"/realms/{REALM}"
_PROTOCOL = f"{_ROOT}/protocol/openid-connect"
PATHS = Paths(
    forwarded=("/realms/", "/resources/"),
    configuration=f"{_ROOT}/.well-known/openid-configuration",
    authorize=f"{_PROTOCOL}/auth",
    token=f"{_PROTOCOL}/token",
    introspect=f"{_PROTOCOL}/token/introspect",
)


@dataclass(frozen=True)
class Realm:
    """``secret`` is that of its client "front", which may ask about each token."""

    url: str
    secret: str


@contextmanager
def realm(*, client: str, redirect: str, scopes: tuple[str, ...]) -> Iterator[Realm]:
    """``client`` is public and comes back to ``redirect``. The realm is deleted afterwards."""
    secret = secrets.token_urlsafe(32)
    admin = f"{ADDRESS}/admin/realms"
    made = requests.post(admin, json=_realm(client, redirect, scopes, secret), headers=_admin(), timeout=120)
    assert made.status_code == 201, made.text
    try:
        yield Realm(ADDRESS, secret)
    finally:
        requests.delete(f"{admin}/{REALM}", headers=_admin(), timeout=120)


def _admin() -> dict[str, str]:
    asked = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
    url = f"{ADDRESS}/realms/master/protocol/openid-connect/token"
    return {"Authorization": f"Bearer {requests.post(url, data=asked, timeout=60).json()['access_token']}"}


def _realm(client: str, redirect: str, scopes: tuple[str, ...], secret: str) -> dict[str, Any]:
    named = [scope for scope in scopes if scope != "openid"]
    app = {
        "clientId": client,
        "publicClient": True,
        "redirectUris": [redirect],
        "optionalClientScopes": named,
        "defaultClientScopes": [],
        "attributes": {"pkce.code.challenge.method": "S256"},
        "protocolMappers": [
            _mapper("subject", "oidc-sub-mapper", {"access.token.claim": "true"}),
            _mapper(
                "user",
                "oidc-hardcoded-claim-mapper",
                {"claim.name": "fhirUser", "claim.value": "Practitioner/kari", "id.token.claim": "true"},
            ),
            _mapper(
                "audience", "oidc-audience-mapper", {"included.client.audience": "front", "access.token.claim": "true"}
            ),
        ],
    }
    user = {
        "username": USER, "enabled": True, "email": "kari@hospital.example", "firstName": "Kari", "lastName": "Nilsen",
        "credentials": [{"type": "password", "value": PASSWORD}],
    }  # fmt: skip
    return {
        "realm": REALM,
        "enabled": True,
        "sslRequired": "none",
        "revokeRefreshToken": True,
        "clientScopes": [
            {"name": scope, "protocol": "openid-connect", "attributes": {"include.in.token.scope": "true"}}
            for scope in named
        ],
        "clients": [app, {"clientId": "front", "secret": secret, "standardFlowEnabled": False}],
        "users": [user],
    }


def _mapper(name: str, kind: str, config: dict[str, str]) -> dict[str, Any]:
    return {"name": name, "protocol": "openid-connect", "protocolMapper": kind, "config": config}
