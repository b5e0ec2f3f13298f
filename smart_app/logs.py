"""Logs that hold no patient's data: routes instead of addresses, kinds of errors instead of their messages."""

import logging
import sys
import time
import traceback
from types import TracebackType
from typing import IO, Any

from flask import Flask, Response, g, request

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OURS = ("smart_app", "imr_fhir")
_access = logging.getLogger("smart_app.access")


class _Formatter(logging.Formatter):
    """An exception's message may quote a record, so a traceback keeps the kind and the places only."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        if record.name.split(".")[0] not in _OURS:
            # Libraries log addresses and values as arguments: their sentence is kept, what they fill in is not.
            record = logging.makeLogRecord({**record.__dict__, "args": (), "msg": str(record.msg)})
        record.exc_text = None
        return super().format(record)

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        lines = []
        error = ei[1]
        while error is not None:
            lines.append(f"{type(error).__module__}.{type(error).__qualname__}")
            lines += [f"  {f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(lines)


def _is_wanted(record: logging.LogRecord) -> bool:
    """Ours as the level says; of others only what went wrong: urllib3's DEBUG prints whole addresses."""
    return record.name.split(".")[0] in _OURS or record.levelno >= logging.WARNING


def set_up_logging(level: str, stream: IO[str] | None = None) -> logging.Handler:
    """One handler on the root logger, to ``stream`` (standard error). Returns it, so that a test can remove it."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Formatter())
    handler.addFilter(_is_wanted)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
    return handler


def init_access_log(app: Flask) -> None:
    """One line a request: the route, never the address (it may hold a code, a launch token, an id)."""

    def begin() -> None:
        g.began = time.monotonic()

    def end(response: Response) -> Response:
        rule: Any = request.url_rule
        milliseconds = (time.monotonic() - g.get("began", time.monotonic())) * 1000
        method = request.method if request.method in _METHODS else "other"  # a method may be any text
        _access.info("%s %s %d %.0f ms", method, rule or "unknown", response.status_code, milliseconds)
        return response

    app.before_request(begin)
    app.after_request(end)
