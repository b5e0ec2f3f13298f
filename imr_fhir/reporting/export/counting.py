"""What the server says of itself and of how much it has, to be compared with what came."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from imr_fhir.ehr.client import FhirClient
from imr_fhir.errors import EhrError, NotJson
from imr_fhir.reporting.export.asking import Params, narrow
from imr_fhir.reporting.export.taking import Taking


@dataclass(frozen=True, slots=True)
class Statement:
    """Of a CapabilityStatement: ``types``, none where it does not say, and whether it names an export."""

    types: frozenset[str]
    exports: bool

    @classmethod
    def of(cls, client: FhirClient) -> "Statement":
        try:
            rests = [rest for rest in _all(client.capabilities().get("rest")) if isinstance(rest, Mapping)]
        except EhrError:
            return cls(frozenset(), exports=False)  # what follows tells why, if it can't be had either
        resources = [each for rest in rests for each in _all(rest.get("resource")) if isinstance(each, Mapping)]
        operations = [each for place in [*rests, *resources] for each in _all(place.get("operation"))]
        names = (str(each.get("name")) for each in operations if isinstance(each, Mapping))
        types = frozenset(str(each.get("type")) for each in resources)
        return cls(types, any(name.lstrip("$").endswith("export") for name in names))

    def has(self, resource_type: str) -> bool:
        return not self.types or resource_type in self.types


def on_server(client: FhirClient, taking: Taking) -> dict[str, int | None]:
    """How many of each type it says to have (``_summary=count``), by the same search; None where it does not say."""
    types = [each for each in taking.ledger.asked["types"] if each != "Questionnaire"]
    return {each: _count(client, each, search(taking, each)) for each in types}


def search(taking: Taking, resource_type: str) -> Params:
    """What the server was asked for of this type."""
    ledger = taking.ledger
    since = [("_lastUpdated", f"ge{ledger.since}")] if ledger.since else []
    return [*(narrow(taking.release.systems).get(resource_type, ()) if ledger.narrow else ()), *since]


def _count(client: FhirClient, resource_type: str, params: Params) -> int | None:
    try:
        reply = client.ask("GET", f"{resource_type}?{urlencode([*params, ('_summary', 'count')])}")
        total = reply.json().get("total") if reply.status == 200 else None
    except (EhrError, NotJson, AttributeError):
        return None
    return total if isinstance(total, int) and not isinstance(total, bool) else None


def _all(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
