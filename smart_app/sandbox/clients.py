"""Registered applications, in the shape that Authlib asks about them (RFC 7591's words)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import ClientMixin

from .scopes import grantable

APP_GRANTS = ("authorization_code", "refresh_token")
BACKEND_GRANTS = ("client_credentials",)


@dataclass(frozen=True)
class Client(ClientMixin):  # type: ignore[misc]  # Authlib has no type information
    """One registration. With ``jwks`` (a JWK Set) or ``jwks_uri`` it is confidential and signs in with private_key_jwt;
    with neither it is public. ``scopes`` are all that it may ever be granted; ``patient/*.cruds`` covers each patient/
    scope. ``redirect_uris`` are compared as whole strings."""

    client_id: str
    name: str
    scopes: tuple[str, ...]
    redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = APP_GRANTS
    jwks: Mapping[str, Any] | None = None
    jwks_uri: str = ""
    id_token_alg: str = "RS256"  # noqa: S105  # an algorithm, no secret

    @property
    def confidential(self) -> bool:
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

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002  # Authlib's signature
        return method == ("private_key_jwt" if self.confidential else "none")

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and "authorization_code" in self.grant_types

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.grant_types
