"""What another user than its author took into the record: there too it stands who entered it, and why.

The author's bytes never change, so it is one more Provenance, in a filing of its own.
"""

from __future__ import annotations

import json
from typing import Any

from imr_fhir.bundle import Part
from smart_app.delivery import deliver
from smart_app.open_launch import Launch
from smart_app.saving import begin, courier_of
from smart_app.sealing import seal, told, urn
from smart_app.state import state
from smart_app.store.filing import Filing


def entered(launch: Launch, filing: Filing, reason: str) -> None:
    """Of a filing that is DONE. Nothing where this EHR took no word of who wrote it; the app's own log has it anyway.

    What the record does not take at once is in this user's outbox. Raises BodyPurged.
    """
    bodies = [json.loads(body) for body in state().store.filings.bodies(filing).values()]
    first: dict[str, Any] = next((each for each in bodies if each["resourceType"] == "Provenance"), {})
    taken = [receipt for receipt in filing.receipts if receipt.id and receipt.type != "Provenance"]
    if not first or not taken:
        return
    act = begin(launch)
    parts = told(
        act,
        [Part({"resourceType": receipt.type, "id": receipt.id}, urn()) for receipt in taken],
        activity="update" if first["activity"]["coding"][0]["code"] == "UPDATE" else "create",
        author=first["agent"][0]["who"]["reference"],
        reason=reason,
    )
    if not all(part.unsent for part in parts):
        once = f"entered {filing.id}"
        owner = launch.record.owner
        deliver(seal(state().store, act, owner, parts, kind="note", details={}, form=once), courier_of(launch))
