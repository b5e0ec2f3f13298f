"""In what shapes a site keeps the score of one response, and by which identifiers it is known.

``components``: one Observation. ``members``: a panel, and an Observation an item and figure that it refers to (as US
Core prefers). ``flat``: an Observation a figure in the site's own codes and no panel (as Epic's flowsheets).
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from imr_fhir.observation import StoredScore
from imr_fhir.resource import Coding
from imr_fhir.scale import ITEM_COUNT, RATERS, Rater

Shape = Literal["components", "members", "flat"]
SHAPES: tuple[Shape, ...] = ("components", "members", "flat")

FIGURES = ("rated", "sum", "mean")
# What a site must have codes for, or an occasion could not be read back whole: a sum is there where the form was ended
# with all 15 answered, and as many items as were rated.
NEEDED = ("rated", "sum", *(f"{number:02}" for number in range(1, ITEM_COUNT + 1)))

Codes = Mapping[Rater, Mapping[str, Coding]]  # of a site: "06" or a figure -> its Coding
NO_CODES: Codes = {}


@dataclass(frozen=True, slots=True)
class StoredFigure:
    """One Observation of several, as the EHR has it."""

    id: str
    version_id: str
    identifier: str


@dataclass(frozen=True, slots=True)
class StoredRating:
    """A score as the EHR has it in ``shape``. ``figures``: its Observations by code ("06", "sum") but for the panel."""

    shape: Shape
    score: StoredScore
    figures: Mapping[str, StoredFigure] = field(default_factory=dict)


def covers(codes: Codes, raters: Iterable[Rater]) -> bool:
    """Whether the site's codes hold a whole rating of each of ``raters``."""
    return all(name in codes.get(rater, {}) for rater in raters for name in NEEDED)


def score_urn(response_urn: str) -> str:
    """The score's own identifier, which follows from the response's, so that a retry never makes a second one."""
    return f"urn:uuid:{uuid.uuid5(uuid.UUID(response_urn), 'score')}"


def stored_urns(response_urn: str) -> tuple[str, str]:
    """By which of its scores' identifiers a rating is known where it is read from them: of the whole, and, where there
    is no whole, of the first figure."""
    whole = score_urn(response_urn)
    return whole, figure_urn(whole, FIGURES[0])


def figure_urn(whole: str, name: str) -> str:
    """The same of one Observation of several, by its code ("06", "sum")."""
    return f"urn:uuid:{uuid.uuid5(uuid.UUID(whole), name)}"


def flat_codings(codes: Codes) -> dict[tuple[str, str], tuple[Rater, str]]:
    """(system, code) of the site -> whose figure it is, and which."""
    return {
        (coding["system"], coding["code"]): (rater, name)
        for rater in RATERS
        for name, coding in codes.get(rater, {}).items()
    }


def code_of(component: Mapping[str, Any]) -> str:
    """Of a component as we write it."""
    return str(component["code"]["coding"][0]["code"])
