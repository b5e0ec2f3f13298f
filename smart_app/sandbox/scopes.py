"""SMART scopes, version 1 (``patient/Observation.read``) and 2 (``patient/Observation.rs``)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

LEVELS = ("patient", "user", "system")
CONTEXT = ("openid", "fhirUser", "profile", "launch", "launch/patient", "online_access", "offline_access")
V1_LETTERS = {"read": "rs", "write": "cud", "*": "cruds"}
# SMART 2: the letters stand in the order of "cruds". Finer scopes ("...?category=...") are not offered here.
RESOURCE_SCOPE = re.compile(r"(patient|user|system)/(\*|[A-Z][A-Za-z]*)\.(read|write|\*|(?=[cruds])c?r?u?d?s?)")


@dataclass(frozen=True)
class Scope:
    """``letters`` of create, read, update, delete, search."""

    level: str
    type: str
    letters: str

    def covers(self, resource_type: str, letter: str) -> bool:
        return self.type in ("*", resource_type) and letter in self.letters


def resource_scope(text: str) -> Scope | None:
    """One resource scope, or None where it is none (``openid``) or malformed (``patient/Observation.sr``)."""
    match = RESOURCE_SCOPE.fullmatch(text)
    if not match:
        return None
    level, resource_type, letters = match.groups()
    return Scope(level, resource_type, V1_LETTERS.get(letters, letters))


def resource_scopes(texts: Iterable[str]) -> tuple[Scope, ...]:
    return tuple(scope for scope in map(resource_scope, texts) if scope)


def grantable(registered: Iterable[str], asked: Iterable[str]) -> list[str]:
    """Those of the asked scopes that a registration covers, in the order asked, each once."""
    registered = set(registered)
    held = resource_scopes(registered)

    def covered(text: str) -> bool:
        scope = resource_scope(text)
        if scope is None:
            return text in CONTEXT and text in registered
        same_level = [other for other in held if other.level == scope.level]
        return all(any(other.covers(scope.type, letter) for other in same_level) for letter in scope.letters)

    return [text for text in dict.fromkeys(asked) if covered(text)]
