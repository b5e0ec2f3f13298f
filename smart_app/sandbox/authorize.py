"""The authorization endpoint: SMART's EHR launch. The launch token says who is logged in, so there is no page to fill
in and no cookie: the endpoint works inside a frame of another site. A standalone launch comes here with the token that
``standalone`` made of what a person chose."""

import re
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207.parameter import IssuerParameter

from .clients import METHODS
from .faults import cut
from .hospital import Hospital
from .launches import Launch, launch_of, unused_launch
from .vault import Entry

CODE_SECONDS = 60
S256_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class AuthorizationCode:
    """A code that was just spent, as Authlib asks about it."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.code_challenge = entry.body["code_challenge"]
        self.code_challenge_method = "S256"

    @property
    def launch(self) -> Launch:
        return launch_of(self.entry.body)

    def get_redirect_uri(self) -> str:
        return str(self.entry.body["redirect_uri"])

    def get_scope(self) -> str:
        return str(self.entry.body["scope"])


class EhrLaunch(AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib has no type information
    """The code of an EHR launch: single use; the second use ends all that the first one gave."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    @property
    def hospital(self) -> Hospital:
        hospital = self.server.hospital
        assert isinstance(hospital, Hospital)
        return hospital

    def create_authorization_response(self, redirect_uri: str, grant_user: Any) -> Any:  # noqa: ARG002
        """The user is the launch's; there is nobody to ask."""
        return super().create_authorization_response(redirect_uri, self.request.user)

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        entry: Entry = request.user
        if not self.hospital.vault.spend(entry):
            raise InvalidRequestError("The launch was used already.", redirect_uri=request.payload.redirect_uri)
        launch = launch_of(entry.body)
        scope = launch.granted.split() or request.scope.split()
        body = {
            "client_id": request.client.client_id,
            "redirect_uri": request.payload.redirect_uri,
            "scope": " ".join(cut(scope) if "cut-scopes" in launch.faults else scope),
            "nonce": request.payload.data.get("nonce", ""),
            "code_challenge": request.payload.data["code_challenge"],
            "launch": entry.body["launch"],
        }
        self.hospital.vault.keep("code", code, body, seconds=CODE_SECONDS, family=entry.family)

    def query_authorization_code(self, code: str, client: Any) -> AuthorizationCode | None:
        entry = self.hospital.vault.look("code", code)
        if entry is None or entry.body["client_id"] != client.client_id:
            return None
        if not self.hospital.vault.spend(entry):
            self.hospital.vault.revoke(entry.family)  # RFC 6749 4.1.2: used twice, somebody else has it
            return None
        return AuthorizationCode(entry)

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """It was spent when it was looked up; its row stays, so that a second use is noticed."""

    def authenticate_user(self, authorization_code: AuthorizationCode) -> Launch:
        return authorization_code.launch


class SmartRequest:
    """What SMART demands of an authorization request beyond OAuth: S256, aud, state, and a live launch token."""

    def __call__(self, grant: EhrLaunch) -> None:
        grant.register_hook("after_validate_authorization_request_payload", self.check)

    def check(self, grant: EhrLaunch, redirect_uri: str) -> None:  # noqa: ARG002  # Authlib's signature
        payload, hospital = grant.request.payload, grant.hospital
        grant.validate_no_multiple_request_parameter(grant.request)
        asked = payload.data.get
        if asked("code_challenge_method") != "S256" or not S256_CHALLENGE.fullmatch(asked("code_challenge", "")):
            # Authlib's CodeChallenge binds public clients only, and lets "plain" pass.
            raise InvalidRequestError("A code_challenge with code_challenge_method S256 is required.")
        if not payload.state:
            raise InvalidRequestError("A state is required.")
        if asked("aud", "").rstrip("/") != hospital.config.fhir_base:
            raise InvalidRequestError(f"The aud must be {hospital.config.fhir_base}")
        if {"launch", "launch/patient"}.isdisjoint((payload.scope or "").split()):
            raise InvalidRequestError("Ask for the scope launch, or standalone for launch/patient.")
        if not hospital.config.manners.wildcards and "/*." in (payload.scope or ""):
            raise InvalidScopeError("Scopes are for one type each here.")
        entry = unused_launch(hospital.vault, asked("launch", ""))
        if entry is None:
            raise InvalidRequestError("The launch is unknown, used already, or older than five minutes.")
        grant.request.user = entry


class Issuer(IssuerParameter):  # type: ignore[misc]
    """RFC 9207: every redirect back says which authorization server speaks."""

    def __init__(self, server: Any) -> None:
        self._issuer = server.hospital.config.issuer
        self(server)

    def get_issuer(self) -> str:
        return str(self._issuer)


EXTENSIONS = (CodeChallenge(required=True), SmartRequest())


def authorization_response(server: Any) -> Any:
    """The Flask response: a redirect back, or Authlib's error where redirecting would serve an attacker (unknown
    client, redirect_uri that is not registered)."""
    request = server.create_oauth2_request(None)
    try:
        grant = server.get_authorization_grant(request)
    except OAuth2Error as error:
        error.state = request.payload.state
        response = server.handle_error_response(request, error)
        Issuer(server).add_issuer_parameter(server, response)
        return response
    return server.create_authorization_response(request, grant=grant)
