"""Who did something, as the audit log and the sessions name a person."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Who:
    """A person by user key; ``user_key`` is empty before log-in."""

    user_key: str
    display: str = field(default="", repr=False)
    role: str = ""
    fhir_user: str = field(default="", repr=False)
    issuer: str = ""
    sub: str = field(default="", repr=False)
