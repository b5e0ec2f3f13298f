"""Quantities and numbers of the report as a person reads them, in one language."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from imr_fhir.reporting.counting import ALL
from imr_fhir.reporting.proportions import Line
from imr_fhir.reporting.statistics import Interval
from imr_fhir.reporting.words import NAMES, OF, SAID

HIDDEN = "–"
_SPACE = "\N{NO-BREAK SPACE}"
_POINTS: Mapping[str, tuple[str, str]] = {"en": (",", "."), "nb": (_SPACE, ",")}  # between thousands, before decimals


@dataclass(frozen=True, slots=True)
class Wording:
    language: str

    def say(self, key: str, **params: object) -> str:
        """The page's own sentence ``key``. Raises KeyError for one that there is not, or that lacks a parameter."""
        return SAID[self.language][key].format(**params)

    def caption(self, line: Line) -> str:
        """What the part of ``line`` is of, and at which threshold: "Of courses begun 6 months ago or more, at T"."""
        month = re.fullmatch(r"(begun, month) (\d+)", line.total)
        of = OF[self.language][month[1] if month else line.total].format(months=month and month[2])
        threshold = line.part.partition(", at ")[2]
        return (
            self.say("caption-at", of=of, threshold=self.name(threshold)) if threshold else self.say("caption", of=of)
        )

    def name(self, quantity: str) -> str:
        """A quantity's name: what stands before ": " in it names the part, which the caption says."""
        own = quantity.rpartition(": ")[2]
        return NAMES[self.language].get(own) or re.sub(r"[-_](?=[a-z])", " ", own)

    def unit(self, name: str) -> str:
        """A hospital's unit, as the hospital names it."""
        return self.say("units") if name == ALL else name or self.say("no-unit")

    def count(self, n: int | None) -> str:
        return HIDDEN if n is None else f"{n:,}".replace(",", _POINTS[self.language][0])

    def decimal(self, number: float) -> str:
        return f"{number:.2f}".replace(".", _POINTS[self.language][1])

    def signed(self, number: float) -> str:
        """With its sign, the true minus, and two decimals; nought has none."""
        said = self.decimal(abs(number))
        return said if float(f"{number:.2f}") == 0 else f"{'−' if number < 0 else '+'}{said}"

    def between(self, interval: Interval) -> str:
        return self.say("between", low=self.signed(interval.low), high=self.signed(interval.high))

    def share(self, line: Line) -> str:
        """ "67 % (58 to 75)": a share with its interval; "" where it is hidden, or of none."""
        if line.share is None or line.low is None or line.high is None:
            return ""
        between = self.say("between", low=f"{100 * line.low:.0f}", high=f"{100 * line.high:.0f}")
        return f"{100 * line.share:.0f} % ({between})"

    def number(self, line: Line) -> str:
        """ "40 of 60"."""
        return self.say("of", n=self.count(line.n), of=self.count(line.of))
