"""The token endpoint: codes, refresh tokens, backend services, id_token, revocation."""

import json
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from werkzeug.test import TestResponse

from smart_app.sandbox import Hospital

from .conftest import BASE, EC, FHIR, RSA, Caller, Clock
from .launching import SCOPE, VERIFIER, Smart, assertion


@pytest.fixture
def smart(client: FlaskClient, house: Hospital, fhir: Caller, eva: str) -> Smart:
    kari = {"resourceType": "Practitioner", "id": "kari", "name": [{"family": "Nilsen", "given": ["Kari"]}]}
    assert fhir("PUT", "Practitioner/kari", kari).status_code == 201
    return Smart(client, house)


def error(reply: TestResponse) -> str:
    assert reply.status_code in (400, 401), reply.text
    return str(json.loads(reply.text)["error"])


def works(smart: Smart, access_token: str) -> bool:
    reply = Caller(smart.client, access_token)("GET", "Patient/eva")
    assert reply.status_code in (200, 401)
    return reply.status_code == 200


def test_the_reply_carries_the_context(smart: Smart) -> None:
    reply = smart.exchange(smart.code())
    token = json.loads(reply.text)
    told = {name: token[name] for name in ("token_type", "patient", "encounter", "need_patient_banner", "expires_in")}
    assert told == {
        "token_type": "Bearer",
        "patient": "eva",
        "encounter": "visit",
        "need_patient_banner": True,
        "expires_in": 3600,
    }
    assert token["scope"] == SCOPE
    assert reply.headers["Cache-Control"] == "no-store"
    assert works(smart, token["access_token"])


@pytest.mark.parametrize(("client_id", "alg"), [("imr-app", "RS256"), ("imr-keys", "ES384")])
def test_id_token(smart: Smart, clock: Clock, client_id: str, alg: str) -> None:
    smart.client_id = client_id
    smart.extra = assertion(EC, client_id, clock().timestamp()) if client_id == "imr-keys" else {}
    keys = KeySet.import_key_set(json.loads(smart.client.get("/oauth2/jwks").text))
    token = jwt.decode(smart.tokens()["id_token"], keys, algorithms=[alg])
    claims = token.claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (BASE, client_id, "nonce-1")
    assert (claims["fhirUser"], claims["name"]) == (f"{FHIR}/Practitioner/kari", "Kari Nilsen")
    assert claims["sub"] != "kari"
    assert claims["iat"] == int(clock().timestamp()) < claims["exp"]
    assert token.header["kid"]


def test_published_keys_hold_no_private_part(smart: Smart) -> None:
    for key in json.loads(smart.client.get("/oauth2/jwks").text)["keys"]:
        assert not {"d", "p", "q", "dp", "dq", "qi"} & key.keys()
        assert {"kid", "alg", "use"} <= key.keys()


def test_without_openid_there_is_no_id_token(smart: Smart) -> None:
    smart.scope = "launch patient/*.rs"
    token = smart.tokens()
    assert "id_token" not in token
    assert "refresh_token" not in token


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "x" * 43},
        {"code_verifier": "short"},
        {"code_verifier": ""},
        {"redirect_uri": "http://127.0.0.1:8001/other"},
        {"client_id": "unknown"},
        {"client_id": "imr-loader"},
        {"grant_type": "password"},
    ],
)
def test_refused_exchanges(smart: Smart, changes: dict[str, str]) -> None:
    assert error(smart.exchange(smart.code(), **changes))


def test_an_invented_code_gives_nothing(smart: Smart) -> None:
    assert error(smart.exchange("invented")) == "invalid_grant"


def test_a_code_used_twice_ends_what_the_first_use_gave(smart: Smart) -> None:
    code = smart.code()
    token = json.loads(smart.exchange(code).text)
    assert works(smart, token["access_token"])
    assert error(smart.exchange(code)) == "invalid_grant"
    assert not works(smart, token["access_token"])
    assert error(smart.refresh(token["refresh_token"])) == "invalid_grant"


def test_a_code_is_for_its_client(smart: Smart, clock: Clock) -> None:
    code = smart.code()
    smart.client_id, smart.extra = "imr-keys", assertion(EC, "imr-keys", clock().timestamp())
    assert error(smart.exchange(code)) == "invalid_grant"


def test_a_code_lives_a_minute(smart: Smart, clock: Clock) -> None:
    code = smart.code()
    clock.forward(61)
    assert error(smart.exchange(code)) == "invalid_grant"


def test_refresh_rotates_and_a_stale_one_ends_the_launch(smart: Smart) -> None:
    first = smart.tokens()
    second = json.loads(smart.refresh(first["refresh_token"]).text)
    assert second["patient"] == "eva"
    assert second["refresh_token"] != first["refresh_token"]
    assert (works(smart, first["access_token"]), works(smart, second["access_token"])) == (False, True)
    assert error(smart.refresh(first["refresh_token"])) == "invalid_grant"
    assert not works(smart, second["access_token"])
    assert error(smart.refresh(second["refresh_token"])) == "invalid_grant"


def test_refresh_may_ask_for_less_and_never_for_more(smart: Smart) -> None:
    first = smart.tokens()
    assert error(smart.refresh(first["refresh_token"], scope=f"{SCOPE} user/*.cruds")) == "invalid_scope"
    less = json.loads(smart.refresh(first["refresh_token"], scope="online_access patient/*.rs").text)
    assert less["scope"] == "online_access patient/*.rs"
    assert json.loads(smart.refresh(less["refresh_token"]).text)["scope"] == SCOPE


def test_a_refresh_token_is_for_its_client(smart: Smart, clock: Clock) -> None:
    first = smart.tokens()
    smart.client_id, smart.extra = "imr-keys", assertion(EC, "imr-keys", clock().timestamp())
    assert error(smart.refresh(first["refresh_token"])) == "invalid_grant"


def test_an_access_token_expires(smart: Smart, clock: Clock) -> None:
    token = smart.tokens()
    clock.forward(3601)
    assert not works(smart, token["access_token"])
    assert works(smart, json.loads(smart.refresh(token["refresh_token"]).text)["access_token"])


def test_revocation(smart: Smart) -> None:
    token = smart.tokens()
    for secret in (token["refresh_token"], "unknown"):
        reply = smart.client.post("/oauth2/revoke", data={"token": secret, "client_id": "imr-app"})
        assert reply.status_code == 200
    assert not works(smart, token["access_token"])
    assert error(smart.refresh(token["refresh_token"])) == "invalid_grant"


def backend(client: FlaskClient, scope: str = "system/Patient.rs", **form: str) -> TestResponse:
    return client.post("/oauth2/token", data={"grant_type": "client_credentials", "scope": scope, **form})


def test_backend_services(client: FlaskClient, eva: str, tor: str, clock: Clock) -> None:
    reply = backend(client, **assertion(RSA, "imr-loader", clock().timestamp()))
    token: dict[str, Any] = json.loads(reply.text)
    assert (reply.status_code, token["scope"], "refresh_token" in token) == (200, "system/Patient.rs", False)
    caller = Caller(client, token["access_token"])
    assert sorted(caller.ids("Patient")) == ["eva", "tor"]
    assert caller("GET", "Observation").status_code == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": f"{BASE}/other"},
        {"iss": "imr-keys"},
        {"sub": "unknown", "iss": "unknown"},
        {"sub": "imr-app", "iss": "imr-app"},
        {"kid": "other"},
        {"jti": None},
        {"alg": "RS256"},
        {"header": {"jku": "http://127.0.0.1:1/jwks"}},
    ],
)
def test_refused_assertions(client: FlaskClient, clock: Clock, changes: dict[str, Any]) -> None:
    assert error(backend(client, **assertion(RSA, "imr-loader", clock().timestamp(), **changes))) == "invalid_client"


def test_assertions_signed_by_another_key(client: FlaskClient, clock: Clock) -> None:
    other = RSAKey.generate_key(2048, {"kid": RSA.kid})
    assert error(backend(client, **assertion(other, "imr-loader", clock().timestamp()))) == "invalid_client"
    ec = ECKey.generate_key("P-384", {"kid": RSA.kid})
    assert error(backend(client, **assertion(ec, "imr-loader", clock().timestamp()))) == "invalid_client"


def test_assertions_expire_and_are_used_once(client: FlaskClient, clock: Clock) -> None:
    now = clock().timestamp()
    assert error(backend(client, **assertion(RSA, "imr-loader", now - 400))) == "invalid_client"
    assert error(backend(client, **assertion(RSA, "imr-loader", now, exp=int(now) + 3600))) == "invalid_client"
    form = assertion(RSA, "imr-loader", now)
    assert backend(client, **form).status_code == 200
    assert error(backend(client, **form)) == "invalid_client"


@pytest.mark.parametrize("scope", ["system/*.cruds patient/*.rs", "user/*.rs", "", "openid"])
def test_backend_scopes(client: FlaskClient, clock: Clock, scope: str) -> None:
    form = assertion(RSA, "imr-loader", clock().timestamp())
    assert error(backend(client, scope, **form)) == "invalid_scope"


def test_a_confidential_client_can_not_come_without_its_key(smart: Smart) -> None:
    smart.client_id = "imr-keys"
    assert error(smart.exchange(smart.code())) == "invalid_client"
    assert error(backend(smart.client, client_id="imr-loader")) == "invalid_client"


def test_the_verifier_is_checked_for_confidential_clients_too(smart: Smart, clock: Clock) -> None:
    smart.client_id = "imr-keys"
    smart.extra = assertion(EC, "imr-keys", clock().timestamp())
    assert error(smart.exchange(smart.code(), code_verifier="y" * 43)) == "invalid_grant"
    smart.extra = assertion(EC, "imr-keys", clock().timestamp())
    assert smart.exchange(smart.code(), code_verifier=VERIFIER).status_code == 200


def test_discovery_names_what_is_there(client: FlaskClient) -> None:
    smart = json.loads(client.get("/fhir/.well-known/smart-configuration").text)
    openid = json.loads(client.get("/.well-known/openid-configuration").text)
    assert smart["code_challenge_methods_supported"] == ["S256"]
    assert smart["issuer"] == openid["issuer"] == BASE != FHIR
    for name in ("authorization_endpoint", "token_endpoint", "revocation_endpoint", "jwks_uri"):
        path = smart[name].removeprefix(BASE)
        assert client.get(path).status_code != 404, name


def test_the_capability_statement_is_valid_and_promises_what_is_there(client: FlaskClient, fhir: Caller) -> None:
    statement = json.loads(client.get("/fhir/metadata").text)
    get_fhir_model_class("CapabilityStatement").model_validate(statement)
    assert statement["fhirVersion"] == "4.0.1"
    for resource in statement["rest"][0]["resource"]:
        parameters = "&".join(
            f"{each['name']}:missing=true" for each in resource["searchParam"] if each["name"] != "_id"
        )
        assert fhir("GET", f"{resource['type']}?{parameters}").status_code == 200
        for name in resource["searchInclude"]:
            assert fhir("GET", f"{resource['type']}?_include={name}").status_code == 200, name
        for name in resource["searchRevInclude"]:
            assert fhir("GET", f"{resource['type']}?_revinclude={name}").status_code == 200, name
