"""Why something in the record was corrected or withdrawn: the reasons in its Provenance."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from imr_fhir.ehr.address import local_reference
from imr_fhir.ehr.client import FhirClient
from imr_fhir.errors import ResourceError
from imr_fhir.fhir_time import in_zone, parse_date_time

AT_ONCE = 20  # targets in one search: addresses of 2,000 characters are read everywhere
_MODIFIERS = {"modifierExtension", "implicitRules"}  # R4 forbids to read what has one that is not understood


@dataclass(frozen=True, slots=True)
class Change:
    """``about`` is the reference of what was changed, ``reason`` in the words of who changed it."""

    about: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Changes:
    """``whole``: no reason is missing, as far as the EHR says."""

    found: tuple[Change, ...] = ()
    whole: bool = True


def changes(client: FhirClient, references: Sequence[str], *, zone: tzinfo) -> Changes:
    """Of these resources, oldest first. Raises EhrError where the EHR shows no Provenance."""
    wanted, found, whole = set(references), [], True
    for start in range(0, len(references), AT_ONCE):
        targets = ",".join(references[start : start + AT_ONCE])
        reply = client.search("Provenance", [("target", targets)])
        plain = [raw for raw in reply.resources if not _MODIFIERS & raw.keys()]
        whole = whole and len(plain) == len(reply.resources) and not (reply.truncated or reply.foreign)
        for raw in plain:
            found += [change for change in _changes(raw, client.base, zone) if change.about in wanted]
    ordered = sorted(set(found), key=lambda change: (change.at, change.about, change.reason))
    return Changes(tuple(ordered), whole)


def _changes(raw: Mapping[str, Any], base: str, zone: tzinfo) -> Iterator[Change]:
    reasons = [text for concept in _objects(raw.get("reason")) if isinstance(text := concept.get("text"), str)]
    try:
        at = in_zone(parse_date_time(str(raw.get("recorded", ""))), zone)
    except ResourceError:
        return  # other software's: ours always says when
    for target in _objects(raw.get("target")):
        reference = local_reference(target.get("reference"), base)
        if reference and reasons:
            yield Change(str(reference), at, " ".join(reasons))


def _objects(value: object) -> Iterable[Mapping[str, Any]]:
    return (part for part in (value if isinstance(value, list) else []) if isinstance(part, Mapping))
