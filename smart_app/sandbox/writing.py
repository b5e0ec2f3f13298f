"""The steps of a write, shared by single requests and transactions; each runs inside ``database.write()``."""

import re
import uuid
from typing import Any

from . import references, search, validation
from .access import Access
from .fhir_store import FhirStore, Stored
from .outcome import FhirError, bad_request, several_match

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
ETAG = re.compile(r'(?:W/)?"(\d+)"')


class Writer:
    """``trusted`` leaves out the check of the structure: for the packaged records, which the tests check."""

    def __init__(self, store: FhirStore, fhir_base: str, access: Access, *, trusted: bool = False) -> None:
        self.store = store
        self.fhir_base = fhir_base
        self.access = access
        self.trusted = trusted

    def check(self, resource: Any, resource_type: str, letter: str) -> None:
        """Before anything is written: scope, type, structure."""
        validation.check_type(resource_type)
        self.access.demand(resource_type, letter)
        if not isinstance(resource, dict):
            raise bad_request("there is no resource")
        if not self.trusted:
            validation.check_resource(resource, resource_type)

    def matching(self, resource_type: str, query: str) -> list[str]:
        """References of what a condition matches, in the whole hospital (R4: conditional create, update, reference)."""
        validation.check_type(resource_type)
        condition = search.parse(resource_type, query, self.fhir_base)
        if not condition.where:
            raise FhirError(412, "invalid", f"the condition {query!r} says nothing")
        numbers = search.find(self.store.database, condition, None)
        return [stored.reference for stored in self.store.by_number(numbers[:2])]

    def existing(self, resource_type: str, if_none_exist: str) -> Stored | None:
        """What a conditional create finds. Raises FhirError 412 where several match."""
        found = self.matching(resource_type, if_none_exist)
        if len(found) > 1:
            raise several_match(resource_type, if_none_exist)
        return self.store.read(*found[0].split("/")) if found else None

    def new_id(self) -> str:
        return str(uuid.uuid4())

    def check_update(self, resource: dict[str, Any], resource_id: str, if_match: str) -> Stored | None:
        """The version that is there. Raises FhirError: 400 another id, 412 a stale If-Match, 403 another's record."""
        resource_type = resource["resourceType"]
        if not ID.fullmatch(resource_id) or resource.get("id") != resource_id:
            raise bad_request(f"the body's id is {resource.get('id')!r}, the URL says {resource_id!r}")
        current = self.store.read(resource_type, resource_id)
        if current:
            self.access.demand_resource(resource_type, "u", current.patient)
        if if_match:
            tag = ETAG.fullmatch(if_match.strip())
            if not tag:
                raise bad_request(f'If-Match: {if_match} is not a version: write W/"1"')
            if current is None or current.version != int(tag[1]):
                now = f"it is at version {current.version}" if current else "it does not exist"
                raise FhirError(412, "conflict", f"{resource_type}/{resource_id}: If-Match {if_match}, but {now}")
        return current

    def place(self, resource: dict[str, Any], resource_id: str, method: str, placed: dict[str, str]) -> Stored:
        """Store it with its references rewritten. An update that changes nothing makes no version, as in HAPI."""
        references.resolve(resource, fhir_base=self.fhir_base, placed=placed, matches=self.matching)
        current = self.store.read(resource["resourceType"], resource_id)
        if current and _content(current.resource()) == _content({**resource, "id": resource_id}):
            return current
        return self.store.put(resource, resource_id, method)

    def finish(self, stored: Stored, letter: str) -> Stored:
        """References, search rows, and whose record it is; raising here undoes the whole write."""
        references.check(stored.resource(), self.store.database)
        indexed = self.store.index(stored.type, stored.id)
        self.access.demand_resource(stored.type, letter, indexed.patient)
        return indexed


def _content(resource: dict[str, Any]) -> dict[str, Any]:
    meta = {name: part for name, part in resource.get("meta", {}).items() if name not in ("versionId", "lastUpdated")}
    return {**resource, "meta": meta}
