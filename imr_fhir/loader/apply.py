"""Writes the steps of a plan: in one transaction where the server has them, else one by one, each recorded before.

A server may let nobody choose an id: what is new is put under ours first, and where that is refused, created under one
that the server gives. The canonical URL and version are what everything else goes by.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
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
_FOUND = 200  # the status of a conditional create that made nothing
_NEW, _NOT_WRITTEN = 201, 304  # of a receipt: there was nothing; it says what ours says, and we did not write it
_NO_SUCH_ID = (400, 404, 405, 422)  # how a server may refuse to make what is new under an id of ours
_NO_ID_OF_OURS = (404, 405)  # ... and of these, what can mean nothing else


def in_one(client: FhirClient, steps: Sequence[Step], record: Record) -> bool:
    """All or nothing. Whether it was done: a server that chooses the ids may take too few conditional creates in one
    (Medplum: 8), and without the condition two loads at once would make two copies. Raises EhrError, LoadError."""
    record.write("sending", steps=[_told(step) for step in steps])
    try:
        receipts = _settled(client, steps, partial(_transaction, client, steps, own_ids=True))
    except Conflict:
        _refused(record, steps)
        raise
    except EhrError as error:
        try:
            receipts = _under_their_ids(client, steps, error, partial(_transaction, client, steps, own_ids=False))
        except EhrError:
            if getattr(error, "status", 0) not in _NO_ID_OF_OURS or _found(client, steps):
                raise
            return False
    record.write("sent", steps=[_placed(step, receipts[step.target]) for step in steps])
    return True


def one_by_one(client: FhirClient, steps: Sequence[Step], record: Record, each: Each) -> None:
    """In their order; ``each`` may show how far it is. Raises EhrError, LoadError: what was sent before stands in the
    record."""
    for step in each(steps):
        record.write("sending", steps=[_told(step)])
        try:
            receipts = _settled(client, [step], partial(_put, client, step))
        except Conflict:
            _refused(record, [step])
            raise
        except EhrError as error:
            receipts = _under_their_ids(client, [step], error, partial(_post, client, step))
        record.write("sent", steps=[_placed(step, receipts[step.target])])


def _refused(record: Record, steps: Sequence[Step]) -> None:
    """What stands there now is of who was first, also where it says the same: not for us to take back."""
    record.write("refused", targets=[step.target for step in steps])


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
                return _by_another(found) if isinstance(error, Conflict) else found
            if found or pause is None or not isinstance(error, Conflict) or any(step.there for step in steps):
                raise
        time.sleep(pause)
    raise AssertionError


def _under_their_ids(client: FhirClient, steps: Sequence[Step], refused: EhrError, send: Send) -> Receipts:
    """The same, where it can be our ids that were refused; else raises ``refused``. What is there by now is found by a
    create, and left as it is."""
    new = any(step.action == "create" for step in steps)
    if not new or getattr(refused, "status", 0) not in _NO_SUCH_ID:
        raise refused
    found = _found(client, steps)
    if len(found) == len(steps):
        return _by_another(found)
    try:
        return _settled(client, steps, send)
    except EhrError:
        raise refused from None  # what was refused first says more


def _put(client: FhirClient, step: Step) -> Receipts:
    return {step.target: client.update(step.resource, if_match=_version(step))}


def _post(client: FhirClient, step: Step) -> Receipts:
    nameless = {name: value for name, value in step.resource.items() if name != "id"}
    made = client.create(nameless, if_none_exist=_search(step))
    return _ours_or_the_same(client, {step.target: (step, made)})


def _transaction(client: FhirClient, steps: Sequence[Step], *, own_ids: bool) -> Receipts:
    entries = [_entry(step, client.base, own_id=own_ids or step.action != "create") for step in steps]
    receipts = client.transaction({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    made = {step.target: (step, receipt) for step, receipt in zip(steps, receipts, strict=True)}
    if own_ids:
        return {target: receipt for target, (_, receipt) in made.items()}
    return _ours_or_the_same(client, made)


def _ours_or_the_same(client: FhirClient, made: Mapping[str, tuple[Step, Receipt]]) -> Receipts:
    """A conditional create that found something made nothing: well where it says what ours says. Raises LoadError."""
    found = [step for step, receipt in made.values() if step.action == "create" and receipt.status == _FOUND]
    same = _found(client, found) if found else {}
    for step in found:
        if step.target not in same:
            raise LoadError(
                f"{made[step.target][1].reference} was put there meanwhile, as "
                f"{step.resource['url']}|{step.resource['version']} and not by this command.",
                next_step="It is as it was. Look at the plan again.",
            )
    return {**{target: receipt for target, (_, receipt) in made.items()}, **_by_another(same)}


def _by_another(found: Receipts) -> Receipts:
    return {target: replace(receipt, status=_NOT_WRITTEN) for target, receipt in found.items()}


def _search(step: Step) -> str:
    return f"url={quote(step.resource['url'], safe=':/')}&version={step.resource['version']}"


def _entry(step: Step, base: str, *, own_id: bool) -> dict[str, Any]:
    url = step.target if own_id else step.resource["resourceType"]
    request = {"method": "PUT", "url": url} if own_id else {"method": "POST", "url": url, "ifNoneExist": _search(step)}
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
    was = {_NEW: "new", _NOT_WRITTEN: "there"}.get(place.status, "")
    return {"target": step.target, "place": place.reference, "version_id": place.version_id, "was": was}
