"""What is kept where, in the user's words: on the panel, and on each form before anyone types."""

from __future__ import annotations

from dataclasses import dataclass

from smart_app.language import Words
from smart_app.plan import Plan


def answers_lines(words: Words, plan: Plan) -> tuple[str, ...]:
    """Of a new rating."""
    rung = plan.rung("answers")
    lines = [words.say(f"plan.answers.{rung}")]
    if rung == "form":
        lines.append(words.say("plan.score.none" if plan.rung("score") == "print" else "plan.score.saved"))
    if rung == "print" and plan.reason("answers", "text") == "no-encounter":
        lines.append(words.say("plan.answers.no_encounter"))
    if any(reason == "refused-before" for reason in plan.ladders.get("answers", {}).values()):
        lines.append(words.say("plan.answers.refused"))
    return tuple(lines)


def readers_line(words: Words, plan: Plan, *, organization: str, who: str) -> str:
    """Who reads the patient's answers, and where: said to the patient before the first question."""
    key = "form.readers.print" if plan.rung("answers") == "print" else "form.readers"
    return words.say(key, org=organization, who=who)


def goals_lines(words: Words, plan: Plan) -> tuple[str, ...]:
    """Of goals and steps, and of how they went."""
    goal = "saved" if plan.rung("goal") == "goal" else "none"
    review = "saved" if plan.rung("review") == "note" else "none"
    return (words.say(f"plan.goals.{goal}"), words.say(f"plan.reviews.{review}"))


@dataclass(frozen=True, slots=True)
class GoalButtons:
    """What the buttons about goals say; ``changes``: a goal can be changed where it stands. ``why`` not, if not."""

    new: str
    review: str
    changes: bool
    why: tuple[str, ...]


def goal_buttons(words: Words, plan: Plan | None) -> GoalButtons:
    goal = plan is not None and plan.rung("goal") == "goal"
    review = plan is not None and plan.rung("review") == "note"
    return GoalButtons(
        new=words.say("goal.new" if goal else "goal.kept"),
        review=words.say("goal.review" if review else "goal.review.kept"),
        changes=plan is not None and "Goal" in plan.updates,
        why=() if goal and review else goals_lines(words, plan) if plan else (),
    )


def notes_line(words: Words, plan: Plan | None) -> str:
    """Why no note can be made with a press."""
    return words.say("plan.notes.none") if plan is not None and plan.rung("review") == "print" else ""


def changes(plan: Plan, resource_type: str) -> bool:
    """Whether what stands as ``resource_type`` can be corrected there; else that is kept to be printed. A document is
    corrected by another that replaces it."""
    if resource_type == "DocumentReference":
        return plan.document_rung() != "print"
    return resource_type in plan.updates


def withdraws(plan: Plan, resource_type: str) -> bool:
    """Whether what stands as ``resource_type`` can be marked there as entered in error."""
    return resource_type in plan.updates


def reason_label(words: Words, plan: Plan, *, there: bool) -> str:
    """What the reason of a correction or withdrawal is asked with, by where it will stand; ``there``: the change is
    made where it stands."""
    if not there:
        return words.say("form.reason.print")
    return words.say("form.reason" if plan.rung("audit") == "provenance" else "filing.reason")


def marks_replaced(plan: Plan) -> bool:
    """Whether a document that a correction replaces is marked as that; its own record of it, beside the new one's."""
    return changes(plan, "DocumentReference") and "DocumentReference" in plan.updates


def changes_lines(words: Words, plan: Plan, reference: str) -> tuple[str, ...]:
    """Of a correction of what stands as ``reference``."""
    resource_type = reference.partition("/")[0]
    if not changes(plan, resource_type):
        return (words.say("plan.changes.none"),)
    if resource_type == "DocumentReference":
        replaces = words.say("plan.changes.replaces")
        if marks_replaced(plan):
            return (replaces, words.say("plan.documents.marked"))
        return (replaces, words.say("plan.documents.current", reference=reference))
    return () if plan.versioned else (words.say("plan.weaker.versions"),)


def withdrawal_lines(words: Words, plan: Plan, resource_type: str, reference: str) -> tuple[str, ...]:
    """Of a withdrawal of what stands as ``reference``."""
    if withdraws(plan, resource_type):
        return () if plan.versioned else (words.say("plan.weaker.versions"),)
    if resource_type == "DocumentReference":
        return (words.say("plan.changes.none"), words.say("plan.documents.ask", reference=reference))
    return (words.say("plan.changes.none"),)


@dataclass(frozen=True, slots=True)
class PlanView:
    """``whole``: whatever a person writes here is saved, so that the lines may stay folded."""

    title: str
    whole: bool
    lines: tuple[str, ...]


def plan_view(words: Words, plan: Plan | None) -> PlanView:
    """The whole plan, for the panel."""
    whole = plan is not None and _saves_all(plan)
    return PlanView(words.say("plan.all" if whole else "plan.title"), whole, _lines(words, plan))


def _saves_all(plan: Plan) -> bool:
    answers = plan.rung("answers")
    scored = answers != "form" or plan.rung("score") != "print"  # else the answers are all figures, or readable
    kept = "print" not in (answers, plan.rung("goal"), plan.rung("review"))
    return kept and scored and not plan.edited


def _lines(words: Words, plan: Plan | None) -> tuple[str, ...]:
    if plan is None:
        return (words.say("plan.read_only"),)
    audit = "record" if plan.rung("audit") == "provenance" else "app"
    writes = plan.rung("answers") != "print" or plan.rung("goal") == "goal"
    return (
        *((words.say("form.edited"),) if plan.edited else ()),
        *answers_lines(words, plan),
        *goals_lines(words, plan),
        words.say(f"plan.audit.{audit}"),
        *((words.say("plan.weaker.transaction"),) if writes and not plan.in_transaction else ()),
        *((words.say("plan.weaker.versions"),) if plan.updates and not plan.versioned else ()),
    )
