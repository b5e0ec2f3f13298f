"""A FHIR request on its way in, and its answer on the way out, as the hospital's EHR has it: the rows of ``ehrs``."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.datastructures import Headers

from .access import Access
from .binaries import apart
from .ehrs import Ehr
from .fhir_store import FhirStore
from .interactions import Answer
from .json_text import read_object, write_text
from .outcome import FhirError, bad_request
from .transaction import bundle_entries

_LETTER = {"create": "c", "update": "u"}
_ENTRY = {"POST": "create", "PUT": "update", "GET": "read"}
_OF_VERSIONS = ("vread", "history-instance")


@dataclass(frozen=True)
class Asked:
    """``operation`` is R4's name of an interaction; ``query`` of a search, ``resource`` of a write, ``conditional`` of
    one that is addressed by a search."""

    operation: str
    type: str = ""
    id: str = ""
    query: str = ""
    resource: Mapping[str, Any] | None = None
    conditional: bool = False


def check_headers(ehr: Ehr, headers: Headers) -> None:
    """Raises FhirError 401, as a gateway in front of the EHR does before that hears of the request."""
    for name, value in ehr.headers.items():
        if not secrets.compare_digest(headers.get(name, "").encode(), value.encode()):
            raise FhirError(401, "login", f"access denied: a valid {name} is required")


def without_ignored(ehr: Ehr, environ: dict[str, Any]) -> None:
    """An EHR that knows no conditions carries out the request as if none were there."""
    if not ehr.conditional:
        environ.pop("HTTP_IF_NONE_EXIST", None)
    if not ehr.versions:
        environ.pop("HTTP_IF_MATCH", None)


def admit(ehr: Ehr, asked: Asked, access: Access, store: FhirStore) -> None:
    """Raises FhirError for what this EHR does not do, whatever the scopes say."""
    if asked.operation in ("create", "update"):
        _admit_write(ehr, asked, access, store)
    elif not ehr.reads_type(asked.type) or (asked.operation in _OF_VERSIONS and not ehr.versions):
        raise ehr.refusal.error(f"{asked.operation} of {asked.type} is not offered here")
    for name, _ in parse_qsl(asked.query, keep_blank_values=True):
        if (asked.type, name.partition(":")[0]) in ehr.unsearchable:
            raise bad_request(f"Unknown search parameter {name!r} for {asked.type}", "not-supported")


def admit_bundle(ehr: Ehr, bundle: Mapping[str, Any], access: Access, store: FhirStore, fhir_base: str) -> None:
    """The Bundle, and each of its entries as if it came alone."""
    kind = str(bundle.get("type"))
    if kind in ("transaction", "batch") and kind not in ehr.bundles:
        raise ehr.refusal.error(f"a {kind} is not offered here")
    for asked in _entries(bundle, fhir_base):
        admit(ehr, asked, access, store)


def _entries(bundle: Mapping[str, Any], fhir_base: str) -> Iterator[Asked]:
    for entry in bundle_entries(dict(bundle), fhir_base):
        if entry.method in _ENTRY:
            operation = _ENTRY[entry.method]
            resource = entry.resource if isinstance(entry.resource, dict) else {}
            yield Asked(operation, entry.type, entry.id, resource=resource)


def _admit_write(ehr: Ehr, asked: Asked, access: Access, store: FhirStore) -> None:
    takes, written = ehr.takes(asked.operation, asked.type), f"{asked.operation} of {asked.type}"
    if takes is None or (asked.conditional and not ehr.conditional):
        raise ehr.refusal.error(f"{written} is not offered here")
    levels = access.levels(asked.type, _LETTER[asked.operation])
    if levels and not takes.levels & levels:
        raise FhirError(403, "forbidden", f"{written} is not for {' and '.join(sorted(levels))} scopes here")
    if takes.rule and not takes.rule(asked.resource or {}):
        raise FhirError(422, "business-rule", f"{written} takes {takes.what} only")
    if asked.operation == "update" and asked.id and not ehr.client_ids and store.read(asked.type, asked.id) is None:
        raise ehr.refusal.error(f"{asked.type}/{asked.id} is not there, and ids are given by the server here")


def kept(ehr: Ehr, resource_type: str, resource: dict[str, Any]) -> dict[str, Any]:
    """What of a resource that is created will be stored."""
    takes = ehr.takes("create", resource_type)
    if takes and takes.first_content and isinstance(resource.get("content"), list):
        return {**resource, "content": resource["content"][:1]}
    return resource


def worded(ehr: Ehr, answer: Answer, fhir_base: str) -> Answer:
    """The answer without what this EHR does not tell."""
    headers, body = dict(answer.headers), answer.body
    location = headers.get("Location")
    if ehr.binaries and body:
        home = "" if ehr.binaries == "relative" else f"{fhir_base}/"
        body = write_text(apart(read_object(body.encode()), home))
    if not ehr.versions:
        headers.pop("ETag", None)
        body = write_text(_unversioned(read_object(body.encode()))) if body else body
        location = location and location.partition("/_history/")[0]
    if location:
        headers["Location"] = location.removeprefix(f"{fhir_base}/") if ehr.relative_location else location
    return replace(answer, body=body, headers=headers)


def _unversioned(part: Any) -> Any:
    """A copy in which no ``meta`` has a ``versionId``."""
    if isinstance(part, list):
        return [_unversioned(each) for each in part]
    if not isinstance(part, dict):
        return part
    copy = {name: _unversioned(each) for name, each in part.items()}
    if isinstance(meta := copy.get("meta"), dict):
        meta.pop("versionId", None)
    return copy
