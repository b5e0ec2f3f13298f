"""What the EHR has of one part of a filing: read by its id, or searched for by identifier and patient."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from imr_fhir.bundle import Part, if_none_exist
from imr_fhir.ehr.answer import id_of
from imr_fhir.ehr.attachment import with_data
from imr_fhir.ehr.client import FhirClient
from imr_fhir.errors import EhrError, Forbidden, Invalid, LaunchError, NotFound, WrongPatient

# About a write, not the write itself: many EHRs take these and show them to nobody.
SELDOM_SHOWN = frozenset({"Provenance", "AuditEvent"})


@dataclass(frozen=True, slots=True)
class Sighting:
    """``fault``: why it can't be seen. ``hidden``: it can't, and that is no wonder for this type here."""

    resources: tuple[Mapping[str, Any], ...] = ()
    fault: str = ""
    hidden: bool = False


def read_back(client: FhirClient, part: Part, resource_id: str) -> Sighting:
    """What the EHR has under the id that it gave; the caller compares."""
    try:
        return Sighting((_as_sent(client, part, client.read(part.type, resource_id)),))
    except WrongPatient:  # a conditional create found this identifier at another patient: kept is its name alone
        return Sighting(({"resourceType": part.type, "id": resource_id},))
    except (EhrError, LaunchError) as error:
        return _unseen(part, error)


def find(client: FhirClient, part: Part, named: Collection[str] = ()) -> Sighting:
    """An update by its id; what was new by a search, whose answer is checked: some EHRs ignore what they don't know.

    ``named``: references of what was met before instead of it; those of this part are read as well, since a search by
    patient never shows what is another's.
    """
    found = _search(client, part)
    had = {str(resource["id"]) for resource in found.resources}
    ids = [identity for kind, _, identity in (each.partition("/") for each in named) if kind == part.type]
    more = [read_back(client, part, each) for each in ids if each not in had and part.resource.get("id", each) == each]
    met = tuple(one for each in more for one in each.resources if _is_it(part, one))
    return replace(found, resources=(*found.resources, *met), fault="" if met else found.fault)


def _search(client: FhirClient, part: Part) -> Sighting:
    try:
        if "id" in part.resource:
            return _read(client, part)
        query = if_none_exist(part.resource)
        name, _, value = query.partition("=")
        patient = [("patient", client.patient)] if name == "identifier" and client.patient else []
        found = client.search(part.type, [(name, value), *patient])
        ours = tuple(_as_sent(client, part, each) for each in found.resources if query in _queries(each))
    except (EhrError, LaunchError, WrongPatient) as error:
        return _unseen(part, error)
    if found.truncated:
        return Sighting(fault="The EHR has more than we could look through.")
    if found.foreign:
        return Sighting(fault="The EHR answered for another patient.")
    if not all(map(id_of, ours)):  # to take it for "none" would send it twice
        return Sighting(fault="The EHR answered with something that has no id.")
    return Sighting(ours)


def _as_sent(client: FhirClient, part: Part, found: Mapping[str, Any]) -> Mapping[str, Any]:
    """A new document was sent with its data; one that was changed is as it had been read, with an address if so."""
    return found if "id" in part.resource else with_data(client, found)


def is_foreign(resource: Mapping[str, Any]) -> bool:
    """Another patient's, of which nothing but its name was kept."""
    return resource.keys() <= {"resourceType", "id"}


def _is_it(part: Part, resource: Mapping[str, Any]) -> bool:
    return is_foreign(resource) or "id" in part.resource or if_none_exist(part.resource) in _queries(resource)


def _read(client: FhirClient, part: Part) -> Sighting:
    try:
        return Sighting((client.read(part.type, str(part.resource["id"])),))
    except NotFound:  # of a read, that it is not there; of a search it would be that there is no such search
        return Sighting()


def side_by_side(
    client: FhirClient, look: Callable[[FhirClient, Part], Sighting], parts: Sequence[Part]
) -> list[Sighting]:
    """One look a part, all at once: in turn, three slow reads would outlive the lease of the filing."""
    begun = [client.beside(partial(look, client, part)) for part in parts]
    return [each.result() for each in begun]


def _unseen(part: Part, error: Exception) -> Sighting:
    hidden = part.type in SELDOM_SHOWN and isinstance(error, Forbidden | NotFound | Invalid)
    return Sighting(fault=str(error), hidden=hidden)


def _queries(resource: Mapping[str, Any]) -> Iterator[str]:
    """Each search that would find ``resource``, one for each of its identifiers and tags."""
    named, meta = resource.get("identifier"), resource.get("meta")
    tags = meta.get("tag") if isinstance(meta, Mapping) else None
    for identifier in named if isinstance(named, list) else [named]:
        if isinstance(identifier, Mapping):
            yield f"identifier={identifier.get('system')}|{identifier.get('value')}"
    for tag in tags if isinstance(tags, list) else []:
        if isinstance(tag, Mapping):
            yield f"_tag={tag.get('system')}|{tag.get('code')}"
