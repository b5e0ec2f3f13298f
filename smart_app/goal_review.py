"""How the steps went: one tap a step, why where there is something to say, and the next small step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import render_template, request

from imr_fhir.bundle import Part
from imr_fhir.ehr.chart import Chart
from imr_fhir.goal import Goal
from imr_fhir.record import RESULTS
from smart_app.access import with_launch
from smart_app.answering import form_name
from smart_app.goal_drafting import Begun, begun, close, keep_typed, put_off
from smart_app.goal_form import GOAL_RESULTS, ReviewForm, StepRow, read_review
from smart_app.goal_pages import messages, once, open_steps, read_goal_of, save_label, where
from smart_app.goal_parts import new_steps, reviewed
from smart_app.language import say, words
from smart_app.open_launch import Launch
from smart_app.presenters.goal_history import HistoryLine, history
from smart_app.rungs import placed
from smart_app.saving import begin, save, saved_before
from smart_app.sealing import told


@dataclass(frozen=True)
class AskedStep:
    key: str
    text: str
    due: str  # "by 1 Dec 2026", or ""
    result: str
    why: Mapping[str, str]


@dataclass(frozen=True)
class ReviewPage:
    lid: str
    key: str
    begun: str  # that it was begun before, with the day
    once: str
    text: str
    asked: tuple[AskedStep, ...]
    results: tuple[tuple[str, str], ...]
    goal_results: tuple[tuple[str, str], ...]
    goal_result: str
    steps: tuple[StepRow, ...]
    errors: Mapping[str, str]
    where: str
    save: str
    history: tuple[HistoryLine, ...]


@with_launch("clinician")
def review(launch: Launch, goal_id: str) -> Any:
    key = f"{goal_id}/review"
    if request.method == "POST" and (left := saved_before(launch, form_name(request.form)) or put_off(launch, key)):
        return left
    chart, goal = read_goal_of(launch, goal_id)
    steps = open_steps(chart, goal)
    asked = {step.id: step.text for step in steps}
    if request.method != "POST":
        before = begun(launch, key)
        return _page(
            launch, chart, goal, steps, read_review(before.fields, asked, goal.text) if before else None, before
        )
    typed = read_review(request.form, asked, goal.text)
    if typed.faults or request.form.get("do") != "save":
        keep_typed(launch, key)
        return _page(launch, chart, goal, steps, typed)
    act, client = begin(launch), launch.client()
    parts: list[Part] = []
    for step in steps:
        given = typed.reviews[step.id]
        if given.result:
            parts += reviewed(act, client, step, given.result, given.why)
    if typed.goal_result:
        parts += reviewed(act, client, goal, GOAL_RESULTS[typed.goal_result], {})
    parts += new_steps(act, goal, f"Goal/{goal.id}", typed.new_steps)
    author = act.session.patient_reference if goal.theirs else act.session.clinician
    parts += told(act, placed(parts, act.plan), activity="create", author=author)
    receipt = save(launch, act, parts, kind="review", details={}, form=form_name(request.form))
    close(launch, key)
    return receipt


def _page(
    launch: Launch,
    chart: Chart,
    goal: Goal,
    steps: tuple[Goal, ...],
    typed: ReviewForm | None,
    begun: Begun | None = None,
) -> Any:
    def asked(step: Goal) -> AskedStep:
        given = typed.reviews[step.id] if typed else None
        return AskedStep(
            key=step.id,
            text=step.text,
            due=say("goals.by", day=words().short_day(step.due)) if step.due else "",
            result=given.result if given else "",
            why=given.why if given and any(given.why.values()) else {},
        )

    page = ReviewPage(
        lid=launch.id,
        key=f"{goal.id}/review",
        begun=begun.said if begun else "",
        once=once(begun),
        text=goal.text,
        asked=tuple(asked(step) for step in steps),
        results=tuple(zip(RESULTS, words().parts("step.options"), strict=True)),
        goal_results=tuple((code, say(f"goals.review.goal.{code}")) for code in GOAL_RESULTS),
        goal_result=typed.goal_result if typed else "",
        steps=typed.steps if typed else (StepRow(),),
        errors=messages(launch, typed.faults) if typed else {},
        where=where(launch),
        save=save_label(launch, "review"),
        history=history(words(), chart, goal),
    )
    return render_template("goals/review.html", page=page), 400 if page.errors else 200
