"""Bundles of type transaction (all or nothing) and batch (each entry by itself)."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from . import validation
from .fhir_store import Stored
from .interactions import Answer, Interactions
from .json_text import read_object, write_text
from .outcome import FhirError, bad_request
from .writing import Writer

STATUS = {200: "200 OK", 201: "201 Created"}


@dataclass(frozen=True)
class Entry:
    """One request of a Bundle, its ``url`` relative to the FHIR base."""

    number: int
    method: str
    url: str
    full_url: str
    resource: Any
    if_match: str
    if_none_exist: str

    @property
    def type(self) -> str:
        return re.split(r"[/?]", self.url)[0]

    @property
    def id(self) -> str:
        path = urlsplit(self.url).path.split("/")
        return path[1] if len(path) == 2 else ""


def process(bundle: dict[str, Any], interactions: Interactions) -> Answer:
    """The answer to a Bundle posted to the FHIR base. Raises FhirError 400, or that of the entry that failed."""
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") not in ("transaction", "batch"):
        raise bad_request("only a Bundle of type transaction or batch can be posted here")
    entries = bundle_entries(bundle, interactions.fhir_base)
    if bundle["type"] == "batch":
        responses = [_alone(entry, interactions) for entry in entries]
    else:
        responses = transact(entries, interactions, interactions.writer)
    answer = {"resourceType": "Bundle", "type": f"{bundle['type']}-response"}
    return Answer(200, write_text({**answer, "entry": responses} if responses else answer))  # R4: no empty arrays


def bundle_entries(bundle: dict[str, Any], fhir_base: str) -> list[Entry]:
    return [_entry(number, each, fhir_base) for number, each in enumerate(bundle.get("entry") or ())]


def transact(entries: list[Entry], interactions: Interactions, writer: Writer) -> list[dict[str, Any]]:
    """R4's order: creates, updates, reads. One refused entry undoes all of them."""
    responses: dict[int, dict[str, Any]] = {}
    writes = [entry for entry in entries if entry.method in ("POST", "PUT")]
    for entry in entries:
        if entry.method not in ("POST", "PUT", "GET"):
            raise bad_request(f"{_where(entry)}: {entry.method!r} is not supported in a transaction", "not-supported")
    with writer.store.database.write():
        placed: dict[str, str] = {}
        decided = [(entry, _decide(entry, writer, placed)) for entry in writes]
        stored = []
        for entry, (status, resource_id, found) in decided:
            if found is None:
                found = _naming(entry, writer.place, entry.resource, resource_id, entry.method, placed)
                stored.append((entry, status, found))
            responses[entry.number] = _response(Answer(status, stored=found))
        for entry, status, each in stored:
            done = _naming(entry, writer.finish, each, "c" if entry.method == "POST" else "u")
            responses[entry.number] = _response(Answer(status, stored=done))
        for entry in entries:
            if entry.method == "GET":
                responses[entry.number] = _read(_naming(entry, _get, entry, interactions))
    return [responses[number] for number in sorted(responses)]


def _decide(entry: Entry, writer: Writer, placed: dict[str, str]) -> tuple[int, str, Stored | None]:
    """Status, id, and what is there already and stays as it is; notes where ``urn:uuid`` references will point."""
    letter = "c" if entry.method == "POST" else "u"
    _naming(entry, writer.check, entry.resource, entry.type, letter)
    found = None
    if entry.method == "POST":
        if entry.if_none_exist:
            found = _naming(entry, writer.existing, entry.type, entry.if_none_exist)
        status, resource_id = (200, found.id) if found else (201, writer.new_id())
    elif not entry.id:
        raise bad_request(f"{_where(entry)}: a PUT here names Type/id", "not-supported")
    else:
        resource_id = entry.id
        current = _naming(entry, writer.check_update, entry.resource, resource_id, entry.if_match)
        status = 200 if current else 201
    target = f"{entry.type}/{resource_id}"
    if entry.full_url in placed or (entry.method == "PUT" and target in placed.values()):
        raise bad_request(f"{_where(entry)}: the transaction has the same resource twice")
    placed[entry.full_url or target] = target
    return status, resource_id, found


def _alone(entry: Entry, interactions: Interactions) -> dict[str, Any]:
    try:
        if entry.method == "GET":
            return _read(_get(entry, interactions))
        if entry.method == "POST":
            answer = interactions.create(entry.resource, entry.type, entry.if_none_exist)
        elif entry.method == "PUT" and entry.id:
            answer = interactions.update(entry.resource, entry.type, entry.id, entry.if_match)
        else:
            raise bad_request(f"{_where(entry)} is not supported in a batch", "not-supported")
    except FhirError as error:
        return {"response": {"status": str(error.status), "outcome": error.resource()}}
    return _response(Answer(answer.status, stored=answer.stored))


def _get(entry: Entry, interactions: Interactions) -> Answer:
    parts = urlsplit(entry.url)
    if entry.id:
        return interactions.read(entry.type, entry.id)
    validation.check_type(parts.path)
    return interactions.search(parts.path, parts.query)


def _response(answer: Answer) -> dict[str, Any]:
    """What became of a write."""
    stored = answer.stored
    assert stored
    location = f"{stored.reference}/_history/{stored.version}"
    told = {"location": location, "etag": stored.etag, "lastModified": stored.updated}
    return {"response": {"status": STATUS[answer.status], **told}}


def _read(answer: Answer) -> dict[str, Any]:
    return {"resource": read_object(answer.body.encode()), "response": {"status": STATUS[answer.status]}}


def _naming(entry: Entry, step: Any, *arguments: Any) -> Any:
    try:
        return step(*arguments)
    except FhirError as error:
        raise FhirError(error.status, error.code, f"{_where(entry)}: {error.text}") from None


def _where(entry: Entry) -> str:
    return f"Bundle.entry[{entry.number}] ({entry.method} {entry.url})"


def _entry(number: int, raw: Any, fhir_base: str) -> Entry:
    request = raw.get("request") if isinstance(raw, dict) else None
    if not isinstance(request, dict) or not isinstance(request.get("url"), str):
        raise bad_request(f"Bundle.entry[{number}] has no request with a url")
    return Entry(
        number=number,
        method=str(request.get("method", "")),
        url=request["url"].removeprefix(fhir_base).lstrip("/"),
        full_url=str(raw.get("fullUrl", "")),
        resource=raw.get("resource"),
        if_match=str(request.get("ifMatch", "")),
        if_none_exist=str(request.get("ifNoneExist", "")).lstrip("?"),
    )
