"""FHIR dates as closed-open spans of time, in a text that sorts (R4 search: a date stands for all of its instants)."""

import calendar
import re
from datetime import UTC, datetime, timedelta
from typing import Any

BEGINNING, END = "0000", "9999-12-31T23:59:59.999999"
_PATTERN = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?)?)?"
)


def span(text: str) -> tuple[str, str]:
    """First instant and first instant after: ``2026-03`` is March. Without a zone it is UTC. Raises ValueError."""
    match = _PATTERN.fullmatch(text)
    try:
        if match:
            return _span(*match.groups())
    except ValueError:
        pass  # the thirteenth month
    raise ValueError(f"{text!r} is not a FHIR date")


def _span(
    year: str,
    month: str | None,
    day: str | None,
    hour: str | None,
    minute: str | None,
    second: str | None,
    fraction: str | None,
    zone: str | None,
) -> tuple[str, str]:
    """Parts that are not given are None."""
    if hour is None:
        start = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
        in_month = calendar.monthrange(start.year, start.month)[1]
        days = 1 if day else in_month if month else 365 + calendar.isleap(start.year)
        return _text(start), _after(start, timedelta(days=days))
    offset = "+00:00" if zone in (None, "Z") else zone
    start = datetime.fromisoformat(f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}{offset}")
    if second is None:
        return _text(start), _after(start, timedelta(minutes=1))
    if fraction is None:
        return _text(start), _after(start, timedelta(seconds=1))
    start += timedelta(microseconds=int(fraction[:6].ljust(6, "0")))
    return _text(start), _after(start, timedelta(microseconds=10 ** (6 - min(6, max(3, len(fraction))))))


def span_of(value: Any) -> tuple[str, str]:
    """The span of a date, dateTime or instant (text) or of a Period, whose missing end is open."""
    if isinstance(value, str):
        return span(value)
    start, end = value.get("start"), value.get("end")
    return (span(start)[0] if start else BEGINNING, span(end)[1] if end else END)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").rjust(26, "0")


def _after(moment: datetime, length: timedelta) -> str:
    try:
        return _text(moment + length)
    except OverflowError:
        return END
