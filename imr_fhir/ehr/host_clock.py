"""How far a hospital's clock is from ours, by the ``Date`` of its replies (RFC 9110, 6.6.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache

WARN = timedelta(seconds=60)  # off by more: times may be wrong, and pages say so
NO_FILING = timedelta(minutes=5)  # off by more: what is filed would have a wrong time
_WHOLE_SECONDS = timedelta(seconds=1)  # Date leaves out what is below


@dataclass(frozen=True, slots=True)
class SeenClock:
    """``date`` as the host said it, in a reply to a request that began and ended at these readings of a monotonic
    clock: it was true at some moment between them."""

    date: datetime
    began: float
    ended: float

    def off(self, now: datetime, monotonic: float) -> timedelta:
        """How far it is at least from ours, either way; ``now`` and ``monotonic`` are one moment."""
        began, ended = (now - timedelta(seconds=monotonic - moment) for moment in (self.began, self.ended))
        return max(began - (self.date + _WHOLE_SECONDS), self.date - ended, timedelta())


def seen_clock(headers: Mapping[str, str], began: float, ended: float) -> SeenClock | None:
    """None where the reply has no date, or a cache answered with an old one."""
    if headers.get("Age", "0").strip() != "0":
        return None
    try:
        date = _date(headers.get("Date", ""))
    except ValueError:
        return None
    return SeenClock(date if date.tzinfo else date.replace(tzinfo=UTC), began, ended)


@lru_cache(8)  # all replies for one page have the same one
def _date(text: str) -> datetime:
    return parsedate_to_datetime(text)
