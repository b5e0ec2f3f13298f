"""A recovery goal or one of its steps, in the person's own words, as it is now; its history is in the reviews."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from imr_fhir import artefacts
from imr_fhir.element import (
    Element,
    local_type_and_id,
    require_patient,
    resource,
    server_id,
    shown,
    uuid_identifier,
    version_id,
)
from imr_fhir.errors import GoalError
from imr_fhir.resource import Coding, checked, concept, identifier, meta, patient_reference, words

TEXT_MAX = 500

LIFE_AREAS = (
    "work-learning", "home", "people", "health-body", "leisure-culture", "money-rights", "meaning", "other",
)  # fmt: skip
LIFECYCLES = (
    "proposed", "planned", "accepted", "active", "on-hold", "completed", "cancelled", "entered-in-error", "rejected",
)  # fmt: skip
ACHIEVEMENTS = {
    "in-progress": "In Progress",
    "improving": "Improving",
    "worsening": "Worsening",
    "no-change": "No Change",
    "achieved": "Achieved",
    "sustaining": "Sustaining",
    "not-achieved": "Not Achieved",
    "no-progress": "No Progress",
    "not-attainable": "Not Attainable",
}

ACHIEVED = "http://terminology.hl7.org/CodeSystem/goal-achievement"
RELATIONSHIP = "http://hl7.org/fhir/StructureDefinition/goal-relationship"
_RELATIONSHIP_TYPES = (
    "http://hl7.org/fhir/goal-relationship-type",
    "http://terminology.hl7.org/CodeSystem/goal-relationship-type",  # R4's own: has milestone, not part-of
)

# Result of a review -> lifecycleStatus and achievementStatus (None: as it was). Partly and not yet are both "being
# sought, not reached": the review keeps which. "Not what I want any more" is a class of its own, no failure.
_AFTER_REVIEW = {
    "done": ("completed", "achieved"),
    "partly": ("active", "in-progress"),
    "not-yet": ("active", "in-progress"),
    "not-wanted": ("cancelled", None),
}


@dataclass(frozen=True, kw_only=True)
class Goal:
    patient: str  # id of the Patient
    text: str  # the person's own words
    identifier: str  # "urn:uuid:...", or "" where the EHR kept none
    category: str = ""  # one of LIFE_AREAS, or ""
    start: date | None = None
    due: date | None = None
    lifecycle: str = "active"  # one of LIFECYCLES
    achievement: str = ""  # one of ACHIEVEMENTS, or ""
    status_date: date | None = None  # of lifecycle and achievement
    theirs: bool = True  # expressed by the patient
    parent: str = ""  # of a step: reference of its goal; "" of a goal
    milestones: tuple[str, ...] = ()  # references of the steps that an older Goal names itself
    date_unread: bool = False  # one of the three in the record is no date: its words are shown all the same
    id: str = ""  # the server's, "" while new
    version_id: str = ""

    @cached_property
    def goal_id(self) -> str:
        """Of a step: the id of its goal, where that is in this record; "" of any other."""
        found, goal_id = local_type_and_id(self.parent)
        return goal_id if found == "Goal" else ""


def reviewed(goal: Goal, result: str, on: date) -> Goal:
    """``goal`` after a review on the day ``on`` with one of the four results ("done")."""
    lifecycle, achievement = _AFTER_REVIEW[result]
    return replace(goal, lifecycle=lifecycle, achievement=achievement or goal.achievement, status_date=on)


def withdrawn(goal: Goal, on: date) -> Goal:
    """``goal`` as entered in error, as if it had never been set; one no longer wanted is reviewed instead."""
    return replace(goal, lifecycle="entered-in-error", status_date=on)


def joined(goals: Iterable[Goal]) -> tuple[Goal, ...]:
    """``goals`` with the parent of each step, also where it is the goal that names its steps (milestone)."""
    goals = tuple(goals)
    parents = {local_type_and_id(step): f"Goal/{goal.id}" for goal in goals for step in goal.milestones}
    return tuple(
        replace(goal, parent=parents[key]) if not goal.parent and (key := ("Goal", goal.id)) in parents else goal
        for goal in goals
    )


def steps_of(goal: Goal, goals: Iterable[Goal]) -> tuple[Goal, ...]:
    """The steps of ``goal`` among ``goals`` (joined)."""
    return tuple(steps_by_goal(goals).get(goal.id, ()))


def steps_by_goal(goals: Iterable[Goal]) -> Mapping[str, Sequence[Goal]]:
    """The steps among ``goals`` (joined) by the id of their goal, of those that have any."""
    found: dict[str, list[Goal]] = {}
    for step in goals:
        if step.goal_id:
            found.setdefault(step.goal_id, []).append(step)
    return found


def steps_alone(goals: Iterable[Goal]) -> tuple[Goal, ...]:
    """The steps among ``goals`` (joined) whose goal is not: it can't be read, was deleted, or is a step itself."""
    goals = tuple(goals)
    tops = {goal.id for goal in goals if not goal.parent}
    return tuple(step for step in goals if step.parent and not (step.goal_id and step.goal_id in tops))


def is_ours(raw: Mapping[str, Any]) -> bool:
    """Whether the Goal ``raw`` says that it is a recovery goal or a step: charts hold other goals too.

    One that says so and can't be read is ours all the same: ``from_resource`` then tells why.
    """
    try:
        return raw.get("resourceType") == "Goal" and bool(
            _our_codes(Element(raw, "Goal", GoalError)) & {"goal", "step"}
        )
    except GoalError:
        return False


def to_resource(
    goal: Goal,
    *,
    filing: str,
    profile: bool = False,
    security: Sequence[Coding] = (),
) -> dict[str, Any]:
    """The Goal resource of ``goal``; before it replaces one in the record, see ``goal_update.kept``.

    ``filing``: UUID of the filing. ``profile``: name our profile in ``meta``, where the server has it. ``security``:
    the site's labels. Raises GoalError.
    """
    _require_codes(goal)
    built: dict[str, Any] = {
        "resourceType": "Goal",
        **({"id": goal.id} if goal.id else {}),
        "meta": meta(filing, profile=artefacts.GOAL_PROFILE if profile else "", security=security),
        **({"extension": [_part_of(goal.parent)]} if goal.parent else {}),
        **({"identifier": [identifier(goal.identifier)]} if goal.identifier else {}),
        "lifecycleStatus": goal.lifecycle,
        **({"achievementStatus": _achievement(goal.achievement)} if goal.achievement else {}),
        "category": [concept("step" if goal.parent else "goal")] + ([concept(goal.category)] if goal.category else []),
        "description": {"text": words(goal.text, TEXT_MAX, "The step" if goal.parent else "The goal", GoalError)},
        "subject": patient_reference(goal.patient),
        **({"startDate": goal.start.isoformat()} if goal.start else {}),
        **({"target": [{"dueDate": goal.due.isoformat()}]} if goal.due else {}),
        **({"statusDate": goal.status_date.isoformat()} if goal.status_date else {}),
        **({"expressedBy": patient_reference(goal.patient)} if goal.theirs else {}),
    }
    return checked(built, GoalError)


def _require_codes(goal: Goal) -> None:
    for what, code, codes in (
        ("lifecycle", goal.lifecycle, LIFECYCLES),
        ("achievement", goal.achievement, ("", *ACHIEVEMENTS)),
        ("category", goal.category, ("", *LIFE_AREAS)),
    ):
        if code not in codes:
            raise GoalError(
                f"{code!r} is no {what} of a goal.", next_step=f"Use one of {', '.join(filter(None, codes))}."
            )
    if goal.achievement and not goal.status_date and not goal.id:  # what others wrote may lack it
        raise GoalError("The goal does not say since when it has its status.", next_step="Give the day of the review.")


def _part_of(parent: str) -> dict[str, Any]:
    kind = {"coding": [{"system": _RELATIONSHIP_TYPES[0], "code": "part-of"}]}
    return {
        "url": RELATIONSHIP,
        "extension": [
            {"url": "type", "valueCodeableConcept": kind},
            {"url": "target", "valueReference": {"reference": parent}},
        ],
    }


def _achievement(code: str) -> dict[str, Any]:
    return {"coding": [{"system": ACHIEVED, "code": code, "display": ACHIEVEMENTS[code]}]}


def from_resource(raw: Mapping[str, Any], *, patient: str) -> Goal:
    """What the Goal ``raw`` says about the patient with id ``patient``; of anyone's Goal, see ``is_ours``.

    Raises GoalError for one without words or with codes that FHIR does not have, WrongPatient for another's.
    """
    found = resource(raw, "Goal", GoalError)
    require_patient(found, "subject", patient)
    expressed_by = local_type_and_id(found.reference("expressedBy"))
    if expressed_by[0] == "Patient":
        require_patient(found, "expressedBy", patient)
    description = found.one("description")
    text = description.text("text") if description else ""
    if not text.strip():
        raise found.fault("has no words of its own (description.text)")
    achievements = found.codes("achievementStatus", ACHIEVED)
    if len(achievements) > 1 or not set(achievements) <= set(ACHIEVEMENTS):
        raise found.fault(f"has achievementStatus {shown(', '.join(achievements))}, which is none of R4")
    codes = _our_codes(found)
    related = _related(found)
    dates = [(found, "startDate"), (found, "statusDate"), *((target, "dueDate") for target in found.many("target"))]
    return Goal(
        patient=patient,
        text=text,
        identifier=uuid_identifier(found.many("identifier")),
        category=next((area for area in LIFE_AREAS if area in codes), ""),
        start=readable_day(found, "startDate"),
        due=next((due for target in found.many("target") if (due := readable_day(target, "dueDate"))), None),
        lifecycle=found.code("lifecycleStatus", LIFECYCLES),
        achievement=achievements[0] if achievements else "",
        status_date=readable_day(found, "statusDate"),
        theirs=expressed_by == ("Patient", patient),
        parent=next((target for kind, target in related if kind == "part-of"), ""),
        milestones=tuple(target for kind, target in related if kind == "milestone"),
        date_unread=any(name in one.raw and readable_day(one, name) is None for one, name in dates),
        id=server_id(found),
        version_id=version_id(found),
    )


def readable_day(found: Element, name: str) -> date | None:
    """The date ``name`` of a Goal; None where there is none, or what is there is no date."""
    try:
        return found.day(name)
    except GoalError:
        return None


def _our_codes(found: Element) -> set[str]:
    return {code for category in found.many("category") for code in category.own_codes(artefacts.CODES)}


def _related(found: Element) -> list[tuple[str, str]]:
    """Each relation of ``found`` to another goal: its kind ("part-of") and the reference of that goal."""
    related = []
    for each in found.many("extension"):
        if kinds := relation_kinds(each):
            target = each.extension("target")
            related += [(kind, target.reference("valueReference")) for kind in kinds if target]
    return related


def relation_kinds(extension: Element) -> tuple[str, ...]:
    """The kinds of relation ("part-of", "milestone") that an extension of a Goal states; () of another extension."""
    kind = extension.extension("type") if extension.text("url") == RELATIONSHIP else None
    if kind is None:
        return ()
    return tuple(code for system in _RELATIONSHIP_TYPES for code in kind.codes("valueCodeableConcept", system))
