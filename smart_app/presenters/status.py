"""What is not in the record yet, what could not be read of it, and what it takes: said before anyone types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from imr_fhir.ehr.chart import Chart
from imr_fhir.ehr.host_clock import NO_FILING, WARN
from imr_fhir.scale import ITEM_COUNT, Rater
from smart_app.language import Words
from smart_app.plan import Plan
from smart_app.presenters.situation import OpenDraft


@dataclass(frozen=True, slots=True)
class DraftLine:
    rater: Rater
    text: str


def draft_lines(words: Words, drafts: Iterable[OpenDraft], names: Mapping[Rater, str]) -> tuple[DraftLine, ...]:
    """Forms begun and not handed in, with the day until which they are kept once it is near."""
    lines = []
    for draft in drafts:
        text = words.say(
            "draft.open",
            name=names.get(draft.rater, draft.rater),
            n=draft.answered,
            total=ITEM_COUNT,
            date=words.day(draft.touched),
        )
        if draft.expiring:
            text = f"{text} {words.say('draft.expiring', date=words.day(draft.expires))}"
        lines.append(DraftLine(draft.rater, text))
    return tuple(lines)


def plan_lines(words: Words, plan: Plan | None) -> tuple[str, ...]:
    """What is kept where, for each kind of thing that may be written here."""
    if plan is None:
        return (words.say("plan.read_only"),)
    answers, figures = "QuestionnaireResponse" in plan.creates, "Observation" in plan.creates
    kept = "both" if answers and figures else "form" if answers else "measurement" if figures else "none"
    goals = "Goal" in plan.creates
    audit = "Provenance" in plan.creates or "AuditEvent" in plan.creates
    return (
        *((words.say("form.edited"),) if plan.edited else ()),
        words.say(f"plan.answers.{kept}"),
        words.say("plan.goals.saved" if goals else "plan.goals.none"),
        words.say("plan.audit.record" if audit else "plan.audit.app"),
    )


def clock_lines(words: Words, off: timedelta) -> tuple[str, ...]:
    """``off``: how far the EHR's clock is from ours."""
    key = "stop" if off > NO_FILING else "warn" if off > WARN else ""
    return (words.say(f"panel.clock.{key}", minutes=round(off / timedelta(minutes=1))),) if key else ()


def problem_lines(words: Words, chart: Chart) -> tuple[str, ...]:
    """What must be known before anything else, and what of the record is missing on this page, and why."""
    died = (words.say("panel.deceased"),) if chart.patient.deceased else ()
    merged = (words.say("panel.merged"),) if chart.patient.merged else ()
    return (
        died
        + merged
        + tuple(
            words.say(
                f"problem.{problem.kind}",
                n=problem.count,
                what=words.say(f"problem.what.{problem.about.partition('/')[0]}"),
                about=problem.about,
                reason=problem.reason,
            )
            for problem in chart.problems
        )
    )
