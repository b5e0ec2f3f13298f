"""oidc-provider (npm): an authorization server that nobody here wrote, started for one hospital's front."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.on_node import on_node

_HERE = Path(__file__).parent / "oidc"


@dataclass(frozen=True)
class Provider:
    """``secret`` is that of its client "front", which may ask about each token."""

    url: str
    secret: str


@contextmanager
def oidc_provider(
    *,
    issuer: str,
    fhir: str,
    client: str,
    redirect: str,
    scopes: tuple[str, ...],
    services: Mapping[str, str] | None = None,
    keys: Mapping[str, Any] | None = None,
) -> Iterator[Provider]:
    """``issuer`` is the front's address; ``client`` is public and comes back to ``redirect``. ``services`` are backend
    services, each with its signature's algorithm; ``keys`` is their JWK Set."""
    secret = secrets.token_urlsafe(32)
    known = {"issuer": issuer, "fhir": fhir, "client": client, "redirect": redirect, "scopes": scopes}
    backend = {"services": services or {}, "keys": keys or {"keys": []}}
    with on_node(_HERE, **known, **backend, secret=secret) as origin:
        yield Provider(origin, secret)
