"""A log-in between `/launch` and the callback: kept in the browser alone, in one sealed cookie each.

It pins the site, the issuer and its endpoints, the redirect address, the nonce and the verifier (RFC 9700, mix-up).
"""

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from imr_fhir.ehr.discovery import SmartConfiguration
from imr_fhir.errors import LaunchError
from smart_app import cookies
from smart_app.seal import Seal

LIFETIME = timedelta(minutes=10)
AT_MOST = 5
_PURPOSE = "log-in"
_COOKIE = 4_000  # browsers take 4,096 bytes of name and value
_PINNED = ("fhir_base", "issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint")


@dataclass(frozen=True)
class Pending:
    """``asked`` are the scopes that are asked for; ``language`` is the EHR's wish, else empty.

    The authorization request itself is not kept: it holds the EHR's launch token, which may be longer than a cookie.
    """

    site: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect_uri: str
    asked: tuple[str, ...]
    framed: bool
    language: str
    configuration: SmartConfiguration

    @property
    def id(self) -> str:
        return pending_id(self.state)


def pending_id(state: str) -> str:
    return state[:8]


def keep(response: Response, pending: Pending, seal: Seal, now: datetime) -> None:
    """Sets the cookie, drops the oldest beyond five and those that are dead. Raises LaunchError if it is too big."""
    value = asdict(pending) | {"configuration": _pinned(pending.configuration), "asked": list(pending.asked)}
    sealed = seal.close(_PURPOSE, pending.id, value, now)
    if len(sealed) > _COOKIE:
        raise LaunchError("What this log-in asks for is too long to be kept.", next_step="Tell your IT department.")
    others = {name: text for name, text in request.cookies.items() if name.startswith(cookies.STATE)}
    ages = {name: _opened(name.removeprefix(cookies.STATE), text, seal, now) for name, text in others.items()}
    live = sorted((opened[1], name) for name, opened in ages.items() if opened)
    spare = {name for _, name in live[: max(0, len(live) - AT_MOST + 1)]}
    for name in spare | {name for name, opened in ages.items() if opened is None}:
        cookies.drop_cookie(response, name, framed=pending.framed)
    seconds = int(LIFETIME.total_seconds())
    cookies.set_cookie(response, cookies.STATE + pending.id, sealed, framed=pending.framed, seconds=seconds)


def find(key: str, seal: Seal, now: datetime) -> Pending | None:
    """The log-in that this browser has under way by ``pending_id``; None where there is none, or it is too old."""
    opened = _opened(key, request.cookies.get(cookies.STATE + key, ""), seal, now)
    if opened is None:
        return None
    value = opened[0]
    configuration = SmartConfiguration(
        **value.pop("configuration"),
        capabilities=(),
        code_challenge_methods=(),
        scopes_supported=(),
        token_endpoint_auth_methods=(),
    )
    return Pending(**{**value, "asked": tuple(value["asked"])}, configuration=configuration)


def drop(response: Response, pending: Pending) -> None:
    cookies.drop_cookie(response, cookies.STATE + pending.id, framed=pending.framed)


def _opened(key: str, text: str, seal: Seal, now: datetime) -> tuple[dict[str, Any], datetime] | None:
    return seal.open(_PURPOSE, key, text, now, lifetime=LIFETIME)


def _pinned(configuration: SmartConfiguration) -> dict[str, Any]:
    pinned = {name: getattr(configuration, name) for name in _PINNED}
    return pinned | {"iss_parameter": configuration.iss_parameter}
