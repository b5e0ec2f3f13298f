"""Writes the steps of a plan: in one transaction where the server has them, else one by one, each recorded before.

A server may let nobody choose an id: what is new is put under ours first, and where that is refused, created under one
that the server gives. The canonical URL and version are what everything else goes by.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from imr_fhir.artefacts import content_hash
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.receipt import Receipt
from imr_fhir.errors import BadReply, Conflict, EhrError, LoadError, LostReply, ServerFault
from imr_fhir.loader.plan import Step
from imr_fhir.loader.record import Record
from imr_fhir.loader.there import look
from imr_fhir.version import etag, stored_version

Each = Callable[[Sequence[Step]], Iterable[Step]]
Receipts = Mapping[str, Receipt]  # by the targets of the steps
Send = Callable[[], Receipts]

PAUSES = (1.0, 3.0, 6.0)  # seconds

# After these the server may have it: it is looked for before anything else is said.
_UNKNOWN = (LostReply, BadReply, Conflict, ServerFault)
_WAS_THERE = 200  # the status of a conditional create that made nothing
_NO_SUCH_ID = (400, 404, 405, 422)  # how a server may refuse to make what is new under an id of ours


def in_one(client: FhirClient, steps: Sequence[Step], record: Record) -> None:
    """All or nothing. Raises EhrError."""
    record.write("sending", steps=[_told(step) for step in steps])
    try:
        receipts = _settled(client, steps, partial(_transaction, client, steps, own_ids=True))
    except EhrError as error:
        receipts = _under_their_ids(client, steps, error, partial(_transaction, client, steps, own_ids=False))
    record.write("sent", steps=[_placed(step, receipts[step.target]) for step in steps])


def one_by_one(client: FhirClient, steps: Sequence[Step], record: Record, each: Each) -> None:
    """In their order; ``each`` may show how far it is. Raises EhrError, LoadError: what was sent before stands in the
    record."""
    for step in each(steps):
        record.write("sending", steps=[_told(step)])
        try:
            receipts = _settled(client, [step], partial(_put, client, step))
        except EhrError as error:
            receipts = _under_their_ids(client, [step], error, partial(_post, client, step))
        record.write("sent", steps=[_placed(step, receipts[step.target])])


def _settled(client: FhirClient, steps: Sequence[Step], send: Send) -> Receipts:
    """Where it is not clear what became of it, the server is asked. Raises EhrError: nothing, or not all, was done.

    A conflict over what is new can be the server's own work in the background: HAPI takes the terms of a deleted
    CodeSystem away some seconds later, and refuses it with 409 till then.
    """
    for pause in (*PAUSES, None):
        try:
            return send()
        except _UNKNOWN as error:
            found = _found(client, steps)
            if len(found) == len(steps):
                return found
            if found or pause is None or not isinstance(error, Conflict) or any(step.there for step in steps):
                raise
        time.sleep(pause)
    raise AssertionError


def _under_their_ids(client: FhirClient, steps: Sequence[Step], refused: EhrError, send: Send) -> Receipts:
    """The same, where it can be our ids that were refused and nothing is there yet; else raises ``refused``."""
    new = any(step.action == "create" for step in steps)
    if not new or getattr(refused, "status", 0) not in _NO_SUCH_ID or _found(client, steps):
        raise refused
    try:
        return _settled(client, steps, send)
    except EhrError:
        raise refused from None  # what was refused first says more


def _put(client: FhirClient, step: Step) -> Receipts:
    return {step.target: client.update(step.resource, if_match=_version(step))}


def _post(client: FhirClient, step: Step) -> Receipts:
    nameless = {name: value for name, value in step.resource.items() if name != "id"}
    search = f"url={quote(step.resource['url'], safe=':/')}&version={step.resource['version']}"
    made = client.create(nameless, if_none_exist=search)
    if made.status == _WAS_THERE and not _found(client, [step]):
        raise LoadError(
            f"{made.reference} was put there meanwhile, as {step.resource['url']}|{step.resource['version']} "
            "and not by this command.",
            next_step="It is as it was. Look at the plan again.",
        )
    return {step.target: made}


def _transaction(client: FhirClient, steps: Sequence[Step], *, own_ids: bool) -> Receipts:
    entries = [_entry(step, client.base, own_id=own_ids or step.action != "create") for step in steps]
    receipts = client.transaction({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    return {step.target: receipt for step, receipt in zip(steps, receipts, strict=True)}


def _entry(step: Step, base: str, *, own_id: bool) -> dict[str, Any]:
    url = step.target if own_id else step.resource["resourceType"]
    request = {"method": "PUT" if own_id else "POST", "url": url}
    if tag := etag(_version(step)):
        request["ifMatch"] = tag
    return {"fullUrl": f"{base}/{step.target}", "resource": step.resource, "request": request}


def _found(client: FhirClient, steps: Sequence[Step]) -> Receipts:
    """Of those that the server has as they were sent, by their targets."""
    there = look(client.reading_back(), [step.resource for step in steps])
    return {
        step.target: Receipt(copy["resourceType"], str(copy.get("id")), stored_version(copy), 200)
        for step in steps
        for copy in there.copies(step.resource)
        if content_hash(copy) == content_hash(step.resource)
    }


def _version(step: Step) -> str:
    return stored_version(step.there[0]) if step.there else ""


def _told(step: Step) -> Mapping[str, Any]:
    before = step.there[0] if step.there else None
    named = {"target": step.target, "url": step.resource["url"], "version": step.resource["version"]}
    return {"action": step.action, **named, "sent": content_hash(step.resource), "before": before}


def _placed(step: Step, place: Receipt) -> Mapping[str, Any]:
    return {"target": step.target, "place": place.reference, "version_id": place.version_id}
