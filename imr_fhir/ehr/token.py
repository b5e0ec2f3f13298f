"""Tokens: code exchange, refresh, revocation, backend services (RFC 6749, 7009, 7523; SMART App Launch 2.2)."""

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from authlib.oauth2.rfc6749.parameters import prepare_token_request
from authlib.oauth2.rfc7009 import prepare_revoke_token_request
from authlib.oauth2.rfc7523 import private_key_jwt_sign
from authlib.oauth2.rfc7523.client import ASSERTION_TYPE
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc.jwk import ECKey, RSAKey

from imr_fhir.ehr.address import is_id
from imr_fhir.ehr.discovery import SmartConfiguration
from imr_fhir.ehr.failure import failure
from imr_fhir.ehr.fhir_context import ContextItem, context_items
from imr_fhir.ehr.outcome import plain
from imr_fhir.ehr.transport import Transport
from imr_fhir.errors import AuthorizationError, BadReply, NotJson

ASSERTION_SECONDS = 240  # SMART: "no more than five minutes in the future"
_AGAIN = "Open the app again from the patient's chart."
_TELL = "Tell the EHR's administrator."
_OF_A_SERVICE = {
    "invalid_client": "Check the client id, and that the EHR has the public half of this key, under this kid.",
    "invalid_scope": "Ask for the scopes that this client is registered with, and no others.",
    "unauthorized_client": "Let the EHR's administrator register this client for client_credentials.",
}


@dataclass(frozen=True, slots=True)
class Public:
    """A client without a secret."""

    client_id: str


@dataclass(frozen=True, slots=True)
class PrivateKeyJwt:
    """A client that signs: RSA with RS384, EC P-384 with ES384 (SMART names these two). ``jku`` is our JWKS address."""

    client_id: str
    key: RSAKey | ECKey = field(repr=False)
    kid: str
    alg: str
    jku: str = ""


@dataclass(frozen=True, slots=True)
class ClientSecretBasic:
    """A client with a secret, which goes into a header alone (RFC 6749, 2.3.1)."""

    client_id: str
    secret: str = field(repr=False)

    @property
    def header(self) -> dict[str, str]:
        """Both are form-encoded before; a blank as %20, which servers that only percent-decode understand too."""
        pair = f"{quote(self.client_id, safe='')}:{quote(self.secret, safe='')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


ClientAuthentication = Public | PrivateKeyJwt | ClientSecretBasic


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """What the token endpoint gave. ``expires_at`` is None where it did not say; ``scope`` is what was granted.

    ``smart_style_url`` is not taken: the app's pages load nothing of another server.
    """

    access_token: str = field(repr=False)
    scope: tuple[str, ...]
    expires_at: datetime | None = None
    refresh_token: str = field(default="", repr=False)
    id_token: str = field(default="", repr=False)
    patient: str = ""
    encounter: str = ""
    fhir_context: tuple[ContextItem, ...] = ()
    need_patient_banner: bool = True
    intent: str = ""
    tenant: str = ""


def private_key_jwt(client_id: str, pem: bytes, *, kid: str = "", jku: str = "") -> PrivateKeyJwt:
    """A signing client from its private key in PEM; without ``kid`` the key's RFC 7638 thumbprint.

    Raises ValueError for any key but RSA of 2048 bits or more and EC P-384.
    """
    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    key: RSAKey | ECKey
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size >= 2048:
        key, alg = RSAKey.import_key(private), "RS384"
    elif isinstance(private, ec.EllipticCurvePrivateKey) and isinstance(private.curve, ec.SECP384R1):
        key, alg = ECKey.import_key(private), "ES384"
    else:
        raise ValueError(
            "The client's key is no private RSA key of 2048 bits or more and no private EC P-384 key in PEM."
        )
    return PrivateKeyJwt(client_id, key, kid or key.thumbprint(), alg, jku)


def public_jwks(clients: Iterable[PrivateKeyJwt]) -> dict[str, Any]:
    """Our public keys as a JWK Set, for the EHR to fetch."""
    return {
        "keys": [
            client.key.as_dict(private=False, kid=client.kid, alg=client.alg, use="sig", key_ops=["verify"])
            for client in clients
        ]
    }


def exchange_code(
    transport: Transport,
    config: SmartConfiguration,
    authentication: ClientAuthentication,
    *,
    code: str,
    redirect_uri: str,
    verifier: str,
    asked: Iterable[str],
    now: datetime,
) -> TokenResponse:
    """The code's token. A code is sent once only: after a LostReply the user begins again. ``state`` is not sent.

    Raises AuthorizationError (the server says no), EhrError.
    """
    fields = {"code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
    found = _ask(transport, config, authentication, "authorization_code", fields, now)
    return _token(found, tuple(asked), now)


def refresh(
    transport: Transport,
    config: SmartConfiguration,
    authentication: ClientAuthentication,
    previous: TokenResponse,
    *,
    now: datetime,
    seconds: float | None = None,
    refused: Callable[[TokenResponse], None] = lambda _: None,
) -> TokenResponse:
    """A new token; what the reply leaves out (patient, encounter, refresh_token, id_token …) is kept.

    ``seconds`` may shorten the transport's deadline. Raises AuthorizationError, with ``error`` "invalid_grant" where
    the session is over, and where the new token is for another patient: then ``refused`` is given it, to end it.
    """
    fields = {"refresh_token": previous.refresh_token}
    found = _ask(transport, config, authentication, "refresh_token", fields, now, seconds)
    fresh = _token(found, previous.scope, now)
    kept = {name: getattr(previous, name) for name in _KEPT if not getattr(fresh, name)}
    if "need_patient_banner" not in found:
        kept["need_patient_banner"] = previous.need_patient_banner
    whole = replace(fresh, **kept)
    if whole.patient != previous.patient:
        refused(whole)
        raise AuthorizationError("The EHR renewed the log-in for another patient.", next_step=_AGAIN)
    return whole


def revoke(
    transport: Transport,
    config: SmartConfiguration,
    authentication: ClientAuthentication,
    token: str,
    *,
    hint: str,
    now: datetime,
    seconds: float | None = None,
) -> bool:
    """Ends ``token`` (``hint``: access_token or refresh_token); False where the EHR has no way to. Raises EhrError.

    ``seconds`` may shorten the transport's deadline.
    """
    if not config.revocation_endpoint:
        return False
    body, headers = prepare_revoke_token_request(token, hint, _identify(authentication, config.token_endpoint, now))
    headers |= _proof(authentication)
    url = config.revocation_endpoint
    reply = transport.send("POST", url, purpose="token", headers=headers, body=body.encode(), seconds=seconds)
    if reply.status != 200:
        raise failure(reply, "to end the log-in")
    return True


def backend_token(
    transport: Transport,
    config: SmartConfiguration,
    authentication: PrivateKeyJwt,
    *,
    scopes: Iterable[str],
    now: datetime,
) -> TokenResponse:
    """A token without a user (SMART Backend Services). Raises AuthorizationError, EhrError."""
    asked = tuple(scopes)
    found = _ask(transport, config, authentication, "client_credentials", {"scope": " ".join(asked)}, now)
    return _token(found, asked, now)


_KEPT = ("refresh_token", "id_token", "patient", "encounter", "fhir_context", "intent", "tenant")


def _identify(authentication: ClientAuthentication, endpoint: str, now: datetime) -> str:
    """The client's own part of a form body. Keycloak wants ``client_id`` of a public client on refresh too."""
    if isinstance(authentication, ClientSecretBasic):
        return ""
    if isinstance(authentication, Public):
        return urlencode({"client_id": authentication.client_id})
    issued = int(now.timestamp())
    header = {"kid": authentication.kid} | ({"jku": authentication.jku} if authentication.jku else {})
    assertion = private_key_jwt_sign(
        authentication.key,
        authentication.client_id,
        endpoint,
        alg=authentication.alg,
        header=header,
        issued_at=issued,
        expires_at=issued + ASSERTION_SECONDS,
    )
    return urlencode({"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion})


def _proof(authentication: ClientAuthentication) -> dict[str, str]:
    return authentication.header if isinstance(authentication, ClientSecretBasic) else {}


def _ask(
    transport: Transport,
    config: SmartConfiguration,
    authentication: ClientAuthentication,
    grant_type: str,
    fields: Mapping[str, str],
    now: datetime,
    seconds: float | None = None,
) -> dict[str, Any]:
    body = prepare_token_request(grant_type, _identify(authentication, config.token_endpoint, now), **fields)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    headers |= _proof(authentication)
    url = config.token_endpoint
    reply = transport.send("POST", url, purpose="token", headers=headers, body=body.encode(), seconds=seconds)
    try:
        found = reply.json()
    except NotJson:
        found = None
    if reply.status in (400, 401, 403) and isinstance(found, dict) and isinstance(found.get("error"), str):
        error, said = plain(found["error"], 60), plain(str(found.get("error_description", "")))
        message = f"The EHR gave no token ({error}). {f'The EHR says: {said}' if said else ''}".strip()
        service = grant_type == "client_credentials"
        raise AuthorizationError(message, next_step=_OF_A_SERVICE.get(error, _TELL) if service else _AGAIN, error=error)
    if reply.status != 200:
        raise failure(reply, "to give a token")
    if not isinstance(found, dict):
        raise BadReply("The EHR's token endpoint did not answer with JSON.", next_step=_TELL)
    return found


def _token(found: Mapping[str, Any], asked: tuple[str, ...], now: datetime) -> TokenResponse:
    if str(found.get("token_type", "")).lower() != "bearer":
        raise BadReply("The EHR gave a token of a type that is not Bearer.", next_step=_TELL)
    texts = {name: _text(found, name) for name in (*_TEXTS, "access_token")}
    if not texts["access_token"].isascii() or not texts["access_token"].isprintable() or " " in texts["access_token"]:
        raise BadReply("The EHR's access token has characters that no header can carry.", next_step=_TELL)
    if not texts["access_token"]:
        raise BadReply("The EHR's reply holds no access token.", next_step=_TELL)
    for name in ("patient", "encounter"):
        if texts[name] and not is_id(texts[name]):
            raise BadReply(f"{name} in the EHR's token reply is no FHIR id.", next_step=_TELL)
    seconds = found.get("expires_in")
    seconds = int(seconds) if isinstance(seconds, str) and seconds.isdigit() else seconds  # Azure AD v1 sends a string
    return TokenResponse(
        **texts,
        # RFC 6749, 5.1: no scope means the scope that was asked for
        scope=tuple(_text(found, "scope").split()) or asked,
        expires_at=now + timedelta(seconds=min(seconds, 10**8)) if isinstance(seconds, int) and seconds > 0 else None,
        fhir_context=context_items(found.get("fhirContext")),
        need_patient_banner=found.get("need_patient_banner") is not False,
    )


_TEXTS = ("refresh_token", "id_token", "patient", "encounter", "intent", "tenant")


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadReply(f"{name} in the EHR's token reply is no text.", next_step=_TELL)
    return value
