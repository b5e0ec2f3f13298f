"""The parts of one filing as a transaction, which the EHR takes whole or not at all; and the order for one by one."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from imr_fhir import artefacts
from imr_fhir.errors import ResourceError
from imr_fhir.version import etag


@dataclass(frozen=True, slots=True)
class Part:
    """One resource of a filing. With an id it is an update, without one it is new."""

    resource: Mapping[str, Any]
    full_url: str  # "urn:uuid:...": how other parts refer to it while it has no address
    if_match: str = ""  # of an update: the version that it replaces, as of imr_fhir.version
    unsent: bool = False  # kept here, since the EHR takes it nowhere, or since it is what the others were made of

    @property
    def type(self) -> str:
        return str(self.resource["resourceType"])


def transaction(parts: Sequence[Part]) -> dict[str, Any]:
    """The transaction Bundle of ``parts``, each after what it refers to. Raises ResourceError.

    Its fullUrls are its own: ours are identifiers too, and Medplum puts the new address wherever a fullUrl stands.
    """
    own = {part.full_url: _own_url(part.full_url) for part in parts}
    entries = [
        _entry(replace(part, full_url=own[part.full_url], resource=resolved(part.resource, own)))
        for part in in_order(parts)
    ]
    searches = [(entry["request"]["url"], entry["request"].get("ifNoneExist")) for entry in entries]
    twice = [url for url, search in searches if searches.count((url, search)) > 1]
    if twice:
        raise ResourceError(
            f"Two parts of the filing would count as one {twice[0]}.",
            next_step="Give each its identifier, or file them apart.",
        )
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def in_order(parts: Sequence[Part]) -> tuple[Part, ...]:
    """``parts`` so that each comes after those it refers to, otherwise as they came. Raises ResourceError."""
    urls = {part.full_url for part in parts}
    if len(urls) != len(parts):
        raise ResourceError("Two parts of a filing have one fullUrl.", next_step="Give each part a UUID of its own.")
    needs = {part.full_url: set(_references(part.resource)) & urls - {part.full_url} for part in parts}
    ordered: list[Part] = []
    waiting = list(parts)
    while waiting:
        done = {part.full_url for part in ordered}
        ready = next((part for part in waiting if needs[part.full_url] <= done), None)
        if ready is None:
            raise ResourceError(
                "The parts of the filing refer to each other in a circle.", next_step="File them apart."
            )
        ordered.append(ready)
        waiting.remove(ready)
    return tuple(ordered)


def if_none_exist(resource: Mapping[str, Any]) -> str:
    """The search that finds ``resource`` if it was filed before: by its identifier, else by the tag of its filing.

    Provenance and AuditEvent have no identifier in R4; so one of each at most goes into a filing.
    """
    named = resource.get("identifier")
    identifier = named[0] if isinstance(named, list) and named else named
    if identifier:
        return f"identifier={identifier['system']}|{identifier['value']}"
    tags = [tag for tag in resource["meta"]["tag"] if tag["system"] == artefacts.FILING]
    return f"_tag={artefacts.FILING}|{tags[0]['code']}"


def resolved(resource: Mapping[str, Any], references: Mapping[str, str]) -> dict[str, Any]:
    """``resource`` with the references that ``references`` knows put in place ("urn:uuid:..." -> "Observation/12")."""

    def walk(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {
                name: references.get(inner, inner) if name == "reference" and isinstance(inner, str) else walk(inner)
                for name, inner in value.items()
            }
        return [walk(inner) for inner in value] if isinstance(value, list) else value

    result: dict[str, Any] = walk(resource)
    return result


def _own_url(full_url: str) -> str:
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, full_url)}"


def _entry(part: Part) -> dict[str, Any]:
    resource = dict(part.resource)
    if "id" in resource:
        request = {"method": "PUT", "url": f"{part.type}/{resource['id']}"}
        if tag := etag(part.if_match):
            request["ifMatch"] = tag
    else:
        request = {"method": "POST", "url": part.type, "ifNoneExist": if_none_exist(resource)}
    return {"fullUrl": part.full_url, "resource": resource, "request": request}


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == "reference" and isinstance(inner, str):
                yield inner
            else:
                yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
