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
    """One right: ``operations`` are letters of v2 (create, read, update, delete, search), ``without`` is what is
    missing where the EHR does not grant it."""

    level: str
    resource: str
    operations: str
    why: str
    without: str

    @property
    def v2(self) -> str:
        return f"{self.level}/{self.resource}.{self.operations}"

    @property
    def v1(self) -> tuple[str, ...]:
        """The same in SMART 1, whose two words are wider."""
        words = (word for word in ("read", "write") if set(_V1[word]) & set(self.operations))
        return tuple(f"{self.level}/{self.resource}.{word}" for word in words)


NEEDED: tuple[Need, ...] = (
    Need("patient", "Patient", "r", "the name and birth date on every page", "the app does not open"),
    Need(
        "patient", "QuestionnaireResponse", "crus", "answers: read, file, correct",
        "not read: what measurements tell, if any; not written: answers go where the write plan says",
    ),
    Need(
        "patient", "Observation", "crus", "scores, reviews and notes: read, file, correct",
        "not read: no reviews and notes on the panel; not written: no score, no reviews",
    ),
    Need("patient", "Goal", "crus", "recovery goals and their steps", "no goals; not written: shown only"),
    Need("patient", "EpisodeOfCare", "rs", "when a course began and ended", "courses are guessed from the ratings"),
    Need(
        "patient", "DocumentReference", "crus", "answers as a document, where an EHR takes nothing else",
        "answers are kept to be printed where nothing else is taken",
    ),
    Need(
        "patient", "Binary", "r", "what such a document holds, where the EHR keeps it apart",
        "a document can't be read back there, so that it counts as not known to be saved",
    ),
    Need(
        "patient", "Provenance", "crs", "who recorded what, and that it was filed once",
        "who recorded it stands in the app's own log alone",
    ),
    Need("patient", "AuditEvent", "c", "who looked at the chart", "that stands in the app's own log alone"),
    Need(
        "user", "Questionnaire", "rs", "whether the form in the EHR is still the one we show",
        "a form that was edited there is not noticed",
    ),
    Need("user", "Practitioner", "r", "the name of who records", "the name is the id_token's, or none"),
    Need(
        "user", "PractitionerRole", "r", "whose role it is, where the EHR names a role",
        "the name is the id_token's, or none",
    ),
)  # fmt: skip
"""All that is asked of a hospital for one user: the scopes that are asked for and the write plan follow from it."""

WRITTEN: tuple[str, ...] = tuple(need.resource for need in NEEDED if "c" in need.operations)


_AT_END = "it ends with its first token, in the middle of a form perhaps; what was typed is kept"
LOG_IN: tuple[tuple[str, str, str], ...] = (
    ("openid", "who logs in", "the app reads and prints only"),
    ("fhirUser", "whether that is a clinician or the patient", "the app reads and prints only"),
    ("launch", "the chart's patient, where the app is opened from a chart", "it can't be opened from one"),
    ("launch/patient", "the choice of a patient, where it is opened without a chart", "it can't be opened so"),
    ("online_access", "a log-in that outlives its first token, where the EHR says permission-online", _AT_END),
    ("offline_access", "the same, where it says permission-offline alone", _AT_END),
)
"""What is asked for beside the rights on the record, as the launch is: scope, what for, what is missing without."""


def granted(scopes: Iterable[str], resource: str, operation: str) -> bool:
    """Whether any scope allows ``operation`` (one of c, r, u, d, s) on ``resource``.

    A scope limited by a query counts only where all of ours is within it: Observations of category survey.
    """
    return any(_allows(scope, resource, operation) for scope in scopes)


def to_ask(
    capabilities: Iterable[str], *, configured: str = "", standalone: bool = False, documents: bool = True
) -> tuple[str, ...]:
    """Scopes for a launch from the EHR, or standalone, where the EHR is asked to let the user choose a patient.

    In v2 where the server says it takes them, else in v1. ``configured`` are a site's own, with a blank between.
    A refresh token lives as long as the session where it can (online_access), and is asked for only where offered.
    ``documents``: the site may file answers as documents; where it never does, nothing is read back from a Binary.
    """
    launch = "launch/patient" if standalone else "launch"
    if configured:
        scopes = [scope for scope in configured.split() if not standalone or scope not in ("launch", "launch/patient")]
        return (*((launch,) if standalone else ()), *scopes)
    offered = frozenset(capabilities)
    v2 = "permission-v2" in offered
    refresh = [scope for name, scope in _REFRESH if name in offered][:1]
    needed = [need for need in NEEDED if documents or need.resource != "Binary"]
    return ("openid", "fhirUser", launch, *refresh, *(scope for need in needed for scope in _written(need, v2=v2)))


def to_ask_as_service(capabilities: Iterable[str], rights: str) -> tuple[str, ...]:
    """``rights`` (letters of v2) on all resources, without a user: in v1 only where a server tells what it can, and v2
    is not of it."""
    offered = frozenset(capabilities)
    return _written(Need("system", "*", rights, "", ""), v2="permission-v2" in offered or not offered)


_REFRESH = (("permission-online", "online_access"), ("permission-offline", "offline_access"))


def _written(need: Need, *, v2: bool) -> tuple[str, ...]:
    return (need.v2,) if v2 else need.v1


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
