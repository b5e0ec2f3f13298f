"""private_key_jwt: a client proves itself with a signed assertion (RFC 7523, and what SMART adds to it)."""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jws, jwt
from joserfc.errors import JoseError

from .clients import Client
from .hospital import Hospital

ALGORITHMS = ["RS384", "ES384"]
LONGEST = 300  # SMART: exp no more than five minutes in the future
LEEWAY = 60


class PrivateKeyJwt(JWTBearerClientAssertion):  # type: ignore[misc]  # Authlib has no type information
    CLIENT_AUTH_METHOD = "private_key_jwt"

    def __init__(self, hospital: Hospital, token_url: str) -> None:
        super().__init__(leeway=LEEWAY)
        self._hospital = hospital
        self._audience = token_url

    def resolve_client_public_key(self, client: Client) -> Client:
        """The key depends on the assertion's header too: see process_assertion_claims."""
        return client

    def __call__(self, query_client: Any, request: Any) -> Any:
        data = request.form
        if data.get("client_assertion_type") != self.CLIENT_ASSERTION_TYPE or not data.get("client_assertion"):
            return None
        headers, unverified = self.extract_assertion(data["client_assertion"])
        client = query_client(unverified.get("sub"))
        if client is None or not client.signs:
            raise InvalidClientError(description="The client is not registered with keys.")
        if self._hospital.config.manners.jwks_url and not client.jwks_uri:
            raise InvalidClientError(description="Register a JWK Set URL: keys that were handed in are not used here.")
        self._verify(data["client_assertion"], headers, client)
        request.client = client
        return client

    def _verify(self, assertion: str, headers: dict[str, Any], client: Client) -> None:
        if headers.get("jku", client.jwks_uri) != client.jwks_uri:
            raise InvalidClientError(description="The jku of the assertion is not the registered jwks_uri.")
        keys = self._hospital.client_keys.find(client, str(headers.get("kid", "")))
        now = int(self._hospital.config.clock().timestamp())
        rules = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY,
            iss={"essential": True, "value": client.client_id},
            sub={"essential": True, "value": client.client_id},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
            jti={"essential": True},
        )
        try:
            claims = jwt.decode(
                assertion, keys, algorithms=ALGORITHMS, registry=jws.JWSRegistry(algorithms=ALGORITHMS)
            ).claims
            rules.validate(claims)
        except JoseError as error:
            raise InvalidClientError(description=f"The assertion does not verify: {type(error).__name__}.") from None
        if claims["exp"] > now + LONGEST + LEEWAY:
            raise InvalidClientError(description="The assertion lives longer than five minutes.")
        name = f"{client.client_id}|{claims['jti']}"
        if not self._hospital.vault.keep("assertion", name, {}, seconds=claims["exp"] - now + LEEWAY):
            raise InvalidClientError(description="The jti of the assertion was used before.")
