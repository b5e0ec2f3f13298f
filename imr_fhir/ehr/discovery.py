"""What a SMART server says of itself: ``.well-known/smart-configuration`` (SMART App Launch 2.2, Conformance)."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imr_fhir.ehr.address import origin
from imr_fhir.ehr.transport import Transport
from imr_fhir.errors import BadReply, NotFound


@dataclass(frozen=True, slots=True)
class SmartConfiguration:
    """Endpoints are absolute addresses of the site's hosts, or "" where the server has none.

    ``fhir_base`` is as it was given: the request's ``aud`` must be the launch's ``iss`` to the letter.
    """

    fhir_base: str
    issuer: str = ""
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    jwks_uri: str = ""
    revocation_endpoint: str = ""
    capabilities: tuple[str, ...] = ()
    code_challenge_methods: tuple[str, ...] = ()
    scopes_supported: tuple[str, ...] = ()
    token_endpoint_auth_methods: tuple[str, ...] = ()
    iss_parameter: bool = False  # RFC 9207: each callback carries iss


ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint")


def discover(
    transport: Transport, fhir_base: str, *, seconds: float | None = None, called: Collection[str] = ENDPOINTS
) -> SmartConfiguration:
    """Asks the server; the caller keeps the answer (an hour at most). ``seconds`` may shorten the transport's deadline.

    ``called`` are the endpoints that the caller has a use for: the others' hosts need not be the site's.

    A server of SMART 1.0 has no such document and names its endpoints in the CapabilityStatement.
    Raises RefusedUrl where an endpoint is not on a host of the site, BadReply where the answer is not SMART's, NotFound
    where it is in neither place.
    """
    base = fhir_base.rstrip("/")
    found = _document(transport, f"{base}/.well-known/smart-configuration", seconds)
    if found is None:
        found = _oauth_uris(transport, base, seconds)
        found |= _openid(transport, (base, origin(_text(found, "token_endpoint"))), seconds)
    configuration = SmartConfiguration(
        fhir_base=fhir_base,
        **{name: _text(found, name) for name in ("issuer", *ENDPOINTS)},
        capabilities=_texts(found, "capabilities"),
        code_challenge_methods=_texts(found, "code_challenge_methods_supported"),
        scopes_supported=_texts(found, "scopes_supported"),
        token_endpoint_auth_methods=_texts(found, "token_endpoint_auth_methods_supported"),
        iss_parameter=found.get("authorization_response_iss_parameter_supported") is True,
    )
    if not configuration.token_endpoint:
        raise BadReply(f"{fhir_base} names no token_endpoint.", next_step=_TELL)
    for name in called:
        if endpoint := _text(found, name):
            transport.check(endpoint)
    return configuration


def _document(transport: Transport, url: str, seconds: float | None) -> dict[str, Any] | None:
    """The JSON object at ``url``; None where there is none."""
    accept = {"Accept": "application/fhir+json, application/json"}
    reply = transport.send("GET", url, purpose="metadata", headers=accept, seconds=seconds)
    if reply.status == 404:
        return None
    found = reply.json() if reply.status == 200 else None
    if not isinstance(found, dict):
        raise BadReply(f"{url} answered {reply.status} without a SMART configuration.", next_step=_TELL)
    return found


def _oauth_uris(transport: Transport, base: str, seconds: float | None) -> dict[str, Any]:
    """The endpoints of ``rest.security`` in the CapabilityStatement (SMART App Launch 1.0.0, Conformance)."""
    statement = _document(transport, f"{base}/metadata", seconds) or {}
    for rest in _objects(statement.get("rest")):
        security = rest.get("security")
        for extension in _objects(security.get("extension") if isinstance(security, Mapping) else None):
            if extension.get("url") == OAUTH_URIS:
                uris = {part.get("url"): part.get("valueUri") for part in _objects(extension.get("extension"))}
                if uris.get("token"):
                    return {name: uris[uri] for uri, name in _OF_SMART_1.items() if uri in uris}
    raise NotFound(f"{base} has no SMART configuration.", status=404, next_step="Check the site's FHIR address.")


def _openid(transport: Transport, issuers: Iterable[str], seconds: float | None) -> dict[str, Any]:
    """Issuer and keys, which oauth-uris lacks: without them nobody can be identified, and one may read only.

    OpenID Connect Discovery 4.3: an issuer is believed only at its own address.
    """
    for issuer in issuers:
        try:
            found = _document(transport, f"{issuer}/.well-known/openid-configuration", seconds) or {}
        except BadReply:
            continue  # a page for people, or a refusal: as good as nothing there
        if _text(found, "issuer").rstrip("/") == issuer:
            return {"issuer": found["issuer"], "jwks_uri": _text(found, "jwks_uri")}
    return {}


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


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    return (part for part in (value if isinstance(value, list) else []) if isinstance(part, Mapping))


OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_OF_SMART_1 = {
    "authorize": "authorization_endpoint",
    "token": "token_endpoint",
    "revoke": "revocation_endpoint",
}
_TELL = "Tell the EHR's administrator."
