"""What was written beside what the record has of it: who, when, and item by item where they differ. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from imr_fhir.ehr.lookup import is_foreign
from imr_fhir.errors import ResourceError
from imr_fhir.fhir_time import in_zone, parse_date_time
from imr_fhir.history import LISTED
from smart_app.language import Words
from smart_app.presenters import written

# Of each type: who it says wrote it, and when.
_WHO_WHEN: Mapping[str, tuple[str, str]] = {
    "QuestionnaireResponse": ("author", "authored"),
    "Observation": ("performer", "issued"),
    "Goal": ("expressedBy", "statusDate"),
}
# Statuses that have words in both languages; any other is shown as the record has it.
_STATUSES = frozenset({"completed", "amended", "stopped", "entered-in-error", "final", "corrected", "active"})


@dataclass(frozen=True, slots=True)
class Column:
    """One version. ``reference`` is empty for what was written here; ``pick``: a person may say that this is it;
    ``correct``: ... or correct it."""

    label: str
    reference: str
    url: str
    pick: bool
    correct: bool


@dataclass(frozen=True, slots=True)
class Row:
    term: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Versions:
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What a reader needs to be told of: whose record it is, people by reference, the hospital's time, its links."""

    patient: str
    names: Mapping[str, str]
    zone: ZoneInfo
    record_link: str


def versions(
    words: Words, name: str, sent: Mapping[str, Any], found: Sequence[Mapping[str, Any]], known: Known
) -> Versions:
    """``name`` is the part's. ``found`` are the record's; one of another patient comes by its name alone, and of it
    nothing is shown or offered."""
    written_here = Column(words.say("conflict.mine"), "", "", pick=False, correct=False)
    numbers = [f" {number}" if len(found) > 1 else "" for number in range(1, len(found) + 1)]
    columns = (
        written_here,
        *(_column(words, each, known, number) for each, number in zip(found, numbers, strict=True)),
    )
    mine, *theirs = (dict(_lines(words, each, known)) for each in (sent, *found))
    always = [words.say(f"version.{key}") for key in ("who", "when", "status", "changed")]
    terms = dict.fromkeys([*always, *(term for each in (mine, *theirs) for term in each)])
    rows = [Row(term, tuple(each.get(term, "–") for each in (mine, *theirs))) for term in terms]
    shown = tuple(row for row in rows if row.term in always or len(set(row.texts)) > 1)
    return Versions(words.say(f"filing.part.{name}"), columns, shown)


def _column(words: Words, found: Mapping[str, Any], known: Known, number: str) -> Column:
    kind, identity = str(found["resourceType"]), str(found["id"])
    foreign = is_foreign(found)
    return Column(
        words.say("version.foreign" if foreign else "conflict.there") + number,
        f"{kind}/{identity}",
        known.record_link.format(type=kind, id=identity) if known.record_link and not foreign else "",
        pick=not foreign,
        correct=not foreign and kind == "QuestionnaireResponse" and found.get("status") in LISTED,
    )


def _lines(words: Words, resource: Mapping[str, Any], known: Known) -> Iterator[tuple[str, str]]:
    if is_foreign(resource):
        return
    who, when = _WHO_WHEN.get(str(resource["resourceType"]), ("", ""))
    if text := _who(resource.get(who), known):
        yield words.say("version.who"), text
    if text := _time(words, resource.get(when), known):
        yield words.say("version.when"), text
    if status := str(resource.get("status", resource.get("lifecycleStatus", ""))):
        yield words.say("version.status"), words.say(f"version.status.{status}") if status in _STATUSES else status
    meta = resource.get("meta")
    if text := _time(words, meta.get("lastUpdated") if isinstance(meta, Mapping) else None, known):
        yield words.say("version.changed"), text
    value = resource.get("valueQuantity")
    if isinstance(value, Mapping) and isinstance(value.get("value"), Decimal | int):
        yield words.say("filing.part.score"), words.number(value["value"])
    for line in written.of(words, resource, known.patient):
        yield line.term, line.text


def _who(value: object, known: Known) -> str:
    people = value if isinstance(value, list) else [value]
    told = [each for each in people if isinstance(each, Mapping)]
    names = [
        known.names.get(str(each.get("reference"))) or each.get("display") or each.get("reference") for each in told
    ]
    return ", ".join(str(name) for name in names if name)


def _time(words: Words, value: object, known: Known) -> str:
    """In the hospital's time."""
    if not isinstance(value, str):
        return ""
    try:
        at = parse_date_time(value)
    except ResourceError:
        return value
    return words.moment(in_zone(at, known.zone))
