"""Which version of a resource was read, also of a server that keeps none: then a digest of what it says.

A change is based on what was read, and must not be written over somebody else's. ``If-Match`` lets the server see to
that; where there is no version to name, the content is compared before the write, which leaves a moment in between.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_DIGEST = "~"  # no FHIR id begins with it


def version_of(resource: Mapping[str, Any]) -> str:
    """``meta.versionId``, else a digest of the content."""
    return stored_version(resource) or _digest(resource)


def stored_version(resource: Mapping[str, Any]) -> str:
    """``meta.versionId``; "" where the server gives none."""
    meta = resource.get("meta")
    return str(meta.get("versionId", "")) if isinstance(meta, Mapping) else ""


def etag(version: str) -> str:
    """For ``If-Match``; "" for a version that the server does not know."""
    return f'W/"{version}"' if version and not version.startswith(_DIGEST) else ""


def is_at(resource: Mapping[str, Any], version: str) -> bool:
    """Whether ``resource`` is still the one that was read as ``version``."""
    return version == (_digest(resource) if version.startswith(_DIGEST) else stored_version(resource))


def _digest(resource: Mapping[str, Any]) -> str:
    """Of all but what a server may make anew for each answer: narrative, times and labels."""
    said = {name: value for name, value in resource.items() if name not in ("meta", "text")}
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, default=str)
    return _DIGEST + hashlib.sha256(text.encode()).hexdigest()[:40]
