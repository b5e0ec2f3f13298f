"""The hospital's signing keys (made at first start), and the keys of its clients."""

import json
import threading
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2.rfc6749 import InvalidClientError
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from .clients import Client
from .database import Database

LOOPBACK = ("127.0.0.1", "localhost", "::1")
MOST_BYTES = 256 * 1024


class SigningKeys:
    """One RSA key for RS256 and one EC key for ES384."""

    def __init__(self, database: Database) -> None:
        with database.write() as connection:
            kept = connection.execute("SELECT jwk FROM signing_key ORDER BY kid").fetchall()
            if not kept:
                rsa = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "hospital-rs256"})
                ec = ECKey.generate_key("P-384", {"use": "sig", "alg": "ES384", "kid": "hospital-es384"})
                kept = [(json.dumps(key.as_dict(private=True)),) for key in (ec, rsa)]
                rows = [(json.loads(text)["kid"], text) for (text,) in kept]
                connection.executemany("INSERT INTO signing_key VALUES (?, ?)", rows)
        self._set = KeySet.import_key_set({"keys": [json.loads(text) for (text,) in kept]})

    def signing(self, alg: str) -> RSAKey | ECKey:
        for key in self._set.keys:
            if isinstance(key, RSAKey | ECKey) and key.alg == alg:
                return key
        raise ValueError(f"the hospital has no key for {alg}")

    def public(self, *, named: bool = True) -> dict[str, Any]:
        """A JWK Set without private parts; not ``named``, it is the RSA key alone, without its kid."""
        if named:
            return {"keys": [key.as_dict(private=False) for key in self._set.keys]}
        only = self.signing("RS256").as_dict(private=False)
        return {"keys": [{name: value for name, value in only.items() if name != "kid"}]}


class ClientKeys:
    """Public keys of the clients: given at registration, or fetched from their ``jwks_uri`` on this machine."""

    def __init__(self) -> None:
        self._fetched: dict[str, KeySet] = {}
        self._lock = threading.Lock()

    def find(self, client: Client, kid: str) -> KeySet:
        """Raises InvalidClientError where no key with this ``kid`` is registered; asks a jwks_uri again once."""
        if client.jwks:
            found = _only(_key_set(client.jwks), kid)
        else:
            with self._lock:
                found = _only(self._fetched.get(client.jwks_uri), kid)
                if found is None:
                    self._fetched[client.jwks_uri] = fetched = _key_set(fetch_jwks(client.jwks_uri))
                    found = _only(fetched, kid)
        if found is None:
            raise InvalidClientError(description="No registered key has the kid of the assertion.")
        return found


def fetch_jwks(url: str) -> dict[str, Any]:
    """A JWK Set from this machine. Raises InvalidClientError for any other place, or where it can't be read."""
    if urlsplit(url).scheme != "http" or urlsplit(url).hostname not in LOOPBACK:
        raise InvalidClientError(description="A jwks_uri of the sandbox must be http on this machine.")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as reply:
            value = json.loads(reply.read(MOST_BYTES))
    except (OSError, ValueError) as error:
        raise InvalidClientError(description=f"The jwks_uri can not be read: {type(error).__name__}.") from None
    if not isinstance(value, dict):
        raise InvalidClientError(description="The jwks_uri holds no JWK Set.")
    return value


def _only(keys: KeySet | None, kid: str) -> KeySet | None:
    found = [key for key in keys.keys if key.kid == kid] if keys else []
    return KeySet(found) if found else None


def _key_set(jwks: Mapping[str, Any]) -> KeySet:
    try:
        return KeySet.import_key_set({"keys": list(jwks["keys"])})
    except (KeyError, TypeError, ValueError, JoseError) as error:
        raise InvalidClientError(description=f"The registered keys can not be read: {type(error).__name__}.") from None
