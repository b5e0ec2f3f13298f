"""R4's RESTful interactions, one request at a time, free of HTTP: what is asked -> an Answer."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

from . import search, validation
from .access import Access
from .binaries import binary_of, document_id
from .bundles import Pages, Snapshot, searchset
from .fhir_store import FhirStore, Stored
from .json_text import write_text
from .outcome import FhirError, not_found, several_match
from .writing import Writer


@dataclass(frozen=True)
class Answer:
    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    stored: Stored | None = None


class Interactions:
    """What one token may do with the store."""

    def __init__(self, store: FhirStore, pages: Pages, fhir_base: str, access: Access) -> None:
        self.store = store
        self.pages = pages
        self.fhir_base = fhir_base
        self.access = access
        self.writer = Writer(store, fhir_base, access)

    def read(self, resource_type: str, resource_id: str) -> Answer:
        return self._of(200, self._known(resource_type, resource_id))

    def binary(self, binary_id: str) -> Answer:
        """What a document holds: it takes the right to read both."""
        self.access.demand("Binary", "r")
        document = self._known("DocumentReference", document_id(binary_id))
        return Answer(200, write_text(binary_of(document.resource(), binary_id)))

    def vread(self, resource_type: str, resource_id: str, version: str) -> Answer:
        for stored, _ in self.store.history(self._known(resource_type, resource_id)):
            if str(stored.version) == version:
                return self._of(200, stored)
        raise FhirError(404, "not-found", f"{resource_type}/{resource_id} has no version {version}")

    def history(self, resource_type: str, resource_id: str) -> Answer:
        entries = []
        versions = self.store.history(self._known(resource_type, resource_id))
        for stored, method in versions:
            url = f"{resource_type}/{resource_id}" if method == "PUT" else resource_type
            status = "201 Created" if stored.version == 1 else "200 OK"
            entries.append(
                {
                    "fullUrl": f"{self.fhir_base}/{stored.reference}",
                    "resource": stored.resource(),
                    "request": {"method": method, "url": url},
                    "response": {"status": status, "etag": stored.etag, "lastModified": stored.updated},
                }
            )
        link = [{"relation": "self", "url": f"{self.fhir_base}/{resource_type}/{resource_id}/_history"}]
        head = {"resourceType": "Bundle", "id": secrets.token_hex(16), "type": "history", "total": len(versions)}
        return Answer(200, write_text({**head, "link": link, "entry": entries}))

    def search(self, resource_type: str, query: str) -> Answer:
        validation.check_type(resource_type)
        self.access.demand(resource_type, "s")
        pairs = parse_qsl(query, keep_blank_values=True)
        asked = search.parse(resource_type, pairs, self.fhir_base)
        limit = self.access.limit(resource_type, "s")
        if limit is not None and (others := search.patients_named(resource_type, pairs) - {limit}):
            text = f"a search for Patient/{sorted(others)[0]} is outside the record of Patient/{limit}"
            raise FhirError(403, "forbidden", text)
        numbers = search.find(self.store.database, asked, limit)
        url = f"{self.fhir_base}/{resource_type}" + (f"?{query}" if query else "")
        snapshot = Snapshot(asked, tuple(numbers), self.access.family)
        return self._page(snapshot, 0, "", url)

    def page(self, link: str) -> Answer:
        key, snapshot, start = self.pages.page(link, self.access)
        self.access.demand(snapshot.search.type, "s")
        return self._page(snapshot, start, key, f"{self.fhir_base}?_page={link}")

    def create(self, resource: dict[str, Any], resource_type: str, if_none_exist: str) -> Answer:
        self.writer.check(resource, resource_type, "c")
        with self.store.database.write():
            if if_none_exist and (found := self.writer.existing(resource_type, if_none_exist)):
                shown = self.access.permits(resource_type, "r", found.patient)
                return self._of(200, found, located=True, shown=shown)
            stored = self.writer.place(resource, self.writer.new_id(), "POST", {})
            return self._of(201, self.writer.finish(stored, "c"))

    def update(self, resource: dict[str, Any], resource_type: str, resource_id: str, if_match: str) -> Answer:
        self.writer.check(resource, resource_type, "u")
        with self.store.database.write():
            current = self.writer.check_update(resource, resource_id, if_match)
            stored = self.writer.place(resource, resource_id, "PUT", {})
            return self._of(200 if current else 201, self.writer.finish(stored, "u"))

    def update_conditional(self, resource: dict[str, Any], resource_type: str, query: str) -> Answer:
        self.writer.check(resource, resource_type, "u")
        with self.store.database.write():
            found = self.writer.matching(resource_type, query)
            if len(found) > 1:
                raise several_match(resource_type, query)
            resource_id = found[0].split("/")[1] if found else resource.get("id") or self.writer.new_id()
            self.writer.check_update({**resource, "id": resource.get("id", resource_id)}, resource_id, "")
            stored = self.writer.place(resource, resource_id, "PUT", {})
            return self._of(200 if found else 201, self.writer.finish(stored, "u"))

    def _known(self, resource_type: str, resource_id: str) -> Stored:
        validation.check_type(resource_type)
        self.access.demand(resource_type, "r")
        stored = self.store.read(resource_type, resource_id)
        if stored is None:
            raise not_found(resource_type, resource_id)
        self.access.demand_resource(resource_type, "r", stored.patient)
        return stored

    def _page(self, snapshot: Snapshot, start: int, key: str, url: str) -> Answer:
        where = {"base": self.fhir_base, "url": url}
        return Answer(200, searchset(self.store, self.pages, self.access, snapshot, start, key, **where))

    def _of(self, status: int, stored: Stored, *, located: bool = False, shown: bool = True) -> Answer:
        headers = {"ETag": stored.etag, "Last-Modified": format_datetime(datetime.fromisoformat(stored.updated), True)}
        if located or status == 201:
            headers["Location"] = f"{self.fhir_base}/{stored.reference}/_history/{stored.version}"
        return Answer(status, stored.body if shown else "", headers, stored)
