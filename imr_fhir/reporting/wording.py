"""The names of quantities, and shares, as a person reads them."""

import re

from imr_fhir.reporting.counting import ALL
from imr_fhir.reporting.proportions import Line

# What a share is of, as a reader says it.
_OF = {
    "due": "due occasions",
    "due, offers recorded": "due occasions, in units that record offers",
    "offered": "occasions with an offer",
    "answered": "occasions answered",
    "courses": "courses of one rater",
    "comparable": "courses begun 6 months ago or more that can be compared",
    "begun 6 months ago": "courses begun 6 months ago or more",
    "begun 28 days ago": "courses begun 28 days ago or more",
    "goals 6 months old": "goals begun 6 months ago or more",
    "30-day blocks": "full 30-day blocks in which a goal was active",
}


def caption(line: Line) -> str:
    """What the part of ``line`` is of, and at which threshold: "Of courses begun 6 months ago or more, at T"."""
    month = re.fullmatch(r"begun, month (\d+)", line.total)
    of = f"courses begun {month[1]} months ago or more" if month else _OF.get(line.total, line.total)
    threshold = line.part.partition(", at ")[2]
    return f"Of {of}{threshold and f', at {threshold}'}"


def words(name: str) -> str:
    """A quantity's name as a person reads it: what stands before ": " names the part, which the caption says."""
    return {ALL: "all"}.get(name, re.sub(r"[-_](?=[a-z])", " ", name.rpartition(": ")[2]))


def percent(share: float, low: float, high: float) -> str:
    """ "67 % (58 to 75)": a share with its interval."""
    return f"{100 * share:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


def signed(number: float) -> str:
    """With its sign, the true minus, and two decimals; nought has none."""
    return f"{number:+.2f}".replace("-", "−").replace("+0.00", "0.00").replace("−0.00", "0.00")
