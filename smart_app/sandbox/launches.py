"""What a launch knows: who is logged in, which patient and encounter, and the faults that were switched on for it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .vault import Entry, Vault

FhirUser = Literal["absolute", "relative", "none"]

SECONDS = 300  # a launch token that nobody used within five minutes is dead


@dataclass(frozen=True)
class Launch:
    """``user`` is a reference (``Practitioner/kari``), ``patient`` and ``encounter`` ids; ``intent``, ``tenant`` and
    ``fhir_context`` as in SMART. ``fhir_user``: how the id_token writes the user. ``granted``: the scopes that are
    granted whatever is asked for, with a blank between."""

    user: str
    patient: str
    encounter: str = ""
    intent: str = ""
    need_patient_banner: bool = True
    tenant: str = ""
    fhir_context: tuple[Any, ...] = ()
    fhir_user: FhirUser = "absolute"
    granted: str = ""
    faults: tuple[str, ...] = ()

    def body(self) -> dict[str, Any]:
        return asdict(self)


def launch_of(body: Mapping[str, Any]) -> Launch:
    kept = body["launch"]
    return Launch(**{**kept, **{name: tuple(kept[name]) for name in ("faults", "fhir_context")}})


def launch_token(vault: Vault, launch: Launch) -> str:
    """Opaque, single use."""
    return vault.issue("launch", {"launch": launch.body()}, seconds=SECONDS)


def unused_launch(vault: Vault, token: str) -> Entry | None:
    entry = vault.look("launch", token)
    return entry if entry and not entry.spent else None
