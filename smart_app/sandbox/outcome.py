"""Refusals: each is an OperationOutcome with a status, R4's issue code, and a sentence."""

from typing import Any


class FhirError(Exception):
    """A request that the hospital refuses. ``code`` is of http://hl7.org/fhir/issue-type; ``silent``: with no body."""

    def __init__(self, status: int, code: str, text: str, *, silent: bool = False) -> None:
        super().__init__(text)
        self.silent = silent
        self.status = status
        self.code = code
        self.text = text

    def resource(self) -> dict[str, Any]:
        issue = {"severity": "error", "code": self.code, "diagnostics": self.text}
        return {"resourceType": "OperationOutcome", "issue": [issue]}


def bad_request(text: str, code: str = "invalid") -> FhirError:
    return FhirError(400, code, text)


def not_found(resource_type: str, resource_id: str) -> FhirError:
    return FhirError(404, "not-found", f"{resource_type}/{resource_id} is not known")


def several_match(resource_type: str, query: str) -> FhirError:
    return FhirError(412, "multiple-matches", f"more than one {resource_type} matches {query!r}")
