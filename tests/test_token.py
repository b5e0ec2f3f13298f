"""Tokens: what we send to a token endpoint, and what of its answers we take."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwt
from joserfc.jwk import KeySet

from imr_fhir.ehr.discovery import SmartConfiguration
from imr_fhir.ehr.fhir_context import ContextItem
from imr_fhir.ehr.token import (
    ClientAuthentication,
    ClientSecretBasic,
    PrivateKeyJwt,
    Public,
    TokenResponse,
    backend_token,
    exchange_code,
    private_key_jwt,
    public_jwks,
    refresh,
    revoke,
)
from imr_fhir.ehr.transport import Transport
from imr_fhir.errors import AuthorizationError, BadReply, Busy, EhrError, Invalid, LostReply, ServerFault
from tests.wire_server import Exchange, Server, serve

NOW = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
PUBLIC = Public("imr")
GRANTED: dict[str, Any] = {
    "access_token": "secret-access",
    "token_type": "bearer",
    "expires_in": 600,
    "scope": "openid launch patient/Goal.rs",
    "refresh_token": "secret-refresh",
    "id_token": "secret-id",
    "patient": "anna",
    "encounter": "e1",
    "need_patient_banner": False,
    "intent": "rate",
    "tenant": "t",
    "smart_style_url": "https://ehr.example/style.json",
    "fhirContext": ["ImagingStudy/1", {"reference": "Goal/2", "role": "x"}, {"canonical": "c"}],
}


def pem(key: Any) -> bytes:
    data: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return data


RSA = private_key_jwt("imr", pem(rsa.generate_private_key(65537, 2048)), kid="rsa-1", jku="https://app.example/jwks")
EC = private_key_jwt("imr", pem(ec.generate_private_key(ec.SECP384R1())))


def config(server: Server) -> SmartConfiguration:
    return SmartConfiguration(
        fhir_base=f"{server.origin}/fhir",
        issuer="https://login.example",
        authorization_endpoint="",
        token_endpoint=f"{server.origin}/token",
        jwks_uri="",
        revocation_endpoint=f"{server.origin}/revoke",
        capabilities=(),
        code_challenge_methods=(),
        scopes_supported=(),
        token_endpoint_auth_methods=(),
        iss_parameter=False,
    )


def transport(server: Server) -> Transport:
    return Transport([server.origin], allow_loopback_http=True)


def exchanged(answer: Any, status: int = 200, client: ClientAuthentication = PUBLIC) -> tuple[TokenResponse, Server]:
    with serve(lambda exchange: exchange.answer(status, answer)) as server:
        found = exchange_code(
            transport(server), config(server), client,
            code="a+b", redirect_uri="https://app.example/callback", verifier="v", asked=["openid"], now=NOW,
        )  # fmt: skip
        return found, server


def refreshed(answer: Any, previous: TokenResponse) -> tuple[TokenResponse, dict[str, str]]:
    with serve(lambda exchange: exchange.answer(200, answer)) as server:
        found = refresh(transport(server), config(server), PUBLIC, previous, now=NOW)
        return found, form(server)


def form(server: Server) -> dict[str, str]:
    (request,) = server.requests
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    return {name: value for name, (value,) in parse_qs(request.body.decode(), strict_parsing=True).items()}


def changed(**change: Any) -> dict[str, Any]:
    return {name: value for name, value in {**GRANTED, **change}.items() if value is not None}


def test_a_public_client_sends_the_code_with_its_verifier_and_no_state() -> None:
    _, server = exchanged(GRANTED)
    assert form(server) == {
        "grant_type": "authorization_code",
        "code": "a+b",
        "redirect_uri": "https://app.example/callback",
        "code_verifier": "v",
        "client_id": "imr",
    }
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("client_id", "secret", "decoded"),
    [
        ("imr", "s3cret", "imr:s3cret"),
        ("imr:nordlys", "a b+c/%&=", "imr%3Anordlys:a%20b%2Bc%2F%25%26%3D"),  # RFC 6749 2.3.1, appendix B
        ("ø", "~-._", "%C3%B8:~-._"),
    ],
)
def test_a_secret_goes_into_the_header_alone(client_id: str, secret: str, decoded: str) -> None:
    client = ClientSecretBasic(client_id, secret)
    _, server = exchanged(GRANTED, client=client)
    (sent,) = server.requests
    assert base64.b64decode(sent.headers["authorization"].removeprefix("Basic ")).decode() == decoded
    assert set(form(server)) == {"grant_type", "code", "redirect_uri", "code_verifier"}
    assert secret not in repr(client)


def test_what_was_granted() -> None:
    found, _ = exchanged(GRANTED)
    assert found == TokenResponse(
        access_token="secret-access",
        scope=("openid", "launch", "patient/Goal.rs"),
        expires_at=NOW + timedelta(seconds=600),
        refresh_token="secret-refresh",
        id_token="secret-id",
        patient="anna",
        encounter="e1",
        fhir_context=(ContextItem("ImagingStudy/1"), ContextItem("Goal/2", "x")),
        need_patient_banner=False,
        intent="rate",
        tenant="t",
    )
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        ({"expires_in": None}, "expires_at", None),
        ({"expires_in": "600"}, "expires_at", NOW + timedelta(seconds=600)),
        ({"expires_in": 0}, "expires_at", None),
        ({"expires_in": "soon"}, "expires_at", None),
        ({"scope": None}, "scope", ("openid",)),  # RFC 6749, 5.1: as asked
        ({"token_type": "Bearer"}, "access_token", "secret-access"),
        ({"need_patient_banner": None}, "need_patient_banner", True),
        ({"fhirContext": None}, "fhir_context", ()),
        ({"patient": None}, "patient", ""),
        ({"unheard-of": 1}, "patient", "anna"),
    ],
)
def test_answers_that_differ(change: dict[str, Any], name: str, value: object) -> None:
    found, _ = exchanged(changed(**change))
    assert getattr(found, name) == value


@pytest.mark.parametrize(
    "change",
    [
        {"token_type": "mac"},
        {"token_type": None},
        {"access_token": None},
        {"access_token": ""},
        {"access_token": 7},
        {"access_token": "a\r\nX:y"},
        {"access_token": "a b"},
        {"access_token": "å"},
        {"patient": "../anna"},
        {"patient": "anna?x=y"},
        {"patient": ["anna"]},
        {"encounter": "a/b"},
        {"id_token": {"sub": "x"}},
    ],
)
def test_answers_that_are_not_taken(change: dict[str, Any]) -> None:
    with pytest.raises(BadReply):
        exchanged(changed(**change))


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        (200, b"<html>", BadReply),
        (200, [1], BadReply),
        (302, b"", BadReply),
        (500, b"", ServerFault),
        (500, {"error": "server_error"}, ServerFault),
        (429, {"error": "slow_down"}, Busy),
        (400, {"error": 7}, Invalid),
        (429, b"", Busy),
        (400, b"<html>", EhrError),
    ],
)
def test_other_answers(status: int, answer: Any, error: type[EhrError]) -> None:
    with pytest.raises(error):
        exchanged(answer, status)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_the_servers_no(status: int) -> None:
    with pytest.raises(AuthorizationError, match="Code is spent") as refusal:
        exchanged({"error": "invalid_grant", "error_description": "Code\x07 is\u202e spent"}, status)
    assert refusal.value.error == "invalid_grant"


def test_a_no_without_words() -> None:
    with pytest.raises(AuthorizationError) as refusal:
        exchanged({"error": "invalid_client"}, 401)
    assert refusal.value.message == "The EHR gave no token (invalid_client)."


def test_a_code_is_sent_once() -> None:
    def script(exchange: Exchange) -> None:
        exchange.reset()

    with serve(script) as server, pytest.raises(LostReply):
        exchange_code(
            transport(server), config(server), PUBLIC, code="a", redirect_uri="r", verifier="v", asked=[], now=NOW
        )
    assert len(server.requests) == 1


# Clients that sign


@pytest.mark.parametrize(("client", "alg"), [(RSA, "RS384"), (EC, "ES384")])
def test_a_client_that_signs(client: PrivateKeyJwt, alg: str) -> None:
    _, server = exchanged(GRANTED, client=client)
    sent = form(server)
    assert sent["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    keys = KeySet.import_key_set(json.loads(json.dumps(public_jwks([RSA, EC]))))
    token = jwt.decode(sent["client_assertion"], keys, algorithms=[alg])
    assert token.header == {"typ": "JWT", "alg": alg, "kid": client.kid, **({"jku": client.jku} if client.jku else {})}
    assert {name: token.claims[name] for name in ("iss", "sub", "aud")} == {
        "iss": "imr", "sub": "imr", "aud": f"{server.origin}/token",
    }  # fmt: skip
    assert token.claims["iat"] == NOW.timestamp()
    assert NOW.timestamp() < token.claims["exp"] <= NOW.timestamp() + 300


def test_each_assertion_is_another() -> None:
    jtis = set()
    for _ in range(3):
        _, server = exchanged(GRANTED, client=EC)
        jtis.add(jwt.decode(form(server)["client_assertion"], EC.key, algorithms=["ES384"]).claims["jti"])
    assert len(jtis) == 3


def test_our_key_set_holds_no_secret() -> None:
    keys = public_jwks([RSA, EC])["keys"]
    assert [(key["kid"], key["alg"], key["use"], key["kty"]) for key in keys] == [
        ("rsa-1", "RS384", "sig", "RSA"), (EC.kid, "ES384", "sig", "EC"),
    ]  # fmt: skip
    assert not any(name in key for key in keys for name in ("d", "p", "q", "dp", "dq", "qi"))
    assert len(EC.kid) == 43  # its thumbprint
    assert "PRIVATE" not in repr(RSA)


@pytest.mark.parametrize(
    "key",
    [
        pem(rsa.generate_private_key(65537, 1024)),
        pem(ec.generate_private_key(ec.SECP256R1())),
        b"nonsense",
        b"",
        RSA.key.as_pem(private=False),
    ],
    ids=["1024 bits", "P-256", "no key", "nothing", "public"],
)
def test_keys_that_smart_does_not_name(key: bytes) -> None:
    with pytest.raises(ValueError, match="P-384"):
        private_key_jwt("imr", key)


# Refresh, revocation, backend services

BEFORE = TokenResponse(
    access_token="old", scope=("openid",), refresh_token="r1", id_token="i1", patient="anna", encounter="e1",
    fhir_context=(ContextItem("Goal/2"),), need_patient_banner=False, intent="rate", tenant="t",
)  # fmt: skip


def test_a_refresh_keeps_what_the_answer_leaves_out() -> None:
    found, sent = refreshed({"access_token": "new", "token_type": "Bearer"}, BEFORE)
    assert found == replace(BEFORE, access_token="new")
    # Keycloak wants client_id of a public client here too
    assert sent == {"grant_type": "refresh_token", "refresh_token": "r1", "client_id": "imr"}


def test_a_refresh_takes_what_the_answer_brings() -> None:
    found, _ = refreshed(changed(encounter="e2", need_patient_banner=True), BEFORE)
    assert (found.refresh_token, found.id_token, found.encounter) == ("secret-refresh", "secret-id", "e2")
    assert found.scope == ("openid", "launch", "patient/Goal.rs")
    assert found.need_patient_banner


def test_a_refresh_never_changes_the_patient() -> None:
    with pytest.raises(AuthorizationError, match="another patient"):
        refreshed(changed(patient="boris"), BEFORE)


def test_revocation() -> None:
    with serve(lambda exchange: exchange.answer(200)) as server:
        assert revoke(transport(server), config(server), PUBLIC, "r1", hint="refresh_token", now=NOW)
    assert server.requests[0].path == "/revoke"
    assert form(server) == {"token": "r1", "token_type_hint": "refresh_token", "client_id": "imr"}


def test_revocation_that_the_ehr_does_not_have_or_refuses() -> None:
    with serve(lambda exchange: exchange.answer(503)) as server:
        without = replace(config(server), revocation_endpoint="")
        assert not revoke(transport(server), without, PUBLIC, "r1", hint="refresh_token", now=NOW)
        with pytest.raises(EhrError):
            revoke(transport(server), config(server), PUBLIC, "r1", hint="refresh_token", now=NOW)


def test_backend_services() -> None:
    with serve(lambda exchange: exchange.answer(200, {**GRANTED, "patient": None})) as server:
        found = backend_token(transport(server), config(server), EC, scopes=["system/*.cruds", "system/x.r"], now=NOW)
    assert found.access_token == "secret-access"
    sent = form(server)
    assert (sent["grant_type"], sent["scope"]) == ("client_credentials", "system/*.cruds system/x.r")
    assert "client_assertion" in sent
