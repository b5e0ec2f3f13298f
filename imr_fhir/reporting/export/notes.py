"""What an export says beside its resources: what was deleted (a Bundle), and what went wrong (an OperationOutcome)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from imr_fhir.ehr.address import local_reference

_CODE = re.compile(r"[a-z-]{1,20}", re.ASCII)


def deleted(found: Mapping[str, Any], base: str) -> Iterator[tuple[str, str]]:
    """Type and id of each: Bundle entries with a request DELETE of it."""
    for entry in _all(found.get("entry")):
        request = entry.get("request") if isinstance(entry, Mapping) else None
        if isinstance(request, Mapping) and request.get("method") == "DELETE":
            gone = local_reference(request.get("url"), base)
            if gone:
                yield gone.type, gone.id


def issues(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Severity and code of each issue; never its text, which may name a patient."""
    for issue in _all(found.get("issue")):
        if isinstance(issue, Mapping):
            severity, code = (str(issue.get(name)) for name in ("severity", "code"))
            known = severity if severity in ("fatal", "error", "warning", "information") else "error"
            yield known, code if _CODE.fullmatch(code) else "exception"


def _all(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
