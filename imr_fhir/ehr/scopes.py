"""Scopes: what we ask for, and whether what was granted allows one operation (SMART App Launch v1 and v2)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl

_V1 = {"read": "rs", "write": "cud", "*": "cruds"}
_SCOPE = re.compile(
    r"(?P<level>patient|user|system)/(?P<resource>\*|[A-Za-z]+)\.(?P<rights>read|write|\*|c?r?u?d?s?)(?:\?(?P<limit>.+))?"
)

SURVEY = "http://terminology.hl7.org/CodeSystem/observation-category|survey"


@dataclass(frozen=True, slots=True)
class Need:
    """One right: ``operations`` are letters of v2 (create, read, update, delete, search)."""

    level: str
    resource: str
    operations: str
    why: str


NEEDED: tuple[Need, ...] = (
    Need("patient", "Patient", "r", "the name and birth date on every page"),
    Need("patient", "QuestionnaireResponse", "crus", "answers: read, file, correct"),
    Need("patient", "Observation", "crus", "scores, reviews and notes: read, file, correct"),
    Need("patient", "Goal", "crus", "recovery goals and their steps"),
    Need("patient", "EpisodeOfCare", "rs", "when a course began and ended"),
    Need("patient", "Provenance", "crs", "who recorded what, and that it was filed once"),
    Need("patient", "AuditEvent", "c", "who looked at the chart"),
    Need("user", "Questionnaire", "rs", "whether the form in the EHR is still the one we show"),
    Need("user", "Practitioner", "r", "the name of who records"),
)


def granted(scopes: Iterable[str], resource: str, operation: str) -> bool:
    """Whether any scope allows ``operation`` (one of c, r, u, d, s) on ``resource``.

    A scope limited by a query counts only where all of ours is within it: Observations of category survey.
    """
    return any(_allows(scope, resource, operation) for scope in scopes)


def to_ask(capabilities: Iterable[str]) -> tuple[str, ...]:
    """Scopes for an EHR launch, in v2 where the server says it takes them, else in v1.

    A refresh token lives as long as the session where it can (online_access), and is asked for only where offered.
    """
    offered = frozenset(capabilities)
    v2 = "permission-v2" in offered
    refresh = [scope for name, scope in _REFRESH if name in offered][:1]
    return ("openid", "fhirUser", "launch", *refresh, *(scope for need in NEEDED for scope in _written(need, v2=v2)))


_REFRESH = (("permission-online", "online_access"), ("permission-offline", "offline_access"))


def _written(need: Need, *, v2: bool) -> list[str]:
    name = f"{need.level}/{need.resource}"
    if v2:
        return [f"{name}.{need.operations}"]
    return [f"{name}.{word}" for word in ("read", "write") if set(_V1[word]) & set(need.operations)]


def _allows(scope: str, resource: str, operation: str) -> bool:
    found = _SCOPE.fullmatch(scope)
    if found is None or found["resource"] not in ("*", resource):
        return False
    if operation not in _V1.get(found["rights"], found["rights"]):
        return False
    return not found["limit"] or _within(found["limit"], resource)


def _within(limit: str, resource: str) -> bool:
    return resource == "Observation" and all(
        name == "category" and value in (SURVEY, "survey") for name, value in parse_qsl(limit, keep_blank_values=True)
    )
