"""Who logged in: the id_token, verified (OpenID Connect Core 3.1.3.7), and its ``fhirUser``."""

import base64
import hmac
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, JWKRegistry, Key
from joserfc.jws import JWSRegistry

from imr_fhir.ehr.address import local_reference
from imr_fhir.ehr.failure import failure
from imr_fhir.ehr.limits import LIMITS
from imr_fhir.ehr.outcome import plain
from imr_fhir.ehr.patient import NAME_LENGTH
from imr_fhir.ehr.transport import Transport
from imr_fhir.errors import BadReply, EhrError, IdentityError, NotConnected

CLOCK = timedelta(seconds=60)  # how far the EHR's clock may be from ours
REFETCH = timedelta(minutes=1)
RSA_BITS = 2048  # fewer can be factored (NIST SP 800-131A)
KEEP = timedelta(hours=1)  # a key that the EHR withdraws is gone after this
USER_TYPES = frozenset({"Practitioner", "PractitionerRole", "Patient", "RelatedPerson", "Person"})
ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"})
_AGAIN = "Open the app again from the patient's chart; if that does not help, tell the EHR's administrator."


@dataclass(frozen=True, slots=True)
class Identity:
    """``iss`` and ``sub`` name the user for good. ``fhir_user`` is ``Type/id`` of this EHR, else ""."""

    iss: str
    sub: str
    fhir_user: str = ""
    name: str = ""


class JwksCache:
    """The EHR's public keys. They are fetched again for an unknown ``kid``, and where tokens name none, but at most
    once a minute."""

    def __init__(self, transport: Transport, jwks_uri: str) -> None:
        self._transport = transport
        self._uri = jwks_uri
        self._lock = threading.Lock()
        self._keys: Mapping[str, Key] = {}
        self._asked: datetime | None = None
        self._failure: EhrError | None = None  # of the last time

    def key(self, kid: str, now: datetime, seconds: float | None = None) -> Key:
        """``seconds`` may shorten the transport's deadline, and holds for waiting on another's fetch as well.

        Raises IdentityError for a ``kid`` that the EHR does not publish, EhrError where it can't be asked.
        """
        ends = time.monotonic() + (LIMITS["jwks"].seconds if seconds is None else seconds)
        if not self._lock.acquire(timeout=max(0, ends - time.monotonic())):
            raise NotConnected("The EHR takes long to give its keys.", next_step="Try again in a minute.")
        try:
            since = now - self._asked if self._asked else None
            unsure = not kid or kid not in self._keys
            if since is None or since >= KEEP or (unsure and since >= REFETCH):
                self._asked, self._failure = now, None
                self._keys = _keys(self._transport, self._uri, ends - time.monotonic())
        except EhrError as error:
            self._failure = error
            raise
        finally:
            self._lock.release()
        if kid not in self._keys:
            if self._failure:
                raise self._failure.with_traceback(None)  # not "who you are is not verified": nobody could look
            if not kid:
                raise IdentityError("The id_token does not say which key signed it.", next_step=_AGAIN)
            raise IdentityError("The id_token is signed with a key that the EHR does not publish.", next_step=_AGAIN)
        return self._keys[kid]


def verify_id_token(
    id_token: str,
    jwks: JwksCache,
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    now: datetime,
    algorithms: Collection[str],
    fhir_base: str,
    previous: Identity | None = None,
    seconds: float | None = None,
) -> Identity:
    """The user. ``algorithms`` are the site's. With ``previous`` it is a refresh: the same user, aud may be
    missing, and a nonce counts only where ours is still known. ``seconds`` may shorten the deadline for the keys.

    Raises IdentityError, EhrError (keys can't be had), ValueError (an algorithm that needs no key of the EHR's).
    """
    if not algorithms or not ALGORITHMS.issuperset(algorithms):
        raise ValueError(f"id_token algorithms must be some of {', '.join(sorted(ALGORITHMS))}.")

    def find_key(token: GuestProtocol) -> Key:
        kid = token.headers().get("kid", "")
        if not isinstance(kid, str):
            raise IdentityError("The id_token does not say which key signed it.", next_step=_AGAIN)
        return jwks.key(kid, now, seconds)

    registry = JWSRegistry(algorithms=list(algorithms), strict_check_header=False)
    registry.max_header_length = 8_192  # a certificate chain (x5c) may stand there
    moment = int(now.timestamp())
    options: dict[str, jwt.ClaimsOption] = {
        "iss": {"essential": True, "value": issuer},
        "sub": {"essential": True},
        "aud": {"essential": previous is None, "value": client_id},
        "exp": {"essential": True},
        "iat": {"essential": True},
    }
    try:
        claims = jwt.decode(id_token, find_key, algorithms=list(algorithms), registry=registry).claims
        jwt.JWTClaimsRegistry(now=moment, leeway=int(CLOCK.total_seconds()), **options).validate(claims)
    except (JoseError, ValueError, RecursionError) as error:
        why = error.error if isinstance(error, JoseError) else "malformed"
        raise IdentityError(f"The EHR's id_token does not verify ({why}).", next_step=_AGAIN) from error
    _check(claims, client_id=client_id, nonce=nonce, moment=moment, previous=previous)
    return Identity(
        claims["iss"], claims["sub"], _fhir_user(claims, fhir_base), plain(_text(claims, "name"), NAME_LENGTH)
    )


def _check(claims: Mapping[str, Any], *, client_id: str, nonce: str, moment: int, previous: Identity | None) -> None:
    """What joserfc's registry does not check: azp, an old iat, the nonce, and the same user on refresh."""
    audience = claims.get("aud")
    several = isinstance(audience, list) and len(audience) > 1
    if claims.get("azp", None if several else client_id) != client_id:
        raise IdentityError("The id_token was made for another client (azp).", next_step=_AGAIN)
    if claims["iat"] < moment - CLOCK.total_seconds():
        raise IdentityError("The id_token is older than a minute, or a clock is wrong.", next_step=_AGAIN)
    if previous is None or (nonce and "nonce" in claims):
        found = claims.get("nonce")
        if not nonce or not isinstance(found, str) or not hmac.compare_digest(found.encode(), nonce.encode()):
            raise IdentityError("The id_token answers another log-in (nonce).", next_step=_AGAIN)
    if previous and (claims["iss"], claims["sub"]) != (previous.iss, previous.sub):
        raise IdentityError("The id_token is for another user than before.", next_step=_AGAIN)


def _fhir_user(claims: Mapping[str, Any], fhir_base: str) -> str:
    """``fhirUser`` (SMART 1 also had ``profile``), only where it is a user of this EHR: no other is ever fetched."""
    for name in ("fhirUser", "profile"):
        reference = local_reference(claims.get(name), fhir_base)
        if reference and reference.type in USER_TYPES:
            return str(reference)
    return ""


def _keys(transport: Transport, uri: str, seconds: float) -> dict[str, Key]:
    reply = transport.send("GET", uri, purpose="jwks", headers={"Accept": "application/json"}, seconds=seconds)
    if reply.status != 200:
        raise failure(reply, "for its keys")
    found = reply.json()
    listed = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise BadReply("The EHR's JWKS holds no list of keys.", next_step="Tell the EHR's administrator.")
    keys: dict[str, Key] = {}
    for entry in [entry for entry in listed if isinstance(entry, dict)]:
        names = _names(entry, alone=len(listed) == 1)
        if names and entry.get("kty") in ("RSA", "EC"):
            try:
                if entry["kty"] == "EC" or _bits(entry.get("n")) >= RSA_BITS:
                    keys |= dict.fromkeys(names, JWKRegistry.import_key(entry))
            except (JoseError, ValueError):
                continue  # one broken key must not hide the others; a token signed with it is refused as unknown
    return keys


def _names(entry: Mapping[str, Any], *, alone: bool) -> list[str]:
    """As which it is kept: by its ``kid``, and the only one as "" too."""
    kid = entry.get("kid")
    return [*([kid] if isinstance(kid, str) and kid else []), *([""] if alone else [])]


def _bits(modulus: object) -> int:
    """The length of an RSA key by its ``n`` (base64url). Raises ValueError where that is not one."""
    text = modulus if isinstance(modulus, str) else ""
    number = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    return int.from_bytes(number).bit_length()


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
