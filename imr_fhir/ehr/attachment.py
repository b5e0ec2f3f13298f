"""What a document holds where the EHR shows it as a Binary of its own.

Epic and Oracle Health take a DocumentReference with its data, and give it back with an address instead (Oracle Health,
"Get a document reference by ID": contents are found in the attachment URL).
"""

from collections.abc import Mapping
from typing import Any

from imr_fhir.ehr.address import local_reference
from imr_fhir.ehr.client import FhirClient

# Of an attachment, what says the same of the data, or where it is.
_INSTEAD = frozenset({"url", "size", "hash"})


def with_data(client: FhirClient, resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """``resource`` as it was read, a document with the data of what it names on this server; any other as it is.

    Raises EhrError, WrongPatient where a Binary can't be read.
    """
    contents = resource.get("content")
    if resource.get("resourceType") != "DocumentReference" or not isinstance(contents, list):
        return resource
    return {**resource, "content": [_held(client, content) for content in contents]}


def _held(client: FhirClient, content: Any) -> Any:
    attachment = content.get("attachment") if isinstance(content, Mapping) else None
    if not isinstance(attachment, Mapping) or "data" in attachment:
        return content
    named = local_reference(attachment.get("url"), client.base)
    if named is None or named.type != "Binary":
        return content
    binary = client.read("Binary", named.id)
    inline = {name: value for name, value in attachment.items() if name not in _INSTEAD}
    held = {"data": binary["data"]} if "data" in binary else {}
    return {**content, "attachment": {**inline, **held}}
