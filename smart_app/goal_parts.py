"""A goal's page as parts of one filing: the goal, its steps, what helps and hinders, and the reviews of a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

from imr_fhir import goal as goals_fhir
from imr_fhir import record
from imr_fhir.bundle import Part
from imr_fhir.ehr.client import FhirClient
from imr_fhir.goal import Goal
from imr_fhir.record import Factor, Review
from smart_app.goal_form import GoalForm, StepRow, kept_words, lines
from smart_app.sealing import Act, goal_part, note_part, urn

Kind = Literal["helps", "hinders"]
_KINDS: tuple[Kind, ...] = ("helps", "hinders")


def new_goal(act: Act, typed: GoalForm) -> tuple[Goal, list[Part]]:
    today = act.local_now.date()
    goal = Goal(
        patient=act.session.patient,
        text=typed.text,
        identifier=urn(),
        category=typed.area,
        start=today,
        due=typed.due_date,
        achievement="in-progress",
        status_date=today,
        theirs=typed.theirs,
    )
    parts = [goal_part(act, goal), *new_steps(act, goal, goal.identifier, typed.new_steps)]
    return goal, parts + _factors(act, goal, goal.identifier, typed, ())


def changed_goal(
    act: Act, client: FhirClient, goal: Goal, steps: Iterable[Goal], factors: Iterable[Factor], typed: GoalForm
) -> tuple[Goal, list[Part]]:
    """Only what is not as it was; an emptied step and a line taken out are withdrawn, not deleted."""
    reference = f"Goal/{goal.id}"
    text = kept_words(typed.text, goal.text)
    after = replace(goal, text=text, theirs=typed.theirs, category=typed.area, due=typed.due_date)
    parts = [changed(act, client, after)] if after != goal else []
    for step in steps:
        row = typed.known_steps.get(step.id)
        if row and not row.text:
            parts.append(changed(act, client, goals_fhir.withdrawn(step, act.local_now.date())))
        elif row:
            found = replace(step, text=kept_words(row.text, step.text, in_a_line=True), due=row.date)
            parts += [changed(act, client, found)] if found != step else []
    parts += new_steps(act, goal, reference, typed.new_steps)
    shown = [factor for factor in factors if factor_mark(factor) in typed.factors]
    gone = [factor for factor in shown if factor_line(factor) not in wanted(typed, factor.kind)]
    parts += [_withdrawn(act, client, factor) for factor in gone]
    return after, parts + _factors(act, after, reference, typed, shown)


def changed(act: Act, client: FhirClient, after: Goal) -> Part:
    """A change on top of the version that ``after`` was read as, so that what others wrote in the Goal stays."""
    return goal_part(act, after, client.read("Goal", after.id))


def _withdrawn(act: Act, client: FhirClient, factor: Factor) -> Part:
    options = {name: value for name, value in act.options.items() if name != "profile"}
    raw = record.withdrawn(client.read("Observation", factor.id), **options)
    return Part(raw, factor.identifier or urn(), factor.version_id)


def new_steps(act: Act, goal: Goal, reference: str, rows: Iterable[StepRow]) -> list[Part]:
    today = act.local_now.date()
    return [
        goal_part(
            act,
            Goal(
                patient=act.session.patient,
                text=row.text,
                identifier=urn(),
                start=today,
                due=row.date,
                achievement="in-progress",
                status_date=today,
                theirs=goal.theirs,
                parent=reference,
            ),
        )
        for row in rows
    ]


def reviewed(act: Act, client: FhirClient, goal: Goal, result: str, why: Mapping[str, str]) -> list[Part]:
    """The review, which is history, and the goal or step as it is now."""
    review = Review(
        focus=f"Goal/{goal.id}",
        result=result,
        helped=why.get("helped", ""),
        hindered_person=why.get("person", ""),
        hindered_around=why.get("around", ""),
        hindered_services=why.get("services", ""),
        **_said(act, goal),
    )
    after = goals_fhir.reviewed(goal, result, act.local_now.date())
    return [note_part(act, review), changed(act, client, after)]


def factor_mark(factor: Factor) -> str:
    """By which a page says that it showed it, as it was."""
    return f"{factor.id}/{factor.version_id}"


def factor_line(factor: Factor) -> str:
    """As its line in the field, whatever other software wrote."""
    return " ".join(factor.text.split())


def _factors(act: Act, goal: Goal, reference: str, typed: GoalForm, shown: Iterable[Factor]) -> list[Part]:
    """New lines. ``shown`` stood on the page; what somebody else added meanwhile is left as it is."""
    parts: list[Part] = []
    for kind in _KINDS:
        known = {factor_line(factor) for factor in shown if factor.kind == kind}
        parts += [
            note_part(act, Factor(kind=kind, text=line, focus=reference, **_said(act, goal)))
            for line in wanted(typed, kind)
            if line not in known
        ]
    return parts


def wanted(typed: GoalForm, kind: Kind) -> tuple[str, ...]:
    """The lines that are to stand."""
    return lines(typed.helps if kind == "helps" else typed.hinders)


def _said(act: Act, goal: Goal) -> dict[str, Any]:
    return {
        "patient": act.session.patient,
        "said": act.local_now,
        "performer": act.session.patient_reference if goal.theirs else act.session.clinician,
        "identifier": urn(),
        "encounter": act.session.encounter,
    }
