"""What is known of a launch, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from smart_app.store.owner import Owner
from smart_app.store.who import Who

Role = Literal["clinician", "patient", "reader"]


@dataclass(frozen=True, slots=True)
class Context:
    """The launch record: site and issuer, the verified person (``sub`` empty: none), the patient, and how to show it.

    ``iss`` is what the EHR launched with, ``issuer`` the discovered one; ``plan`` is the write plan as JSON; ``opened``
    are keys of the answers that this viewer opened before rating; ``replaces`` are ids of patients whose records were
    merged into this one. ``intent`` and ``tenant`` are the EHR's word for it: neither is shown, and nothing is trusted
    for them.
    """

    site: str
    iss: str
    fhir_base: str
    issuer: str
    patient: str = field(repr=False)
    sub: str = field(default="", repr=False)
    user_name: str = field(default="", repr=False)
    fhir_user: str = field(default="", repr=False)
    role: Role = "reader"
    patient_name: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)
    encounter: str = field(default="", repr=False)
    framed: bool = False
    language: str = "en"
    need_patient_banner: bool = True
    intent: str = ""
    tenant: str = ""
    return_style: str = ""
    plan: Mapping[str, Any] = field(default_factory=dict)
    opened: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()

    @property
    def binding(self) -> tuple[str, ...]:
        """What a launch stands for and may never turn into another."""
        return (self.site, self.iss, self.fhir_base, self.issuer, self.sub, self.patient)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"plan": dict(self.plan)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Context:
        value = {name: each for name, each in value.items() if name != "answered"}  # launches of older versions say so
        return cls(**{**value, "opened": tuple(value["opened"]), "replaces": tuple(value.get("replaces", ()))})


@dataclass(frozen=True, slots=True)
class Tokens:
    """``expires_at`` is None where the EHR did not say; ``scopes`` are the granted ones."""

    access_token: str = field(repr=False)
    expires_at: datetime | None
    scopes: tuple[str, ...]
    refresh_token: str = field(default="", repr=False)

    def as_json(self) -> dict[str, Any]:
        expires = self.expires_at.isoformat() if self.expires_at else None
        return asdict(self) | {"expires_at": expires, "scopes": list(self.scopes)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Tokens:
        expires = datetime.fromisoformat(value["expires_at"]) if value["expires_at"] else None
        return cls(value["access_token"], expires, tuple(value["scopes"]), value["refresh_token"])


@dataclass(frozen=True, slots=True)
class Launch:
    """``state`` is active or handed_over; ``seen`` is when a person last did something."""

    id: str
    state: str
    user_key: str
    patient_key: str
    context: Context
    tokens: Tokens
    tokens_version: int
    created: datetime
    seen: datetime

    @property
    def owner(self) -> Owner:
        """Whose drafts and filings this launch may open."""
        return Owner(self.user_key, self.context.site, self.patient_key)

    @property
    def who(self) -> Who:
        """The person, for the audit log."""
        seen = self.context
        return Who(self.user_key, seen.user_name, seen.role, seen.fhir_user, seen.issuer, seen.sub)


@dataclass(frozen=True, slots=True)
class Started:
    """``secret`` goes into the launch's cookie and nowhere else; the tokens of ``ended`` are to be revoked."""

    launch: Launch
    secret: str = field(repr=False)
    ended: tuple[Launch, ...]
