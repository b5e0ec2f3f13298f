"""Of a filing that the record holds otherwise, or several times: a person says which of the record's is it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from imr_fhir.ehr import filing as ehr_filing
from imr_fhir.ehr.filing import Seen
from imr_fhir.ehr.lookup import is_foreign
from imr_fhir.version import stored_version
from smart_app.delivery import Courier, deliver, parts_of, references_of
from smart_app.store.filing import Filing, Receipt


def seen_of(filing: Filing, courier: Courier) -> tuple[Seen, ...]:
    """What the EHR has now of the parts that clash. Raises BodyPurged."""
    parts = parts_of(filing, courier.store)
    return ehr_filing.look(courier.client, parts, references=references_of(filing), named=filing.candidates)


def choose(filing: Filing, which: str, courier: Courier) -> Filing:
    """``which``, a reference, counts. Nothing is written over it, and where it says something else than what was
    sent, no part that belongs to that goes out any more: a score beside other answers would be wrong.

    Raises StaleFiling; unchanged where the EHR does not show it, or it is another patient's.
    """
    seen = seen_of(filing, courier)
    receipts = chosen(seen, which)
    if receipts is None:
        return filing
    if not _is_equal(seen, which):
        receipts += tuple(Receipt(part.type, "", "", 0, "chosen") for part in filing.unaccepted[len(receipts) :])
    after = courier.store.filings.choose(filing, receipts, courier.by, courier.audit("decide", filing), courier.now)
    return deliver(after, courier)


def chosen(seen: Sequence[Seen], which: str) -> tuple[Receipt, ...] | None:
    """For each part ``which`` itself, else the one that is as it was sent, else the first, else none."""
    if which not in [_reference(found) for each in seen for found in each.resources if not is_foreign(found)]:
        return None
    return tuple(_receipt(each, which) for each in seen)


def _receipt(seen: Seen, which: str) -> Receipt:
    own = [found for found in seen.resources if not is_foreign(found)]
    equal = [found for found, differ in zip(seen.resources, seen.differ, strict=True) if not differ]
    for found in (*(each for each in own if _reference(each) == which), *equal, *own):
        return Receipt(seen.part.type, str(found["id"]), stored_version(found), 200, "chosen")
    return Receipt(seen.part.type, "", "", 0, "chosen")


def _is_equal(seen: Sequence[Seen], which: str) -> bool:
    return any(
        _reference(found) == which and not differ
        for each in seen
        for found, differ in zip(each.resources, each.differ, strict=True)
    )


def _reference(found: Mapping[str, Any]) -> str:
    return f"{found['resourceType']}/{found['id']}"
