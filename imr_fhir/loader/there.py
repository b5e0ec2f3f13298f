"""What a server has of the artefacts: two searches a type at most, so that looking costs less than a second."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.paging import Found
from imr_fhir.errors import LoadError

Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class There:
    """``by_url``: what has a canonical URL of ours, in all versions and copies. ``by_id``: "ValueSet/x" -> what stands
    where an artefact would be put that is not there yet."""

    by_url: Mapping[str, tuple[Resource, ...]]
    by_id: Mapping[str, Resource]

    def copies(self, artefact: Resource) -> tuple[Resource, ...]:
        """Those of the artefact's own version; more than one is a fault of the server's data."""
        return tuple(
            each for each in self.by_url.get(artefact["url"], ()) if each.get("version") == artefact["version"]
        )

    def others(self, artefact: Resource) -> tuple[Resource, ...]:
        """Those of its other versions, and of none."""
        return tuple(
            each for each in self.by_url.get(artefact["url"], ()) if each.get("version") != artefact["version"]
        )


def reference(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource.get('id', '')}"


def look(client: FhirClient, artefacts: Iterable[Resource]) -> There:
    """Raises EhrError, and LoadError where the server has more than can be looked through."""
    by_type: dict[str, list[Resource]] = defaultdict(list)
    for artefact in artefacts:
        by_type[artefact["resourceType"]].append(artefact)
    found = _search(client, {kind: ("url", [each["url"] for each in of]) for kind, of in by_type.items()})
    wanted = {each["url"] for of in by_type.values() for each in of}
    by_url: dict[str, tuple[Resource, ...]] = defaultdict(tuple)
    for each in found:
        if each.get("url") in wanted:  # a server that does not know the parameter may give everything it has
            by_url[each["url"]] += (each,)
    there = There(by_url, {})
    missing = {kind: [each["id"] for each in of if not there.copies(each)] for kind, of in by_type.items()}
    placed = _search(client, {kind: ("_id", ids) for kind, ids in missing.items() if ids})
    return There(by_url, {reference(each): each for each in placed})


def _search(client: FhirClient, asked: Mapping[str, tuple[str, Sequence[str]]]) -> list[Resource]:
    """``asked``: type -> parameter and its values; all at once."""
    begun = {
        kind: client.beside(partial(client.search, kind, [(name, ",".join(values))]))
        for kind, (name, values) in asked.items()
    }
    return [each for kind, future in begun.items() for each in _whole(kind, future.result())]


def _whole(kind: str, found: Found) -> tuple[Resource, ...]:
    if found.truncated:
        raise LoadError(
            f"The server has more of {kind} under our canonical URLs than can be looked through.",
            next_step="Its administrator can see where so many copies come from.",
        )
    return found.resources
