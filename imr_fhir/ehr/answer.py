"""The resource that a reply holds, and what a Bundle holds, whatever else a server may send."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from imr_fhir.ehr.json_reader import read_json
from imr_fhir.ehr.outcome import sentence
from imr_fhir.ehr.transport import Reply
from imr_fhir.errors import BadReply, NotJson

_TELL = "Tell the EHR's administrator."


def resource_in(reply: Reply, resource_type: str, read: Callable[[bytes], Any] = read_json) -> dict[str, Any]:
    """The resource of ``resource_type`` that ``reply`` is, as ``read`` reads JSON; raises BadReply where it is none."""
    try:
        found = read(reply.body)
    except NotJson as error:
        kind = reply.headers.get("Content-Type", "nothing that says what it is")[:60]
        raise BadReply(f"The EHR answered with {kind} where FHIR's JSON was asked for.", next_step=_TELL) from error
    if not isinstance(found, dict) or found.get("resourceType") != resource_type:
        said = sentence(found)
        raise BadReply(f"The EHR did not answer with a {resource_type}. {said}".strip(), next_step=_TELL)
    return found


def resources_of(bundle: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What the entries of ``bundle`` hold, of whatever type."""
    for entry in objects_of(bundle, "entry"):
        if isinstance(resource := entry.get("resource"), dict):
            yield resource


def id_of(resource: Mapping[str, Any]) -> str:
    """Its id; "" where it has none, or what is there is no text."""
    found = resource.get("id")
    return found if isinstance(found, str) else ""


def objects_of(bundle: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of the list ``name``; [] where there is none."""
    values = bundle.get(name)
    return [each for each in values if isinstance(each, dict)] if isinstance(values, list) else []
