"""What a document holds, shown as a Binary of its own, as Epic and Oracle Health do."""

from collections.abc import Mapping
from typing import Any

from .indexing import values
from .outcome import not_found


def apart(part: Any, home: str) -> Any:
    """A copy of a resource or Bundle in which each document names what it holds; ``home`` stands before the names."""
    if isinstance(part, list):
        return [apart(each, home) for each in part]
    if not isinstance(part, dict):
        return part
    copy = {name: apart(each, home) for name, each in part.items()}
    if copy.get("resourceType") == "DocumentReference":
        for place, attachment in enumerate(values(copy, ["content", "attachment"])):
            if attachment.pop("data", None):
                attachment["url"] = f"{home}Binary/{copy['id']}-{place}"
    return copy


def document_id(binary_id: str) -> str:
    """Of the document that holds it."""
    return binary_id.rpartition("-")[0]


def binary_of(document: Mapping[str, Any], binary_id: str) -> dict[str, Any]:
    """Raises FhirError 404 where the document holds nothing of this name."""
    for place, attachment in enumerate(values(document, ["content", "attachment"])):
        if f"{document['id']}-{place}" == binary_id and "data" in attachment:
            held = {name: attachment[name] for name in ("contentType", "data") if name in attachment}
            return {"resourceType": "Binary", "id": binary_id, **held}
    raise not_found("Binary", binary_id)
