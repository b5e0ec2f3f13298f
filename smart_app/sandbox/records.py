"""What the chart pages show of a patient's record: plain rows of text."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import search
from .fhir_store import Stored
from .hospital import Hospital

# The application marks what it files with a tag of this system (one code for each filing).
FILING_SYSTEM = "https://w3id.org/imr-fhir/filing"


@dataclass(frozen=True)
class Person:
    """``reference`` is ``Patient/<id>`` or ``Practitioner/<id>``; ``number`` the first identifier; ``practitioner`` the
    id of a patient's own clinician, or ""."""

    id: str
    reference: str
    name: str
    birth_date: str
    number: str
    practitioner: str


@dataclass(frozen=True)
class Line:
    """One resource, as a row."""

    reference: str
    what: str
    date: str
    status: str
    version: int
    saved: str


USERS = ("kari", "ola")  # ids of the clinicians who may be logged in; the patient may too
THE_PATIENT = "patient"


def users(hospital: Hospital) -> list[Person]:
    return people(hospital, "Practitioner", f"_id={','.join(USERS)}")


def user_reference(user: str, patient: str) -> str:
    """Who is logged in: one of USERS, or the patient with the id ``patient``."""
    return f"Patient/{patient}" if user == THE_PATIENT else f"Practitioner/{user}"


def people(hospital: Hospital, resource_type: str, query: str = "") -> list[Person]:
    return [_person(stored) for stored in _found(hospital, resource_type, query)]


def person(hospital: Hospital, resource_type: str, resource_id: str) -> Person | None:
    stored = hospital.store.read(resource_type, resource_id)
    return _person(stored) if stored else None


def lines(hospital: Hospital, resource_type: str, query: str) -> list[Line]:
    return [_line(stored) for stored in _found(hospital, resource_type, query)]


def filed(hospital: Hospital, patient: str) -> list[Line]:
    """What the application wrote in this patient's record, of any type, newest first."""
    rows = hospital.database.connection.execute(
        "SELECT number FROM resource r WHERE patient = ? AND EXISTS (SELECT 1 FROM search_index "
        "WHERE resource = r.number AND param = '_tag' AND system = ?) ORDER BY updated DESC, number DESC",
        (patient, FILING_SYSTEM),
    )
    return [_line(stored) for stored in hospital.store.by_number([number for (number,) in rows])]


def open_encounter(hospital: Hospital, patient: str) -> str:
    """The id of the visit that is going on, or ""."""
    found = _found(hospital, "Encounter", f"patient={patient}&status=in-progress&_sort=-date")
    return found[0].id if found else ""


def _found(hospital: Hospital, resource_type: str, query: str) -> list[Stored]:
    asked = search.parse(resource_type, query, hospital.config.fhir_base)
    return hospital.store.by_number(search.find(hospital.database, asked, None))


def _person(stored: Stored) -> Person:
    resource = stored.resource()
    name = (resource.get("name") or [{}])[0]
    number = (resource.get("identifier") or [{}])[0].get("value", "")
    full = " ".join([*name.get("given", []), name.get("family", "")]).strip() or stored.id
    own = (resource.get("generalPractitioner") or [{}])[0].get("reference", "").rpartition("/")[2]
    return Person(stored.id, stored.reference, full, resource.get("birthDate", ""), number, own)


def _line(stored: Stored) -> Line:
    resource = stored.resource()
    status = resource.get("status") or resource.get("lifecycleStatus") or _concept(resource.get("clinicalStatus"))
    return Line(stored.reference, _what(resource), _date(resource), status or "", stored.version, stored.updated[:16])


def _what(resource: Mapping[str, Any]) -> str:
    for name in ("code", "description", "type", "class", "activity", "category"):
        part = resource.get(name)
        if text := _concept(part[0] if isinstance(part, list) and part else part):
            return text
    return str(resource.get("questionnaire", "")).rpartition("/")[2] or str(resource["resourceType"])


def _concept(part: Any) -> str:
    """The words of a CodeableConcept or Coding."""
    if not isinstance(part, dict):
        return ""
    codings = part.get("coding") or [part]
    return str(part.get("text") or codings[0].get("display") or codings[0].get("code") or "")


def _date(resource: Mapping[str, Any]) -> str:
    for name in ("effectiveDateTime", "authored", "startDate", "recorded", "recordedDate", "date"):
        if name in resource:
            return str(resource[name])[:10]
    period = resource.get("period") or {}
    start, end = str(period.get("start", ""))[:10], str(period.get("end", ""))[:10]
    return start if not end or end == start else f"{start} – {end}"


def pretty(stored: Stored) -> str:
    """The stored JSON, indented for reading."""
    return json.dumps(json.loads(stored.body), indent=2, ensure_ascii=False)
