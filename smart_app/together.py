"""After both have answered: one page to look at together, side by side, social life first; neither answer is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, render_template

from imr_fhir.pairing import Pair, gaps
from imr_fhir.response import Response
from imr_fhir.scale import RATERS, Rater
from smart_app.access import EVERYONE, Launch, audit, with_launch
from smart_app.charting import read
from smart_app.language import words
from smart_app.presenters.gaps import GapsView, gaps_view
from smart_app.presenters.items import ItemGroup, Shown, item_groups
from smart_app.presenters.known import Known

together = Blueprint("together", __name__, url_prefix="/l/<lid>/together")

FOLDED = ("substances",)  # with a relative in the room these can stay closed


@dataclass(frozen=True)
class Page:
    lid: str
    names: Mapping[Rater, str]
    when: str
    gaps: GapsView | None
    groups: tuple[ItemGroup, ...]
    folded: tuple[ItemGroup, ...]
    may_write: bool


@together.get("")
@with_launch(*EVERYONE)
def page(launch: Launch) -> str:
    _, all_of, _ = read(launch)
    pair = _latest_pair(all_of)
    audit("view", launch, resources=tuple(f"QuestionnaireResponse/{each.id}" for each in pair.values()))
    if not pair:
        return render_template("together/none.html", lid=launch.id)
    found = gaps(Pair(pair["client"], pair["clinician"]))
    talk = frozenset(gap.item for gap in found.offered)
    groups = item_groups(
        words(), {rater: Shown(pair[rater], all_of.first(pair[rater])) for rater in RATERS}, all_of.names, talk
    )
    shown = Page(
        lid=launch.id,
        names=all_of.names,
        when=words().day(pair["client"].measured),
        gaps=gaps_view(words(), found, all_of.names),
        groups=tuple(group for group in groups if group.key not in FOLDED),
        folded=tuple(group for group in groups if group.key in FOLDED),
        may_write=launch.role == "clinician",
    )
    return render_template("together/page.html", page=shown)


def _latest_pair(all_of: Known) -> dict[Rater, Response]:
    """The latest occasion at which both have answered and both may be seen; {} where there is none."""
    for occasion in all_of.occasions:
        seen = {rater: found for rater in RATERS if (found := all_of.seen(occasion, rater))}
        if len(seen) == len(RATERS):
            return seen
    return {}
