"""What the authorization endpoint lets in, and what it refuses, each by itself."""

import pytest
from flask.testing import FlaskClient

from smart_app.sandbox import Hospital

from .conftest import BASE, CALLBACK, Clock
from .launching import Smart, sent_back


@pytest.fixture
def smart(client: FlaskClient, house: Hospital, eva: str) -> Smart:
    return Smart(client, house)


def test_back_with_code_state_and_issuer(smart: Smart) -> None:
    reply = smart.authorize()
    assert reply.status_code == 302
    back = sent_back(reply)
    assert sorted(back) == ["code", "iss", "state"]
    assert (back["state"], back["iss"]) == ("state-1", BASE)
    assert "Set-Cookie" not in reply.headers


def test_it_takes_post_too(smart: Smart) -> None:
    reply = smart.client.post("/oauth2/authorize", data=smart.request())
    assert "code" in sent_back(reply)


def test_nothing_keeps_it_out_of_a_frame(smart: Smart) -> None:
    headers = smart.authorize().headers
    assert "X-Frame-Options" not in headers
    assert "Content-Security-Policy" not in headers


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_id": "unknown"}, "client does not exist"),
        ({"client_id": None}, "client_id"),
        ({"redirect_uri": CALLBACK + "/"}, "Redirect URI"),
        ({"redirect_uri": CALLBACK + "?a=1"}, "Redirect URI"),
        ({"redirect_uri": "https://evil.example/callback"}, "Redirect URI"),
        ({"redirect_uri": None}, "redirect_uri"),
        ({"client_id": "imr-loader"}, "Redirect URI"),
    ],
)
def test_no_redirect_to_whom_nobody_registered(smart: Smart, changes: dict[str, str | None], words: str) -> None:
    reply = smart.authorize(**changes)
    assert (reply.status_code, reply.location) == (400, None)
    assert words in reply.text


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"aud": "http://other.example/fhir"}, "invalid_request"),
        ({"aud": None}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"launch": None}, "invalid_request"),
        ({"launch": "invented"}, "invalid_request"),
        ({"scope": "openid fhirUser patient/*.rs"}, "invalid_request"),
        ({"scope": "system/*.rs"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
def test_refusals_that_are_sent_back(smart: Smart, changes: dict[str, str | None], error: str) -> None:
    back = sent_back(smart.authorize(**changes))
    assert (back["error"], back["iss"], "code" in back) == (error, BASE, False)
    assert back.get("state") == (None if "state" in changes else "state-1")


def test_a_parameter_given_twice_is_refused(smart: Smart) -> None:
    asked = [*smart.request().items(), ("state", "second")]
    reply = smart.client.get("/oauth2/authorize", query_string=asked)
    assert sent_back(reply)["error"] == "invalid_request"


def test_a_launch_is_used_once(smart: Smart) -> None:
    launch = smart.launch()
    assert "code" in sent_back(smart.authorize(launch=launch))
    assert sent_back(smart.authorize(launch=launch))["error"] == "invalid_request"


def test_a_refused_request_does_not_spend_the_launch(smart: Smart) -> None:
    launch = smart.launch()
    assert "error" in sent_back(smart.authorize(launch=launch, aud="http://other.example"))
    assert "code" in sent_back(smart.authorize(launch=launch))


def test_a_launch_lives_five_minutes(smart: Smart, clock: Clock) -> None:
    launch = smart.launch()
    clock.forward(301)
    assert sent_back(smart.authorize(launch=launch))["error"] == "invalid_request"
