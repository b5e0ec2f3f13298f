"""An EHR in memory that does what filing needs, and may be told to do it wrong."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from imr_fhir.bundle import resolved
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.limits import Limit
from imr_fhir.ehr.transport import Transport
from tests.wire_server import Exchange, serve

Fault = Callable[[Exchange], bool]  # True: it has answered, or not, as it wanted


def no_fault(exchange: Exchange) -> bool:
    return False


@dataclass
class SmallEhr:
    """``before`` and ``after``: faults before a request is carried out, and when it has been."""

    origin: str = ""
    store: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    bundles: list[dict[str, Any]] = field(default_factory=list)
    before: Fault = no_fault
    after: Fault = no_fault
    changes: Callable[[dict[str, Any]], dict[str, Any]] = dict
    ignores_search: bool = False
    versions: bool = True  # else none is shown, and If-Match is not heeded
    etags: bool = False  # the version stands in the header alone
    _ids: Iterator[int] = field(default_factory=itertools.count)

    def client(self, patient: str = "anna", **more: Any) -> FhirClient:
        limits = {
            "chart": Limit(2, 10_000_000),
            "write": Limit(2, 10_000_000),
            "read-back": Limit(2, 10_000_000, anyway=True),
        }
        transport = Transport([self.origin], allow_loopback_http=True, limits=limits)
        return FhirClient(transport, f"{self.origin}/fhir", patient=patient, **more)

    def of(self, resource_type: str) -> list[dict[str, Any]]:
        return [resource for resource in self.store.values() if resource["resourceType"] == resource_type]

    def answer(self, exchange: Exchange) -> None:
        request = exchange.request
        path, _, query = request.path.removeprefix("/fhir").strip("/").partition("?")
        self.requests.append(f"{request.method} {path}".strip())
        if self.before(exchange):
            return
        answer = self._carry_out(request, path, query)
        if not self.after(exchange):
            exchange.answer(*answer)

    def _carry_out(self, request: Any, path: str, query: str) -> tuple[Any, ...]:
        if request.method == "POST" and not path:
            self.bundles.append(request.json())
            return self._transaction(request.json())
        if request.method in ("POST", "PUT"):
            match = request.headers.get("if-match", "")
            none = request.headers.get("if-none-exist", "")
            status, resource = self._write(request.json(), match, none)
            if status >= 400:
                return (status,)
            version = resource["meta"]["versionId"]
            return status, b"", {"Location": f"/fhir/{path.split('/')[0]}/{resource['id']}/_history/{version}"}
        if request.method == "DELETE":
            return (204,) if self.store.pop(path, None) else (404,)
        if "/" in path:
            if path not in self.store:
                return (404,)
            tag = f'W/"{self.store[path]["meta"]["versionId"]}"'
            return 200, self._shown(self.store[path]), {"ETag": tag} if self.etags else {}
        found = [{"resource": self._shown(each)} for each in self._search(path, query)]
        return 200, {"resourceType": "Bundle", "type": "searchset", "entry": found}

    def _shown(self, resource: dict[str, Any]) -> dict[str, Any]:
        if self.versions and not self.etags:
            return resource
        return resource | {"meta": {name: each for name, each in resource["meta"].items() if name != "versionId"}}

    def _transaction(self, bundle: dict[str, Any]) -> tuple[Any, ...]:
        entries, known, before = [], {}, dict(self.store)
        for entry in bundle["entry"]:
            asked = entry["request"]
            status, resource = self._write(
                resolved(entry["resource"], known), asked.get("ifMatch", ""), asked.get("ifNoneExist", "")
            )
            if status >= 400:
                self.store = before
                return (status,)
            reference = f"{resource['resourceType']}/{resource['id']}"
            known[entry["fullUrl"]] = reference
            place = f"{reference}/_history/{resource['meta']['versionId']}"
            entries.append({"response": {"status": f"{status} Said", "location": place}})
        return 200, {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}

    def _write(self, resource: dict[str, Any], match: str, none: str) -> tuple[int, dict[str, Any]]:
        there = self._search(resource["resourceType"], none) if none else []
        if there:
            return (200, there[0]) if len(there) == 1 else (412, resource)
        old = self.store.get(f"{resource['resourceType']}/{resource.get('id')}", {"meta": {"versionId": "0"}})
        if self.versions and match and match != f'W/"{old["meta"]["versionId"]}"':
            return 412, resource
        version = str(int(old["meta"]["versionId"]) + 1)
        meta = {**resource.get("meta", {}), "versionId": version}
        kept = self.changes({"id": f"n{next(self._ids)}", **resource, "meta": meta})
        self.store[f"{kept['resourceType']}/{kept['id']}"] = kept
        return 200 if "id" in resource else 201, kept

    def _search(self, resource_type: str, query: str) -> list[dict[str, Any]]:
        return [each for each in self.of(resource_type) if self.ignores_search or _matches(each, query)]


def _matches(resource: dict[str, Any], query: str) -> bool:
    for name, value in parse_qsl(query):
        if name == "_tag":
            tags = resource["meta"].get("tag", [])
            if value not in [f"{tag['system']}|{tag['code']}" for tag in tags]:
                return False
        elif name == "identifier":
            named = resource.get("identifier", [])
            named = named if isinstance(named, list) else [named]
            if value not in [f"{each['system']}|{each['value']}" for each in named]:
                return False
        elif name == "patient":
            reference = resource.get("subject", resource.get("patient", {})).get("reference")
            if reference != f"Patient/{value}":
                return False
    return True


@contextmanager
def small_ehr() -> Iterator[SmallEhr]:
    ehr = SmallEhr()
    with serve(ehr.answer) as server:
        ehr.origin = server.origin
        yield ehr
