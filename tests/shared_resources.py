"""Looks after each test that nobody changed a resource which requests share: it would be another for all of them."""

import copy
from typing import Any

from imr_fhir.ehr.resource_cache import CachedResource, ResourceCache

_as_read: dict[int, tuple[CachedResource, dict[str, Any]]] = {}  # by id(), which is nobody else's while it is held here


def watch_shared_resources() -> None:
    """Keep a copy of each as it was first given out, from here on."""
    original = ResourceCache._resource

    def watched(self: ResourceCache, text: str, start: int, base: str) -> tuple[CachedResource, int]:
        resource, end = original(self, text, start, base)
        _as_read.setdefault(id(resource), (resource, copy.deepcopy(resource)))
        return resource, end

    ResourceCache._resource = watched  # type: ignore[method-assign]


def changed() -> list[dict[str, Any]]:
    """Those that are no longer what they were, as they are now."""
    return [dict(resource) for resource, as_read in _as_read.values() if resource != as_read]


def forget() -> None:
    _as_read.clear()
