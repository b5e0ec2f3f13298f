"""The Patient as pages name them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imr_fhir.ehr.address import local_reference
from imr_fhir.ehr.outcome import plain

NAME_LENGTH = 200
_ORDER = {"official": 0, "usual": 1}


@dataclass(frozen=True, slots=True)
class Patient:
    """``name`` is the official one, else the usual, else the first, of several one that has not ended; "" where there
    is none. ``birth_date`` is FHIR's text, which may end at the month or year; ``gender`` FHIR's code. ``merged``:
    another record is to be used instead (``link.type`` replaced-by). ``replaces``: ids of those that this one is used
    instead of."""

    id: str
    name: str
    birth_date: str
    gender: str
    deceased: bool
    merged: bool = False
    replaces: tuple[str, ...] = ()


def from_resource(raw: Mapping[str, Any], base: str) -> Patient:
    """The Patient ``raw`` of the server at ``base``; what is not as FHIR says counts as not there."""
    links = _links(raw, base)
    return Patient(
        id=_text(raw, "id"),
        name=_name(raw),
        birth_date=_text(raw, "birthDate"),
        gender=_text(raw, "gender"),
        deceased=raw.get("deceasedBoolean") is True or "deceasedDateTime" in raw,
        merged="replaced-by" in [kind for kind, _ in links],
        replaces=tuple(dict.fromkeys(other for kind, other in links if kind == "replaces" and other)),
    )


def _links(raw: Mapping[str, Any], base: str) -> list[tuple[str, str]]:
    """Type of each link, and the id of the Patient of this server at its other end, "" where it is none."""
    links = [link for link in _list(raw.get("link")) if isinstance(link, Mapping)]
    return [(_text(link, "type"), _patient_id(link.get("other"), base)) for link in links]


def _patient_id(other: object, base: str) -> str:
    """Another server's patients are other people."""
    found = local_reference(other.get("reference"), base) if isinstance(other, Mapping) else None
    return found.id if found and found.type == "Patient" else ""


def _name(raw: Mapping[str, Any]) -> str:
    names = [name for name in _list(raw.get("name")) if isinstance(name, Mapping) and name.get("use") != "old"]
    best: Mapping[str, Any] = min(names, key=_rank, default={})
    parts = [_text(best, "text")] if _text(best, "text") else [*_list(best.get("given")), best.get("family")]
    return plain(" ".join(part for part in parts if isinstance(part, str)), NAME_LENGTH)


def _rank(name: Mapping[str, Any]) -> tuple[int, bool]:
    """A name from before a marriage or a transition may stand first, official still, with its end."""
    period = name.get("period")
    return _ORDER.get(_text(name, "use"), 2), isinstance(period, Mapping) and "end" in period


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
