"""Looks after each test that nobody changed what requests share, a resource or what was worked out of one: it would be
another for all of them."""

import copy
from collections.abc import Hashable
from typing import Any

from imr_fhir.ehr.resource_cache import CachedResource, ResourceCache

_as_read: dict[int, tuple[object, object]] = {}  # by id(), which is nobody else's while it is held here


class _WorkedOut(dict[Hashable, Any]):
    def __setitem__(self, what: Hashable, value: Any) -> None:
        _as_read.setdefault(id(value), (value, copy.deepcopy(value)))
        super().__setitem__(what, value)


def watch_shared_resources() -> None:
    """Keep a copy of each as it was first given out, from here on."""
    original = ResourceCache._resource

    def watched(self: ResourceCache, text: str, start: int, base: str) -> tuple[CachedResource, int]:
        resource, end = original(self, text, start, base)
        if id(resource) not in _as_read:
            _as_read[id(resource)] = resource, copy.deepcopy(resource)
            resource._worked_out = _WorkedOut(resource._worked_out)
        return resource, end

    ResourceCache._resource = watched  # type: ignore[method-assign]


def changed() -> list[object]:
    """Those that are no longer what they were, as they are now."""
    return [now for now, as_read in _as_read.values() if now != as_read]


def forget() -> None:
    _as_read.clear()
