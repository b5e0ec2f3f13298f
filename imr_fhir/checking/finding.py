"""One line of the report on an EHR: what was looked at, what came of it, and by what that is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["yes", "no", "fails", "unadvertised", "unknown"]
Area = Literal["server", "smart", "read", "write", "clean-up"]

WORDS: Mapping[Verdict, str] = {
    "yes": "yes",
    "no": "no",
    "fails": "says yes but fails",
    "unadvertised": "works though not advertised",
    "unknown": "can't tell",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """``evidence``: a status and a sentence; of the EHR's own words as `imr_fhir.ehr.outcome` lets them through.

    ``needed``: the app uses it. What it can do without, or what only others want, is told and counts for nothing.
    """

    area: Area
    what: str
    verdict: Verdict
    evidence: str
    next_step: str = ""
    needed: bool = True
    unseen: bool = False  # tried, and nobody could see what came of it

    @property
    def wanting(self) -> bool:
        return self.needed and self.verdict in ("no", "fails")


def verdict(*, advertised: bool | None, works: bool | None) -> Verdict:
    """``advertised`` None: the server says nothing of it. ``works`` None: it was not tried, or nobody could see."""
    if works is None:
        return "unknown"
    if works:
        return "unadvertised" if advertised is False else "yes"
    return "fails" if advertised else "no"
