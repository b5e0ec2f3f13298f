"""An error's class -> a page that says what happened and what to do next, in the reader's language.

What the error itself says (in English, with the value that was wrong) stands below, for who is asked for help.
"""

import logging
import secrets
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, g, make_response, render_template, request, url_for
from werkzeug.exceptions import HTTPException, InternalServerError, RequestEntityTooLarge, SecurityError

from imr_fhir import errors
from smart_app.access import RoleRefused, check_size
from smart_app.auditing import audit
from smart_app.csrf import PostRefused, is_own_post, typed
from smart_app.language import say
from smart_app.log_in import NoPatient
from smart_app.store import errors as store_errors

_log = logging.getLogger(__name__)

# (status, message key): error.<key>.title and error.<key>.next in the catalogues. The nearest class counts.
_PAGES: Mapping[type[Exception], tuple[int, str]] = {
    errors.UnknownIssuer: (400, "issuer"),
    errors.StateError: (400, "state"),
    errors.AuthorizationError: (403, "authorization"),
    NoPatient: (400, "no_patient"),
    errors.IdentityError: (403, "identity"),
    errors.LaunchError: (400, "launch"),
    errors.NotConnected: (503, "unreachable"),
    errors.Busy: (503, "busy"),
    errors.ServerFault: (502, "unreachable"),
    errors.LostReply: (504, "lost_reply"),
    errors.Unauthorized: (403, "over"),
    errors.Forbidden: (403, "forbidden"),
    errors.NotFound: (404, "gone"),
    errors.WrongPatient: (502, "wrong_patient"),
    errors.EhrError: (502, "ehr"),
    errors.ResourceError: (502, "ehr"),
    errors.ImrError: (500, "fault"),
    store_errors.NoAccess: (404, "nothing_here"),
    store_errors.StoreBusy: (503, "busy_here"),
    store_errors.StoreGone: (503, "busy_here"),
    store_errors.NotRefreshed: (503, "busy_here"),
    store_errors.StaleAnswer: (409, "stale"),
    store_errors.StaleDraft: (409, "stale"),
    store_errors.DraftSealed: (409, "stale"),
    store_errors.StaleFiling: (409, "stale"),
    RoleRefused: (403, "role"),
    PostRefused: (403, "post"),
}
# What the EHR refused, or gave of somebody else, as the audit log calls it.
_AUDITED: Mapping[type[Exception], str] = {errors.WrongPatient: "foreign-dropped", errors.Forbidden: "view"}
_STATUSES: Mapping[int, str] = {404: "nothing_here", 405: "nothing_here", 413: "too_big"}
_PASSES = frozenset({"unreachable", "busy", "ehr", "busy_here", "fault"})  # the same page may come if asked for again
_ENDS = frozenset({"over", "wrong_patient", "nothing_here"})  # no page of the launch does


def page_of(error: Exception) -> tuple[int, str]:
    """Status and message key for an error of ours."""
    return next(_PAGES[kind] for kind in type(error).__mro__ if kind in _PAGES)


def _show(status: int, key: str, **values: Any) -> Response:
    """With the ways on as links: inside an EHR's frame there is neither "load again" nor "back"."""
    spent = "spent" in g and key in _PASSES
    shown = {"detail": "", "typed": {}, "reference": "", "advice": "authorization" if spent else key} | values
    again = request.method == "GET" and key in _PASSES and not spent
    home = ("", "") if key in _ENDS else _home()
    return make_response(render_template("launch/error.html", key=key, again=again, home=home, **shown), status)


def _home() -> tuple[str, str]:
    """Address and name of the page that a person would go back to; empty where this is that page, or none is open."""
    if "launch" in g and g.launch.role == "patient":
        home = url_for("own.home", lid=g.launch.id), say("own.back")
    elif "launch" in g:
        home = url_for("panel.show", lid=g.launch.id), say("page.to_panel")
    elif "handover" in g:
        home = url_for("patient.start", hid=g.handover.id), say("patient.go_on")
    else:
        return "", ""
    return ("", "") if request.path == home[0] else home


def _of_ours(error: errors.ImrError) -> Response:
    status, key = page_of(error)
    if isinstance(error, store_errors.NoAccess):
        return _nothing_here()
    detail = "" if status == 500 else error.message
    if status == 500:
        return _unexpected(error)
    if type(error) in _AUDITED and "launch" in g:
        audit(_AUDITED[type(error)], g.launch, outcome="refused", purpose=str(request.endpoint))
    response = _show(status, key, detail=detail, typed=_wrote())
    if isinstance(error, errors.Busy) and error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _wrote() -> dict[str, str]:
    """A form that came too late, or found the EHR closed or the store busy: what a person wrote is theirs to copy, also
    where it leads nowhere any more. It is what this request itself brought, and from a page of ours."""
    try:
        if not is_own_post():
            return {}
        check_size()
    except RequestEntityTooLarge:
        return {}
    return typed()


def _nothing_here() -> Response:
    """One page for wrong, missing, unknown and over, without any trace of what was asked for."""
    for name in ("header", "launch", "covered"):
        g.pop(name, None)
    return _show(404, "nothing_here", typed=_wrote())


def _of_http(error: HTTPException) -> Response | HTTPException:
    """404 for any address and method that leads nowhere; what is no page (a redirect) stays as it is."""
    if error.code is None or error.code < 400:
        return error
    if error.code in (404, 405):
        return _nothing_here()
    return _show(error.code, _STATUSES.get(error.code, "request"))


def _of_role(error: RoleRefused) -> Response:
    return _show(*page_of(error))


def _of_post(error: PostRefused) -> Response:
    return _show(*page_of(error), typed=error.typed)


def _of_host(_error: SecurityError) -> Response:
    """A Host that is not ours: no page, since none could say its own address."""
    response = make_response("This app has another name. Open it from the patient's chart.\n", 400)
    response.mimetype = "text/plain"
    return response


def _unexpected(error: Exception) -> Response:
    """A fault of the app: the log has its kind and place under a reference, never its message."""
    reference = secrets.token_hex(4)
    _log.error("Unexpected error, reference %s", reference, exc_info=error)
    return _show(500, "fault", reference=reference)


def init_error_pages(app: Flask) -> None:
    app.register_error_handler(errors.ImrError, _of_ours)
    app.register_error_handler(RoleRefused, _of_role)
    app.register_error_handler(PostRefused, _of_post)
    app.register_error_handler(SecurityError, _of_host)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(InternalServerError, lambda error: _unexpected(error.original_exception or error))
    app.register_error_handler(Exception, _unexpected)
