"""What a SMART server says of itself is taken only as far as it may be."""

from typing import Any

import pytest

from imr_fhir.ehr.discovery import SmartConfiguration, discover
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
    assert found.introspection_endpoint == ""
    assert not found.iss_parameter


def test_rfc_9207_is_noticed() -> None:
    assert discovered({"authorization_response_iss_parameter_supported": True}).iss_parameter


@pytest.mark.parametrize(
    "endpoint",
    ["authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint", "introspection_endpoint"],
)
@pytest.mark.parametrize("address", ["https://thief.example/here", "http://10.0.0.1/here", "javascript:alert(1)"])
def test_each_endpoint_is_on_a_host_of_the_site(endpoint: str, address: str) -> None:
    with pytest.raises(RefusedUrl):
        discovered({endpoint: address})


@pytest.mark.parametrize(
    "change", [{"token_endpoint": None}, {"token_endpoint": 7}, {"issuer": ["a"]}, {"capabilities": "launch-ehr"}]
)
def test_what_is_no_smart_configuration(change: dict[str, Any]) -> None:
    with pytest.raises(BadReply):
        discovered(change)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, b"", NotFound),
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
