"""Both raters' means over time as an SVG: a true time axis, lines that break, bands around the first ratings.

Geometry only: what may be drawn is worked out in imr_fhir.trend. A narrow screen shows the same drawing with larger
letters (app.css), so room for labels is reckoned with those.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from imr_fhir.scale import RATING_MAX, Rater
from imr_fhir.trend import Point, Start, Trend
from smart_app.language import Words
from smart_app.presenters.tracks import circle, diamond, number

WIDTH, HEIGHT = 520, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 500, 22, 208
_INSET = 24  # so that the first and the last mark have room for their figures
_LETTER, _LINE = 10.5, 19  # width and height of a character on the narrow screen
_MANY = 16  # days with a rating from which marks get small, and figures few
_DIAMOND = 1.2  # by which a diamond reaches further than a circle that looks as large
_SHORTEST_DAYS = 120  # of the axis: two ratings a few weeks apart don't look like a year
_MONTHS_DAYS = 800  # up to here months are named, beyond it years


@dataclass(frozen=True, slots=True)
class Label:
    x: str
    y: str
    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """SVG path data and labels in a box of WIDTH by HEIGHT; a rater without such marks is absent."""

    grid: str
    ticks: str
    bands: Mapping[Rater, str]
    lines: Mapping[Rater, str]
    marks: Mapping[Rater, str]
    firsts: Mapping[Rater, str]  # where each began: open marks
    scale: tuple[Label, ...]  # 1 to 5 beside the lines
    times: tuple[Label, ...]
    values: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class _Mark:
    rater: Rater
    point: Point
    begins: bool
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: _Box) -> bool:
        beside = self.left < other.right and other.left < self.right
        return beside and self.top < other.bottom and other.top < self.bottom


def draw(words: Words, trends: Iterable[Trend]) -> Drawing:
    """The drawing of trends that have at least one point between them."""
    trends = [trend for trend in trends if trend.points]
    days = sorted({point.day for trend in trends for point in trend.points})
    axis = _Axis(days[0], max((days[-1] - days[0]).days, _SHORTEST_DAYS))
    many = len(days) >= _MANY
    radius = 3.6 if many else 6.5
    marks = _apart([mark for trend in trends for mark in _marks(trend, axis)], radius)
    ticks, times = axis.times(words, days)
    return Drawing(
        grid="".join(f"M{_LEFT} {number(_y(mean))}H{WIDTH - 6}" for mean in range(1, RATING_MAX + 1)),
        ticks=ticks,
        bands={trend.rater: path for trend in trends if (path := _bands(trend.starts, axis))},
        lines={trend.rater: path for trend in trends if (path := _lines(trend, marks))},
        marks=_paths((mark for mark in marks if not mark.begins), radius),
        firsts=_paths((mark for mark in marks if mark.begins), radius),
        scale=tuple(Label("24", number(_y(mean) + 5), str(mean)) for mean in range(1, RATING_MAX + 1)),
        times=times,
        values=_values(words, marks, radius, few=many),
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    start: date
    days: int

    def x(self, day: date) -> float:
        return _LEFT + _INSET + (day - self.start).days / self.days * (_RIGHT - _LEFT - 2 * _INSET)

    def times(self, words: Words, days: Sequence[date]) -> tuple[str, tuple[Label, ...]]:
        """Months of the ratings, or years where there are many; the latest first, as many as there is room for."""
        if self.days > _MONTHS_DAYS:
            marks = [(date(year, 1, 1), str(year)) for year in range(days[0].year + 1, days[-1].year + 1)]
        else:
            marks = [(day, words.short_month(day)) for day in days]
        labels: list[Label] = []
        ticks = ""
        free = float(WIDTH)
        for day, text in reversed(marks):
            half = len(text) * _LETTER / 2
            x = min(self.x(day), WIDTH - half)
            if x + half <= free and x - half >= 0:
                labels.append(Label(number(x), str(_BOTTOM + 26), text))
                ticks += f"M{number(self.x(day))} {_BOTTOM}v6"
                free = x - half - _LETTER
        return ticks, tuple(reversed(labels))


def _y(mean: float) -> float:
    return _BOTTOM - (mean - 1) / (RATING_MAX - 1) * (_BOTTOM - _TOP)


def _marks(trend: Trend, axis: _Axis) -> Iterator[_Mark]:
    starts = {start.point for start in trend.starts}
    for point in trend.points:
        yield _Mark(trend.rater, point, point in starts, axis.x(point.day), _y(float(point.mean)))


def _apart(marks: Sequence[_Mark], radius: float) -> list[_Mark]:
    """Where two raters' marks would cover one another, both move sideways."""
    others = sorted((mark.x, place) for place, mark in enumerate(marks) if mark.rater == "clinician")
    moved: dict[int, float] = {}
    for this, mark in enumerate(marks):
        if mark.rater == "client":
            for x, other in others[bisect(others, (mark.x - 2 * radius,)) : bisect(others, (mark.x + 2 * radius,))]:
                if abs(mark.y - marks[other].y) < 2 * radius:
                    middle = (mark.x + x) / 2
                    moved[this], moved[other] = middle - radius - 1, middle + radius + 1
    return [replace(mark, x=moved[place]) if place in moved else mark for place, mark in enumerate(marks)]


def _lines(trend: Trend, marks: Iterable[_Mark]) -> str:
    places = {mark.point: f"{number(mark.x)} {number(mark.y)}" for mark in marks if mark.rater == trend.rater}
    return "".join("M" + "L".join(places[point] for point in line) for line in trend.lines if len(line) > 1)


def _paths(marks: Iterable[_Mark], radius: float) -> dict[Rater, str]:
    paths: dict[Rater, str] = {}
    for mark in marks:
        draws = circle(mark.x, mark.y, radius) if mark.rater == "client" else diamond(mark.x, mark.y, radius + _DIAMOND)
        paths[mark.rater] = paths.get(mark.rater, "") + draws
    return paths


def _bands(starts: Iterable[Start], axis: _Axis) -> str:
    path = ""
    for start in starts:
        if start.low is not None and start.high is not None:
            left = axis.x(start.point.day)
            right = max(min(axis.x(start.until), _RIGHT), left + _INSET)
            top, bottom = _y(float(start.high)), _y(float(start.low))
            path += f"M{number(left)} {number(top)}H{number(right)}V{number(bottom)}H{number(left)}z"
    return path


def _values(words: Words, marks: Sequence[_Mark], radius: float, *, few: bool) -> tuple[Label, ...]:
    """As many figures as fit without covering a mark or one another; ``few``: the latest and the starts only."""
    reach = radius + _DIAMOND
    taken = [_Box(mark.x - reach, mark.y - reach, mark.x + reach, mark.y + reach) for mark in marks]
    labels: list[Label] = []
    for this in _order(marks, few=few):
        mark, text = marks[this], words.number(marks[this].point.mean)
        half = len(text) * _LETTER / 2
        for x, y in _sides(mark, marks, reach, half):
            box = _Box(x - half, y - _LINE + 4, x + half, y + 3)
            fits = box.left >= _LEFT - 4 and box.right <= WIDTH and box.top >= 0 and box.bottom <= _BOTTOM + 8
            if fits and not any(box.meets(other) for place, other in enumerate(taken) if place != this):
                taken.append(box)
                labels.append(Label(number(x), number(y), text))
                break
    return tuple(labels)


def _order(marks: Sequence[_Mark], *, few: bool) -> list[int]:
    """Places in ``marks``, most telling first: each rater's latest, then the starts, then the rest from the latest."""
    latest = {mark.rater: place for place, mark in enumerate(marks)}
    rest = sorted(range(len(marks)), key=lambda place: marks[place].point.day, reverse=True)
    starts = [place for place in rest if marks[place].begins]
    return list(dict.fromkeys([*latest.values(), *starts, *([] if few else rest)]))


def _sides(mark: _Mark, marks: Iterable[_Mark], reach: float, half: float) -> list[tuple[float, float]]:
    """Where a figure may stand, best first: above, or below the lower one of two marks; else to the right."""
    above, below = (mark.x, mark.y - reach - 4), (mark.x, mark.y + reach + _LINE - 3)
    near = [other for other in marks if other.rater != mark.rater and abs(other.x - mark.x) < 4 * _LETTER]
    lower = any(mark.y > other.y or (mark.y == other.y and mark.rater == "clinician") for other in near)
    return [*((below, above) if lower else (above, below)), (mark.x + reach + half + 3, mark.y + 5)]
