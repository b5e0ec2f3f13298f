"""One item's answers on one track of five: where each rater is now, and where each began.

Client ● and clinician ◆ differ by shape as well as colour. No mark hides another: what is now stands on the line, side
by side where both chose the same; where the client began ○ stands above it, where the clinician began ◇ below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from imr_fhir.scale import NA, RATING_MAX

WIDTH, HEIGHT = 280, 36
_LINE = HEIGHT // 2
_LEFT, _STEP = 20, 60
_BESIDE = 8  # half the distance between two marks that share a place


def place(rating: int) -> int:
    """x of a rating from 1 to 5."""
    return _LEFT + _STEP * (rating - 1)


_SCALE = f"M{place(1)} {_LINE}H{place(RATING_MAX)}" + "".join(
    f"M{place(rating)} {_LINE - 4}v8" for rating in range(1, RATING_MAX + 1)
)


@dataclass(frozen=True, slots=True)
class Marks:
    """Ratings 1..5, or None where there is none: not rated, or not applicable."""

    client: int | None
    clinician: int | None
    client_first: int | None
    clinician_first: int | None


@dataclass(frozen=True, slots=True)
class Track:
    """SVG path data in a box of 280 by 36; "" where there is no such mark."""

    client: str
    clinician: str
    client_first: str
    clinician_first: str
    between: str  # the line from one rater's mark to the other's
    wide: bool  # drawn thicker: offered as something to talk about

    @property
    def scale(self) -> str:
        """The line and its five places, the same for all."""
        return _SCALE


@lru_cache(maxsize=4096)  # a track is one of some thousand, and a panel draws fifteen
def track(marks: Marks, *, wide: bool) -> Track | None:
    """The track of one item, None where nobody has rated it on the scale."""
    if marks == Marks(None, None, None, None):
        return None
    together = _BESIDE if marks.client is not None and marks.client == marks.clinician else 0
    between = ""
    if marks.client and marks.clinician and not together:
        between = f"M{place(marks.client)} {_LINE}H{place(marks.clinician)}"
    return Track(
        client="" if marks.client is None else circle(place(marks.client) - together, _LINE, 7),
        clinician="" if marks.clinician is None else diamond(place(marks.clinician) + together, _LINE, 8),
        client_first="" if marks.client_first is None else circle(place(marks.client_first), 5, 3.5),
        clinician_first="" if marks.clinician_first is None else diamond(place(marks.clinician_first), HEIGHT - 5, 4),
        between=between,
        wide=wide,
    )


def rating_on_track(rating: int | None) -> int | None:
    """A rating that has a place on the track: "not applicable" has none."""
    return None if rating in (None, NA) else rating


def circle(x: float, y: float, radius: float) -> str:
    """Path data of a circle."""
    r, across = number(radius), number(2 * radius)
    return f"M{number(x - radius)} {number(y)}a{r} {r} 0 1 0 {across} 0a{r} {r} 0 1 0-{across} 0z"


def diamond(x: float, y: float, half: float) -> str:
    """Path data of a square on its corner."""
    h = number(half)
    return f"M{number(x)} {number(y - half)}l{h} {h}-{h} {h}-{h}-{h}z"


def number(value: float) -> str:
    """The shortest text of a coordinate to a tenth of a unit."""
    return f"{value:.1f}".removesuffix(".0")
