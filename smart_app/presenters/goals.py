"""Goals and their steps, on which the panel opens: the person's words, the next step, what helps, what does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from imr_fhir.fhir_time import last_day
from imr_fhir.goal import Goal, steps_alone, steps_by_goal
from smart_app.language import Words
from smart_app.presenters.situation import OpenGoalDraft

_CURRENT = ("active", "accepted", "planned", "proposed", "on-hold")
_LEFT = ("cancelled", "rejected")


@dataclass(frozen=True, slots=True)
class Said:
    """What notes say of one goal or step; the latest review only."""

    helps: tuple[str, ...] = ()
    hinders: tuple[str, ...] = ()
    result: str = ""  # done | partly | not-yet | not-wanted
    reviewed: date | None = None


@dataclass(frozen=True, slots=True)
class StepView:
    text: str
    mark: str  # "✓" done, "–" not wanted any more, "•" open; said in words by `state`
    state: str  # "Done", "Next", "Partly"; "" for a later one
    due: str  # "by 27 November 2026 · move the date?", only while open
    next: bool


@dataclass(frozen=True, slots=True)
class GoalView:
    key: str  # the Goal's id
    text: str
    area: str  # part of life, or ""
    since: str  # "since 3 February 2026 · by 1 June 2027"
    tags: tuple[str, ...]
    steps: tuple[StepView, ...]
    next: str  # the next step's words, for the folded goals
    helps: tuple[str, ...]
    hinders: tuple[str, ...]
    reviewed: str  # "Last looked at 12 October 2026", "Not looked at together yet"


@dataclass(frozen=True, slots=True)
class PastGoal:
    key: str
    text: str
    state: str  # "Reached, 3 November 2026"


@dataclass(frozen=True, slots=True)
class GoalDraftLine:
    text: str
    goal: str  # the Goal's id, "" of a new one
    doing: str  # "new", "edit" or "review"


@dataclass(frozen=True, slots=True)
class GoalsView:
    """``first`` is the goal begun last; None where there is none. ``alone``: steps whose goal is not to be had."""

    first: GoalView | None
    others: tuple[GoalView, ...]
    past: tuple[PastGoal, ...]
    alone: tuple[StepView, ...]


def goals_view(words: Words, goals: Sequence[Goal], said: Mapping[str, Said], *, name: str, today: date) -> GoalsView:
    """``goals`` are goals and steps, joined; ``said`` is by Goal id; ``name`` is what the patient is called."""
    tops = sorted((goal for goal in goals if not goal.parent), key=lambda goal: goal.start or date.min, reverse=True)
    steps = steps_by_goal(goals)
    current = [
        _goal(words, goal, steps.get(goal.id, ()), said, name, today) for goal in tops if goal.lifecycle in _CURRENT
    ]
    return GoalsView(
        first=current[0] if current else None,
        others=tuple(current[1:]),
        past=tuple(_past(words, goal) for goal in tops if goal.lifecycle not in _CURRENT),
        alone=_steps(words, steps_alone(goals), said, today),
    )


def goal_draft_lines(words: Words, drafts: Sequence[OpenGoalDraft], goals: Sequence[Goal]) -> tuple[GoalDraftLine, ...]:
    """What was begun and not saved, with the day until which it is kept once that is near; of goals that are open."""
    texts = {goal.id: goal.text for goal in goals if not goal.parent and goal.lifecycle in _CURRENT}
    lines = []
    for draft in drafts:
        goal, _, doing = draft.page.rpartition("/")
        if goal and goal not in texts:
            continue
        text = words.say(f"goal_draft.{doing}", goal=texts.get(goal, ""), date=words.day(draft.touched))
        if draft.merged:
            text = f"{text} {words.say('goal_draft.merged')}"
        if draft.expiring:
            text = f"{text} {words.say('draft.expiring', date=words.day(draft.expires))}"
        lines.append(GoalDraftLine(text, goal, doing))
    return tuple(lines)


def _goal(
    words: Words, goal: Goal, steps: Sequence[Goal], said: Mapping[str, Said], name: str, today: date
) -> GoalView:
    views = _steps(words, steps, said, today)
    notes = said.get(goal.id, Said())
    reviews = [said[one.id].reviewed for one in (goal, *steps) if one.id in said]
    reviewed = max((day for day in reviews if day is not None), default=None)
    return GoalView(
        key=goal.id,
        text=words.say("today.quote", text=goal.text),
        area=words.say(f"goals.area.{goal.category}") if goal.category else "",
        since=_since(words, goal),
        tags=_tags(words, goal, name, today),
        steps=views,
        next=next((step.text for step in views if step.next), ""),
        helps=notes.helps,
        hinders=notes.hinders,
        reviewed=words.say("goal.reviewed", date=words.day(reviewed)) if reviewed else words.say("goal.not_reviewed"),
    )


def _since(words: Words, goal: Goal) -> str:
    parts = []
    if goal.start:
        parts.append(words.say("goal.since", date=words.day(goal.start)))
    if goal.due:
        parts.append(words.say("goals.by", day=words.day(goal.due)))
    return " · ".join(parts)


def _tags(words: Words, goal: Goal, name: str, today: date) -> tuple[str, ...]:
    found = []
    if not goal.theirs:
        found.append(words.say("goal.not_theirs", name=name))
    if goal.lifecycle == "on-hold":
        found.append(words.say("goal.on_hold"))
    if goal.date_unread:
        found.append(words.say("goal.date_unread"))
    if goal.due and last_day(goal.due) < today:
        found.append(words.say("goal.date_passed"))
    return tuple(found)


def _steps(words: Words, steps: Sequence[Goal], said: Mapping[str, Said], today: date) -> tuple[StepView, ...]:
    """Done first, as they were done; then what is open by its date, the first of it next; last what is not wanted."""
    standing = [step for step in steps if step.lifecycle != "entered-in-error"]
    done = [step for step in standing if step.lifecycle == "completed"]
    left = [step for step in standing if step.lifecycle in _LEFT]
    ahead = [step for step in standing if step.lifecycle in _CURRENT]
    done.sort(key=lambda step: (step.status_date or date.min, step.due or date.max))
    ahead.sort(key=lambda step: (step.due or date.max, step.start or date.max))
    options = words.parts("step.options")
    views = [StepView(step.text, "✓", options[0], "", next=False) for step in done]
    for place, step in enumerate(ahead):
        states = [words.say("goal.step.next")] if place == 0 else []
        if said.get(step.id, Said()).result == "partly":
            states.append(options[1])
        due = words.say("goals.by", day=words.day(step.due)) if step.due else ""
        if step.due and last_day(step.due) < today:
            due = f"{due} · {words.say('goal.step.date_passed')}"
        if step.date_unread:
            due = " · ".join(filter(None, (due, words.say("goal.date_unread"))))
        views.append(StepView(step.text, "•", " · ".join(states), due, next=place == 0))
    views += [StepView(step.text, "–", options[3], "", next=False) for step in left]
    return tuple(views)


def _past(words: Words, goal: Goal) -> PastGoal:
    if goal.lifecycle == "entered-in-error":
        key = "goal.past.withdrawn"
    elif goal.lifecycle == "completed":
        key = "goal.past.reached" if goal.achievement in ("", "achieved", "sustaining") else "goal.past.closed"
    else:
        key = "goal.past.left"
    state = words.say(key)
    return PastGoal(
        key=goal.id,
        text=words.say("today.quote", text=goal.text),
        state=f"{state}, {words.day(goal.status_date)}" if goal.status_date else state,
    )
