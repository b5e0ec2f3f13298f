"""Bulk Data Access (HL7, 2.0): an export is asked for, waited for, and answered with a list of files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode

from imr_fhir.ehr.address import absolute, is_id
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.failure import failure, retry_after
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.ehr.outcome import plain
from imr_fhir.ehr.transport import Reply
from imr_fhir.errors import BadReply, ExportError, ExportLost, NotJson, ResourceError
from imr_fhir.fhir_time import parse_date_time

Level = Literal["group", "patient", "system"]

NDJSON = "application/fhir+ndjson"
ANEW = "Run the same command again: it begins anew."
_TELL = "Tell the EHR's administrator."


@dataclass(frozen=True, slots=True)
class Kickoff:
    """``filters``: searches ("Observation?code=..."), of which a resource must match one of those of its type."""

    level: Level
    group: str = ""
    types: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    since: str = ""

    @property
    def path(self) -> str:
        if self.level == "group" and not is_id(self.group):
            raise ExportError(f"{self.group[:64]!r} is no id of a Group.", next_step="Give the id alone: --group 12")
        return {"group": f"Group/{self.group}/$export", "patient": "Patient/$export", "system": "$export"}[self.level]


@dataclass(frozen=True, slots=True)
class File:
    """``type`` of its resources, "" where they are of several; ``count`` is None where it is not said."""

    type: str
    url: str
    count: int | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """``transaction_time``: what was changed later is not in it. ``token``: its files want the access token."""

    transaction_time: str
    token: bool
    output: tuple[File, ...]
    deleted: tuple[File, ...]
    error: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """``seconds`` until it may be asked again, None where the server leaves it to us; ``said``: how far it is."""

    seconds: int | None
    said: str = ""


def begin(client: FhirClient, asked: Kickoff, *, post: bool = False) -> str:
    """Asks for the export; the address where to ask how far it is. Raises EhrError, Busy where it is too much now."""
    headers = {"Prefer": "respond-async"}
    if post:
        headers["Content-Type"] = "application/fhir+json"
        reply = client.ask("POST", asked.path, headers=headers, body=write_json(_parameters(asked)))
    else:
        query = urlencode([*_query(asked), ("_outputFormat", NDJSON)])
        reply = client.ask("GET", f"{asked.path}?{query}", headers=headers)
    if reply.status != 202:
        raise failure(reply, "to begin an export")
    where = reply.headers.get("Content-Location", "")
    if not where:
        raise BadReply("The EHR took the export, but does not say where to ask for it.", next_step=_TELL)
    return absolute(where, client.base)


def _query(asked: Kickoff) -> Iterable[tuple[str, str]]:
    if asked.types:
        yield "_type", ",".join(asked.types)
    if asked.since:
        yield "_since", asked.since
    for each in asked.filters:
        yield "_typeFilter", each


def _parameters(asked: Kickoff) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"name": "_outputFormat", "valueString": NDJSON}]
    parts += [{"name": "_type", "valueString": ",".join(asked.types)}] if asked.types else []  # HAPI reads one alone
    parts += [{"name": "_since", "valueInstant": asked.since}] if asked.since else []
    parts += [{"name": "_typeFilter", "valueString": each} for each in asked.filters]
    return {"resourceType": "Parameters", "parameter": parts}


def poll(client: FhirClient, job: str) -> Waiting | Manifest:
    """How far the export at ``job`` is, or what came of it. Raises ExportLost where it failed or the server has it no
    more, EhrError (ServerFault where it can't say now)."""
    reply = client.ask("GET", job, headers={"Accept": "application/json"})
    if reply.status == 429:  # asked too often, not refused
        return Waiting(retry_after(reply))
    if reply.status == 202:
        return Waiting(retry_after(reply), plain(reply.headers.get("X-Progress", ""), 60))
    if reply.status in (404, 410):
        raise ExportLost("The EHR has this export no more: it ran out.", next_step=ANEW)
    if reply.status >= 500 and _is_final(reply):
        raise ExportLost(f"The EHR gave the export up. {failure(reply, 'to go on with it').message}", next_step=ANEW)
    if reply.status != 200:
        raise failure(reply, "to say how far the export is")
    try:
        found = reply.json()
    except NotJson:
        found = None
    if not isinstance(found, Mapping):
        raise BadReply("The EHR's list of files is no JSON object.", next_step=_TELL)
    return _manifest(found)


def _is_final(reply: Reply) -> bool:
    """A gateway's fault says nothing of the export, and the server itself says where it may pass."""
    try:
        said = reply.json()
    except NotJson:
        return False
    issues = said.get("issue") if isinstance(said, Mapping) and said.get("resourceType") == "OperationOutcome" else None
    return isinstance(issues, list) and not any(
        isinstance(issue, Mapping) and issue.get("code") == "transient" for issue in issues
    )


def end(client: FhirClient, job: str) -> None:
    """Tells the server that it may throw the files away. Raises EhrError."""
    reply = client.ask("DELETE", job)
    if reply.status not in (200, 202, 204):
        raise failure(reply, "to end the export")


def _manifest(found: Mapping[str, Any]) -> Manifest:
    time = found.get("transactionTime")
    if not isinstance(time, str) or not _is_time(time):
        raise BadReply("The EHR's list of files has no transactionTime.", next_step=_TELL)
    return Manifest(time, found.get("requiresAccessToken") is True, *(_files(found, name) for name in _LISTS))


def _is_time(text: str) -> bool:
    try:
        parse_date_time(text)
    except ResourceError:
        return False
    return True


_LISTS = ("output", "deleted", "error")


def _files(found: Mapping[str, Any], name: str) -> tuple[File, ...]:
    listed = found.get(name) or []
    if not isinstance(listed, list) or not all(isinstance(each, Mapping) for each in listed):
        raise BadReply(f"{name} in the EHR's list of files is no list of files.", next_step=_TELL)
    return tuple(_file(each, name) for each in listed)


def _file(each: Mapping[str, Any], name: str) -> File:
    kind, url, count = each.get("type", ""), each.get("url"), each.get("count")
    if not isinstance(url, str) or not isinstance(kind, str):
        raise BadReply(f"A file of {name} in the EHR's list has no address.", next_step=_TELL)
    return File(kind, url, count if isinstance(count, int) and not isinstance(count, bool) else None)
