"""The times at which somebody rated, latest first: what belongs together, and what stands alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from imr_fhir.history import day
from imr_fhir.pairing import Pairing
from imr_fhir.response import Response
from imr_fhir.scale import Rater
from imr_fhir.scoring import figures
from smart_app.language import Words


@dataclass(frozen=True)
class Occasion:
    """A pair, or one rater's response alone."""

    client: Response | None
    clinician: Response | None

    def of(self, rater: Rater) -> Response | None:
        return self.client if rater == "client" else self.clinician

    @cached_property
    def responses(self) -> tuple[Response, ...]:
        return tuple(response for response in (self.client, self.clinician) if response is not None)

    @cached_property
    def day(self) -> date:
        """The later of the two days."""
        return max(day(response) for response in self.responses)

    @property
    def key(self) -> str:
        """Stays the same through corrections, and when the other rater joins: the client's where there is one."""
        return self.responses[0].key


@dataclass(frozen=True, slots=True)
class Choice:
    key: str
    text: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One occasion in the table that says the same as the chart."""

    day: str
    figures: tuple[str, ...]  # of each rater shown, client first


def occasions(pairing: Pairing) -> tuple[Occasion, ...]:
    """All occasions, the latest first."""
    found = [Occasion(pair.client, pair.clinician) for pair in pairing.pairs]
    for response in pairing.unpaired:
        found.append(Occasion(response, None) if response.rater == "client" else Occasion(None, response))
    return tuple(sorted(found, key=lambda occasion: (occasion.day, occasion.key), reverse=True))


def choices(words: Words, found: Sequence[Occasion], chosen: Occasion) -> tuple[Choice, ...]:
    """What a chooser offers; empty where there is nothing to choose."""
    if len(found) < 2:
        return ()
    return tuple(Choice(entry.key, words.day(entry.day), entry is chosen) for entry in found)


def figure_rows(
    words: Words, found: Iterable[Occasion], raters: Iterable[Rater], figures: Mapping[str, str]
) -> tuple[FigureRow, ...]:
    """The chart's figures as a table, the latest occasion first; ``figures`` are those of ``figure``, by key."""
    raters = tuple(raters)
    none = words.say("figure.none")
    return tuple(
        FigureRow(
            words.short_day(entry.day),
            tuple(figures[one.key] if (one := entry.of(rater)) else none for rater in raters),
        )
        for entry in found
    )


def figure(words: Words, response: Response, hidden: Collection[Response]) -> str:
    """A rating in a table cell: "3.6 (sum 50, 14 to 70)", or why there is no figure."""
    if response.status == "entered-in-error":
        return words.say("figure.withdrawn")
    if response in hidden:
        return words.say("figure.hidden")
    shown = figures(response.score) if response.complete else None
    if shown is None:
        return words.say("figure.answered", n=len(response.ratings))
    return words.say("figure.mean", mean=words.number(shown.mean), sum=shown.sum, low=shown.lowest, high=shown.highest)
