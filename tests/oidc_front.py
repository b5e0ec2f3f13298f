"""SMART's launch context before an authorization server that nobody here wrote, and before a FHIR server.

It keeps what a launch token means, adds that to the token's answer, and asks the server about each bearer. Everything
else of the log-in goes through untouched: PKCE, codes, rotation, revocation, keys, the issuer in the callback.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from smart_app.sandbox.hospital import Hospital
from smart_app.sandbox.launches import Launch, launch_of, unused_launch


@dataclass(frozen=True)
class Paths:
    """Where the server has each thing; ``forwarded`` are beginnings."""

    forwarded: tuple[str, ...]
    configuration: str
    authorize: str
    token: str
    introspect: str


OIDC_PROVIDER = Paths(
    forwarded=("/auth", "/interaction", "/token", "/jwks", "/.well-known/openid-configuration"),
    configuration="/.well-known/openid-configuration",
    authorize="/auth",
    token="/token",
    introspect="/token/introspection",
)
_HEADERS = {"HTTP_COOKIE": "Cookie", "CONTENT_TYPE": "Content-Type", "HTTP_ACCEPT": "Accept", "HTTP_HOST": "Host"}
_TIMEOUT = 30  # seconds: Keycloak's first answers are slow
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "date"})
CAPABILITIES = (
    "launch-ehr", "client-public", "sso-openid-connect", "context-ehr-patient", "context-ehr-encounter",
    "context-banner", "permission-online", "permission-patient", "permission-user", "permission-v2",
)  # fmt: skip

Wsgi = Callable[..., Iterable[bytes]]
Tokens = dict[str, Any]


class OidcFront:
    """WSGI: /fhir to ``fhir``, the log-in to ``provider``, the chart to the sandbox, whose launch tokens it knows.

    ``secret`` is the front's own at the provider. ``tamper`` is given the token's answer before the app is; a test's.
    """

    def __init__(
        self,
        chart: Wsgi,
        hospital: Hospital,
        fhir: Wsgi,
        provider: str,
        secret: str,
        paths: Paths = OIDC_PROVIDER,
    ) -> None:
        self._chart = chart
        self._hospital = hospital
        self._fhir = fhir
        self._provider = provider
        self._secret = secret
        self._paths = paths
        self._launches: dict[str, Launch] = {}  # by state, then by code, then by refresh token
        self.asked: list[str] = []
        self.tamper: Callable[[Tokens], Tokens] = dict

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/fhir/.well-known/smart-configuration":
            return _json(start_response, 200, self._configuration(environ))
        if path.startswith("/fhir"):
            if path != "/fhir/metadata" and not self._is_active(environ):
                return _json(start_response, 401, {"error": "invalid_token"})
            return self._fhir(environ, start_response)
        if path.startswith(self._paths.forwarded):
            self.asked.append(f"{environ['REQUEST_METHOD']} {path}")
            return self._log_in(environ, start_response)
        return self._chart(environ, start_response)

    def _configuration(self, environ: Mapping[str, Any]) -> dict[str, Any]:
        """The provider's own words, and SMART's capabilities."""
        found: dict[str, Any] = self._ask(environ | {"REQUEST_METHOD": "GET"}, self._paths.configuration).json()
        return found | {"capabilities": CAPABILITIES}

    def _is_active(self, environ: Mapping[str, Any]) -> bool:
        """Asked under the front's own name: a token of another issuer would be none."""
        token = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        answer = requests.post(
            f"{self._provider}{self._paths.introspect}",
            data={"token": token},
            headers={"Host": environ["HTTP_HOST"]},
            auth=("front", self._secret),
            timeout=_TIMEOUT,
        )
        return bool(answer.json().get("active"))

    def _log_in(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        query = environ.get("QUERY_STRING", "")
        if environ["PATH_INFO"] == self._paths.authorize:
            query = self._with_user(query)
        answer = self._ask(environ, environ["PATH_INFO"], query=query, body=body)
        self._note_code(answer.headers.get("Location", ""))
        content = answer.content
        if environ["PATH_INFO"] == self._paths.token and answer.status_code == 200:
            content = json.dumps(self._with_context(parse_qs(body.decode()), answer.json())).encode()
        # one line for each Set-Cookie
        headers = [(name, value) for name, value in answer.raw.headers.items() if name.lower() not in _HOP_BY_HOP]
        start_response(f"{answer.status_code} {answer.reason}", [*headers, ("Content-Length", str(len(content)))])
        return [content]

    def _ask(self, environ: Mapping[str, Any], path: str, *, query: str = "", body: bytes = b"") -> requests.Response:
        headers = {name: environ[key] for key, name in _HEADERS.items() if environ.get(key)}
        url = f"{self._provider}{path}?{query}".rstrip("?")
        return requests.request(
            environ["REQUEST_METHOD"], url, headers=headers, data=body or None, timeout=_TIMEOUT, allow_redirects=False
        )

    def _with_user(self, query: str) -> str:
        """Who is logged in at the chart logs in at the provider; an unknown launch token goes on without a user."""
        given = {name: values[0] for name, values in parse_qs(query).items()}
        entry = unused_launch(self._hospital.vault, given.get("launch", ""))
        if entry is None:
            return query
        self._hospital.vault.spend(entry)
        launch = self._launches[given["state"]] = launch_of(entry.body)
        return urlencode(given | {"login_hint": launch.user, "prompt": "login"})

    def _note_code(self, location: str) -> None:
        found = parse_qs(urlsplit(location).query)
        if "code" in found and found["state"][0] in self._launches:
            self._launches[found["code"][0]] = self._launches[found["state"][0]]

    def _with_context(self, asked: Mapping[str, list[str]], tokens: Tokens) -> Tokens:
        launch = self._launches[asked.get("code", asked.get("refresh_token", [""]))[0]]
        if "refresh_token" in tokens:
            self._launches[tokens["refresh_token"]] = launch
        tokens |= {"patient": launch.patient, "need_patient_banner": launch.need_patient_banner}
        if launch.encounter:
            tokens["encounter"] = launch.encounter
        return self.tamper(tokens)


def _json(start_response: Callable[..., Any], status: int, value: Mapping[str, Any]) -> Iterable[bytes]:
    body = json.dumps(value).encode()
    start_response(f"{status} Said", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
