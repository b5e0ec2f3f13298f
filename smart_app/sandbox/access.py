"""May this token do this? Asked on every FHIR request, and for each entry of a transaction by itself."""

from dataclasses import dataclass

from .outcome import FhirError
from .scopes import Scope
from .search_parameters import COMPARTMENT


@dataclass(frozen=True)
class Access:
    """What one access token stands for. ``patient`` is the launch's patient (an id), ``user`` a reference; both "" for
    a backend service. ``family`` names the launch: all tokens that came of it."""

    client_id: str
    scopes: tuple[Scope, ...]
    patient: str = ""
    user: str = ""
    family: str = ""
    faults: frozenset[str] = frozenset()

    def demand(self, resource_type: str, letter: str) -> None:
        """Raises FhirError 403 where no scope covers the operation (one of c, r, u, s) on the type."""
        if not self.levels(resource_type, letter):
            raise FhirError(403, "forbidden", f"no granted scope covers {_OPERATION[letter]} of {resource_type}")

    def limit(self, resource_type: str, letter: str) -> str | None:
        """The one patient (id) whose records the operation may touch; None: no limit."""
        wide = {"user", "system"} & self.levels(resource_type, letter)
        return None if wide or resource_type not in COMPARTMENT else self.patient

    def permits(self, resource_type: str, letter: str, owner: str) -> bool:
        """``owner``: the patient (id) whose record the resource belongs to, or ""."""
        levels = self.levels(resource_type, letter)
        if {"user", "system"} & levels:
            return True
        if "patient" not in levels:
            return False
        if resource_type not in COMPARTMENT:  # shared by all patients: a patient/ scope may read them, never write
            return letter in "rs"
        return bool(owner) and owner == self.patient and not (resource_type == "Patient" and letter == "c")

    def demand_resource(self, resource_type: str, letter: str, owner: str) -> None:
        """Raises FhirError 403: no scope, or another patient's record."""
        self.demand(resource_type, letter)
        if not self.permits(resource_type, letter, owner):
            text = f"{_OPERATION[letter]} of this {resource_type} is outside the record of Patient/{self.patient}"
            raise FhirError(403, "forbidden", text)

    def levels(self, resource_type: str, letter: str) -> set[str]:
        """Of the scopes that cover the operation."""
        return {scope.level for scope in self.scopes if scope.covers(resource_type, letter)}


_OPERATION = {"c": "create", "r": "read", "u": "update", "s": "search"}

# The hospital itself: seeding, and the chart pages.
HOUSE = Access(client_id="hospital", scopes=(Scope("system", "*", "cruds"),))
