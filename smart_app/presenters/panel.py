"""The panel: one patient's Chart as one page of ready strings, in the order in which a clinician reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from imr_fhir.change import Move, moves
from imr_fhir.ehr.chart import Chart
from imr_fhir.goal import Goal
from imr_fhir.history import day
from imr_fhir.pairing import Gaps, gaps
from imr_fhir.response import Response
from imr_fhir.scale import RATERS, Rater
from imr_fhir.trend import trend
from smart_app.language import Words
from smart_app.presenters.chart_view import ChartView, chart_view
from smart_app.presenters.comments import Comment, comments
from smart_app.presenters.due_view import DueView, due_view
from smart_app.presenters.gaps import GapsView, gaps_view
from smart_app.presenters.goals import GoalDraftLine, GoalsView, goal_draft_lines, goals_view
from smart_app.presenters.items import ItemGroup, Shown, item_groups
from smart_app.presenters.known import Known
from smart_app.presenters.main_button import MainButton, main_button
from smart_app.presenters.moved import Since, since
from smart_app.presenters.notes import due_answers, said_of_goals
from smart_app.presenters.occasions import Choice, Occasion, choices, figure, figure_rows
from smart_app.presenters.plan_lines import GoalButtons, PlanView, goal_buttons, notes_line, plan_view
from smart_app.presenters.ratings import RatingRow, rating_rows
from smart_app.presenters.scales import Tile, empty_tile, tile, untested
from smart_app.presenters.situation import Situation
from smart_app.presenters.status import DocumentLine, DraftLine, clock_lines, document_lines, draft_lines, problem_lines
from smart_app.presenters.talk_lines import TalkStrip, talk_strip


@dataclass(frozen=True, slots=True)
class Items:
    title: str
    groups: tuple[ItemGroup, ...]
    began: str  # "where each began, February 2026", "" where nothing began earlier


@dataclass(frozen=True, slots=True)
class Panel:
    name: str  # what the patient is called
    raters: Mapping[Rater, str]  # shown at this site, with their names
    own_record: bool  # it is the patient who looks
    may_write: bool
    may_rate: bool  # ... on the clinician scale
    today: str
    goals: GoalsView
    goal_buttons: GoalButtons
    goal_drafts: tuple[GoalDraftLine, ...]
    scales_title: str
    choices: tuple[Choice, ...]
    tiles: tuple[Tile, ...]
    see_first: str  # key of the answers that may be opened before rating, or ""
    drafts: tuple[DraftLine, ...]
    due: DueView | None
    no_notes: str  # why none can be made of what is due, "" where they can
    chart: ChartView | None
    gaps: GapsView | None
    since: tuple[Since, ...]
    items: Items | None
    comments: tuple[Comment, ...]
    talk: TalkStrip | None
    waiting: int
    printed: int  # only here, to be printed
    placed: int  # ... or to be saved, since the record takes it now
    left: int  # not saved, for a record that was merged into this one
    problems: tuple[str, ...]
    ratings: tuple[RatingRow, ...]
    documents: tuple[DocumentLine, ...]
    plan: PlanView
    together: bool  # both have answered the whole of it, and both may be seen
    main: MainButton
    translation: bool  # the instrument's words are shown in a translation that nobody has validated


def panel(words: Words, chart: Chart, all_of: Known, situation: Situation) -> Panel:
    """Everything that the page shows of ``chart``, of which ``all_of`` is known, to this viewer today."""
    chosen = _chosen(all_of, situation.occasion)
    detailed = _detailed(all_of, chosen)
    # Of an occasion whose answers are hidden nothing is compared; those of the one before are shown with its date.
    compared = chosen if detailed is chosen else None
    pair = all_of.pair(compared) if compared else None
    figures = {response.key: figure(words, response, all_of.hidden) for response in chart.responses}
    found_gaps = gaps(pair) if pair else Gaps((), (), medication=False)
    together = bool(all_of.occasions) and all_of.whole_pair(all_of.occasions[0]) is not None
    due = due_view(
        words,
        all_of.course,
        all_of.open,
        chart.responses,
        due_answers(all_of.notes),
        all_of.names,
        situation.today,
        all_of.documents,
    )
    return Panel(
        name=all_of.names["client"],
        raters=all_of.names,
        own_record=situation.own_record,
        may_write=situation.may_write,
        may_rate=situation.may_write and situation.clinician_on,
        today=words.day(situation.today),
        goals=goals_view(
            words, chart.goals, said_of_goals(all_of.notes), name=all_of.names["client"], today=situation.today
        ),
        goal_buttons=goal_buttons(words, situation.plan),
        goal_drafts=goal_draft_lines(words, situation.goal_drafts, chart.goals),
        scales_title=words.say("scales.title", date=words.day(chosen.day)) if chosen else _no_scales(words, all_of),
        choices=choices(words, all_of.occasions, chosen) if chosen else (),
        tiles=tuple(_tile(words, all_of, situation, chosen, rater) for rater in all_of.names) if chosen else (),
        see_first=next((response.key for response in all_of.hidden if situation.may_write), ""),
        drafts=draft_lines(words, situation.drafts, all_of.names),
        due=due,
        no_notes=notes_line(words, situation.plan),
        chart=chart_view(
            words,
            [
                trend(rater, all_of.visible, all_of.courses, today=situation.today, table=situation.parameters)
                for rater in all_of.names
            ],
            figure_rows(words, all_of.occasions, all_of.names, figures),
            all_of.names,
        ),
        gaps=gaps_view(words, found_gaps, pair, all_of.names),
        since=_since(words, all_of, compared, chart.goals),
        items=_items(words, all_of, detailed, frozenset(gap.item for gap in found_gaps.offered)),
        comments=comments(words, _seen(all_of, detailed), all_of.names),
        talk=talk_strip(words, all_of, situation.parameters),
        waiting=situation.waiting,
        printed=situation.printed,
        placed=situation.placed,
        left=situation.left,
        problems=clock_lines(words, situation.clock_off) + problem_lines(words, chart, situation.today),
        ratings=rating_rows(
            words,
            chart.responses,
            names=all_of.names,
            superseded=all_of.superseded,
            ahead=all_of.ahead,
            hidden=all_of.hidden,
            figures=figures,
            may_write=situation.may_write,
        ),
        documents=document_lines(words, chart, all_of.names, may_write=situation.may_write),
        plan=plan_view(words, situation.plan),
        together=together,
        main=main_button(
            all_of.course,
            due.waiting if due else (),
            situation.today,
            both_answered=together,
            may_rate=situation.clinician_on,
        ),
        translation=any(untested(words, each) for each in all_of.visible),
    )


def _no_scales(words: Words, all_of: Known) -> str:
    return words.say("scales.documents" if all_of.documents else "scales.none")


def _chosen(all_of: Known, key: str) -> Occasion | None:
    """The occasion asked for by the key of one of its responses; the latest where there is none such."""
    for occasion in all_of.occasions if key else ():
        if any(response.key == key for response in occasion.responses):
            return occasion
    return all_of.occasions[0] if all_of.occasions else None


def _detailed(all_of: Known, chosen: Occasion | None) -> Occasion | None:
    """The occasion whose answers are shown: the one chosen, or the next before it of which anything may be seen."""
    if chosen is None:
        return None
    older = all_of.occasions[all_of.occasions.index(chosen) :]
    return next((entry for entry in older if any(all_of.seen(entry, rater) for rater in RATERS)), None)


def _tile(words: Words, all_of: Known, situation: Situation, chosen: Occasion, rater: Rater) -> Tile:
    response = chosen.of(rater)
    if response is None:
        recent = chosen is all_of.occasions[0] and (situation.today - chosen.day).days <= situation.pair_window
        notes = [words.say("rating.not_yet" if recent else "unpaired")]
        if last := all_of.latest(rater):
            notes.append(words.say("rating.last", date=words.day(last.measured), figure=figure(words, last, ())))
        return empty_tile(rater, all_of.names[rater], *notes)
    if response in all_of.hidden:
        answered = words.say("blind.answered", name=all_of.names[rater], date=words.day(response.measured))
        return empty_tile(rater, all_of.names[rater], answered, words.say("blind.why"))
    return tile(words, response, all_of.names[rater], all_of.change(response, situation))


def _since(words: Words, all_of: Known, shown: Occasion | None, goals: Sequence[Goal]) -> tuple[Since, ...]:
    """What is different since the rating before, and since the first where that is another one."""
    if shown is None:
        return ()
    before: dict[Rater, Response] = {}
    first: dict[Rater, Response] = {}
    now = {rater: seen for rater in all_of.names if (seen := all_of.seen(shown, rater))}
    for rater, response in now.items():
        if earlier := all_of.before(response):
            before[rater] = earlier
        start = all_of.first(response)
        if start and start.measured < response.measured and start != earlier:
            first[rater] = start
    blocks = []
    for others in (before, first):
        if others:
            found = {rater: _moves(other, now[rater], goals) for rater, other in others.items()}
            title = words.say("moved.title", date=when(words, [day(other) for other in others.values()]))
            forms = {rater: (other.form, now[rater].form) for rater, other in others.items()}
            blocks.append(since(words, title, found, forms, all_of.names))
    return tuple(blocks)


def _moves(before: Response, after: Response, goals: Sequence[Goal]) -> tuple[Move, ...]:
    reached = [goal.status_date for goal in goals if goal.achievement == "achieved" and not goal.parent]
    achieved = any(on and day(before) < on <= day(after) for on in reached)
    return moves(before, after, goal_achieved=achieved)


def when(words: Words, days: Sequence[date]) -> str:
    """One day, one month, or all of several days."""
    if len(set(days)) == 1:
        return words.day(days[0])
    if len({(one.year, one.month) for one in days}) == 1:
        return words.month(days[0])
    return " / ".join(words.day(one) for one in days)


def _items(words: Words, all_of: Known, shown: Occasion | None, talk: frozenset[int]) -> Items | None:
    if shown is None:
        return None
    rows: dict[Rater, Shown] = {}
    for rater in RATERS:
        now = all_of.seen(shown, rater)
        rows[rater] = Shown(now, all_of.first(now) if now else None)
    began = [day(start) for row in rows.values() if (start := row.began())]
    return Items(
        title=words.say("items.title", date=words.day(shown.day)),
        groups=item_groups(words, rows, all_of.names, talk),
        began=words.say("items.began", date=when(words, began)) if began else "",
    )


def _seen(all_of: Known, shown: Occasion | None) -> list[Response]:
    return [seen for rater in RATERS if shown and (seen := all_of.seen(shown, rater))]
