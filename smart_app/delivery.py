"""Takes a sealed filing into the record, step by step: claim, send with no transaction open, note what came of it.

Each step is durable before the next begins, so that a crash anywhere means what the store's table of states says.

Before anything is sent the EHR is asked for the Patient. Where that record has been merged into another (``link``
replaced-by), is gone (404, 410) or is answered for with another one, nothing leaves: what was sealed names the old
record and its bytes never change, so to file it elsewhere would be another act of a person, who writes it anew in a
launch of the surviving record, where it can be read (`filing_page.places`). Nor where the EHR's clock, by the same
answer, is more than five minutes from ours, nor what was sealed at a time that is further ahead than that: our own
clock was wrong then, and its times are in the bytes. Where the EHR does not answer, the send itself finds out why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from imr_fhir.bundle import Part
from imr_fhir.ehr import filing as ehr_filing
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.filing import Duplicate, NotThere, PartOk, Refused, Unknown, Waiting
from imr_fhir.ehr.host_clock import NO_FILING
from imr_fhir.ehr.patient import from_resource
from imr_fhir.ehr.receipt import Receipt as EhrReceipt
from imr_fhir.errors import EhrError, LaunchError, NotFound, OtherResource, WrongPatient
from smart_app.store import Store
from smart_app.store.audit import Entry, Outcome
from smart_app.store.errors import StaleFiling, TooSoon
from smart_app.store.filing import Filing, Held, Receipt
from smart_app.store.filing import Part as StoredPart
from smart_app.store.filing_states import State
from smart_app.store.filing_steps import STEP
from smart_app.store.owner import Owner
from smart_app.store.refusals import FORBIDDEN, NOT_ALLOWED
from smart_app.store.who import Who

_TO_SEND = (State.SEALED, State.PART_OK, State.WAITING)


@dataclass(frozen=True)
class Courier:
    """Who takes a filing there: the owner of an open launch, its connection, and why where it is another's filing."""

    store: Store
    client: FhirClient
    by: Owner
    who: Who
    patient: str  # reference
    clock: Callable[[], datetime]
    purpose: str = ""

    @property
    def now(self) -> datetime:
        return self.clock()

    def audit(self, action: str, filing: Filing, outcome: Outcome = "success") -> Entry:
        changed = any(part.request["if_match"] for part in filing.current)
        return Entry(
            action="send-update" if action == "send" and changed else action,
            outcome=outcome,
            who=self.who,
            site=self.by.site,
            patient=self.patient,
            patient_key=self.by.patient_key,
            purpose=self.purpose,
            objects=tuple(str(part.request["full_url"]) for part in filing.current),
        )


def deliver(filing: Filing, courier: Courier) -> Filing:
    """On until it is done, or the EHR, time or a person has to say more. Two at once: the second finds it under way."""
    try:
        while True:
            before = filing
            if filing.state in _TO_SEND and filing.unaccepted and (why := _held(filing, courier)):
                return courier.store.filings.hold(filing, why, courier.audit("send", filing, "refused"), courier.now)
            filing = _one_step(filing, courier)
            if filing.state is before.state and filing.attempt == before.attempt:
                return filing
            if filing.state not in (*_TO_SEND, State.UNKNOWN) or filing.state is State.WAITING:
                return filing
    except StaleFiling:
        return courier.store.filings.get(filing.id, courier.by)


def _held(filing: Filing, courier: Courier) -> Held:
    """Why nothing of it may be sent to this EHR for this patient now."""
    try:
        there = courier.client.read("Patient", courier.patient.removeprefix("Patient/"))
        if from_resource(there, courier.client.base).merged:
            return "merged"
    except (NotFound, OtherResource, WrongPatient):
        return "merged"  # some servers answer for the old record with the one that is used now
    except (EhrError, LaunchError):
        # Not connected, busy, at fault, refused, lost or unreadable: nothing is said of the patient. Holding would say
        # "merged" of a record that is not, and where an EHR shows no Patient, for ever; the send finds out the same.
        return ""
    if courier.client.clock_off(now := courier.now) > NO_FILING:
        return "clock"
    return "ahead" if filing.sealed - now > NO_FILING else ""


def stays(filing: Filing) -> tuple[StoredPart, ...]:
    """What of it this EHR takes nowhere."""
    return tuple(part for part in filing.kept if part.unsent and part.request["rung"] == "print")


def to_print(filing: Filing) -> bool:
    """Nothing of it is left that this EHR takes: it is here until a person says that it is printed."""
    return bool(stays(filing)) and not filing.unaccepted


def _one_step(filing: Filing, courier: Courier) -> Filing:
    filings = courier.store.filings
    if not filing.unaccepted:
        # what this EHR takes nowhere stays here until a person says that it is printed
        return filing if stays(filing) or filing.state is State.SEALED else filings.finish(filing)
    if filing.state in _TO_SEND:
        client = courier.client.within(STEP.total_seconds())  # before the claim: a slow token takes none of the lease
        try:
            claimed = filings.claim(filing, courier.by, courier.audit("send", filing), courier.now)
        except TooSoon:
            return filing  # the EHR said when to come again
        return _send(claimed, courier, client)
    if filing.state in (State.UNKNOWN, State.DUPLICATE):
        return _look(filing, courier)
    return filing


def _send(filing: Filing, courier: Courier, client: FhirClient) -> Filing:
    filings = courier.store.filings
    outcome = ehr_filing.send(
        client,
        parts_of(filing, courier.store),
        in_transaction=filing.in_transaction,
        conditional=bool(filing.plan.get("conditional")),
        versioned=bool(filing.plan.get("versioned", True)),
        references=references_of(filing),
    )
    match outcome:
        case PartOk():
            return filings.accepted(filing, _receipts(outcome.receipts))
        case Waiting():
            return filings.wait(filing, outcome.reason, retry_after=outcome.retry_after)
        case Refused():
            return _refused(filing, outcome, courier)
        case Unknown():
            return filings.lost(filing, outcome.reason)
        case Duplicate():
            return filings.duplicate(filings.lost(filing, outcome.reason), outcome.ids, outcome.reason)


def _refused(filing: Filing, outcome: Refused, courier: Courier) -> Filing:
    """What this EHR did not take is not offered again for a week: the plan knows. A 403 or 422 of a transaction may be
    about one of its parts; only where all of them went one by one is it about transactions (`step_down`)."""
    courier.store.audit.record(replace(courier.audit("send", filing), outcome="refused"), courier.now)
    rung = "transaction" if filing.in_transaction else str(filing.current[0].request["rung"])
    new = filing.in_transaction or not filing.current[0].request["update"]
    noted = (NOT_ALLOWED,) if filing.in_transaction else (FORBIDDEN, NOT_ALLOWED, 422)
    if outcome.status in noted and new:
        courier.store.refusals.note(courier.by.site, courier.by.user_key, rung, outcome.status, courier.now)
    return courier.store.filings.refused(filing, outcome.reason)


def _look(filing: Filing, courier: Courier) -> Filing:
    filings = courier.store.filings
    courier.store.audit.record(courier.audit("look-back", filing), courier.now)
    outcome = ehr_filing.look_back(
        courier.client,
        parts_of(filing, courier.store),
        in_transaction=filing.in_transaction,
        references=references_of(filing),
    )
    match outcome:
        case PartOk():
            return filings.found(filing, _receipts(outcome.receipts))
        case _ if filing.state is State.DUPLICATE:
            return filing  # it still is, or can't be seen: a person decides
        case Duplicate():
            return filings.duplicate(filing, outcome.ids, outcome.reason)
        case NotThere():
            try:
                return filings.not_found(filing)
            except TooSoon:
                return filing  # it may still be on its way: a search is believed ten seconds after the lost reply
        case Unknown():
            return filing


def parts_of(filing: Filing, store: Store) -> tuple[Part, ...]:
    """What goes out next, as it was sealed. Raises BodyPurged, Damaged."""
    bodies = store.filings.bodies(filing)
    return tuple(
        Part(
            json.loads(bodies[part.number], parse_float=Decimal),
            str(part.request["full_url"]),
            str(part.request["if_match"]),
        )
        for part in filing.current
    )


def references_of(filing: Filing) -> dict[str, str]:
    """What the EHR called the parts that it has accepted."""
    return {
        str(part.request["full_url"]): f"{part.receipt.type}/{part.receipt.id}"
        for part in filing.parts
        if part.receipt and part.receipt.id
    }


def _receipts(receipts: Iterable[EhrReceipt]) -> tuple[Receipt, ...]:
    return tuple(Receipt(each.type, each.id, each.version_id, each.status) for each in receipts)
