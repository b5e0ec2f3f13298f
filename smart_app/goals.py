"""Recovery goals: set in the person's own words, changed, withdrawn. How the steps went is in goal_review.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, render_template, request

from imr_fhir import goal as goals_fhir
from imr_fhir.ehr.chart import Chart
from imr_fhir.goal import Goal
from imr_fhir.record import Factor
from smart_app.access import with_launch
from smart_app.answering import AnswerError, form_name, read_reason
from smart_app.auditing import audit
from smart_app.goal_drafting import begun, close, keep, keep_typed, put_off
from smart_app.goal_form import Fault, GoalForm, StepRow, read_goal
from smart_app.goal_pages import factors_of, goal_page, open_steps, read_goal_of, require, shown_goal
from smart_app.goal_parts import changed, changed_goal, factor_line, factor_mark, new_goal, wanted
from smart_app.goal_review import review
from smart_app.language import say, words
from smart_app.open_launch import Launch
from smart_app.presenters.plan_lines import reason_label
from smart_app.rungs import placed
from smart_app.saving import begin, plan_of, save, saved_before
from smart_app.sealing import told, urn

goals = Blueprint("goals", __name__, url_prefix="/l/<lid>/goal")
goals.add_url_rule("/<goal_id>/review", "review", review, methods=["GET", "POST"])
goals.add_url_rule("/<path:page>/keep", "keep", keep, methods=["POST"])


@goals.route("/new", methods=["GET", "POST"])
@with_launch("clinician")
def new(launch: Launch) -> Any:
    page = "new"
    if request.method != "POST":
        audit("view", launch)
        before = begun(launch, page)
        return goal_page(launch, read_goal(before.fields) if before else GoalForm(), page, before)
    if left := put_off(launch, page):
        return left
    typed = read_goal(request.form)
    if typed.faults or request.form.get("do") != "save":
        keep_typed(launch, page)
        return goal_page(launch, typed, page)
    act = begin(launch)
    goal, parts = new_goal(act, typed)
    author = act.session.patient_reference if goal.theirs else act.session.clinician
    parts += told(act, placed(parts, act.plan), activity="create", author=author)
    receipt = save(launch, act, parts, kind="goal", details={}, form=form_name(request.form))
    close(launch, page)
    return receipt


@goals.route("/<goal_id>/edit", methods=["GET", "POST"])
@with_launch("clinician")
def edit(launch: Launch, goal_id: str) -> Any:
    """Words, part of life, dates, what helps and what stands in the way."""
    page = f"{goal_id}/edit"
    if request.method == "POST" and (left := saved_before(launch, form_name(request.form)) or put_off(launch, page)):
        return left
    chart, goal = read_goal_of(launch, goal_id)
    there = (goal, *open_steps(chart, goal))
    if request.method != "POST":
        before = begun(launch, page)
        form = read_goal(before.fields) if before else shown_goal(chart, goal)
        return goal_page(launch, form, page, before, there=there)
    typed = read_goal(request.form)
    if request.form.get("do") == "save":
        typed = _checked(typed, chart, goal)
    if typed.faults or request.form.get("do") != "save":
        keep_typed(launch, page)
        return goal_page(launch, typed, page, there=there)
    act = begin(launch)
    after, parts = changed_goal(act, launch.client(), goal, open_steps(chart, goal), factors_of(chart, goal), typed)
    if not parts:
        return goal_page(launch, replace(typed, faults={"text": ("form.error.unchanged", {})}), page, there=there)
    author = act.session.patient_reference if after.theirs else act.session.clinician
    parts += told(act, placed(parts, act.plan), activity="update", author=author)
    receipt = save(launch, act, parts, kind="goal", details={}, form=form_name(request.form))
    close(launch, page)
    return receipt


@goals.route("/<goal_id>/withdraw", methods=["GET", "POST"])
@with_launch("clinician")
def withdraw(launch: Launch, goal_id: str) -> Any:
    """A goal entered by mistake, its steps with it."""
    if request.method == "POST" and (before := saved_before(launch, form_name(request.form))):
        return before
    (chart, goal), plan = read_goal_of(launch, goal_id), plan_of(launch)
    gone = [goal, *goals_fhir.steps_of(goal, chart.goals)]
    page = {
        "lid": launch.id,
        "text": goal.text,
        "version": " ".join(sorted(f"{each.id}/{each.version_id}" for each in gone)),
        "once": request.form.get("once") or urn(),
        "reason": request.form.get("reason", ""),
        "error": "",
        "changed": False,
        "asks": reason_label(words(), plan, there="Goal" in plan.updates),
    }
    if request.method != "POST":
        return render_template("goals/withdraw.html", page=page)
    if request.form.get("version", page["version"]) != page["version"]:
        return render_template("goals/withdraw.html", page=page | {"changed": True}), 409
    try:
        reason = read_reason(request.form)
    except AnswerError as error:
        return render_template("goals/withdraw.html", page=page | {"error": say(error.key, **error.params)}), 400
    act = begin(launch)
    on = act.local_now.date()
    parts = [changed(act, launch.client(), goals_fhir.withdrawn(each, on)) for each in gone]
    parts += told(act, placed(parts, act.plan), activity="update", author=act.session.clinician, reason=reason)
    return save(launch, act, parts, kind="withdrawal", details={}, form=form_name(request.form))


def _checked(typed: GoalForm, chart: Chart, goal: Goal) -> GoalForm:
    """What somebody else changed since the page was shown is a fault that quotes it; saved again, it is replaced."""
    now = {step.id: step for step in open_steps(chart, goal)}
    faults: dict[str, Fault] = {}
    if typed.version != goal.version_id:
        faults["text"] = ("goals.error.changed", {"text": goal.text})
    rows: list[StepRow] = []
    for number, row in enumerate(typed.steps, start=1):
        step = now.get(row.id)
        if row.id and step is None:
            faults[f"step-{number}"] = ("goals.error.step_closed", {})
        elif step and row.version != step.version_id:
            faults[f"step-{number}"] = ("goals.error.changed", {"text": step.text})
        rows.append(replace(row, version=step.version_id) if step else replace(row, id="", version=""))
    marks, told = _checked_lines(typed, chart, goal)
    faults |= told
    typed = replace(typed, version=goal.version_id, steps=tuple(rows), factors=marks)
    return replace(typed, faults={**faults, **typed.faults})


def _checked_lines(typed: GoalForm, chart: Chart, goal: Goal) -> tuple[tuple[str, ...], dict[str, Fault]]:
    """The same of what helps and what stands in the way, a line at a time: the marks of those that stand now, or that
    are still to be told of, and what to tell first. Where the page showed any and the EHR gives none now, it raises
    NotConnected: each would be written a second time."""
    if typed.factors:
        require(chart, "Observation")
    faults: dict[str, Fault] = {}
    now = {factor.id: factor for factor in factors_of(chart, goal)}
    said = {note.id: note for note in chart.notes if isinstance(note, Factor)}
    marks = []
    for mark in typed.factors:
        note = said.get(mark.partition("/")[0])
        if note is None:
            continue
        kept, stands = factor_line(note) in wanted(typed, note.kind), note.id in now
        told = kept != stands and factor_mark(note) != mark
        if told and note.kind in faults:
            marks.append(mark)
            continue
        if told:
            key = "goals.error.changed" if stands else "goals.error.line_gone"
            faults[note.kind] = (key, {"text": factor_line(note)})
        marks += [factor_mark(note)] if stands else []
    return tuple(marks), faults
