"""What is wrong with a resource, where it stands, and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

# As in FHIR's OperationOutcome. fatal: it could not be read; error: it must be mended; warning: look at it;
# information: nobody is to do anything.
Severity = Literal["fatal", "error", "warning", "information"]
Path = tuple[str | int, ...]  # ("item", 0, "linkId"), from the resource


@dataclass(frozen=True, slots=True)
class Fault:
    path: Path
    code: str  # stable, for a script: "missing", "imr-qr-4"
    message: str
    next_step: str
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault and its place in what was given to read. ``line`` and ``column`` count from 1; 0 where there is none."""

    file: str
    line: int
    column: int
    resource: str  # "Goal/12", "Goal" without an id, "" where it is no resource
    path: str  # "Goal.category[0].coding[1].code"
    severity: Severity
    code: str
    message: str
    next_step: str


def path_text(root: str, path: Path) -> str:
    """("item", 0, "linkId") as "QuestionnaireResponse.item[0].linkId"."""
    return root + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


# ---- reading what may be of any shape: what is no object, list or text is nobody's here, the structure tells of it


def many(raw: Mapping[str, Any], name: str) -> Sequence[tuple[int, Mapping[str, Any]]]:
    """The objects in the list ``name`` with their places."""
    values = raw.get(name)
    if not isinstance(values, list):
        return ()
    return [(place, value) for place, value in enumerate(values) if isinstance(value, dict)]


def one(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object ``name``; an empty one where there is none."""
    value = raw.get(name)
    return value if isinstance(value, dict) else {}


def text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    return value if isinstance(value, str) else ""


def codings(concept: Mapping[str, Any]) -> list[tuple[str, str]]:
    """System and code of each coding of a CodeableConcept."""
    return [(text(coding, "system"), text(coding, "code")) for _, coding in many(concept, "coding")]
