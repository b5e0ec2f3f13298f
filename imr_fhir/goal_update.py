"""An update of a Goal in the record that keeps what others wrote in it."""

from collections.abc import Mapping
from typing import Any

from imr_fhir import artefacts
from imr_fhir.element import Element, local_type_and_id, resource
from imr_fhir.errors import GoalError
from imr_fhir.goal import ACHIEVED, readable_day, relation_kinds
from imr_fhir.rating_update import merged_meta

# What our Goal says, and leaves out where it says it no more. A narrative made of the old one would contradict it.
_OURS = ("achievementStatus", "startDate", "startCodeableConcept", "statusDate", "target", "expressedBy", "text")

_DUE = ("dueDate", "dueDuration")


def kept(built: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """``built`` (of ``goal.to_resource``) with what others wrote in ``base``, the same Goal as it was read.

    Theirs are notes, what the goal addresses, other categories, identifiers and extensions, measures in its target,
    another person who expressed it, labels. Not checked again: fhir.resources refuses some sound FHIR.
    Raises GoalError where ``base`` can't be read.
    """
    found = resource(base, "Goal", GoalError)
    own = [each["value"] for each in built.get("identifier", [])]
    merged = {name: value for name, value in base.items() if name.lstrip("_") not in _OURS} | dict(built)
    theirs = {
        "extension": [each.raw for each in found.many("extension") if "part-of" not in relation_kinds(each)],
        "identifier": [each.raw for each in found.many("identifier") if each.text("value") not in own],
        "category": [each.raw for each in found.many("category") if not each.own_codes(artefacts.CODES)],
    }
    for name, values in theirs.items():
        merged[name] = [*built.get(name, []), *values]
    described = found.one("description")
    if described and described.text("text") == built["description"]["text"]:  # a code of other words would say another
        merged["description"] = {**described.raw, **built["description"]}
    if (
        "achievementStatus" not in built
        and "achievementStatus" in base
        and not found.codes("achievementStatus", ACHIEVED)
    ):
        merged["achievementStatus"] = base["achievementStatus"]
    if "startDate" not in built and "startCodeableConcept" in base:
        merged["startCodeableConcept"] = base["startCodeableConcept"]
    for name in ("startDate", "statusDate"):  # "2025-11" is not made the first of November; what is no date stays
        before = readable_day(found, name)
        if name in base and (before.isoformat() if before else None) == built.get(name):
            merged[name] = base[name]
    merged["target"] = _targets(built, found)
    merged["meta"] = merged_meta(built["meta"], found.one("meta"))
    another = "expressedBy" in base and local_type_and_id(found.reference("expressedBy"))[0] != "Patient"
    if "expressedBy" not in built and another:
        merged["expressedBy"] = base["expressedBy"]
    return {name: value for name, value in merged.items() if value != []}


def _targets(built: Mapping[str, Any], found: Element) -> list[dict[str, Any]]:
    """The due date is that of the first target which has one; measures, such as levels of goal attainment, are others',
    and so is a duration until somebody chooses a day."""
    targets, due = found.many("target"), built.get("target", [{}])[0].get("dueDate")
    dated = [(place, readable_day(each, "dueDate")) for place, each in enumerate(targets) if "dueDate" in each.raw]
    place, before = next((one for one in dated if one[1]), dated[0] if dated else (0, None))
    changed = [dict(target.raw) for target in targets] or [{}]
    if due != (before.isoformat() if before else None):
        rest = {name: each for name, each in changed[place].items() if name.lstrip("_") not in _DUE}
        changed[place] = rest | ({"dueDate": due} if due else {})
    return [target for target in changed if target]
