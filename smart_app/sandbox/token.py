"""The token endpoint: codes, refresh tokens (rotated) and backend services turn into access tokens; and revocation."""

import secrets
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidScopeError, OAuth2Request
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant, RefreshTokenGrant
from authlib.oauth2.rfc7009 import RevocationEndpoint
from flask import Flask

from .authorize import EXTENSIONS, AuthorizationCode, EhrLaunch, Issuer
from .client_assertion import PrivateKeyJwt
from .clients import METHODS, Client
from .hospital import Hospital
from .id_token import id_token
from .launches import Launch, launch_of
from .vault import Entry

ONLINE_SECONDS, OFFLINE_SECONDS = 8 * 3600, 90 * 86400


class RefreshToken:
    """A refresh token, as Authlib asks about it."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry

    def check_client(self, client: Client) -> bool:
        return bool(self.entry.body["client_id"] == client.client_id)

    def get_scope(self) -> str:
        return str(self.entry.body["scope"])


class Refresh(RefreshTokenGrant):  # type: ignore[misc]  # Authlib has no type information
    """Each refresh token works once; a second use is a theft, and ends the launch (RFC 9700, 4.14)."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> RefreshToken | None:
        entry = self.server.hospital.vault.look("refresh", refresh_token)
        return RefreshToken(entry) if entry else None

    def authenticate_user(self, refresh_token: RefreshToken) -> Launch:
        return launch_of(refresh_token.entry.body)

    def issue_token(self, user: Launch, refresh_token: RefreshToken) -> dict[str, Any]:
        vault = self.server.hospital.vault
        if not vault.spend(refresh_token.entry):
            vault.revoke(refresh_token.entry.family)
            raise InvalidGrantError("The refresh token was used before: the launch is ended.")
        vault.revoke(refresh_token.entry.family, "access")
        token: dict[str, Any] = super().issue_token(user, refresh_token)
        return token

    def revoke_old_credential(self, refresh_token: RefreshToken) -> None:
        """It was spent before the new one was made; its row stays, so that a second use is noticed."""


class BackendServices(ClientCredentialsGrant):  # type: ignore[misc]
    """SMART Backend Services: system/ scopes, and an assertion; never a public client."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("private_key_jwt",)

    def validate_requested_scope(self) -> None:
        asked = (self.request.payload.scope or "").split()
        granted = (self.client.get_allowed_scope(self.request.payload.scope) or "").split()
        if (
            not asked
            or any(not scope.startswith("system/") for scope in asked)
            or granted != list(dict.fromkeys(asked))
        ):
            raise InvalidScopeError("Only registered system/ scopes are granted to a backend service.")


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    CLIENT_AUTH_METHODS = METHODS

    def query_token(self, token_string: str, token_type_hint: str | None) -> RefreshToken | None:  # noqa: ARG002
        vault = self.server.hospital.vault
        entry = vault.look("refresh", token_string) or vault.look("access", token_string)
        return RefreshToken(entry) if entry else None

    def revoke_token(self, token: RefreshToken, request: OAuth2Request) -> None:  # noqa: ARG002
        """A refresh token goes with all that came of its launch; an access token by itself (RFC 7009, 2.1)."""
        self.server.hospital.vault.revoke(token.entry.family, "access" if token.entry.kind == "access" else None)


class HospitalAuthorizationServer(AuthorizationServer):  # type: ignore[misc]
    def __init__(self, app: Flask, hospital: Hospital, token_url: str) -> None:
        self.hospital = hospital
        clients = {client.client_id: client for client in hospital.config.clients}
        super().__init__(app, query_client=clients.get, save_token=self._save)
        self.register_token_generator("default", self._generate)
        self.register_client_auth_method("private_key_jwt", PrivateKeyJwt(hospital, token_url))
        self.register_extension(Issuer)
        self.register_grant(EhrLaunch, EXTENSIONS)
        self.register_grant(Refresh)
        self.register_grant(BackendServices)
        self.register_endpoint(Revocation)

    def _generate(self, *, grant_type: str, scope: str | None, include_refresh_token: bool, **_: Any) -> dict[str, Any]:
        scopes = self.hospital.config.manners.granted((scope or "").split())
        token = {"token_type": "Bearer", "access_token": secrets.token_urlsafe(32), "scope": " ".join(scopes)}
        token["expires_in"] = self.hospital.config.seconds_access  # type: ignore[assignment]
        refreshable = grant_type != "client_credentials" and {"online_access", "offline_access"} & set(scopes)
        if include_refresh_token and refreshable:
            token["refresh_token"] = secrets.token_urlsafe(32)
        return token

    def _save(self, token: dict[str, Any], request: OAuth2Request) -> None:
        """Keeps the tokens, and adds to the reply what SMART says: the context, and the id_token with a code."""
        vault, config = self.hospital.vault, self.hospital.config
        launch: Launch = request.user or Launch(user="", patient="")
        before: AuthorizationCode | RefreshToken | None = request.authorization_code or request.refresh_token
        family = before.entry.family if before else secrets.token_hex(16)
        body = {
            "client_id": request.client.client_id,
            "scope": token["scope"],
            "launch": launch.body(),
            "first": not isinstance(before, RefreshToken),
        }
        vault.keep("access", token["access_token"], body, seconds=token["expires_in"], family=family)
        if "refresh_token" in token:
            seconds = OFFLINE_SECONDS if "offline_access" in token["scope"].split() else ONLINE_SECONDS
            # RFC 6749 6: the new refresh token has the scope of the old one, also where less was asked for this time
            whole = {**body, "scope": before.get_scope() if before else token["scope"]}
            vault.keep("refresh", token["refresh_token"], whole, seconds=seconds, family=family)
        if launch.patient and {"launch", "launch/patient"} & set(token["scope"].split()):
            token |= {"patient": launch.patient, "need_patient_banner": launch.need_patient_banner}
            told = {name: getattr(launch, name) for name in ("encounter", "intent", "tenant")}
            told["fhirContext"] = list(launch.fhir_context)
            token |= {name: part for name, part in told.items() if part}
        if isinstance(before, AuthorizationCode) and "openid" in token["scope"].split():
            token["id_token"] = id_token(
                self.hospital.keys,
                issuer=config.issuer,
                fhir_base=config.fhir_base,
                client_id=request.client.client_id,
                user=launch.user,
                name=self._name(launch.user),
                nonce=before.entry.body["nonce"],
                access_token=token["access_token"],
                alg=request.client.id_token_alg,
                now=config.clock(),
                fhir_user=launch.fhir_user if "fhirUser" in token["scope"].split() else "none",
                named=config.manners.key_ids,
            )

    def _name(self, user: str) -> str:
        stored = self.hospital.store.read(*user.split("/"))
        names = stored.resource().get("name", [{}]) if stored else [{}]
        return " ".join([*names[0].get("given", []), names[0].get("family", "")]).strip()
