"""Rules for single elements: each gives what leaves of a value, or GONE. Which element has which rule: allowed.py.

An element leaves only with a rule, and its value only in the shape that the rule knows: a name, a number or an address
that somebody put where it does not belong stays behind too.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from imr_fhir.artefacts import BASE
from imr_fhir.ehr.address import is_id, local_reference
from imr_fhir.element import URI_IDENTIFIER, type_and_id
from imr_fhir.errors import ResourceError
from imr_fhir.fhir_time import parse_date, parse_date_time
from imr_fhir.reporting.export.pseudonym import Pseudonyms


@dataclass
class Release:
    """What one export lets out, and under which names.

    ``base``: the server's address. ``pseudonyms``: None where ids stay as they are. ``free_text``, ``unit_names``: only
    where asked for. ``systems``: code systems of the hospital whose codes may leave. ``shift``: whether dates move.
    """

    base: str
    pseudonyms: Pseudonyms | None
    free_text: bool = False
    unit_names: bool = False
    shift: bool = False
    systems: Collection[str] = ()
    refused: Counter[str] = field(default_factory=Counter)  # what a rule did not know: "code" -> how often
    unknown_systems: Counter[str] = field(default_factory=Counter)
    back: timedelta | None = timedelta()  # of the resource at hand; None where nobody knows whose it is

    def id(self, resource_type: str, resource_id: str) -> str:
        return self.pseudonyms.id(resource_type, resource_id) if self.pseudonyms else resource_id

    def refuse(self, what: str) -> Any:
        self.refused[what] += 1
        return GONE


Rule = Callable[[Any, Release], Any]
GONE: Final = object()


@dataclass(frozen=True, slots=True)
class Instead:
    """An element that must be there, or whose absence must be told: what stands for it."""

    name: str
    value: Any


_REASON = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
MASKED = {"extension": [{"url": _REASON, "valueCode": "masked"}]}
MASKED_VALUE = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "masked"}]
}  # fmt: skip


def fields(rules: Mapping[str, Rule]) -> Rule:
    """An object with these elements and no others, each of them one or a list."""

    def rule(value: Any, release: Release) -> Any:
        if value.__class__ is not dict:
            return release.refuse("shape")
        kept: dict[str, Any] = {}
        for name, inner in value.items():
            each = rules.get(name)
            if each is None:
                continue
            found: Any
            if inner.__class__ is list:
                found = []
                for one in inner:
                    left = each(one, release)
                    if left is not GONE:
                        found.append(left)
                found = found or GONE
            else:
                found = each(inner, release)
            if found.__class__ is Instead:
                kept.setdefault(found.name, found.value)
            elif found is not GONE:
                kept[name] = found
        return kept or GONE

    return rule


def extensions(known: Mapping[str, Mapping[str, Rule]]) -> Rule:
    """An extension with one of these URLs, each with its elements."""
    rules = {url: fields(inner) for url, inner in known.items()}

    def rule(value: Any, release: Release) -> Any:
        url = value.get("url") if value.__class__ is dict else None
        if not isinstance(url, str) or url not in rules:
            return GONE
        kept = rules[url](value, release)
        return kept if kept is GONE else {"url": url, **kept}

    return rule


def one_of(*values: str) -> Rule:
    """A code of a required binding."""
    allowed = frozenset(values)
    return lambda value, release: value if value.__class__ is str and value in allowed else release.refuse("code")


def matching(pattern: str, what: str) -> Rule:
    shape = re.compile(pattern, re.ASCII)

    def rule(value: Any, release: Release) -> Any:
        return value if value.__class__ is str and shape.fullmatch(value) else release.refuse(what)

    return rule


def boolean(value: Any, release: Release) -> Any:
    return value if value.__class__ is bool else release.refuse("shape")


def number(value: Any, release: Release) -> Any:
    """Of an instrument: a telephone number or a national number is larger."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return release.refuse("shape")
    return value if -10_000 < value < 10_000 and len(str(value)) <= 12 else release.refuse("number")


def text(masked: str = "") -> Rule:
    """A person's own words; where they stay behind, the element ``masked`` says that there were any."""

    def rule(value: Any, release: Release) -> Any:
        if value.__class__ is not str:
            return release.refuse("shape")
        if release.free_text:
            return value
        return Instead(masked, MASKED_VALUE) if masked else GONE

    return rule


def words_of_concept(value: Any, release: Release) -> Any:
    """``Goal.description``, which R4 requires: without its words it says that they were masked."""
    said = value.get("text") if value.__class__ is dict else None
    return {"text": said} if release.free_text and isinstance(said, str) else MASKED


def unit_name(value: Any, release: Release) -> Any:
    return value if release.unit_names and value.__class__ is str else GONE


def moment(masked: str = "") -> Rule:
    """A date, dateTime or instant, moved back where dates are; ``masked``: of one that R4 requires, its sibling."""

    def rule(value: Any, release: Release) -> Any:
        if value.__class__ is not str or not _is_time(value):
            return release.refuse("date")
        moved = _moved(value, release.back) if release.shift else value
        if not moved:
            return Instead(masked, MASKED) if masked else release.refuse("date that could not be moved")
        return moved

    return rule


def _is_time(value: str) -> bool:
    try:
        parse_date_time(value) if len(value) > 10 else parse_date(value)
    except ResourceError:
        return False
    return True


def _moved(value: str, back: timedelta | None) -> str:
    """ "" where it is not known by how much, or a month or a year alone can't be moved by weeks."""
    if back is None or len(value) < 10 or value < "1900":  # 0001-01-01 stands for no day, and none lies before it
        return ""
    return (date.fromisoformat(value[:10]) - back).isoformat() + value[10:]


# --- names of things


def reference(value: Any, release: Release) -> Any:
    """``Type/id``, also of what was absolute; a version is dropped."""
    if value.__class__ is not str:
        return release.refuse("shape")
    here = local_reference(value, release.base)
    if here:
        return f"{here.type}/{release.id(here.type, here.id)}" if here.type in TYPES else release.refuse("reference")
    if release.pseudonyms and value.startswith("urn:uuid:"):
        return f"urn:uuid:{release.pseudonyms.uuid(value)}"
    kind, _ = type_and_id(value)  # of another server
    if release.pseudonyms and kind in TYPES:
        return f"{kind}/{release.pseudonyms.elsewhere(value.partition('/_history/')[0])}"
    return GONE if value.startswith("#") else release.refuse("reference")


def unit_reference(value: Any, release: Release) -> Any:
    """An organisation's: no person, so that with ``unit_names`` it keeps its id."""
    here = local_reference(value, release.base) if release.unit_names else None
    return str(here) if here and here.type == "Organization" else reference(value, release)


def identifier(value: Any, release: Release) -> Any:
    """Only a UUID, by which a resource is known through corrections, and the app's own; no number of a person."""
    system, named = _identifier(value)
    if system != URI_IDENTIFIER or named == "":
        return GONE
    if named == BASE:
        return {"system": system, "value": named}
    if not _URN.fullmatch(named):
        return release.refuse("identifier")
    return {"system": system, "value": f"urn:uuid:{release.pseudonyms.uuid(named)}" if release.pseudonyms else named}


def user_identifier(value: Any, release: Release) -> Any:
    """Who acted, known to the log-in service alone: the same pseudonym for the same user."""
    system, named = _identifier(value)
    if (system, named) == (URI_IDENTIFIER, BASE) or named == "" or not release.pseudonyms:
        return identifier(value, release)
    return {"system": URI_IDENTIFIER, "value": f"urn:uuid:{release.pseudonyms.uuid(f'{system}|{named}')}"}


def tag_code(value: Any, release: Release) -> Any:
    """UUID of a filing."""
    if value.__class__ is not str or not _UUID.fullmatch(value):
        return release.refuse("code")
    return release.pseudonyms.uuid(value) if release.pseudonyms else value


def _identifier(value: Any) -> tuple[str, str]:
    found = (value.get("system"), value.get("value")) if value.__class__ is dict else (None, None)
    return str(found[0] or ""), str(found[1] or "")


def coding(value: Any, release: Release) -> Any:
    """System, version and code, of the systems that an IMR record is made of and of those that were allowed."""
    if value.__class__ is not dict:
        return release.refuse("shape")
    system, code, version = value.get("system"), value.get("code"), value.get("version")
    if not isinstance(system, str) or not isinstance(code, str):
        return GONE
    if system not in SYSTEMS and system not in release.systems:
        release.unknown_systems[system] += 1
        return release.refuse("code of a system that is not allowed")
    return _coding(system, code, version if isinstance(version, str) else "") or release.refuse("code")


@lru_cache(4096)  # a record is made of a few hundred codes, thousands of times
def _coding(system: str, code: str, version: str) -> dict[str, str] | None:
    """Shared by all that have it, so not to be changed."""
    if not (_CODE if system in SYSTEMS else _OWN_CODE).fullmatch(code):
        return None
    if _VERSION.fullmatch(version):
        return {"system": system, "version": version, "code": code}
    return {"system": system, "code": code}


def resource_id(value: Any) -> str:
    """ "" where it is none."""
    return value if isinstance(value, str) and is_id(value) else ""


_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_URN = re.compile(f"urn:uuid:{_UUID.pattern}")
_CODE = re.compile(r"(?!.*\d{6})[A-Za-z0-9{][A-Za-z0-9.}-]{0,39}", re.ASCII)  # six digits can be a date of birth
_OWN_CODE = re.compile(r"[!-~]{1,64}", re.ASCII)
VERSION = r"\d{1,4}(\.\d{1,4}){0,3}"
_VERSION = re.compile(VERSION, re.ASCII)

UCUM = "http://unitsofmeasure.org"
TYPES = frozenset(
    [
        "Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Organization", "Device", "Group", "Encounter",
        "EpisodeOfCare", "CareTeam", "Questionnaire", "QuestionnaireResponse", "Observation", "Goal", "Provenance",
        "AuditEvent", "DocumentReference",
    ]
)  # fmt: skip
SYSTEMS = frozenset(
    [
        *(f"{BASE}/CodeSystem/{name}" for name in ("imr", "imr-client", "imr-clinician")),
        *(
            f"http://terminology.hl7.org/CodeSystem/{name}"
            for name in (
                "audit-entity-type", "audit-event-type", "data-absent-reason", "episodeofcare-type", "goal-achievement",
                "goal-category", "goal-relationship-type", "object-role", "observation-category",
                "provenance-participant-type", "v3-ActCode", "v3-ActReason", "v3-DataOperation",
            )
        ),
        "http://hl7.org/fhir/goal-relationship-type",
        "http://hl7.org/fhir/restful-interaction",
        "http://dicom.nema.org/resources/ontology/DCM",
        UCUM,
    ]
)  # fmt: skip
