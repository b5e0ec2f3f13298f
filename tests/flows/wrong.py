"""What a hospital does wrong at one point of a filing, on top of the sandbox's named faults."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.running import Running

Wsgi = Callable[[Any, Any], Any]


@contextmanager
def fault(run: Running, name: str) -> Iterator[None]:
    """One of the sandbox's own, for every request."""
    run.hospital.hospital.faults.switch_on(name)
    try:
        yield
    finally:
        run.hospital.hospital.faults.switch_off(name)


@contextmanager
def in_front(run: Running, make: Callable[[Wsgi], Wsgi]) -> Iterator[None]:
    """``make`` is given the hospital and makes what answers in its place."""
    hospital = run.hospital.app.wsgi_app
    run.hospital.app.wsgi_app = make(hospital)  # type: ignore[method-assign]
    try:
        yield
    finally:
        run.hospital.app.wsgi_app = hospital  # type: ignore[method-assign]


def is_send(environ: Any, *paths: str) -> bool:
    """A write to one of the FHIR ``paths``; to the transaction's where there is none."""
    return environ["REQUEST_METHOD"] in ("POST", "PUT") and environ["PATH_INFO"] in (paths or ("/fhir",))


def body_of(environ: Any) -> Any:
    """The JSON of a request, which stays there to be read."""
    content = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    environ["wsgi.input"] = io.BytesIO(content)
    return json.loads(content)


def before_send(run: Running, do: Callable[[Any], None]) -> Callable[[Wsgi], Wsgi]:
    """``do`` is given the transaction before the hospital is."""

    def make(hospital: Wsgi) -> Wsgi:
        def answering(environ: Any, start_response: Any) -> Any:
            if is_send(environ):
                do(body_of(environ))
            return hospital(environ, start_response)

        return answering

    return make


def loses_the_reply_and_goes_down(run: Running) -> Callable[[Wsgi], Wsgi]:
    """The write is done, its reply is lost, and the next requests fail until the fault "down" is switched off."""

    def make(hospital: Wsgi) -> Wsgi:
        def answering(environ: Any, start_response: Any) -> Any:
            faults = run.hospital.hospital.faults
            if not is_send(environ):
                return hospital(environ, start_response)
            faults.switch_on("lost-reply")
            reply = hospital(environ, start_response)
            faults.switch_off("lost-reply")
            faults.switch_on("down")
            return reply

        return answering

    return make


def refuses(run: Running, *paths: str) -> Callable[[Wsgi], Wsgi]:
    """403 with nothing in it, as Epic does, for writes to these."""

    def make(hospital: Wsgi) -> Wsgi:
        def answering(environ: Any, start_response: Any) -> Any:
            if is_send(environ, *paths):
                start_response("403 Forbidden", [("Content-Length", "0")])
                return [b""]
            return hospital(environ, start_response)

        return answering

    return make
