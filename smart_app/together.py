"""After both have answered: one page to look at together, side by side, social life first; neither answer is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, render_template

from imr_fhir.pairing import Pair, gaps
from imr_fhir.patient_view import FOLDABLE_ITEMS
from imr_fhir.response import Response
from imr_fhir.scale import RATERS, Rater
from smart_app.access import EVERYONE, Launch, audit, with_launch
from smart_app.charting import read
from smart_app.language import words
from smart_app.presenters.gaps import GapLine, gaps_view
from smart_app.presenters.items import ItemGroup, Shown, item_groups
from smart_app.presenters.known import Known

together = Blueprint("together", __name__, url_prefix="/l/<lid>/together")


@dataclass(frozen=True)
class Page:
    """``gaps`` are something to talk about; ``folded`` can stay closed with a relative in the room."""

    lid: str
    names: Mapping[Rater, str]
    when: str
    gaps: tuple[GapLine, ...]
    groups: tuple[ItemGroup, ...]
    folded: tuple[ItemGroup, ...]
    medication: str
    may_write: bool


@together.get("")
@with_launch(*EVERYONE)
def page(launch: Launch) -> str:
    _, all_of, _ = read(launch)
    pair = _latest_pair(all_of)
    audit("view", launch, resources=tuple(f"QuestionnaireResponse/{each.id}" for each in pair.values()))
    if not pair:
        return render_template("together/none.html", lid=launch.id)
    return render_template("together/page.html", page=_page(launch, all_of, pair))


def _page(launch: Launch, all_of: Known, pair: Mapping[Rater, Response]) -> Page:
    found = gaps(Pair(pair["client"], pair["clinician"]))
    view = gaps_view(words(), found, all_of.names)
    shown = {rater: Shown(pair[rater], all_of.first(pair[rater])) for rater in RATERS}
    groups = item_groups(words(), shown, all_of.names, frozenset(gap.item for gap in found.offered))
    return Page(
        lid=launch.id,
        names=all_of.names,
        when=words().day(pair["client"].measured),
        gaps=tuple(line for line in view.offered if line.number not in FOLDABLE_ITEMS) if view else (),
        groups=tuple(group for group in groups if not _foldable(group)),
        folded=tuple(group for group in groups if _foldable(group)),
        medication=view.medication if view else "",
        may_write=launch.role == "clinician",
    )


def _foldable(group: ItemGroup) -> bool:
    return all(row.number in FOLDABLE_ITEMS for row in group.rows)


def _latest_pair(all_of: Known) -> dict[Rater, Response]:
    """The latest occasion at which both have answered and both may be seen; {} where there is none."""
    for occasion in all_of.occasions:
        seen = {rater: found for rater in RATERS if (found := all_of.seen(occasion, rater))}
        if len(seen) == len(RATERS):
            return seen
    return {}
