"""The artefacts in one Bundle, for a server whose packages are not installed: one POST to its base.

Each entry is a PUT under the artefact's own id, so that a second POST changes nothing, with the tag by which
`imr-fhir load` later knows it as ours. They refer to each other by
canonical only, so the same entries stand alone in a batch: that is for a server without transactions, which may then
take some and refuse others, and answers for each. Not a collection: no server processes one. A server with neither
is loaded one by one, by `imr-fhir load`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from imr_fhir import artefacts

KINDS: tuple[Literal["transaction", "batch"], ...] = ("transaction", "batch")


def bundle(kind: Literal["transaction", "batch"], resources: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The Bundle of ``resources``, in their order."""
    return {
        "resourceType": "Bundle",
        "id": f"imr-fhir-{artefacts.VERSION}-{kind}",
        "type": kind,
        "entry": [
            {
                "fullUrl": f"{artefacts.BASE}/{resource['resourceType']}/{resource['id']}",
                "resource": {**resource, "meta": {"tag": [artefacts.loaded_tag(resource)]}},
                "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"},
            }
            for resource in resources
        ],
    }
