"""HAPI FHIR behind the sandbox's log-in: the app's whole way of working on a FHIR server that nobody here wrote.

The front takes the place of the sandbox's FHIR store. It asks for a token and forwards; HAPI itself knows no
authorization. Addresses that HAPI writes into its answers become the front's.
"""

import json
from collections.abc import Callable, Iterable
from importlib.resources import files
from typing import Any

import requests

from tests.running import Running

_FORWARDED = {
    "HTTP_ACCEPT": "Accept",
    "CONTENT_TYPE": "Content-Type",
    "HTTP_CACHE_CONTROL": "Cache-Control",
    "HTTP_IF_MATCH": "If-Match",
    "HTTP_IF_NONE_EXIST": "If-None-Exist",
    "HTTP_PREFER": "Prefer",
}
_RETURNED = ("Content-Type", "Location", "ETag", "Last-Modified")


class HapiFront:
    """WSGI: /fhir to HAPI, everything else (log-in, chart pages) to the sandbox."""

    def __init__(self, hospital: Callable[..., Iterable[bytes]], hapi_base: str, base: str) -> None:
        self._hospital = hospital
        self._hapi = hapi_base
        self._base = base

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if not path.startswith("/fhir") or path.startswith("/fhir/.well-known"):
            return self._hospital(environ, start_response)
        if path != "/fhir/metadata" and not environ.get("HTTP_AUTHORIZATION", "").startswith("Bearer "):
            start_response("401 Unauthorized", [("Content-Type", "text/plain")])
            return [b"no token"]
        length = int(environ.get("CONTENT_LENGTH") or 0)
        reply = requests.request(
            environ["REQUEST_METHOD"],
            f"{self._hapi}{path.removeprefix('/fhir')}?{environ.get('QUERY_STRING', '')}".rstrip("?"),
            data=environ["wsgi.input"].read(length) if length else None,
            headers={name: environ[key] for key, name in _FORWARDED.items() if environ.get(key)},
            timeout=60,
            allow_redirects=False,
        )
        headers = [
            (name, reply.headers[name].replace(self._hapi, self._base)) for name in _RETURNED if name in reply.headers
        ]
        start_response(f"{reply.status_code} {reply.reason}", headers)
        return [reply.content.replace(self._hapi.encode(), self._base.encode())]


def of_hapi(hapi_base: str, resource_type: str, **params: str) -> list[dict[str, Any]]:
    """What HAPI itself has, by plain FHIR, oldest first."""
    asked = params | {"_count": "100", "_sort": "_lastUpdated"}
    headers = {"Cache-Control": "no-cache"}
    found = requests.get(f"{hapi_base}/{resource_type}", params=asked, headers=headers, timeout=30).json()
    return [entry["resource"] for entry in found.get("entry", [])]


def put_behind(run: Running, hapi_base: str) -> None:
    """From here on the FHIR store of ``run``'s hospital is HAPI, with the same patients and nothing else.

    Other tests leave Questionnaires there that differ from ours on purpose, and against such the app files nothing.
    """
    everything = {"resourceType": "Parameters", "parameter": [{"name": "expungeEverything", "valueBoolean": True}]}
    emptied = requests.post(f"{hapi_base}/$expunge", json=everything, timeout=60)
    assert emptied.status_code == 200, emptied.text[:2000]
    records = files("smart_app.sandbox") / "data" / "north.json"
    loaded = requests.post(
        hapi_base,
        json=json.loads(records.read_text(encoding="utf-8")),
        headers={"Content-Type": "application/fhir+json"},
        timeout=60,
    )
    assert loaded.status_code == 200, loaded.text[:2000]
    hospital = run.hospital.app
    hospital.wsgi_app = HapiFront(hospital.wsgi_app, hapi_base, run.hospital.fhir_base)  # type: ignore[method-assign]
