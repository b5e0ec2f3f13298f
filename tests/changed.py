"""A resource with one place changed, for tests of what is refused."""

import json
from decimal import Decimal
from typing import Any

from imr_fhir.ehr.json_writer import write_json

GONE: Any = object()


def changed(resource: dict[str, Any], path: str, to: Any) -> dict[str, Any]:
    """A copy with the value at ``path`` ("item.0.linkId") replaced, appended (last step "+") or removed (GONE)."""
    copy: dict[str, Any] = json.loads(write_json(resource), parse_float=Decimal)
    *steps, last = path.split(".")
    element: Any = copy
    for step in steps:
        element = element[int(step) if step.isdigit() else step]
    if last == "+":
        element.append(to)
    elif to is GONE:
        del element[int(last) if last.isdigit() else last]
    else:
        element[int(last) if last.isdigit() else last] = to
    return copy
