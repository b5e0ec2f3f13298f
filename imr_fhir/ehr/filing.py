"""One step of a filing: what it came to, as a value. Nothing is remembered here; the app's store makes it durable.

"Saved" means read back and equal to what was sent: a 200 to a conditional create only says that something with this
identifier exists. What a failure means is a table: nothing was taken (Waiting), the EHR said no (Refused), or it may
have it (Unknown), and then `look_back` asks.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from imr_fhir.bundle import Part, if_none_exist, in_order, resolved, transaction
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.lookup import find, read_back, side_by_side
from imr_fhir.ehr.receipt import Receipt
from imr_fhir.errors import (
    Busy,
    Conflict,
    EhrError,
    HttpFailure,
    ImrError,
    LaunchError,
    NotConnected,
    NotFound,
    RefusedUrl,
    ServerFault,
    Unauthorized,
    WrongPatient,
)
from imr_fhir.same import same_content
from imr_fhir.version import etag, is_at, stored_version


@dataclass(frozen=True, slots=True)
class PartOk:
    """In the chart; one receipt for each part, in their order.

    Read back and equal, but for a Provenance or AuditEvent that the EHR takes and shows to nobody: after `look_back`
    its receipt has no id.
    """

    receipts: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something may have been taken: look back before anything is sent again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing was taken; it may be sent again, after ``retry_after`` seconds where the EHR said so."""

    reason: str
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The EHR said no, with HTTP ``status``; 0: it never left, being another patient's or for a host not allowed."""

    reason: str
    status: int


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The EHR has several, or one that is not what was sent; ``ids`` are references, and a person decides."""

    ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class NotThere:
    """A search found none of it. To be believed ten seconds or more after the lost reply."""


SendOutcome = PartOk | Unknown | Waiting | Refused | Duplicate
LookOutcome = PartOk | Unknown | Duplicate | NotThere

Verdict = Literal["equal", "absent", "several", "other", "unseen"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the EHR has of one part now; ``differ``: for each resource where it is not what was sent, () if it is."""

    part: Part
    resources: tuple[Mapping[str, Any], ...]
    differ: tuple[tuple[str, ...], ...]
    fault: str  # why it can't be seen
    hidden: bool  # it can't, and that is no wonder for this type here

    @property
    def verdict(self) -> Verdict:
        if self.fault:
            return "unseen"
        if len(self.resources) != 1:
            return "several" if self.resources else "absent"
        if not self.differ[0]:
            return "equal"
        if self.part.if_match and is_at(self.resources[0], self.part.if_match):
            return "absent"  # still the version that the update was to replace
        return "other"

    @property
    def clashes(self) -> bool:
        return self.verdict in ("several", "other")


def send(
    client: FhirClient,
    parts: Sequence[Part],
    *,
    in_transaction: bool,
    conditional: bool = True,
    versioned: bool = True,
    references: Mapping[str, str] | None = None,
) -> SendOutcome:
    """Sends ``parts`` once, all in one transaction or the only one by itself, and reads them back.

    ``conditional``: the EHR has conditional creates; ``versioned``: it heeds ``If-Match``. Where it does not, or gave
    no version to name, what it has now is compared with what each change is based on before anything is sent: weaker,
    since somebody may be faster in that moment. ``references``: what became of parts sent before
    ("urn:uuid:..." -> "Observation/12"). Raises ResourceError for parts that make no transaction, ValueError for
    several without one.
    """
    known = dict(references or {})
    if overtaken := _overtaken(client, parts, versioned=versioned):
        return overtaken
    try:
        if in_transaction:
            receipts = _send_all(client, parts, known, conditional=conditional)
        else:
            (part,) = parts
            receipts = {part.full_url: _send_one(client, part, known, conditional=conditional)}
    except (EhrError, LaunchError, WrongPatient) as error:
        return _outcome(error)
    reader = client.reading_back()
    seen = side_by_side(reader, lambda client, part: read_back(client, part, receipts[part.full_url].id), parts)
    faults = [sighting.fault for sighting in seen if sighting.fault and not sighting.hidden]
    if faults:
        return Unknown(f"It was sent and could not be read back. {faults[0]}")
    known |= {url: receipt.reference for url, receipt in receipts.items()}
    differ = {
        receipts[part.full_url].reference: paths
        for part, sighting in zip(parts, seen, strict=True)
        if not sighting.hidden and (paths := _differ(client, part, sighting.resources[0], known))
    }
    if differ:
        where = ", ".join(next(iter(differ.values()))[:5])
        return Duplicate(tuple(differ), f"What the chart has is not what was sent ({where}).")
    return PartOk(tuple(receipts[part.full_url] for part in parts))


def look(
    client: FhirClient,
    parts: Sequence[Part],
    *,
    references: Mapping[str, str] | None = None,
    named: Collection[str] = (),
) -> tuple[Seen, ...]:
    """What the EHR has of each part, and of what was met instead of it before (``named``, as "Type/id")."""
    sightings = side_by_side(client.reading_back(), partial(find, named=named), parts)
    known = dict(references or {})
    for part, sighting in zip(parts, sightings, strict=True):
        if len(sighting.resources) == 1:
            known[part.full_url] = _reference(sighting.resources[0])
    return tuple(
        Seen(
            part,
            sighting.resources,
            tuple(tuple(_differ(client, part, found, known)) for found in sighting.resources),
            sighting.fault,
            sighting.hidden,
        )
        for part, sighting in zip(parts, sightings, strict=True)
    )


def look_back(
    client: FhirClient, parts: Sequence[Part], *, in_transaction: bool, references: Mapping[str, str] | None = None
) -> LookOutcome:
    """What the EHR has of ``parts`` after a lost reply.

    A transaction is taken whole: what can't be seen of it (Provenance) went the way of the rest.
    """
    seen = look(client, parts, references=references)
    shown = [each for each in seen if not each.hidden]
    faults = [each.fault for each in seen if each.fault and not (each.hidden and in_transaction)]
    if faults or not shown:
        return Unknown(f"The EHR can't be searched for it. {faults[0] if faults else ''}".strip())
    ids = [_reference(found) for each in shown if each.clashes for found in each.resources]
    if ids:
        return Duplicate(tuple(ids), "The chart has it several times, or other than it was sent.")
    verdicts = [each.verdict for each in shown]
    if len(set(verdicts)) > 1:
        return Unknown("Only some of its parts are to be seen in the chart yet.")
    return NotThere() if verdicts[0] == "absent" else PartOk(tuple(map(_found_receipt, seen)))


def _overtaken(client: FhirClient, parts: Sequence[Part], *, versioned: bool) -> SendOutcome | None:
    """Why nothing is sent: one of the updates is no longer of what the EHR has, or that can't be seen.

    Unknown, as after 412: `look_back` finds out whether it is our own change or another's.
    """
    unsure = [part for part in parts if part.if_match and not (versioned and etag(part.if_match))]
    try:
        now = [client.read(part.type, str(part.resource["id"])) for part in unsure]
    except (NotFound, WrongPatient) as error:
        return Refused(str(error), getattr(error, "status", 0))
    except (EhrError, LaunchError) as error:
        return Waiting(str(error), getattr(error, "retry_after", None))
    if all(is_at(found, part.if_match) for part, found in zip(unsure, now, strict=True)):
        return None
    return Unknown("It was changed in the chart after it was read.")


def _send_all(
    client: FhirClient, parts: Sequence[Part], known: Mapping[str, str], *, conditional: bool
) -> dict[str, Receipt]:
    ordered = in_order([_placed(part, known) for part in parts])
    bundle = transaction(ordered)
    if not conditional:
        for entry in bundle["entry"]:
            entry["request"].pop("ifNoneExist", None)
    receipts = client.transaction(bundle)
    return {part.full_url: receipt for part, receipt in zip(ordered, receipts, strict=True)}


def _send_one(client: FhirClient, part: Part, known: Mapping[str, str], *, conditional: bool) -> Receipt:
    resource = _placed(part, known).resource
    if "id" in resource:
        return client.update(resource, if_match=part.if_match)
    return client.create(resource, if_none_exist=if_none_exist(resource) if conditional else "")


def _placed(part: Part, known: Mapping[str, str]) -> Part:
    return replace(part, resource=resolved(part.resource, known))


def _outcome(error: ImrError) -> Unknown | Waiting | Refused:
    match error:
        case Unauthorized() | Busy():
            return Waiting(str(error), error.retry_after)
        case NotConnected() | LaunchError():
            return Waiting(str(error))
        case WrongPatient() | RefusedUrl():
            return Refused(str(error), 0)
        case HttpFailure() if not isinstance(error, Conflict | ServerFault):
            return Refused(str(error), error.status)
        case _:
            return Unknown(str(error))


def _differ(client: FhirClient, part: Part, found: Mapping[str, Any], known: Mapping[str, str]) -> list[str]:
    return same_content(part.resource, found, references=known, base=client.base)


def _found_receipt(seen: Seen) -> Receipt:
    if not seen.resources:
        return Receipt(seen.part.type, "", "", 0)
    return Receipt(seen.part.type, str(seen.resources[0]["id"]), stored_version(seen.resources[0]), 200)


def _reference(found: Mapping[str, Any]) -> str:
    return f"{found['resourceType']}/{found['id']}"
