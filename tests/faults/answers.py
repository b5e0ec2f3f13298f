"""What a hospital may do wrong with one request, as data: a name, and what it does in the hospital's place."""

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from waitress.channel import ClientDisconnected

from tests.flows.wrong import Wsgi

REFUSED, SILENCE, LATE = "connection refused", "silence, then taken", "silence, taken when it is sent again"
HUGE = 50_000_000  # bytes


@dataclass
class Wrong:
    """``stranger``: by type, the id of a resource of another patient; ``elsewhere``: a host that is not the site's."""

    hospital: Wsgi
    patient: str = ""
    stranger: Mapping[str, str] = field(default_factory=dict)
    elsewhere: str = ""
    release: Event = field(default_factory=Event)
    held: list[Event] = field(default_factory=list)

    def let_go(self) -> None:
        """What was held is carried out now."""
        self.release.set()
        assert all(ended.wait(10) for ended in self.held)

    def carry_out(self, environ: Any) -> tuple[str, list[tuple[str, str]], bytes]:
        """What the hospital itself answers."""
        said: list[Any] = []
        body = b"".join(self.hospital(environ, lambda status, headers, *_: said.extend((status, headers))))
        return said[0], said[1], body


Answer = Callable[[Wrong, Any, Any], Iterable[bytes]]


def refusing(status: str, body: bytes = b"", **headers: str) -> Answer:
    """Nothing is done."""

    def answer(wrong: Wrong, environ: Any, start_response: Any) -> Iterable[bytes]:
        more = [(name.replace("_", "-"), value) for name, value in headers.items()]
        start_response(status, [("Content-Length", str(len(body))), *more])
        return [body]

    return answer


def reset(wrong: Wrong, environ: Any, start_response: Any) -> Iterable[bytes]:
    raise ClientDisconnected  # waitress then closes the connection without a word


def reset_when_done(wrong: Wrong, environ: Any, start_response: Any) -> Iterable[bytes]:
    wrong.carry_out(environ)
    raise ClientDisconnected


def silence(wrong: Wrong, environ: Any, start_response: Any) -> Iterable[bytes]:
    """Longer than anybody waits; what was asked is done later, when ``wrong`` lets it go."""
    content = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(content)
    ended = Event()
    wrong.held.append(ended)
    try:
        wrong.release.wait(30)
        wrong.carry_out(environ)
    finally:
        ended.set()
    raise ClientDisconnected


def huge(wrong: Wrong, environ: Any, start_response: Any) -> Iterable[bytes]:
    wrong.carry_out(environ)
    start_response("200 OK", [("Content-Type", "application/fhir+json"), ("Content-Length", str(HUGE))])
    return _spaces()


def _spaces() -> Iterator[bytes]:
    for _ in range(HUGE // 100_000):
        yield b" " * 100_000


def of_another_patient(wrong: Wrong, environ: Any, start_response: Any) -> Iterable[bytes]:
    """What is shown is said to be another patient's; what is written is said to have another patient's ids."""
    status, headers, body = wrong.carry_out(environ)
    if environ["REQUEST_METHOD"] == "GET":
        text = body.decode().replace(f"Patient/{wrong.patient}", f"Patient/{wrong.stranger['Patient']}")
        body = _renamed(text, wrong).encode()
    else:
        body = _relocated(body.decode(), wrong.stranger).encode()
        headers = [
            (name, _relocated(value, wrong.stranger) if name == "Location" else value) for name, value in headers
        ]
    start_response(status, [(name, value) for name, value in headers if name != "Content-Length"])
    return [body]


def _renamed(text: str, wrong: Wrong) -> str:
    found = json.loads(text)
    if found.get("resourceType") == "Patient":
        found["id"] = wrong.stranger["Patient"]
    return json.dumps(found)


def _relocated(text: str, stranger: Mapping[str, str]) -> str:
    return re.sub(r"\b(QuestionnaireResponse|Observation|Goal)/[^/\"]+", lambda m: f"{m[1]}/{stranger[m[1]]}", text)


def for_another_patient(wrong: Wrong, environ: Any, start_response: Any) -> Iterable[bytes]:
    """A renewed log-in that is said to be for another patient."""
    status, headers, body = wrong.carry_out(environ)
    body = json.dumps(json.loads(body) | {"patient": wrong.stranger["Patient"]}).encode()
    start_response(status, [(name, value) for name, value in headers if name != "Content-Length"])
    return [body]


def redirect(wrong: Wrong, environ: Any, start_response: Any) -> Iterable[bytes]:
    start_response("307 Temporary Redirect", [("Location", f"{wrong.elsewhere}/fhir"), ("Content-Length", "0")])
    return [b""]


_OUTCOME = json.dumps(
    {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "invalid", "diagnostics": "This is not taken here."}],
    }
).encode()
_HTML = b"<!doctype html><html><body><h1>Please log in to the proxy</h1></body></html>"
_FHIR = "application/fhir+json"

FAULTS: Mapping[str, Answer] = {
    REFUSED: reset,  # the request is led to a closed port, so nothing of it arrives
    "401": refusing("401 Unauthorized"),
    "403 with nothing in it": refusing("403 Forbidden"),
    "404": refusing("404 Not Found", _OUTCOME, Content_Type=_FHIR),
    "409": refusing("409 Conflict", _OUTCOME, Content_Type=_FHIR),
    "412": refusing("412 Precondition Failed", _OUTCOME, Content_Type=_FHIR),
    "422 with OperationOutcome": refusing("422 Unprocessable Entity", _OUTCOME, Content_Type=_FHIR),
    "429 with Retry-After": refusing("429 Too Many Requests", Retry_After="2"),
    "500": refusing("500 Internal Server Error", b"NullPointerException", Content_Type="text/plain"),
    "reset": reset,
    "reset when it is done": reset_when_done,
    SILENCE: silence,
    LATE: silence,
    "HTML": refusing("200 OK", _HTML, Content_Type="text/html"),
    "50 MB": huge,
    "another patient's": of_another_patient,
    "redirect to another host": redirect,
}
