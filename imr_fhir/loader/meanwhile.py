"""What somebody else put under our id between the plan and the write.

R4 has no lock, and none of the servers tried keeps what is to be new from being written over what is there by now:
HAPI 8.8 and Medplum 4.5 heed no ``If-None-Match: *`` of an update, alone or in a transaction. So it is looked for
afterwards: an update that made something is answered with 201 (R4, http.html), and where a server answers 200 always,
as Medplum does, its history tells.
"""

from collections.abc import Mapping
from typing import Any

from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.failure import failure
from imr_fhir.errors import BadReply
from imr_fhir.loader.applies import Entry
from imr_fhir.loader.there import Resource
from imr_fhir.version import stored_version


def met(client: FhirClient, entry: Entry, now: Resource) -> Resource | None:
    """What ``entry``, which was to be new and stands there as ``now``, was written over; None where there was nothing.

    It is ``now`` itself where somebody else had written the same, and we nothing. Raises EhrError where the
    server does not tell.
    """
    if entry.was == "there":
        return now
    if not entry.created or entry.was == "new":
        return None
    return _before(_history(client, entry.place), entry.version_id or stored_version(now))


def _history(client: FhirClient, place: str) -> list[Mapping[str, Any]]:
    """Newest first (R4, http.html, history)."""
    reply = client.ask("GET", f"{place}/_history?_count=10")
    if reply.status != 200:
        raise failure(reply, "to show what was there before")
    found = reply.json()
    entries = found.get("entry") if isinstance(found, dict) else None
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise BadReply("The EHR's history has no entries.", next_step="Tell the EHR's administrator.")
    return entries


def _before(history: list[Mapping[str, Any]], version_id: str) -> Resource | None:
    """Of a deleted one the history has an entry without a resource, or one that says DELETE."""
    resources = [None if _deleted(each) else each.get("resource") for each in history]
    ours = next((at for at, each in enumerate(resources) if each and stored_version(each) == version_id), None)
    if ours is None:
        raise BadReply("The EHR's history does not have what was just written.", next_step="Look at it there.")
    return next(iter(resources[ours + 1 :]), None)


def _deleted(entry: Mapping[str, Any]) -> bool:
    request = entry.get("request")
    return isinstance(request, Mapping) and request.get("method") == "DELETE"
