"""What this EHR lets this user write: CapabilityStatement ∩ granted scopes. The rungs it opens are in ladder.py.

A CapabilityStatement can't be trusted alone: Epic's names resources that it then refuses.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from imr_fhir.ehr.scopes import WRITTEN, granted

Operation = Literal["create", "update"]
Reason = Literal["", "not-offered", "no-scope"]

_LETTER: Mapping[Operation, str] = {"create": "c", "update": "u"}
# Servers that say nothing of it mostly have them, and say so by an ETag; those that have none say no-version.
_VERSIONED = (None, "versioned", "versioned-update")
CHART = ("QuestionnaireResponse", "Observation", "Goal", "EpisodeOfCare", "DocumentReference")
_OPERATIONS: tuple[Operation, ...] = ("create", "update")


@dataclass(frozen=True, slots=True)
class WritePlan:
    """``reasons``: (resource, operation) -> why not, "" where it may be written.

    ``versioned``: whatever may be updated has versions, so that no change is written over unseen.
    """

    transaction: bool
    conditional_create: bool
    versioned: bool
    unknown: tuple[str, ...]  # types of a chart that the EHR does not have: nothing of theirs is asked for
    reasons: Mapping[tuple[str, Operation], Reason]

    def may(self, resource_type: str, operation: Operation = "create") -> bool:
        return self.reason(resource_type, operation) == ""

    def reason(self, resource_type: str, operation: Operation = "create") -> Reason:
        """Why ``resource_type`` can't be written; "" where it can."""
        return self.reasons.get((resource_type, operation), "not-offered")


def write_plan(capabilities: Mapping[str, Any], scopes: Iterable[str]) -> WritePlan:
    """``capabilities``: the CapabilityStatement.

    Conditional creates count where every resource that may be created has them.
    """
    granted_scopes = tuple(scopes)
    offered = resources_of(capabilities)

    def why_not(resource_type: str, operation: Operation) -> Reason:
        if operation not in interactions(offered.get(resource_type, {})):
            return "not-offered"
        if not granted(granted_scopes, resource_type, _LETTER[operation]):
            return "no-scope"
        return ""

    reasons = {(written, operation): why_not(written, operation) for written in WRITTEN for operation in _OPERATIONS}
    creatable = [written for written in WRITTEN if reasons[written, "create"] == ""]
    changeable = [written for written in WRITTEN if reasons[written, "update"] == ""]
    return WritePlan(
        transaction="transaction" in interactions(rest_of(capabilities)),
        conditional_create=all(offered[written].get("conditionalCreate") is True for written in creatable),
        versioned=all(offered[written].get("versioning") in _VERSIONED for written in changeable),
        unknown=tuple(name for name in CHART if name not in offered) if offered else (),
        reasons=reasons,
    )


def rest_of(capabilities: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the CapabilityStatement says of the server as a whole."""
    return next((part for part in _objects(capabilities.get("rest")) if part.get("mode") == "server"), {})


def resources_of(capabilities: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """... and of each resource type."""
    return {str(part.get("type")): part for part in _objects(rest_of(capabilities).get("resource"))}


def interactions(part: Mapping[str, Any]) -> set[str]:
    """Codes of what may be done, of the whole or of one type."""
    return {str(interaction.get("code")) for interaction in _objects(part.get("interaction"))}


def search_parameters(part: Mapping[str, Any]) -> set[str]:
    """Names, of the whole or of one type."""
    return {str(parameter.get("name")) for parameter in _objects(part.get("searchParam"))}


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    return (entry for entry in (value if isinstance(value, list) else []) if isinstance(entry, Mapping))
