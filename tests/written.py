"""Keeps each resource that the app files in the test run, so that the validator can judge all of them at the end.

What the app files carries the tag of its filing; what a FHIR server did not take (2xx) is not kept. `make test` empties
the folder before it starts.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from imr_fhir.artefacts import FILING
from imr_fhir.ehr.transport import Reply, Transport
from tests.parts import tools_folder
from tests.revised import VERSION

FOLDER = tools_folder() / "written"


def is_filed(resource: Mapping[str, Any]) -> bool:
    return any(tag.get("system") == FILING for tag in resource.get("meta", {}).get("tag", []))


def resources_in(body: bytes) -> Iterator[Mapping[str, Any]]:
    try:
        sent = json.loads(body)
    except ValueError:
        return  # a form post to a token endpoint
    if isinstance(sent, dict) and sent.get("resourceType") == "Bundle":
        yield from (entry["resource"] for entry in sent.get("entry", []) if "resource" in entry)
    elif isinstance(sent, dict) and "resourceType" in sent:
        yield sent


def record_writes() -> None:
    """Watch the one outbound transport from here on."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    original = Transport.send

    def send(self: Transport, method: str, url: str, **options: Any) -> Reply:
        reply = original(self, method, url, **options)
        kept = method in ("POST", "PUT") and 200 <= reply.status < 300 and options["purpose"] != "validate"
        if kept and options.get("body"):
            for resource in filter(is_filed, resources_in(options["body"])):
                content = json.dumps(resource).encode()
                if f'|{VERSION}"'.encode() in content:
                    continue  # of a version of the forms that only a test has
                name = f"{resource['resourceType']}-{hashlib.sha256(content).hexdigest()[:16]}.json"
                part = FOLDER / f"{name}.{os.getpid()}"
                part.write_bytes(content)
                part.rename(FOLDER / name)
        return reply

    Transport.send = send  # type: ignore[method-assign]
