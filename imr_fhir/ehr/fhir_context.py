"""``fhirContext`` of a token reply: what else the app was opened about (SMART App Launch 2.2, 5.1.4)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from imr_fhir.ehr.address import local_reference

LAUNCH = "launch"  # the role of what the app was opened in the context of


@dataclass(frozen=True, slots=True)
class ContextItem:
    """``reference`` as the EHR wrote it, ``role`` a code or URI."""

    reference: str
    role: str = LAUNCH


def context_items(value: object) -> tuple[ContextItem, ...]:
    """Items with a reference: texts in SMART 2.0, objects from 2.1; what has none (``canonical``) is left out."""
    items = (_item(item) for item in (value if isinstance(value, list) else []))
    return tuple(item for item in items if item)


def encounter_in(items: Iterable[ContextItem], fhir_base: str) -> str:
    """Id of the one Encounter that the launch is about; "" where there is none, or more than one to choose from."""
    references = (local_reference(item.reference, fhir_base) for item in items if item.role == LAUNCH)
    found = {reference.id for reference in references if reference and reference.type == "Encounter"}
    return found.pop() if len(found) == 1 else ""


def _item(item: object) -> ContextItem | None:
    if isinstance(item, str):
        return ContextItem(item)
    if not isinstance(item, Mapping) or not isinstance(item.get("reference"), str):
        return None
    role = item.get("role", LAUNCH)
    return ContextItem(item["reference"], role) if isinstance(role, str) else None
