"""What a SMART server says of itself is taken only as far as it may be."""

import json
from typing import Any

import pytest

from imr_fhir.ehr.discovery import OAUTH_URIS, SmartConfiguration, discover
from imr_fhir.ehr.transport import Transport
from imr_fhir.errors import BadReply, EhrError, NotFound, RefusedUrl
from tests.wire_server import Exchange, serve

WELL_KNOWN = "/fhir/.well-known/smart-configuration"


def discovered(change: dict[str, Any] | None = None, *, slash: str = "") -> SmartConfiguration:
    """The configuration of a working server, after ``change``; "ORIGIN" stands for the server's own."""

    def script(exchange: Exchange) -> None:
        said = {
            "issuer": "https://login.hospital.example/realms/ehr",
            "authorization_endpoint": f"{server.origin}/authorize",
            "token_endpoint": f"{server.origin}/token",
            "jwks_uri": f"{server.origin}/jwks",
            "revocation_endpoint": f"{server.origin}/revoke",
            "capabilities": ["launch-ehr", "permission-v2", 7],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["openid"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            **(change or {}),
        }
        assert exchange.request.path == WELL_KNOWN
        exchange.answer(200, {name: value for name, value in said.items() if value is not None})

    with serve(script) as server:
        found = discover(Transport([server.origin], allow_loopback_http=True), f"{server.origin}/fhir{slash}")
        assert found.fhir_base == f"{server.origin}/fhir{slash}"
        return found


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_working_server(slash: str) -> None:
    found = discovered(slash=slash)
    assert found.issuer == "https://login.hospital.example/realms/ehr"
    assert found.token_endpoint.endswith("/token")
    assert found.capabilities == ("launch-ehr", "permission-v2")
    assert found.code_challenge_methods == ("S256",)
    assert not found.iss_parameter


def test_rfc_9207_is_noticed() -> None:
    assert discovered({"authorization_response_iss_parameter_supported": True}).iss_parameter


@pytest.mark.parametrize(
    "endpoint",
    ["authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint"],
)
@pytest.mark.parametrize("address", ["https://thief.example/here", "http://10.0.0.1/here", "javascript:alert(1)"])
def test_each_endpoint_is_on_a_host_of_the_site(endpoint: str, address: str) -> None:
    with pytest.raises(RefusedUrl):
        discovered({endpoint: address})


def test_what_the_app_does_not_call_may_be_anywhere() -> None:
    """An EHR's own address for its resource servers ended each launch, with the settings that check printed too."""
    elsewhere = {"introspection_endpoint": "https://inner.example/introspect", "registration_endpoint": 7}
    assert discovered(elsewhere).token_endpoint


@pytest.mark.parametrize(
    "change", [{"token_endpoint": None}, {"token_endpoint": 7}, {"issuer": ["a"]}, {"capabilities": "launch-ehr"}]
)
def test_what_is_no_smart_configuration(change: dict[str, Any]) -> None:
    with pytest.raises(BadReply):
        discovered(change)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, b"", NotFound),  # and no CapabilityStatement either
        (302, b"", BadReply),
        (500, b"oops", BadReply),
        (200, b"<html>", BadReply),
        (500, b'{"token_endpoint":"https://ehr.example/token"}', BadReply),
        (200, b"[]", BadReply),
    ],
)
def test_other_answers(status: int, body: bytes, error: type[EhrError]) -> None:
    with serve(lambda exchange: exchange.answer(status, body)) as server, pytest.raises(error):
        discover(Transport([server.origin], allow_loopback_http=True), f"{server.origin}/fhir")


def smart_1(statement: Any, **openid: Any) -> tuple[SmartConfiguration, list[str], str]:
    """What is found of a server without a SMART configuration; ``openid``: path -> its OpenID configuration."""

    def script(exchange: Exchange) -> None:
        path = exchange.request.path
        if path == "/fhir/metadata":
            exchange.answer(200, json.loads(json.dumps(statement).replace("ORIGIN", server.origin)))
        elif path.endswith("/openid-configuration") and (found := openid.get(path.split("/")[1].strip("."))):
            answer = found if isinstance(found, bytes) else json.dumps(found).replace("ORIGIN", server.origin).encode()
            exchange.answer(200, answer)
        else:
            exchange.answer(404)

    with serve(script) as server:
        found = discover(Transport([server.origin], allow_loopback_http=True), f"{server.origin}/fhir")
        return found, [request.path for request in server.requests], server.origin


def oauth_uris(**uris: Any) -> dict[str, Any]:
    named = {"authorize": "ORIGIN/o/authorize", "token": "ORIGIN/o/token", **uris}
    listed = [{"url": name, "valueUri": value} for name, value in named.items() if value is not None]
    extension = [{"url": "urn:other"}, {"url": OAUTH_URIS, "extension": listed}]
    return {"rest": [7, {"mode": "client"}, {"mode": "server", "security": {"extension": extension}}]}


def test_a_server_of_smart_1_is_found_by_its_capability_statement() -> None:
    openid = {"issuer": "ORIGIN/fhir", "jwks_uri": "ORIGIN/jwks"}
    found, asked, origin = smart_1(oauth_uris(revoke="ORIGIN/o/revoke", register="https://x.example"), fhir=openid)
    assert asked == [WELL_KNOWN, "/fhir/metadata", "/fhir/.well-known/openid-configuration"]
    assert found.authorization_endpoint == f"{origin}/o/authorize"
    assert found.token_endpoint == f"{origin}/o/token"
    assert found.revocation_endpoint == f"{origin}/o/revoke"
    assert (found.issuer, found.jwks_uri) == (f"{origin}/fhir", f"{origin}/jwks")
    assert (found.capabilities, found.iss_parameter) == ((), False)


@pytest.mark.parametrize(
    ("openid", "issuer"),
    [
        ({}, ""),
        ({"fhir": b"<html>", "well-known": {"issuer": "ORIGIN", "jwks_uri": "ORIGIN/jwks"}}, "ORIGIN"),
        ({"well-known": {"issuer": "ORIGIN/", "jwks_uri": "ORIGIN/jwks"}}, "ORIGIN/"),
        ({"fhir": {"issuer": "https://thief.example", "jwks_uri": "ORIGIN/jwks"}}, ""),  # OIDC Discovery 4.3
        ({"fhir": {"issuer": "ORIGIN", "jwks_uri": "ORIGIN/jwks"}}, ""),
    ],
)
def test_an_issuer_is_believed_at_its_own_address_only(openid: dict[str, Any], issuer: str) -> None:
    found, _, origin = smart_1(oauth_uris(), **openid)
    assert found.issuer == issuer.replace("ORIGIN", origin)
    assert bool(found.jwks_uri) == bool(issuer)


@pytest.mark.parametrize("name", ["authorize", "token", "revoke"])
def test_each_of_the_oauth_uris_is_on_a_host_of_the_site(name: str) -> None:
    with pytest.raises(RefusedUrl):
        smart_1(oauth_uris(**{name: "https://thief.example/here"}))


def test_keys_of_another_host_are_not_taken() -> None:
    with pytest.raises(RefusedUrl):
        smart_1(oauth_uris(), fhir={"issuer": "ORIGIN/fhir", "jwks_uri": "https://thief.example/jwks"})


@pytest.mark.parametrize(
    "statement", [{}, {"rest": "x"}, {"rest": [{"security": 7}]}, oauth_uris(token=None), oauth_uris(token="")]
)
def test_a_capability_statement_that_names_no_token_endpoint(statement: Any) -> None:
    with pytest.raises(NotFound):
        smart_1(statement)


def test_an_endpoint_that_is_no_text() -> None:
    with pytest.raises(BadReply):
        smart_1(oauth_uris(token=7))
