"""The id_token: who is logged in, signed by the hospital (OpenID Connect Core 2, SMART's fhirUser)."""

import base64
import hashlib
from datetime import datetime

from joserfc import jwt

from .keys import SigningKeys
from .launches import FhirUser

SECONDS = 600
_HALF_HASH = {"RS256": hashlib.sha256, "ES384": hashlib.sha384}


def id_token(
    keys: SigningKeys,
    *,
    issuer: str,
    fhir_base: str,
    client_id: str,
    user: str,
    name: str,
    nonce: str,
    access_token: str,
    alg: str,
    now: datetime,
    fhir_user: FhirUser,
    named: bool = True,
) -> str:
    """Compact JWS. ``user`` is a reference; ``fhirUser`` is its URL, given where the scope was granted. ``named``: it
    says with which key it is signed."""
    seconds = int(now.timestamp())
    claims = {
        "iss": issuer,
        "sub": subject(user),
        "aud": client_id,
        "iat": seconds,
        "exp": seconds + SECONDS,
        "auth_time": seconds,
        "at_hash": _half_hash(access_token, alg),
    }
    if nonce:
        claims["nonce"] = nonce
    if fhir_user != "none":
        claims |= {"fhirUser": user if fhir_user == "relative" else f"{fhir_base}/{user}", "name": name}
    key = keys.signing(alg)
    header = {"alg": alg, **({"kid": key.kid} if named else {}), "typ": "JWT"}
    return jwt.encode(header, claims, key, algorithms=[alg])


def subject(user: str) -> str:
    """A stable name for a user that is not its FHIR id: an application that mixes the two is found out."""
    return hashlib.sha256(f"hospital-user|{user}".encode()).hexdigest()[:32]


def _half_hash(text: str, alg: str) -> str:
    digest = _HALF_HASH[alg](text.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
