"""Registered applications, in the shape that Authlib asks about them (RFC 7591's words)."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authlib.oauth2.rfc6749 import ClientMixin

from .scopes import grantable

METHODS = ("private_key_jwt", "client_secret_basic", "none")
APP_GRANTS = ("authorization_code", "refresh_token")
BACKEND_GRANTS = ("client_credentials",)


@dataclass(frozen=True)
class Client(ClientMixin):  # type: ignore[misc]  # Authlib has no type information
    """One registration. With ``jwks`` (a JWK Set) or ``jwks_uri`` it signs in with private_key_jwt, with ``secret`` by
    client_secret_basic; with none of them it is public. ``scopes`` are all that it may ever be granted;
    ``patient/*.cruds`` covers each patient/ scope. ``redirect_uris`` are compared as whole strings."""

    client_id: str
    name: str
    scopes: tuple[str, ...]
    redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = APP_GRANTS
    jwks: Mapping[str, Any] | None = None
    jwks_uri: str = ""
    secret: str = field(default="", repr=False)
    id_token_alg: str = "RS256"  # noqa: S105  # an algorithm, no secret

    @property
    def signs(self) -> bool:
        return bool(self.jwks or self.jwks_uri)

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        """None: SMART requires redirect_uri in the request."""
        return

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """The asked scopes that this registration covers; None (invalid_scope) where nothing is left."""
        return " ".join(grantable(self.scopes, (scope or "").split())) or None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        return bool(self.secret) and hmac.compare_digest(self.secret.encode(), client_secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002  # Authlib's signature
        if self.signs:
            return method == "private_key_jwt"
        return method == ("client_secret_basic" if self.secret else "none")

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and "authorization_code" in self.grant_types

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.grant_types
