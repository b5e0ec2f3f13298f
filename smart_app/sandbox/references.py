"""References inside a resource: found, rewritten, and checked as HAPI does (a missing target is refused)."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from .database import Database
from .outcome import FhirError, bad_request

LOCAL = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9.\-]{1,64})(?:/_history/[0-9]+)?")
CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?(.+)")


def references(part: Any) -> Iterator[dict[str, Any]]:
    """Each Reference that has a literal reference."""
    if isinstance(part, list):
        for each in part:
            yield from references(each)
    elif isinstance(part, dict):
        if isinstance(part.get("reference"), str):
            yield part
        for each in part.values():
            if isinstance(each, dict | list):
                yield from references(each)


def resolve(
    resource: dict[str, Any], *, fhir_base: str, placed: dict[str, str], matches: Callable[[str, str], list[str]]
) -> None:
    """Rewrite, in place: ``urn:uuid`` of a transaction (``placed``), our own absolute URLs, ``Type?query`` (as
    Synthea's Bundles use them) to the one resource that ``matches(type, query)`` finds."""
    for reference in references(resource):
        target = reference["reference"]
        if target in placed:
            reference["reference"] = placed[target]
        elif target.startswith(fhir_base + "/"):
            reference["reference"] = target[len(fhir_base) + 1 :]
        elif conditional := CONDITIONAL.fullmatch(target):
            found = matches(*conditional.groups())
            if len(found) != 1:
                code = "multiple-matches" if found else "not-found"
                raise FhirError(412 if found else 404, code, f"{len(found)} resources match the reference {target!r}")
            reference["reference"] = found[0]


def check(resource: dict[str, Any], database: Database) -> None:
    """Raises FhirError 400 for a reference to what does not exist here; other servers' URLs are left alone."""
    contained = {f"#{each.get('id')}" for each in resource.get("contained", ())} | {"#"}
    local: set[tuple[str, str]] = set()
    for reference in references(resource):
        target = reference["reference"]
        if target.startswith("#"):
            if target not in contained:
                raise bad_request(f"nothing contained is called {target}", "not-found")
        elif match := LOCAL.fullmatch(target):
            local.add((match[1], match[2]))
        elif not re.match(r"https?://", target):  # a urn: that no entry of a transaction has, or no reference at all
            raise bad_request(f"{target!r} refers to nothing here", "value")
    for resource_type, resource_id in sorted(local):
        row = database.connection.execute(
            "SELECT 1 FROM resource WHERE type = ? AND id = ?", (resource_type, resource_id)
        ).fetchone()
        if row is None:
            raise bad_request(f"{resource_type}/{resource_id} not found, specified in a reference", "not-found")
