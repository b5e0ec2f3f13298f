"""Reads a Bundle around its resources, so that whoever knows what one of them says need not read it again."""

import re
import secrets
from collections.abc import Callable
from typing import Any

from imr_fhir.ehr.answer import objects_of
from imr_fhir.ehr.json_reader import DEPTH, read_text
from imr_fhir.errors import NotJson

LEVELS = DEPTH - 3  # of a resource: Bundle, entry and its object are around it

_RESOURCE = re.compile(r'"resource"[ \t\n\r]*:[ \t\n\r]*(?=\{)')

ResourceAt = Callable[[str, int], tuple[dict[str, Any], int]]


def read_bundle(text: str, resource_at: ResourceAt) -> Any:
    """The same as `read_text`; each resource of an entry as ``resource_at`` gives it.

    That gets the text and where in it the resource begins; it gives what this says and where it ends, or raises
    NotJson. Raises NotJson.
    """
    # What is around the resources is read as strictly as all else: a name twice, say, stands in it twice.
    mark = secrets.token_hex(16)  # a text that stands for a resource meanwhile, and that no server can know
    around: list[str] = []
    found: list[dict[str, Any]] = []
    ended = 0
    try:
        while begins := _RESOURCE.search(text, ended):
            resource, end = resource_at(text, begins.end())
            around += text[ended : begins.end()], f'"{mark}{len(found)}"'
            found.append(resource)
            ended = end
        bundle = read_text("".join((*around, text[ended:])))
    except NotJson:
        return read_text(text)  # says where in the whole text the fault is
    entries = objects_of(bundle, "entry") if isinstance(bundle, dict) else []
    marked = [entry for entry in entries if isinstance(got := entry.get("resource"), str) and got.startswith(mark)]
    if len(marked) != len(found):
        return read_text(text)  # something else in it has that name too
    for entry in marked:
        entry["resource"] = found[int(entry["resource"][len(mark) :])]
    return bundle
