"""A goal as the record has it, and the page on which it is written: shared by all that is done with goals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from flask import render_template, request

from imr_fhir.ehr.chart import Chart, read_chart
from imr_fhir.element import local_type_and_id
from imr_fhir.errors import NotConnected, NotFound
from imr_fhir.fhir_time import PartialDate
from imr_fhir.goal import LIFE_AREAS, Goal, steps_of
from imr_fhir.record import Factor
from smart_app.auditing import audit
from smart_app.goal_drafting import Begun
from smart_app.goal_form import Fault, GoalForm, StepRow
from smart_app.goal_parts import factor_line, factor_mark
from smart_app.language import say, words
from smart_app.open_launch import Launch
from smart_app.presenters.header import addressed
from smart_app.presenters.plan_lines import goals_lines
from smart_app.saving import plan_of
from smart_app.sealing import urn

_CLOSED = ("completed", "cancelled", "rejected", "entered-in-error")


@dataclass(frozen=True)
class GoalPage:
    lid: str
    key: str
    begun: str  # that it was begun before, with the day
    name: str
    once: str
    form: GoalForm
    errors: Mapping[str, str]
    where: str
    save: str
    editing: bool
    hints: Mapping[str, str]  # by field
    areas: tuple[str, ...] = LIFE_AREAS


def read_goal_of(launch: Launch, goal_id: str) -> tuple[Chart, Goal]:
    """The chart, and the goal in it. Raises EhrError, NotFound for a step and for one entered in error."""
    chart = read_chart(launch.client(), launch.patient, zone=launch.site.zone, unknown=plan_of(launch).unknown)
    audit("view", launch, resources=(f"Goal/{goal_id}",))
    require(chart, "Goal")
    for goal in chart.goals:
        if goal.id == goal_id and not goal.parent and goal.lifecycle != "entered-in-error":
            return chart, goal
    raise NotFound("The record has no such goal.", status=404, next_step="Go back to the summary and look again.")


def require(chart: Chart, resource_type: str) -> None:
    """Raises NotConnected where the EHR did not give the type: what stands there is not known to be gone."""
    for problem in chart.problems:
        if (problem.kind, problem.about) == ("not-available", resource_type):
            raise NotConnected(problem.reason, next_step="Try again in a minute.")


def open_steps(chart: Chart, goal: Goal) -> tuple[Goal, ...]:
    return tuple(step for step in steps_of(goal, chart.goals) if step.lifecycle not in _CLOSED)


def factors_of(chart: Chart, goal: Goal) -> tuple[Factor, ...]:
    """What helps with the goal and what stands in its way."""
    return tuple(
        note
        for note in chart.notes
        if isinstance(note, Factor)
        and local_type_and_id(note.focus) == ("Goal", goal.id)
        and note.status != "entered-in-error"
    )


def shown_goal(chart: Chart, goal: Goal) -> GoalForm:
    """The form as it begins, for a goal that the record has."""
    factors = factors_of(chart, goal)
    steps = [
        StepRow(step.text, step.due.isoformat() if step.due else "", step.id, step.version_id)
        for step in open_steps(chart, goal)
    ]
    return GoalForm(
        text=goal.text,
        theirs=goal.theirs,
        area=goal.category,
        due=goal.due.isoformat() if goal.due else "",
        helps="\n".join(factor_line(factor) for factor in factors if factor.kind == "helps"),
        hinders="\n".join(factor_line(factor) for factor in factors if factor.kind == "hinders"),
        steps=(*steps, StepRow()),
        version=goal.version_id,
        factors=tuple(map(factor_mark, factors)),
    )


def messages(launch: Launch, faults: Mapping[str, Fault]) -> dict[str, str]:
    """Faults in words, once the person has pressed save; asking for more room is no time for them."""
    if request.form.get("do") != "save":
        return {}
    name = addressed(words(), launch.patient_name)
    return {field: say(key, **{"name": name, **params}) for field, (key, params) in faults.items()}


def where(launch: Launch) -> str:
    """Where it will be kept: said before anyone types."""
    return " ".join(goals_lines(words(), plan_of(launch)))


def save_label(launch: Launch, artefact: Literal["goal", "review"]) -> str:
    return say("goals.keep" if plan_of(launch).rung(artefact) == "print" else "goals.save")


def once(begun: Begun | None) -> str:
    """The page's own number, by which it is saved once: the same as long as it is gone on with."""
    return (begun.fields if begun else request.form).get("once") or urn()


def goal_page(
    launch: Launch, form: GoalForm, key: str, begun: Begun | None = None, *, there: Sequence[Goal] = ()
) -> Any:
    """``key`` is the page's, as of its draft: "new", or "<goal's id>/edit". ``there``: the goal as the record has it,
    then its open steps."""
    page = GoalPage(
        lid=launch.id,
        key=key,
        begun=begun.said if begun else "",
        name=addressed(words(), launch.patient_name),
        once=once(begun),
        form=form,
        errors=messages(launch, form.faults),
        where=where(launch),
        save=save_label(launch, "goal"),
        editing=key != "new",
        hints=_hints(form, there),
    )
    return render_template("goals/goal.html", page=page), 400 if page.errors else 200


def _hints(form: GoalForm, there: Sequence[Goal]) -> dict[str, str]:
    """What the record says of a date that names no day, where the field, which can hold days alone, has its first."""
    rows = {step.id: (f"step-due-{place}", step.due) for place, step in enumerate(form.steps, 1) if step.id}
    fields = [("due", form.due) if place == 0 else rows.get(goal.id) for place, goal in enumerate(there)]
    return {
        field[0]: say("goals.due.partial", date=words().day(goal.due))
        for goal, field in zip(there, fields, strict=True)
        if isinstance(goal.due, PartialDate) and field and field[1] == goal.due.isoformat()  # typed, it may be no date
    }
