"""For whoever watches the app: alive says nothing more, ready tries what a request needs here, never the EHR."""

import logging

from flask import Blueprint, Response, make_response
from sqlalchemy.exc import SQLAlchemyError

from imr_fhir.errors import ImrError
from smart_app.state import state

health = Blueprint("health", __name__)
_log = logging.getLogger(__name__)


@health.get("/livez")
def livez() -> Response:
    return _plain("alive", 200)


@health.get("/readyz")
def readyz() -> Response:
    """Store, its keys, its version and the disk; 503 also from SIGTERM on, so that no new work is sent here."""
    if state().draining.is_set():
        return _plain("stopping", 503)
    try:
        state().store.check()
    except (ImrError, SQLAlchemyError, OSError) as error:
        _log.warning("Not ready: %s", type(error).__name__)
        return _plain("not ready", 503)
    return _plain("ready", 200)


def _plain(text: str, status: int) -> Response:
    response = make_response(text, status)
    response.mimetype = "text/plain"
    return response
