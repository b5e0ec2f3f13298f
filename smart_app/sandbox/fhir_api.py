"""FHIR R4 over HTTP: routes, headers, limits; JSON only."""

import time
from collections.abc import Iterator

from flask import Blueprint, Response, g, request

from .access import HOUSE, Access
from .admission import Asked, admit, admit_bundle, check_headers, kept, without_ignored, worded
from .bearer import access_of
from .capability import capability_statement, smart_configuration
from .ehrs import GENERIC, Ehr
from .faults import DELAYS
from .hospital import Hospital, the_hospital
from .interactions import Answer, Interactions
from .json_text import read_object, write_text
from .outcome import FhirError, bad_request
from .transaction import process

fhir = Blueprint("fhir", __name__, url_prefix="/fhir")

MEDIA_TYPE = "application/fhir+json"
BODY_BYTES = 1024 * 1024
BACKEND_BYTES = 16 * 1024 * 1024  # a whole chart in one Bundle (Synthea's are 0.6 MB; ten years of IMR more)
OPEN_PATHS = ("/fhir/metadata", "/fhir/.well-known/smart-configuration")


@fhir.before_request
def _admit() -> Response | None:
    hospital = the_hospital()
    g.access = None
    _check_accept()
    if request.path in OPEN_PATHS:
        check_headers(_ehr(), request.headers)
        faults = hospital.faults.of(frozenset())
    else:
        g.access = access_of(hospital, request.headers.get("Authorization", ""))
        check_headers(_ehr(), request.headers)
        faults = g.access.faults
    if (fault := _fault(faults)) is None and g.access:
        _as_the_ehr_does(hospital)
    return fault


_OPERATIONS = {
    "fhir.create": "create",
    "fhir.update": "update",
    "fhir.update_conditional": "update",
    "fhir.read": "read",
    "fhir.vread": "vread",
    "fhir.history": "history-instance",
    "fhir.search": "search-type",
    "fhir.post_search": "search-type",
}


def _ehr() -> Ehr:
    """Whose manners this request meets: the hospital's own systems see behind them."""
    own = g.access and g.access.client_id == HOUSE.client_id
    return GENERIC if own else the_hospital().config.manners


def _as_the_ehr_does(hospital: Hospital) -> None:
    """Raises FhirError for what it does not do."""
    ehr = _ehr()
    without_ignored(ehr, request.environ)
    if request.endpoint == "fhir.bundle":
        admit_bundle(ehr, _body(), g.access, hospital.store, hospital.config.fhir_base)
    elif operation := _OPERATIONS.get(request.endpoint or ""):
        view = request.view_args or {}
        asked = Asked(
            operation,
            view["resource_type"],
            view.get("resource_id", ""),
            query=_query() if operation == "search-type" else "",
            resource=_body() if operation in ("create", "update") else None,
            conditional=request.endpoint == "fhir.update_conditional",
        )
        admit(ehr, asked, g.access, hospital.store)


def _fault(faults: frozenset[str]) -> Response | None:
    for name in sorted(faults & DELAYS.keys()):
        time.sleep(DELAYS[name])
    writes = request.method in ("POST", "PUT") and not request.path.endswith("/_search")
    if "down" in faults:
        return Response("<html><body><h1>503 Service Unavailable</h1></body></html>", 503, mimetype="text/html")
    if "busy" in faults:
        return _reply(_refused(FhirError(429, "throttled", "too many requests"), {"Retry-After": "2"}))
    if "forbid-create" in faults and request.method == "POST" and writes:
        raise FhirError(403, "forbidden", "this user may not create here")
    if "stale" in faults and writes and (request.method == "PUT" or request.path.rstrip("/") == "/fhir"):
        raise FhirError(412, "conflict", "the version is not the current one")
    return None


@fhir.errorhandler(FhirError)
def _on_refusal(error: FhirError) -> Response:
    return _reply(_refused(error, {"WWW-Authenticate": 'Bearer realm="fhir"'} if error.status == 401 else {}))


@fhir.get("/metadata")
def metadata() -> Response:
    return _reply(Answer(200, write_text(capability_statement(the_hospital().config))))


@fhir.get("/.well-known/smart-configuration")
def configuration() -> Response:
    if the_hospital().config.smart_1:
        raise FhirError(404, "not-found", "this server is of SMART 1.0: see rest.security of /metadata")
    return Response(write_text(smart_configuration(the_hospital().config)), mimetype="application/json")


@fhir.get("")
@fhir.get("/")
def page() -> Response:
    link = request.args.get("_page")
    if link is None:
        raise bad_request("a search names a resource type")
    return _reply(_interactions().page(link))


@fhir.post("")
@fhir.post("/")
def bundle() -> Response:
    return _reply(process(_body(), _interactions()), write=True)


@fhir.get("/<resource_type>")
def search(resource_type: str) -> Response:
    return _reply(_interactions().search(resource_type, _query()))


@fhir.post("/<resource_type>/_search")
def post_search(resource_type: str) -> Response:
    return _reply(_interactions().search(resource_type, _query()))


@fhir.post("/<resource_type>")
def create(resource_type: str) -> Response:
    if_none_exist = request.headers.get("If-None-Exist", "").lstrip("?")
    resource = kept(_ehr(), resource_type, _body())
    return _reply(_interactions().create(resource, resource_type, if_none_exist), write=True)


@fhir.put("/<resource_type>")
def update_conditional(resource_type: str) -> Response:
    query = request.query_string.decode()
    return _reply(_interactions().update_conditional(_body(), resource_type, query), write=True)


@fhir.get("/<resource_type>/<resource_id>")
def read(resource_type: str, resource_id: str) -> Response:
    if resource_type == "Binary" and _ehr().binaries:
        return _reply(_interactions().binary(resource_id))
    return _reply(_interactions().read(resource_type, resource_id))


@fhir.put("/<resource_type>/<resource_id>")
def update(resource_type: str, resource_id: str) -> Response:
    if_match = request.headers.get("If-Match", "")
    return _reply(_interactions().update(_body(), resource_type, resource_id, if_match), write=True)


@fhir.get("/<resource_type>/<resource_id>/_history")
def history(resource_type: str, resource_id: str) -> Response:
    return _reply(_interactions().history(resource_type, resource_id))


@fhir.get("/<resource_type>/<resource_id>/_history/<version>")
def vread(resource_type: str, resource_id: str, version: str) -> Response:
    return _reply(_interactions().vread(resource_type, resource_id, version))


@fhir.route("/<path:anything>", methods=["DELETE", "PATCH", "POST", "PUT", "GET"])
def unsupported(anything: str) -> Response:
    status = 405 if request.method in ("DELETE", "PATCH") else 404
    raise FhirError(status, "not-supported", f"{request.method} {anything}: this hospital does not offer it")


def _interactions() -> Interactions:
    access: Access = g.access
    return the_hospital().interactions(access)


def _check_accept() -> None:
    """R4: 406 where neither JSON nor anything at all is accepted."""
    wanted = request.args.get("_format", "") or request.headers.get("Accept", "*/*")
    if "json" not in wanted and "*/*" not in wanted and "application/*" not in wanted:
        raise FhirError(406, "not-supported", f"{wanted}: this hospital speaks {MEDIA_TYPE}")


def _query() -> str:
    """Of a search by GET or POST."""
    query = request.query_string.decode()
    if request.method == "GET":
        return query
    if request.mimetype != "application/x-www-form-urlencoded":
        raise FhirError(415, "not-supported", "_search takes application/x-www-form-urlencoded")
    return "&".join(part for part in (query, _bytes().decode("utf-8", "replace")) if part)


def _body() -> dict[str, object]:
    if "resource" not in g:
        g.resource = _read_body()
    resource: dict[str, object] = g.resource
    return resource


def _read_body() -> dict[str, object]:
    if request.mimetype not in (MEDIA_TYPE, "application/json"):
        raise FhirError(415, "not-supported", f"{request.mimetype or 'no Content-Type'}: send {MEDIA_TYPE}")
    return read_object(_bytes())


def _bytes() -> bytes:
    """Raises FhirError 413 over 1 MB (16 MB for a backend service), before the whole body is in memory."""
    if "body" not in g:
        access: Access = g.access
        most = BODY_BYTES if access.patient or access.user else BACKEND_BYTES
        g.body = request.stream.read(most + 1)
        if len(g.body) > most:
            raise FhirError(413, "too-long", f"the body is longer than {most} bytes")
    body: bytes = g.body
    return body


def _refused(error: FhirError, headers: dict[str, str]) -> Answer:
    return Answer(error.status, "" if error.silent else write_text(error.resource()), headers)


def _reply(answer: Answer, *, write: bool = False) -> Response:
    hospital = the_hospital()
    answer = worded(_ehr(), answer, hospital.config.fhir_base)
    text = answer.body
    if write and "return=minimal" in request.headers.get("Prefer", "") and answer.stored:
        text = ""
    body = text.encode()
    reply = Response(body, answer.status, answer.headers, mimetype=MEDIA_TYPE)
    reply.headers["Cache-Control"] = "no-store"
    if write and _lost(hospital):
        reply.headers["Content-Length"] = str(len(body) + 1)
        reply.response = _cut_off(body)
    return reply


def _lost(hospital: Hospital) -> bool:
    access: Access = g.access
    return "lost-reply" in access.faults and hospital.faults.lose_reply(access.family)


def _cut_off(body: bytes) -> Iterator[bytes]:
    """Fewer bytes than announced: the server then closes the connection in the middle of the reply."""
    yield body[: len(body) // 2]
