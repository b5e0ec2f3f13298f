"""What was written to try a server out: known from the first byte on, taken back at the end, told if it can't be."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imr_fhir.bundle import Part
from imr_fhir.checking.finding import Finding
from imr_fhir.checking.samples import Samples
from imr_fhir.checking.watch import WatchedClient
from imr_fhir.ehr.filing import Duplicate, PartOk, Refused, SendOutcome, Unknown, Waiting, look, send
from imr_fhir.ehr.lookup import SELDOM_SHOWN
from imr_fhir.ehr.receipt import Receipt
from imr_fhir.errors import HttpFailure, ImrError, NotFound
from imr_fhir.version import stored_version

# How a resource is marked as never meant, where it can't be deleted.
_WITHDRAWN: Mapping[str, Mapping[str, Any]] = {
    "QuestionnaireResponse": {"status": "entered-in-error"},
    "Observation": {"status": "entered-in-error"},
    "Goal": {"lifecycleStatus": "entered-in-error"},
    "DocumentReference": {"status": "entered-in-error"},
}


@dataclass
class Trial:
    """``conditional``: If-None-Exist is sent. ``made``: references, oldest first. ``doubtful``: their answer is out."""

    client: WatchedClient
    samples: Samples
    conditional: bool
    made: list[str] = field(default_factory=list)
    doubtful: list[Part] = field(default_factory=list)

    def send(self, *parts: Part, in_transaction: bool = False) -> SendOutcome:
        new = [part for part in parts if "id" not in part.resource]
        self.doubtful += new  # until it is known what became of them, also where this is interrupted
        outcome = send(self.client, parts, in_transaction=in_transaction, conditional=self.conditional)
        match outcome:
            case PartOk(receipts):
                self.note(*(receipt.reference for receipt in receipts))
            case Duplicate(ids):  # perhaps others than those that were made
                self.note(*ids)
        if isinstance(outcome, PartOk | Refused | Waiting):
            self.doubtful = [part for part in self.doubtful if part not in new]
        return outcome

    def note(self, *references: str) -> None:
        self.made += [each for each in references if each not in self.made]

    def take_back(self) -> Iterator[Finding]:
        """Deletes all, the newest first, since a server may hold on to what others point to; else marks it.

        What is left is tried once more: a busy HAPI may refuse a delete (409) that it takes a moment later.
        """
        unseen = [part for part in self.doubtful if not self._found(part)]
        held = [reference for reference in reversed(self.made) if self._left(reference)]
        left = [found for reference in held if (found := self._left(reference))]
        yield from left
        for part in unseen:
            name = part.resource.get("identifier") or part.resource["meta"]["tag"]
            what = f"a {part.type} may be left: {_name(name)}"
            yield Finding("clean-up", what, "unknown", "its answer was lost, and it is not to be seen", _BY_HAND)
        if gone := len(self.made) - len(left):
            yield Finding(
                "clean-up",
                "all the others" if left or unseen else "all of it",
                "yes",
                f"{gone} deleted, and looked for again",
            )

    def _found(self, part: Part) -> bool:
        """Whether it can be said what became of ``part``; what is there is noted."""
        (seen,) = look(self.client, (part,))
        self.note(*(f"{each['resourceType']}/{each['id']}" for each in seen.resources))
        return not seen.fault and seen.verdict != "unseen"

    def _left(self, reference: str) -> Finding | None:
        """What is said of it where it is not gone. Nothing is deleted that does not say of itself that it is ours."""
        resource_type, _, resource_id = reference.partition("/")
        try:
            there = self.client.read(resource_type, resource_id)
        except NotFound as error:
            return _stays(reference, error.message) if resource_type in SELDOM_SHOWN else None
        except ImrError as error:
            return _stays(reference, error.message)
        if not self.samples.is_one(there):
            return _stays(reference, "The server named it as what was written, and it does not say so itself.")
        why = "It was deleted and is still shown."
        try:
            self.client.delete(resource_type, resource_id)
        except ImrError as error:
            why = f"It can't be deleted{_status(error)}."
        try:
            self.client.read(resource_type, resource_id)
        except NotFound:
            return None
        except ImrError as error:
            why = error.message
        return self._withdrawn(resource_type, resource_id, why)

    def _withdrawn(self, resource_type: str, resource_id: str, why: str) -> Finding:
        reference = f"{resource_type}/{resource_id}"
        change = _WITHDRAWN.get(resource_type)
        if change is None:
            return _stays(reference, why)
        try:
            there = self.client.read(resource_type, resource_id)
            self.client.update({**there, **change}, if_match=stored_version(there))
        except ImrError as error:
            return _stays(reference, f"{why} Nor can it be marked{_status(error)}.")
        return Finding("clean-up", f"{reference} is left, marked entered-in-error", "no", why, _BY_HAND)


def _status(error: ImrError) -> str:
    return f" ({error.status})" if isinstance(error, HttpFailure) else f": {error.message.rstrip('.')}"


def _stays(reference: str, why: str) -> Finding:
    return Finding("clean-up", f"{reference} is left", "no", why, _BY_HAND)


def receipt_of(outcome: SendOutcome) -> Receipt | None:
    return outcome.receipts[0] if isinstance(outcome, PartOk) else None


def told(outcome: SendOutcome, refusal: ImrError | None) -> tuple[bool | None, str]:
    """Whether it works, None where that is not known, and the evidence. ``refusal``: what the outcome was made of."""
    match outcome:
        case PartOk(receipts):
            statuses = ", ".join(str(status) for status in dict.fromkeys(each.status for each in receipts))
            return True, f"{statuses}, read back and equal"
        case Refused(reason, status):
            return False, refusal.message if refusal else f"{status} {reason}"
        case Duplicate(reason=reason):
            return False, f"It was taken, but: {reason}"
        case Unknown(reason) | Waiting(reason):
            return None, refusal.message if refusal else reason


def _name(named: Any) -> str:
    one = named[0] if isinstance(named, Sequence) and not isinstance(named, str) else named
    return f"{one.get('system')}|{one.get('value', one.get('code'))}"


_BY_HAND = "Take it away by hand, as the EHR's administrator can."
