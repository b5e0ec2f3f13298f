"""The made-up population on a FHIR server, with all that it refers to."""

from collections.abc import Iterable
from typing import Any

import requests

from imr_fhir.ehr.json_writer import write_json
from tests.reporting.population import UNITS

AT_ONCE = 400
OTHERS = (
    *({"resourceType": "Organization", "id": unit.partition("/")[2], "name": unit} for unit in UNITS),
    *({"resourceType": "Practitioner", "id": name} for name in ("kari", "ola")),
)


def group(people: int) -> dict[str, Any]:
    """All of them."""
    members = [{"entity": {"reference": f"Patient/person-{number:05d}"}} for number in range(people)]
    return {"resourceType": "Group", "id": "g-reporting", "type": "person", "actual": True, "member": members}


def put(base: str, resources: Iterable[dict[str, Any]]) -> None:
    """In this order, each under its own id."""
    entries = [
        {"request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}, "resource": each}
        for each in resources
    ]
    for first in range(0, len(entries), AT_ONCE):
        body = write_json({"resourceType": "Bundle", "type": "transaction", "entry": entries[first : first + AT_ONCE]})
        answer = requests.post(base, data=body, headers={"Content-Type": "application/fhir+json"}, timeout=300)
        assert answer.status_code == 200, answer.text[:2000]
