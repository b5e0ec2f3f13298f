"""oidc-provider (npm): an authorization server that nobody here wrote, started for one hospital's front."""

import json
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.npm import node_modules

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
    settings = {
        "issuer": issuer,
        "fhir": fhir,
        "client": client,
        "secret": secret,
        "redirect": redirect,
        "scopes": scopes,
        "services": services or {},
        "keys": keys or {"keys": []},
        "modules": str(node_modules(_HERE)),
    }
    command = ["node", str(_HERE / "server.js"), json.dumps(settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout
            said = server.stdout.readline()
            assert said.startswith("READY "), "oidc-provider did not start"
            yield Provider(f"http://127.0.0.1:{said.split()[1]}", secret)
        finally:
            server.terminate()
