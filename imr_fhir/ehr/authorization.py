"""The authorization request and its callback (SMART App Launch 2.2; RFC 6749, 7636, 9207)."""

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, unquote_plus, urlsplit

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from imr_fhir.ehr.discovery import SmartConfiguration
from imr_fhir.ehr.outcome import plain
from imr_fhir.errors import AuthorizationError, BadReply, StateError

URL_MAX = 2_000  # IIS reads 2,048 characters of a query unless it is told otherwise
_AGAIN = "Open the app again from the patient's chart."


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """Where to send the browser, and what to keep until it comes back. ``state`` and ``nonce`` have 256 bits."""

    url: str = field(repr=False)
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


def launch_parameters(query: str) -> dict[str, str]:
    """``iss`` and ``launch`` of a launch's raw query string, percent-decoded, with each ``+`` kept.

    A launch token is opaque and some EHRs send its ``+`` as it is; read as a form it would become a space.
    Raises AuthorizationError where a parameter comes twice.
    """
    return _once([(name, unquote(value)) for name, value in _pairs(query)])


def authorization_request(
    config: SmartConfiguration, *, client_id: str, redirect_uri: str, scopes: Iterable[str], launch: str = ""
) -> AuthorizationRequest:
    """PKCE with S256 always: Athena needs it even where it does not say so. ``aud`` is the FHIR base.

    Raises BadReply where the server has no authorization endpoint.
    """
    if not config.authorization_endpoint:
        raise BadReply(
            f"{config.fhir_base} names no authorization_endpoint.", next_step="Tell the EHR's administrator."
        )
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    url = prepare_grant_uri(
        config.authorization_endpoint,
        client_id,
        "code",
        redirect_uri=redirect_uri,
        scope=" ".join(scopes),
        state=state,
        nonce=nonce,
        aud=config.fhir_base,
        launch=launch or None,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
    )
    return AuthorizationRequest(url, state, nonce, verifier)


def as_form(url: str, config: SmartConfiguration) -> tuple[str, tuple[tuple[str, str], ...]]:
    """An authorization request for a form that a browser posts (SMART's ``authorize-post``): address and fields."""
    given = set(parse_qsl(urlsplit(config.authorization_endpoint).query, keep_blank_values=True))
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    return config.authorization_endpoint, tuple(pair for pair in pairs if pair not in given)


def may_be_standalone(config: SmartConfiguration) -> bool:
    """Whether the EHR lets a person choose the patient; SMART 1.0 does not say, so there it is tried."""
    return not config.capabilities or {"launch-standalone", "context-standalone-patient"} <= set(config.capabilities)


def by_post(url: str, config: SmartConfiguration) -> bool:
    """Whether an address is longer than some servers read, and this one takes a form instead."""
    return len(url) > URL_MAX and "authorize-post" in config.capabilities


def parse_callback(query: str, *, state: str, config: SmartConfiguration) -> str:
    """The code of a callback's raw query string.

    Raises StateError (not the state that we sent) and AuthorizationError (another server answers, or ours says no).
    ``iss`` is compared with the discovered issuer, never with the FHIR base (RFC 9207).
    """
    found = _once([(name, unquote_plus(value)) for name, value in _pairs(query)])
    if not state or not hmac.compare_digest(found.get("state", "").encode(), state.encode()):
        raise StateError("This log-in is not the one that was begun here.", next_step=_AGAIN)
    named = "iss" in found or config.iss_parameter
    if config.issuer and named and found.get("iss") != config.issuer:
        raise AuthorizationError("Another server than the hospital's answered the log-in.", next_step=_AGAIN)
    if "error" in found:
        error = plain(found["error"], 60)
        said = plain(found.get("error_description", ""))
        raise AuthorizationError(
            f"The EHR did not let the app in ({error}). {f'The EHR says: {said}' if said else ''}".strip(),
            next_step=_AGAIN,
            error=error,
        )
    if not found.get("code"):
        raise AuthorizationError("The EHR sent the browser back without a code.", next_step=_AGAIN)
    return found["code"]


def _pairs(query: str) -> list[tuple[str, str]]:
    parts = (part.partition("=") for part in query.split("&") if part)
    return [(unquote_plus(name), value) for name, _, value in parts]


def _once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise AuthorizationError("The EHR sent one parameter twice.", next_step="Tell the EHR's administrator.")
    return found
