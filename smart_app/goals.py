"""Recovery goals: set in the person's own words, reviewed step by step, changed, withdrawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from imr_fhir import goal as goals_fhir
from imr_fhir import record
from imr_fhir.bundle import Part
from imr_fhir.ehr.chart import Chart, read_chart
from imr_fhir.errors import NotFound
from imr_fhir.goal import Goal
from imr_fhir.record import Factor, Review
from smart_app.access import Launch, audit, with_launch
from smart_app.answering import AnswerError, read_reason
from smart_app.goal_form import AREAS, RESULTS, Fault, GoalForm, ReviewForm, StepRow, read_goal, read_review
from smart_app.language import say, words
from smart_app.presenters.goal_history import HistoryLine, history
from smart_app.saving import begin, save
from smart_app.sealing import Act, goal_part, note_part, told, urn

goals = Blueprint("goals", __name__, url_prefix="/l/<lid>/goal")

# What is chosen for the goal itself -> the result of its review.
_GOAL_RESULTS = {"achieved": "done", "going": "partly", "not-wanted": "not-wanted"}


@dataclass(frozen=True)
class GoalPage:
    lid: str
    name: str
    once: str
    text: str
    theirs: bool
    area: str
    due: str
    helps: str
    hinders: str
    steps: tuple[StepRow, ...]
    errors: dict[str, str]
    editing: bool
    areas: tuple[str, ...] = AREAS


@dataclass(frozen=True)
class AskedStep:
    key: str
    text: str
    due: str
    due_day: str
    result: str
    why: Mapping[str, str]


@dataclass(frozen=True)
class ReviewPage:
    lid: str
    once: str
    goal: Goal
    open_steps: tuple[AskedStep, ...]
    results: tuple[tuple[str, str], ...]
    goal_results: tuple[tuple[str, str], ...]
    goal_result: str
    steps: tuple[StepRow, ...]
    errors: dict[str, str]
    history: tuple[HistoryLine, ...]


@goals.route("/new", methods=["GET", "POST"])
@with_launch("clinician")
def new(launch: Launch) -> Any:
    if request.method == "GET":
        audit("view", launch)
        return _goal_page(launch, GoalForm(), editing=False)
    typed = read_goal(request.form)
    if typed.faults or request.form.get("do") != "save":
        return _goal_page(launch, typed, editing=False)
    act = begin(launch)
    goal = Goal(
        patient=launch.patient, text=typed.text, identifier=urn(), category=typed.area, start=launch.today,
        due=typed.due_date, achievement="in-progress", status_date=launch.today, theirs=typed.theirs,
    )  # fmt: skip
    parts = [goal_part(act, goal), *_step_parts(act, goal, goal.identifier, typed.new_steps)]
    parts += _factor_parts(act, goal, goal.identifier, typed, ())
    return _save(launch, act, parts, goal, activity="create")


@goals.route("/<goal_id>/edit", methods=["GET", "POST"])
@with_launch("clinician")
def edit(launch: Launch, goal_id: str) -> Any:
    """Words, part of life, dates, what helps and what stands in the way; a line taken out is withdrawn, not deleted."""
    chart, goal = _goal_of(launch, goal_id)
    steps, factors = _open_steps(chart, goal), _factors(chart, goal)
    if request.method == "GET":
        shown = GoalForm(
            text=goal.text, theirs=goal.theirs, area=goal.category, due=goal.due.isoformat() if goal.due else "",
            helps=_lines(factors, "helps"), hinders=_lines(factors, "hinders"),
            steps=(*(_row(step) for step in steps), StepRow()),
        )  # fmt: skip
        return _goal_page(launch, shown, editing=True)
    typed = read_goal(request.form)
    if typed.faults or request.form.get("do") != "save":
        return _goal_page(launch, typed, editing=True)
    act, reference = begin(launch), f"Goal/{goal.id}"
    changed = replace(goal, text=typed.text, theirs=typed.theirs, category=typed.area, due=typed.due_date)
    parts = [_changed_part(launch, act, changed)] if changed != goal else []
    for step in steps:
        row = typed.known_steps.get(step.id)
        if row and (row.text, row.date) != (step.text, step.due):
            parts.append(_changed_part(launch, act, replace(step, text=row.text, due=row.date)))
    parts += _step_parts(act, goal, reference, typed.new_steps)
    parts += _factor_parts(act, changed, reference, typed, factors)
    if not parts:
        return _goal_page(launch, replace(typed, faults={"text": ("form.error.unchanged", {})}), editing=True)
    return _save(launch, act, parts, goal, activity="update")


@goals.route("/<goal_id>/review", methods=["GET", "POST"])
@with_launch("clinician")
def review(launch: Launch, goal_id: str) -> Any:
    """One tap a step; what helped and what stood in the way where there is something to say; the next small step."""
    chart, goal = _goal_of(launch, goal_id)
    steps = _open_steps(chart, goal)
    if request.method == "GET":
        return _review_page(launch, chart, goal, steps, None)
    typed = read_review(request.form, tuple(step.id for step in steps))
    if typed.faults or request.form.get("do") != "save":
        return _review_page(launch, chart, goal, steps, typed)
    act = begin(launch)
    parts: list[Part] = []
    for step in steps:
        given = typed.reviews[step.id]
        if given.result:
            parts += _reviewed(launch, act, step, given.result, given.why)
    if typed.goal_result:
        parts += _reviewed(launch, act, goal, _GOAL_RESULTS[typed.goal_result], {})
    parts += _step_parts(act, goal, f"Goal/{goal.id}", typed.new_steps)
    return _save(launch, act, parts, goal, activity="create")


@goals.route("/<goal_id>/withdraw", methods=["GET", "POST"])
@with_launch("clinician")
def withdraw(launch: Launch, goal_id: str) -> Any:
    """A goal entered by mistake, its steps with it."""
    chart, goal = _goal_of(launch, goal_id)
    page = {
        "lid": launch.id,
        "text": goal.text,
        "once": request.form.get("once") or urn(),
        "reason": request.form.get("reason", ""),
        "error": "",
    }
    if request.method == "GET":
        return render_template("goals/withdraw.html", page=page)
    try:
        reason = read_reason(request.form)
    except AnswerError as error:
        return render_template("goals/withdraw.html", page=page | {"error": say(error.key, **error.params)}), 400
    act = begin(launch)
    gone = [goal, *_steps(chart, goal)]
    parts = [_changed_part(launch, act, goals_fhir.withdrawn(each, launch.today)) for each in gone]
    parts += told(act, parts, activity="update", author=act.session.clinician, reason=reason)
    return save(launch, act, parts, kind="withdrawal", details={}, form=page["once"])


def _save(launch: Launch, act: Act, parts: list[Part], goal: Goal, *, activity: Any) -> Response:
    """With who said it: the patient, where the words are the patient's."""
    author = act.session.patient_reference if goal.theirs else act.session.clinician
    parts += told(act, parts, activity=activity, author=author)
    return save(launch, act, parts, kind="goal", details={}, form=request.form.get("once") or urn())


def _goal_of(launch: Launch, goal_id: str) -> tuple[Chart, Goal]:
    chart = read_chart(launch.client(), launch.patient, zone=launch.site.zone)
    audit("view", launch, resources=(f"Goal/{goal_id}",))
    for goal in chart.goals:
        if goal.id == goal_id and not goal.parent and goal.lifecycle != "entered-in-error":
            return chart, goal
    raise NotFound("The record has no such goal.", status=404, next_step="Go back to the summary and look again.")


def _steps(chart: Chart, goal: Goal) -> tuple[Goal, ...]:
    return tuple(
        step for step in chart.goals if step.parent == f"Goal/{goal.id}" and step.lifecycle != "entered-in-error"
    )


def _open_steps(chart: Chart, goal: Goal) -> tuple[Goal, ...]:
    return tuple(step for step in _steps(chart, goal) if step.lifecycle not in ("completed", "cancelled", "rejected"))


def _factors(chart: Chart, goal: Goal) -> tuple[Factor, ...]:
    return tuple(
        note
        for note in chart.notes
        if isinstance(note, Factor) and note.focus == f"Goal/{goal.id}" and note.status != "entered-in-error"
    )


def _lines(factors: Iterable[Factor], kind: str) -> str:
    return "\n".join(factor.text for factor in factors if factor.kind == kind)


def _row(step: Goal) -> StepRow:
    return StepRow(step.text, step.due.isoformat() if step.due else "", step.id)


def _changed_part(launch: Launch, act: Act, changed: Goal) -> Part:
    """The change on top of what the record has now, so that what others wrote in it stays."""
    base = launch.client().read("Goal", changed.id)
    current = goals_fhir.from_resource(base, patient=launch.patient)
    return goal_part(act, replace(changed, version_id=current.version_id), base)


def _step_parts(act: Act, goal: Goal, reference: str, rows: Iterable[StepRow]) -> list[Part]:
    today: date = act.local_now.date()
    return [
        goal_part(
            act,
            Goal(
                patient=act.session.patient, text=row.text, identifier=urn(), start=today, due=row.date,
                achievement="in-progress", status_date=today, theirs=goal.theirs, parent=reference,
            ),
        )
        for row in rows
    ]  # fmt: skip


def _factor_parts(
    act: Act, goal: Goal, reference: str, typed: GoalForm, known: tuple[Factor, ...]
) -> list[Part]:
    """New lines become new Observations; a line that is gone is withdrawn."""
    parts: list[Part] = []
    for kind, text in (("helps", typed.helps), ("hinders", typed.hinders)):
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        there = [factor for factor in known if factor.kind == kind]
        for factor in there:
            if factor.text not in lines:
                parts.append(note_part(act, record.withdrawn(factor)))
        for line in lines:
            if line not in [factor.text for factor in there]:
                factor = Factor(kind=kind, text=line, focus=reference, **_note(act, goal))  # type: ignore[arg-type]
                parts.append(note_part(act, factor))
    return parts


def _reviewed(launch: Launch, act: Act, goal: Goal, result: str, why: Mapping[str, str]) -> list[Part]:
    """The review, which is history, and the goal or step as it is now."""
    told_of = Review(
        focus=f"Goal/{goal.id}",
        result=result,
        helped=why.get("helped", ""),
        hindered_person=why.get("person", ""),
        hindered_around=why.get("around", ""),
        hindered_services=why.get("services", ""),
        **_note(act, goal),
    )
    return [note_part(act, told_of), _changed_part(launch, act, goals_fhir.reviewed(goal, result, launch.today))]


def _note(act: Act, goal: Goal) -> dict[str, Any]:
    return {
        "patient": act.session.patient,
        "said": act.local_now,
        "performer": act.session.patient_reference if goal.theirs else act.session.clinician,
        "identifier": urn(),
        "encounter": act.session.encounter,
    }


def _errors(faults: Mapping[str, Fault], name: str) -> dict[str, str]:
    return {field: say(key, **{"name": name, **params}) for field, (key, params) in faults.items()}


def _goal_page(launch: Launch, form: GoalForm, *, editing: bool) -> Any:
    page = GoalPage(
        lid=launch.id, name=launch.patient_name, once=request.form.get("once") or urn(), text=form.text,
        theirs=form.theirs, area=form.area, due=form.due, helps=form.helps, hinders=form.hinders, steps=form.steps,
        errors=_errors(form.faults, launch.patient_name) if request.form.get("do") == "save" else {}, editing=editing,
    )  # fmt: skip
    return render_template("goals/goal.html", page=page), 400 if page.errors else 200


def _review_page(launch: Launch, chart: Chart, goal: Goal, steps: tuple[Goal, ...], typed: ReviewForm | None) -> Any:
    def asked(step: Goal) -> AskedStep:
        given = typed.reviews[step.id] if typed else None
        return AskedStep(
            key=step.id,
            text=step.text,
            due=step.due.isoformat() if step.due else "",
            due_day=words().short_day(step.due) if step.due else "",
            result=given.result if given else "",
            why=given.why if given and any(given.why.values()) else {},
        )

    saving = request.form.get("do") == "save"
    page = ReviewPage(
        lid=launch.id,
        once=request.form.get("once") or urn(),
        goal=goal,
        open_steps=tuple(asked(step) for step in steps),
        results=tuple(zip(RESULTS, words().parts("step.options"), strict=True)),
        goal_results=tuple((code, say(f"goals.review.goal.{code}")) for code in _GOAL_RESULTS),
        goal_result=typed.goal_result if typed else "",
        steps=typed.steps if typed else (StepRow(),),
        errors=_errors(typed.faults, launch.patient_name) if typed and saving else {},
        history=history(words(), chart, goal),
    )
    return render_template("goals/review.html", page=page), 400 if page.errors else 200
