"""After both have answered: one page to look at together, side by side, social life first; neither answer is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from imr_fhir.pairing import Pair, gaps
from imr_fhir.patient_view import FOLDABLE_ITEMS
from imr_fhir.response import Response as Rating
from imr_fhir.scale import NA_ITEM, Rater
from smart_app.access import EVERYONE, with_launch
from smart_app.auditing import audit
from smart_app.charting import read
from smart_app.language import words
from smart_app.open_launch import Launch
from smart_app.presenters.comments import Comment, comments
from smart_app.presenters.gaps import GapLine, gaps_view
from smart_app.presenters.goals import GoalView, goals_view
from smart_app.presenters.items import ItemGroup, Shown, item_groups
from smart_app.presenters.known import Known
from smart_app.presenters.notes import said_of_goals

together = Blueprint("together", __name__, url_prefix="/l/<lid>/together")


@dataclass(frozen=True)
class Page:
    """``gaps`` are something to talk about, ``more_gaps`` too; ``folded`` stays closed with a relative in the room."""

    lid: str
    names: Mapping[Rater, str]
    when: str  # the day, or each one's where they are two
    goal: GoalView | None  # the open goal begun last
    gaps: tuple[GapLine, ...]
    more_gaps: tuple[GapLine, ...]
    groups: tuple[ItemGroup, ...]
    folded: tuple[ItemGroup, ...]
    medication: Mapping[int, str]  # what to ask, at its question
    comments: tuple[Comment, ...]  # closed as well: they may be about anything
    only_here: tuple[str, ...]  # whose answers are in no record
    may_write: bool


@together.get("")
@with_launch(*EVERYONE)
def page(launch: Launch) -> str | Response:
    if launch.without_figures:
        return redirect(url_for("own.home", lid=launch.id), 303)
    chart, all_of, _ = read(launch)
    pair = next((found for occasion in all_of.occasions if (found := all_of.whole_pair(occasion))), None)
    if pair is None:
        audit("view", launch)
        return render_template("together/none.html", lid=launch.id)
    goal = goals_view(
        words(), chart.goals, said_of_goals(all_of.notes), name=all_of.names["client"], today=launch.today
    ).first
    seen = [each.key for each in (pair.client, pair.clinician)]
    audit("view", launch, resources=(*seen, *((f"Goal/{goal.key}",) if goal else ())))
    return render_template("together/page.html", page=_page(launch, all_of, pair, goal))


def _page(launch: Launch, all_of: Known, pair: Pair, goal: GoalView | None) -> Page:
    found = gaps(pair)
    view = gaps_view(words(), found, pair, all_of.names)
    rated: dict[Rater, Rating] = {"client": pair.client, "clinician": pair.clinician}
    shown = {rater: Shown(response, all_of.first(response)) for rater, response in rated.items()}
    groups = item_groups(words(), shown, all_of.names, frozenset(gap.item for gap in found.offered))
    return Page(
        lid=launch.id,
        names=all_of.names,
        when=_when(rated, all_of.names),
        goal=goal,
        gaps=_unfolded(view.offered) if view else (),
        more_gaps=_unfolded(view.folded) if view else (),
        groups=tuple(group for group in groups if not _foldable(group)),
        folded=tuple(group for group in groups if _foldable(group)),
        medication={NA_ITEM: view.medication} if view and view.medication else {},
        comments=comments(words(), rated.values(), all_of.names),
        only_here=tuple(
            f"{all_of.names[rater]}: {words().say('rating.kept.print')}"
            for rater, one in rated.items()
            if one.kept == "print"
        ),
        may_write=launch.role == "clinician",
    )


def _when(rated: Mapping[Rater, Rating], names: Mapping[Rater, str]) -> str:
    days = {rater: words().day(one.measured) for rater, one in rated.items()}
    if len(set(days.values())) == 1:
        return days["client"]
    return " · ".join(f"{names[rater]}: {day}" for rater, day in days.items())


def _unfolded(lines: tuple[GapLine, ...]) -> tuple[GapLine, ...]:
    return tuple(line for line in lines if line.number not in FOLDABLE_ITEMS)


def _foldable(group: ItemGroup) -> bool:
    return all(row.number in FOLDABLE_ITEMS for row in group.rows)
