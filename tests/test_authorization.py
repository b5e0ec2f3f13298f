"""The authorization request and what comes back to the callback."""

import base64
import hashlib
from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from imr_fhir.ehr.authorization import authorization_request, launch_parameters, parse_callback
from imr_fhir.ehr.discovery import SmartConfiguration
from imr_fhir.errors import AuthorizationError, BadReply, LaunchError, StateError

CONFIG = SmartConfiguration(
    fhir_base="https://ehr.example/fhir",
    issuer="https://login.example/realm",
    authorization_endpoint="https://login.example/authorize?tenant=1",
    token_endpoint="https://login.example/token",
    jwks_uri="https://login.example/jwks",
    revocation_endpoint="",
    capabilities=(),
    code_challenge_methods=(),
    scopes_supported=(),
    token_endpoint_auth_methods=(),
    iss_parameter=False,
)
CALLBACK = "https://app.example/callback/hospital"


def request(**more: str):  # type: ignore[no-untyped-def]
    return authorization_request(
        CONFIG, client_id="imr", redirect_uri=CALLBACK, scopes=("openid", "patient/Goal.rs"), **more
    )


def sent(url: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query, strict_parsing=True).items()}


def test_the_request_says_all_that_smart_wants() -> None:
    made = request(launch="abc")
    challenge = base64.urlsafe_b64encode(hashlib.sha256(made.verifier.encode()).digest()).decode().rstrip("=")
    assert made.url.startswith("https://login.example/authorize?tenant=1&")
    assert sent(made.url) == {
        "tenant": "1",
        "response_type": "code",
        "client_id": "imr",
        "redirect_uri": CALLBACK,
        "scope": "openid patient/Goal.rs",
        "state": made.state,
        "nonce": made.nonce,
        "aud": "https://ehr.example/fhir",
        "launch": "abc",
        "code_challenge": challenge,  # though the server advertises no PKCE
        "code_challenge_method": "S256",
    }


def test_secrets_are_long_differ_and_are_not_printed() -> None:
    one, other = request(), request()
    secrets = {one.state, one.nonce, one.verifier, other.state, other.nonce, other.verifier}
    assert len(secrets) == 6
    assert all(len(base64.urlsafe_b64decode(f"{secret}=")) * 8 >= 122 for secret in secrets)
    assert len(one.verifier) >= 43  # RFC 7636, 4.1
    assert not any(secret in repr(one) for secret in secrets)


def test_without_a_launch_token_there_is_no_launch_parameter() -> None:
    assert "launch" not in sent(request().url)


def test_a_server_without_an_authorization_endpoint() -> None:
    with pytest.raises(BadReply):
        authorization_request(
            replace(CONFIG, authorization_endpoint=""), client_id="imr", redirect_uri=CALLBACK, scopes=()
        )


@pytest.mark.parametrize("token", ["a+b/c==", "a b", "å&=?#%2B"])
def test_a_launch_token_survives(token: str) -> None:
    encoded = urlencode({"iss": "https://ehr.example/fhir", "launch": token}).replace("+", "%20")
    assert launch_parameters(encoded) == {"iss": "https://ehr.example/fhir", "launch": token}
    assert sent(request(launch=token).url)["launch"] == token


def test_a_plus_that_the_ehr_did_not_encode_is_a_plus() -> None:
    assert launch_parameters("launch=a+b&iss=https://ehr.example/fhir")["launch"] == "a+b"


def test_a_parameter_that_comes_twice_is_refused() -> None:
    with pytest.raises(AuthorizationError):
        launch_parameters("iss=https://ehr.example/fhir&iss=https://thief.example/fhir")
    with pytest.raises(AuthorizationError):
        parse_callback("code=a&state=s&code=b", state="s", config=CONFIG)


def test_the_code_of_a_callback() -> None:
    assert parse_callback("code=a%2Bb+c&state=s", state="s", config=CONFIG) == "a+b c"
    assert parse_callback("&code=a&&state=s&", state="s", config=CONFIG) == "a"


@pytest.mark.parametrize("query", ["code=a&state=other", "code=a", "code=a&state=", "", "error=x", "code=a&state=S"])
def test_another_state_is_refused_before_all_else(query: str) -> None:
    with pytest.raises(StateError):
        parse_callback(query, state="s", config=CONFIG)


def test_no_state_of_ours_fits_no_callback() -> None:
    with pytest.raises(StateError):
        parse_callback("code=a&state=", state="", config=CONFIG)


@pytest.mark.parametrize(
    ("iss", "needed", "issuer", "taken"),
    [
        ("https://login.example/realm", False, "https://login.example/realm", True),
        (None, False, "https://login.example/realm", True),
        (None, True, "https://login.example/realm", False),  # it promised to send one
        ("https://thief.example", False, "https://login.example/realm", False),
        ("https://ehr.example/fhir", False, "https://login.example/realm", False),  # the FHIR base is no issuer
        ("https://login.example/realm/", True, "https://login.example/realm", False),
        ("https://anything.example", False, "", True),  # the server never said who it is
    ],
)
def test_iss_of_a_callback_is_the_discovered_issuer(iss: str | None, needed: bool, issuer: str, taken: bool) -> None:
    config = replace(CONFIG, iss_parameter=needed, issuer=issuer)
    query = urlencode({"code": "a", "state": "s", **({"iss": iss} if iss else {})})
    if taken:
        assert parse_callback(query, state="s", config=config) == "a"
    else:
        with pytest.raises(AuthorizationError):
            parse_callback(query, state="s", config=config)


def test_the_servers_no_is_told_in_its_words_but_only_as_plain_text() -> None:
    query = urlencode({"state": "s", "error": "access_denied", "error_description": "No\u202e\nthanks" + "x" * 999})
    with pytest.raises(AuthorizationError) as refusal:
        parse_callback(query, state="s", config=CONFIG)
    assert refusal.value.error == "access_denied"
    assert "The EHR says: No thanksxxx" in str(refusal.value)
    assert "\u202e" not in str(refusal.value)
    assert len(str(refusal.value)) < 500


def test_a_no_without_words() -> None:
    with pytest.raises(AuthorizationError) as refusal:
        parse_callback("state=s&error=access_denied", state="s", config=CONFIG)
    assert refusal.value.message == "The EHR did not let the app in (access_denied)."


def test_a_callback_without_a_code() -> None:
    with pytest.raises(AuthorizationError):
        parse_callback("state=s&code=", state="s", config=CONFIG)
    assert issubclass(StateError, LaunchError)
