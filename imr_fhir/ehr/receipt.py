"""What the EHR gave to a write: which resource in which version (R4, http.html, create and transaction)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imr_fhir.ehr.address import Reference, is_id, location_reference
from imr_fhir.ehr.outcome import sentence
from imr_fhir.ehr.transport import Reply
from imr_fhir.errors import BadReply
from imr_fhir.version import stored_version

_TELL = "Tell the EHR's administrator."


@dataclass(frozen=True, slots=True)
class Receipt:
    """``version_id`` is "" where the EHR keeps no versions; ``status`` is HTTP's."""

    type: str
    id: str
    version_id: str
    status: int

    @property
    def reference(self) -> str:
        return f"{self.type}/{self.id}"


def receipt(reply: Reply, resource_type: str, resource_id: str = "") -> Receipt:
    """Of a create (by ``Location``, else by the body) or of an update of ``resource_id``. Raises BadReply."""
    found = location_reference(reply.headers.get("Location", ""))
    if found is None and reply.body:
        body = reply.json()  # raises NotJson: a proxy's page with 200 says nothing of what became of it
        if isinstance(body, dict) and not resource_id:
            found = Reference(str(body.get("resourceType")), str(body.get("id", "")), stored_version(body))
    if found is None and resource_id:
        found = Reference(resource_type, resource_id)
    return _checked(found, resource_type, resource_id, reply.headers.get("ETag", ""), reply.status)


def entry_receipt(request: Mapping[str, Any], answer: object) -> Receipt:
    """Of one entry of a transaction. Raises BadReply where it does not say that it was saved."""
    response = answer.get("response") if isinstance(answer, dict) else None
    response = response if isinstance(response, dict) else {}
    status = str(response.get("status", ""))[:3]
    if status not in ("200", "201", "204"):
        said = sentence(response.get("outcome"))
        raise BadReply(f"The EHR did not save every part of the transaction. {said}".strip(), next_step=_TELL)
    resource_type, _, resource_id = str(request["url"]).partition("/")
    found = location_reference(str(response.get("location", "")))
    if found is None and resource_id:
        found = Reference(resource_type, resource_id)
    return _checked(found, resource_type, resource_id, str(response.get("etag", "")), int(status))


def _checked(found: Reference | None, resource_type: str, resource_id: str, etag: str, status: int) -> Receipt:
    if found is None or found.type != resource_type or not is_id(found.id):
        raise BadReply(f"The EHR saved a {resource_type} but did not say under which id.", next_step=_TELL)
    if resource_id and found.id != resource_id:
        raise BadReply(f"The EHR saved another {resource_type} than the one sent.", next_step=_TELL)
    return Receipt(found.type, found.id, found.version or etag.removeprefix("W/").strip('"'), status)
