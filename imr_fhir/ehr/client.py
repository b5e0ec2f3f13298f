"""FHIR's RESTful interactions (R4, http.html) with one server, for one patient where there is one."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from copy import copy
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlencode

from imr_fhir.ehr.address import is_id, make_local, origin
from imr_fhir.ehr.answer import resource_in, resources_of
from imr_fhir.ehr.compartment import belongs
from imr_fhir.ehr.failure import failure
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.ehr.limits import SEARCH_BYTES
from imr_fhir.ehr.paging import PAGE, PAGES, Found, Page, Pages, Params, next_page
from imr_fhir.ehr.receipt import Receipt, entry_receipt, receipt
from imr_fhir.ehr.resource_cache import ResourceCache
from imr_fhir.ehr.transport import Incoming, Reply, Transport
from imr_fhir.errors import BadReply, EhrError, LaunchError, OtherResource, WrongPatient
from imr_fhir.version import etag, stored_version

T = TypeVar("T")

_FHIR = "application/fhir+json"
_TELL = "Tell the EHR's administrator."


class FhirClient:
    """``base`` is the server's address; ``token`` gives the access token of the moment; ``patient`` is an id.

    ``renew`` is given a token that the server refused (401, so nothing was done) and gives a newer one, or "".

    With a ``cache``, what a search finds is shared with others: it must not be changed.

    All methods raise EhrError. With ``patient``, what is read or written must be that patient's: else WrongPatient.
    """

    def __init__(
        self,
        transport: Transport,
        base: str,
        *,
        token: Callable[[], str] | None = None,
        renew: Callable[[str], str] | None = None,
        patient: str | None = None,
        headers: Mapping[str, str] | None = None,
        cache: ResourceCache | None = None,
    ) -> None:
        self.base = base.rstrip("/")
        self.patient = patient
        self._transport = transport
        self._token = token
        self._renew = renew
        self._headers = dict(headers or {})
        self._cache = cache
        self._ends = math.inf
        self._in_turn = False
        self._reading = "chart"

    def within(self, seconds: float) -> "FhirClient":
        """This client for one step under a lease: all its calls together end ``seconds`` from now, and what is over by
        then is not sent at all. Its token is had before; what stands in the way of one is raised by the first call."""
        step = copy(self)
        step._token = _had(self._token) if self._token else None
        step._ends = min(self._ends, time.monotonic() + seconds)
        return step

    def at_once(self) -> "FhirClient":
        """This client for reads begun side by side: all end when one begun now would, also those that wait for their
        turn, and none of them holds up another while it waits for a token: without one there is no such client."""
        step = self.within(self._transport.seconds(self._reading))
        step._in_turn = True
        if step._token:
            step._token()
        return step

    def beside(self, call: Callable[[], T]) -> Future[T]:
        """Begins ``call``, which asks this client and waits for no other such call, beside what else is under way."""
        return self._transport.beside(call)

    def reading_back(self) -> "FhirClient":
        """This client for what became of a write: its reads go out also while the host is left alone."""
        reader = copy(self)
        reader._reading = "read-back"
        return reader

    def read(self, resource_type: str, resource_id: str) -> dict[str, Any]:
        """The resource as it is now."""
        reply = self._send("GET", f"{_path(resource_type, resource_id)}", purpose=self._reading)
        if reply.status != 200:
            raise failure(reply, f"to show {resource_type}")
        found = resource_in(reply, resource_type)
        if found.get("id") != resource_id:
            raise OtherResource(
                f"The EHR answered with another {resource_type} than the one asked for.", next_step=_TELL
            )
        self._require_ours(found, "answered for another patient")
        make_local(found, self.base)
        tag = reply.headers.get("ETag", "").strip().removeprefix("W/").strip('"')
        if not stored_version(found) and is_id(tag):  # a server that keeps versions may say so here alone
            found["meta"] = {**(found.get("meta") or {}), "versionId": tag}
        return found

    def search(
        self, resource_type: str, params: Params, *, post: bool = False, count: int = PAGE, pages: int | None = None
    ) -> Found:
        """All pages, in one deadline; resources of other patients are dropped and counted.

        ``post`` keeps the parameters out of addresses and their logs: for names and national numbers. ``count`` on a
        page, ``pages`` at most (by default PAGES), and none after SEARCH_BYTES.
        """
        query, purpose = urlencode([*params, ("_count", str(count))]), self._reading
        ends = time.monotonic() + self._transport.seconds(purpose)
        if post:
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            reply = self._send("POST", f"{resource_type}/_search", purpose=purpose, headers=form, body=query.encode())
        else:
            reply = self._send("GET", f"{resource_type}?{query}", purpose=purpose)
        seen = Pages(resource_type, self.base, self.ours, self._cache)
        url = seen.take(reply)
        most = PAGES if pages is None else pages
        while url and len(seen.seen) < most and seen.bytes < SEARCH_BYTES:
            url = seen.take(self._send("GET", url, purpose=purpose, seconds=ends - time.monotonic()))
        return Found(tuple(seen.resources.values()), seen.foreign, bool(url), tuple(seen.said))

    def page(self, url: str) -> "Page":
        """One page of a search for many patients: ``Type?query`` or the address of a next page. Not for one patient's
        client, whose ``search`` looks at whose each resource is."""
        reply = self._send("GET", url, purpose="export-page")
        if reply.status != 200:
            raise failure(reply, "to search")
        bundle = resource_in(reply, "Bundle")
        return Page(tuple(resources_of(bundle)), next_page(bundle, self.base), reply.headers.get("Date", ""))

    def ask(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        """An operation (R4, operations.html) by its path or address, whatever its status."""
        return self._send(method, url, purpose="export", headers=headers, body=body)

    @contextmanager
    def open(self, url: str, *, headers: Mapping[str, str], token: bool) -> Iterator[Incoming]:
        """A file of an export, whatever the status. ``token``: it wants the access token, and is refused with one
        where it does not say so."""
        own = origin(url) == origin(self.base)
        sent = {**(self._headers if own and token else {}), **headers}
        now = self._token() if self._token and token else ""
        with self._transport.open(url, purpose="export-file", headers=sent | _bearer(now), bare=not own) as incoming:
            newer = self._renew(now) if incoming.status == 401 and self._renew and token else ""
            if not newer:
                yield incoming
                return
        with self._transport.open(url, purpose="export-file", headers=sent | _bearer(newer), bare=not own) as incoming:
            yield incoming

    def create(self, resource: Mapping[str, Any], *, if_none_exist: str = "") -> Receipt:
        """``if_none_exist``: a search; where it finds one, that one is the answer, whatever it says."""
        self._require_ours(resource, "would be written for another patient")
        resource_type = str(resource["resourceType"])
        headers = {"If-None-Exist": if_none_exist} if if_none_exist else {}
        reply = self._write("POST", resource_type, resource, headers)
        return receipt(reply, resource_type)

    def update(self, resource: Mapping[str, Any], *, if_match: str = "") -> Receipt:
        """``if_match``: the version that it replaces; raises Conflict where there is a newer one.

        One that the server does not know (`imr_fhir.version`) can't be named: the caller has compared.
        """
        self._require_ours(resource, "would be written for another patient")
        resource_type, resource_id = str(resource["resourceType"]), str(resource["id"])
        headers = {"If-Match": tag} if (tag := etag(if_match)) else {}
        reply = self._write("PUT", _path(resource_type, resource_id), resource, headers)
        return receipt(reply, resource_type, resource_id)

    def delete(self, resource_type: str, resource_id: str) -> None:
        """For what the loader and the check wrote; nothing of a patient is ever deleted.

        Raises NotFound where it is gone already. No version is named: HAPI and Medplum heed no If-Match of a delete.
        """
        reply = self._send("DELETE", _path(resource_type, resource_id), purpose="write")
        if reply.status not in (200, 202, 204):
            raise failure(reply, f"to delete {resource_type}")

    def transaction(self, bundle: Mapping[str, Any]) -> list[Receipt]:
        """A receipt for each entry, in order. Raises BadReply where the answer does not say so of every entry."""
        entries = bundle["entry"]
        for entry in entries:
            self._require_ours(entry["resource"], "would be written for another patient")
        answers = resource_in(self._write("POST", "", bundle, {}), "Bundle").get("entry")
        if not isinstance(answers, list) or len(answers) != len(entries):
            raise BadReply("The EHR did not answer for each part of the transaction.", next_step=_TELL)
        return [entry_receipt(entry["request"], answer) for entry, answer in zip(entries, answers, strict=True)]

    def capabilities(self) -> dict[str, Any]:
        """The CapabilityStatement."""
        reply = self._send("GET", "metadata", purpose="metadata")
        if reply.status != 200:
            raise failure(reply, "to say what it can do")
        return resource_in(reply, "CapabilityStatement")

    def outcome(self, path: str, resource: Mapping[str, Any]) -> dict[str, Any]:
        """The OperationOutcome with which ``path`` ("Goal/$validate") answers: a verdict, also as a refusal."""
        headers = {"Content-Type": _FHIR}
        reply = self._send("POST", path, purpose="validate", headers=headers, body=write_json(resource))
        if reply.status not in (200, 400, 412, 422):
            raise failure(reply, "to validate")
        return resource_in(reply, "OperationOutcome")

    def ours(self, resource: Mapping[str, Any]) -> bool:
        """Whether it is the patient's of this client, or of no patient."""
        return self.patient is None or belongs(resource, self.patient, self.base)

    def clock_off(self, now: datetime) -> timedelta:
        """How far the server's clock is from ``now``, by its last reply; 0 where there was none."""
        return self._transport.clock_off(self.base, now)

    def _require_ours(self, resource: Mapping[str, Any], what: str) -> None:
        if not self.ours(resource):
            raise WrongPatient(f"{resource.get('resourceType')} {what}.", next_step=f"It was left out. {_TELL}")

    def _write(self, method: str, path: str, resource: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        headers = {"Content-Type": f"{_FHIR}; charset=utf-8", "Prefer": "return=minimal", **headers}
        reply = self._send(method, path, purpose="write", headers=headers, body=write_json(resource))
        if reply.status not in (200, 201, 204):
            raise failure(reply, f"to save {resource['resourceType']}")
        return reply

    def _send(
        self,
        method: str,
        path: str,
        *,
        purpose: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        seconds: float = math.inf,
    ) -> Reply:
        url = path if "://" in path else f"{self.base}/{path}".rstrip("/")
        home = "://" not in path or origin(url) == origin(self.base)  # a secret is for no other host that a reply names
        sent = {"Accept": _FHIR, "Cache-Control": "no-cache", **(self._headers if home else {}), **(headers or {})}
        token = self._token() if self._token and home else ""
        reply = self._send_with(token, method, url, purpose=purpose, headers=sent, body=body, seconds=seconds)
        newer = self._renew(token) if reply.status == 401 and self._renew and home else ""
        if not newer:
            return reply
        return self._send_with(newer, method, url, purpose=purpose, headers=sent, body=body, seconds=seconds)

    def _send_with(
        self, token: str, method: str, url: str, *, headers: dict[str, str], seconds: float, **options: Any
    ) -> Reply:
        left = min(seconds, self._ends - time.monotonic())
        headers = headers | _bearer(token)
        return self._transport.send(method, url, headers=headers, seconds=left, in_turn=self._in_turn, **options)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _had(token: Callable[[], str]) -> Callable[[], str]:
    """The token of now, or what stood in its way, however often it is asked for."""
    try:
        now = token()
    except (EhrError, LaunchError) as error:
        return partial(_raise, error)
    return lambda: now


def _raise(error: Exception) -> str:
    raise error


def _path(resource_type: str, resource_id: str) -> str:
    if not is_id(resource_id):
        raise BadReply(f"{resource_id[:64]!r} is no id of a {resource_type}.", next_step=_TELL)
    return f"{resource_type}/{resource_id}"
