"""Where the two see things differently: something to talk about, never who is right, never an average."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from imr_fhir.pairing import Gap, Gaps, Pair
from imr_fhir.scale import Rater
from smart_app.language import Words
from smart_app.presenters.items import anchor, label, quoted


@dataclass(frozen=True, slots=True)
class GapLine:
    number: int
    label: str
    client: str  # the anchor's words, quoted; both raters' at the same size
    clinician: str
    note: str  # "Look up the date together"


@dataclass(frozen=True, slots=True)
class GapsView:
    offered: tuple[GapLine, ...]  # at most three
    folded: tuple[GapLine, ...]
    medication: str  # "Is medication prescribed?", or ""
    names: Mapping[Rater, str]


def gaps_view(words: Words, found: Gaps, pair: Pair | None, names: Mapping[Rater, str]) -> GapsView | None:
    """``found`` of ``pair``; None where the two see it the same."""
    if pair is None or not (found.offered or found.folded or found.medication):
        return None
    return GapsView(
        offered=_lines(words, found.offered, pair),
        folded=_lines(words, found.folded, pair),
        medication=words.say("gap.medication") if found.medication else "",
        names=names,
    )


def _lines(words: Words, found: Iterable[Gap], pair: Pair) -> tuple[GapLine, ...]:
    return tuple(
        GapLine(
            number=gap.item,
            label=label(words, gap.item),
            client=quoted(words, anchor(words, pair.client.form, gap.item, gap.client)),
            clinician=quoted(words, anchor(words, pair.clinician.form, gap.item, gap.clinician)),
            note=words.say("gap.dates") if gap.kind == "dates" else "",
        )
        for gap in found
    )
