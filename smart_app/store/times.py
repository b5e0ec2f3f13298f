"""Times as the store keeps them: whole milliseconds since 1970 UTC, comparable in every database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def to_ms(moment: datetime) -> int:
    """Raises ValueError for a time without a zone: it would mean another moment on another machine."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone. Pass an aware datetime.")
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def from_ms(value: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value)


def span_ms(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
