"""The chart with all that is said beside it: title, description, legend, and its figures as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imr_fhir.scale import Rater
from imr_fhir.trend import Trend
from smart_app.language import Words
from smart_app.presenters.line_chart import Drawing, draw
from smart_app.presenters.occasions import FigureRow


@dataclass(frozen=True, slots=True)
class ChartView:
    drawing: Drawing | None  # None where no rating is complete: then only the table
    description: str
    rows: tuple[FigureRow, ...]
    notes: tuple[str, ...]  # what the reader must know of the drawing


def chart_view(
    words: Words, trends: Sequence[Trend], rows: tuple[FigureRow, ...], names: Mapping[Rater, str]
) -> ChartView | None:
    """None where nobody has rated."""
    if not rows:
        return None
    drawn = [trend for trend in trends if trend.points]
    notes = []
    if any(len(trend.lines) > 1 for trend in drawn):
        notes.append(words.say("chart.break"))
    if any(start.low is not None for trend in drawn for start in trend.starts):
        notes.append(words.say("chart.band"))
    return ChartView(
        drawing=draw(words, drawn) if drawn else None,
        description=" ".join(_sentence(words, trend, names[trend.rater]) for trend in drawn),
        rows=rows,
        notes=tuple(notes),
    )


def _sentence(words: Words, trend: Trend, name: str) -> str:
    first, last = trend.points[0], trend.points[-1]
    if first is last:
        return words.say("chart.one", name=name, mean=words.number(first.mean), day=words.day(first.day))
    return words.say(
        "chart.several",
        name=name,
        n=len(trend.points),
        first=words.number(first.mean),
        first_day=words.day(first.day),
        last=words.number(last.mean),
        last_day=words.day(last.day),
    )
