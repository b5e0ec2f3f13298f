"""A proportion by quarter as a drawing: a dot with its interval a rater, told apart by shape as well as colour."""

from collections.abc import Sequence
from dataclasses import dataclass

from imr_fhir.reporting.counting import ALL
from imr_fhir.reporting.proportions import Line
from imr_fhir.reporting.wording import Wording

WIDTH, HEIGHT = 640, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 12, 34


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    low: float
    high: float
    rater: str
    said: str  # "2026-Q1, client: 67 % (58 to 75), 40 of 60"


@dataclass(frozen=True, slots=True)
class Chart:
    """Places are pixels of a drawing ``width`` by ``height``."""

    title: str
    dots: tuple[Dot, ...]
    quarters: tuple[tuple[float, str], ...]
    levels: tuple[tuple[float, str], ...]
    raters: tuple[str, ...]
    width: int = WIDTH
    height: int = HEIGHT


def chart(part: Sequence[Line], wording: Wording) -> Chart | None:
    """Of the first row of interest, all units; None where no quarter can be shown."""
    row = next((line.row for line in part if line.of_interest), None)
    own = [line for line in part if line.row == row and line.quarter != ALL]
    shown = [line for line in own if line.share is not None]
    if not shown:
        return None
    quarters = sorted({line.quarter for line in own})
    raters = sorted({line.rater for line in own})
    step = (WIDTH - _LEFT - _RIGHT) / len(quarters)
    across = {quarter: _LEFT + step * (place + 0.5) for place, quarter in enumerate(quarters)}
    apart = min(9.0, step / 4)
    dots = (
        Dot(
            round(across[line.quarter] + (raters.index(line.rater) - (len(raters) - 1) / 2) * 2 * apart, 1),
            _height(line.share), _height(line.low), _height(line.high), line.rater, _said(line, wording),
        )
        for line in shown
    )  # fmt: skip
    levels = tuple((_height(level / 100), f"{level} %") for level in (0, 25, 50, 75, 100))
    return Chart(
        _title(shown[0], wording),
        tuple(dots),
        tuple((round(x, 1), q) for q, x in across.items()),
        levels,
        tuple(raters),
    )


def _height(share: float | None) -> float:
    return round(_TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - (share or 0)), 1)


def _title(line: Line, wording: Wording) -> str:
    row = wording.name(line.row)
    return wording.say("chart-of", row=row[0].upper() + row[1:], of=wording.caption(line))


def _said(line: Line, wording: Wording) -> str:
    rater = f", {wording.name(line.rater)}" if line.rater else ""
    return f"{line.quarter}{rater}: {wording.share(line)}, {wording.number(line)}"
