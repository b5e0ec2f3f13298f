"""Which resources the server has and the export has not: by their ids where they can be known, else why not.

Asked for only where the server counts more than came. What it then lists and the files do not hold is read one by one:
most of it was left out here rightly.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlencode

from imr_fhir.ehr.bulk_data import Level
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.paging import PAGE
from imr_fhir.errors import BadReply, EhrError, Forbidden, NotFound, ResourceError
from imr_fhir.fhir_time import parse_date_time
from imr_fhir.reporting.export.allowed import leaving, patient_of
from imr_fhir.reporting.export.counting import search
from imr_fhir.reporting.export.release import resource_id
from imr_fhir.reporting.export.taking import Taking

LISTED = 100_000  # of a type, at most: some minutes of a server's time
LOOKED_AT = 500
NOT_GIVEN = ("twice", "no-json", "too-long", "no-id", "other-type")  # came, and are none of those that were counted
_OF_OTHERS = ("Provenance", "AuditEvent")  # other software's too, and not of patients alone


@dataclass(frozen=True, slots=True)
class Missing:
    """``ids``: as they leave. ``why`` they are not known, "" where they are. ``later``: how many were written since the
    export; ``ofNoPatient``: how many no export of patients has. Those two are no loss."""

    ids: tuple[str, ...] = ()
    why: str = ""
    later: int = 0
    ofNoPatient: int = 0


def missing(
    client: FhirClient,
    taking: Taking,
    counts: Mapping[str, int | None],
    *,
    level: Level,
    before: Mapping[str, Any] | None,
    there: Callable[[str], Collection[str]],
    came: Callable[[str], Collection[str]],
) -> dict[str, dict[str, Any]]:
    """By type, where there is something to tell. ``counts``: the server's. ``before``: the manifest so far, whose
    missing ones are told again until they are there. ``there``: ids of a type in the files, as they leave; ``came``: in
    those of this run."""
    found = {}
    for each in taking.ledger.asked["types"]:
        known = before["runs"][-1].get("missing", {}).get(each, {}).get("ids", ()) if before else ()
        count = counts.get(each)
        short = count is not None and (
            count > (given := _came(taking, each)) or count > given - _twice(taking, each, came)
        )
        if short or known:
            ids = there(each)
            now = _look(client, taking, each, level, count or 0, ids) if short else Missing()
            lost = (*(one for one in known if one not in ids and one not in now.ids), *now.ids)
            told = {**asdict(now), "ids": list(lost)}
            if any(told.values()):
                found[each] = told
    return found


def _came(taking: Taking, resource_type: str) -> int:
    parts = [each for each in taking.ledger.parts if each.type == resource_type]
    return sum(each.given - sum(each.left.get(why, 0) for why in NOT_GIVEN) for each in parts)


def _twice(taking: Taking, resource_type: str, came: Callable[[str], Collection[str]]) -> int:
    """How many came that were there already: an export may hold one in two files, and lack another."""
    return sum(each.kept for each in taking.ledger.parts if each.type == resource_type) - len(came(resource_type))


def _look(
    client: FhirClient, taking: Taking, resource_type: str, level: Level, count: int, there: Collection[str]
) -> Missing:
    if count > LISTED:
        return Missing(why=f"more than {LISTED:,} are too many to list")
    release = replace(taking.release, refused=Counter(), unknown_systems=Counter())  # nothing of this leaves
    try:
        listed = dict.fromkeys(_listed(client, taking, resource_type))
        absent = [own for own in listed if release.id(resource_type, own) not in there]
        if len(absent) > LOOKED_AT:
            if resource_type in _OF_OTHERS and level == "patient":
                return Missing()
            return Missing(why=f"{len(absent):,} are not in the files, too many to tell which were left out here")
        ids, later, of_nobody = [], 0, 0
        for own in absent:
            try:
                resource = client.read(resource_type, own)
            except NotFound:
                continue  # deleted meanwhile
            except (Forbidden, BadReply):  # listed, and not given
                ids.append(release.id(resource_type, own))
                continue
            if isinstance(leaving(resource, release, episode_types=taking.episode_types), str):
                continue
            if _is_later(resource, taking.ledger.transaction_time):
                later += 1
            elif level == "patient" and not patient_of(resource, release.base):
                of_nobody += 1
            else:
                ids.append(release.id(resource_type, own))
    except EhrError as error:
        status = getattr(error, "status", None)
        return Missing(why=f"the server did not tell which ({status or 'no reply'})")
    return Missing(tuple(ids), "", later, of_nobody)


def _listed(client: FhirClient, taking: Taking, resource_type: str) -> Iterator[str]:
    """Ids of all that it counts; by the same search."""
    params = [*search(taking, resource_type), ("_elements", "id"), ("_count", str(PAGE))]
    url = f"{resource_type}?{urlencode(params)}"
    for _ in range(LISTED):
        page = client.page(url)
        ours = (each for each in page.resources if each.get("resourceType") == resource_type)
        yield from filter(None, (resource_id(each.get("id")) for each in ours))
        url = page.next
        if not url:
            return


def _is_later(resource: Mapping[str, Any], than: str) -> bool:
    meta = resource.get("meta")
    try:
        return parse_date_time(str(meta.get("lastUpdated"))) > parse_date_time(than) if meta else False
    except ResourceError:
        return False
