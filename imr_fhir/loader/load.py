"""Puts the artefacts into a FHIR server; what is there already and says the same is left alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from imr_fhir.artefacts import content_hash
from imr_fhir.ehr.capability import write_plan
from imr_fhir.ehr.client import FhirClient
from imr_fhir.errors import NotFound
from imr_fhir.version import stored_version

Action = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """``reference``: "Questionnaire/imr-client-0.1.0"."""

    reference: str
    action: Action


def load(client: FhirClient, resources: Iterable[Mapping[str, Any]]) -> tuple[Loaded, ...]:
    """Each resource under its own id: one transaction where the server has them, else one by one in this order.

    Running it again writes nothing. Raises EhrError; then a server without transactions may have some of them.
    """
    steps = [_step(client, resource) for resource in resources]
    wanted = [step for step in steps if step.action != "unchanged"]
    if wanted and write_plan(client.capabilities(), ()).transaction:
        entries = [_entry(step, client.base) for step in wanted]
        client.transaction({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    else:
        for step in wanted:
            client.update(step.resource, if_match=step.replaces)
    return tuple(Loaded(step.reference, step.action) for step in steps)


@dataclass(frozen=True, slots=True)
class _Step:
    resource: Mapping[str, Any]
    action: Action
    replaces: str = ""  # version

    @property
    def reference(self) -> str:
        return f"{self.resource['resourceType']}/{self.resource['id']}"


def _step(client: FhirClient, resource: Mapping[str, Any]) -> _Step:
    try:
        there = client.read(str(resource["resourceType"]), str(resource["id"]))
    except NotFound:
        return _Step(resource, "created")
    same = content_hash(there) == content_hash(resource)
    return _Step(resource, "unchanged" if same else "updated", stored_version(there))


def _entry(step: _Step, base: str) -> dict[str, Any]:
    request = {"method": "PUT", "url": step.reference}
    if step.replaces:
        request["ifMatch"] = f'W/"{step.replaces}"'
    return {"fullUrl": f"{base}/{step.reference}", "resource": step.resource, "request": request}
