"""What a SMART server says of itself: ``.well-known/smart-configuration`` (SMART App Launch 2.2, Conformance)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imr_fhir.ehr.transport import Transport
from imr_fhir.errors import BadReply, NotFound


@dataclass(frozen=True, slots=True)
class SmartConfiguration:
    """Endpoints are absolute addresses of the site's hosts, or "" where the server has none.

    ``fhir_base`` is as it was given: the request's ``aud`` must be the launch's ``iss`` to the letter.
    """

    fhir_base: str
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    revocation_endpoint: str
    introspection_endpoint: str
    capabilities: tuple[str, ...]
    code_challenge_methods: tuple[str, ...]
    scopes_supported: tuple[str, ...]
    token_endpoint_auth_methods: tuple[str, ...]
    iss_parameter: bool  # RFC 9207: each callback carries iss


def discover(transport: Transport, fhir_base: str, *, seconds: float | None = None) -> SmartConfiguration:
    """Asks the server; the caller keeps the answer (an hour at most). ``seconds`` may shorten the transport's deadline.

    Raises RefusedUrl where an endpoint is not on a host of the site, BadReply where the answer is not SMART's.
    """
    url = f"{fhir_base.rstrip('/')}/.well-known/smart-configuration"
    accept = {"Accept": "application/json"}
    reply = transport.send("GET", url, purpose="metadata", headers=accept, seconds=seconds)
    if reply.status == 404:
        raise NotFound(
            f"{fhir_base} has no SMART configuration.", status=404, next_step="Check the site's FHIR address."
        )
    found = reply.json() if reply.status == 200 else None
    if not isinstance(found, dict):
        raise BadReply(f"{url} answered {reply.status} without a SMART configuration.", next_step=_TELL)
    configuration = SmartConfiguration(
        fhir_base=fhir_base,
        issuer=_text(found, "issuer"),
        authorization_endpoint=_text(found, "authorization_endpoint"),
        token_endpoint=_text(found, "token_endpoint"),
        jwks_uri=_text(found, "jwks_uri"),
        revocation_endpoint=_text(found, "revocation_endpoint"),
        introspection_endpoint=_text(found, "introspection_endpoint"),
        capabilities=_texts(found, "capabilities"),
        code_challenge_methods=_texts(found, "code_challenge_methods_supported"),
        scopes_supported=_texts(found, "scopes_supported"),
        token_endpoint_auth_methods=_texts(found, "token_endpoint_auth_methods_supported"),
        iss_parameter=found.get("authorization_response_iss_parameter_supported") is True,
    )
    if not configuration.token_endpoint:
        raise BadReply(f"{url} names no token_endpoint.", next_step=_TELL)
    for endpoint in (
        configuration.authorization_endpoint,
        configuration.token_endpoint,
        configuration.jwks_uri,
        configuration.revocation_endpoint,
        configuration.introspection_endpoint,
    ):
        if endpoint:
            transport.check(endpoint)
    return configuration


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name, "")
    if not isinstance(value, str):
        raise BadReply(f"{name} of the SMART configuration is no text.", next_step=_TELL)
    return value


def _texts(found: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = found.get(name, [])
    if not isinstance(value, list):
        raise BadReply(f"{name} of the SMART configuration is no list.", next_step=_TELL)
    return tuple(text for text in value if isinstance(text, str))


_TELL = "Tell the EHR's administrator."
