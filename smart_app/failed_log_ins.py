"""Failed log-ins in the audit log: one row a minute and site, since anybody can make them without a log-in."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta

from smart_app.store.audit import Audit, Entry
from smart_app.store.who import Who

_APART = timedelta(minutes=1)


class FailedLogIns:
    """The first is written at once; those of the minute after it are counted, and written by the next or by ``flush``.

    What is counted and not yet written is lost with the process, at most a minute of it.
    """

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._lock = threading.Lock()
        self._counted: dict[str, Counter[str]] = {}
        self._written: dict[str, datetime] = {}

    def note(self, site: str, kind: str, now: datetime) -> None:
        """``kind`` is the error's class."""
        with self._lock:
            self._counted.setdefault(site, Counter())[kind] += 1
            self._write(site, now)

    def flush(self, now: datetime, *, last: bool = False) -> None:
        """Once a minute; ``last``: the app stops, so all that is counted is written."""
        with self._lock:
            for site in tuple(self._counted):
                self._write(site, now, at_once=last)

    def _write(self, site: str, now: datetime, *, at_once: bool = False) -> None:
        written = self._written.get(site)
        if not at_once and written is not None and written <= now < written + _APART:
            return
        kinds = self._counted[site].items()
        purpose = ", ".join(kind if count == 1 else f"{kind} {count} times" for kind, count in kinds)
        self._audit.record(Entry("log-in", "failed", Who(""), site, purpose=purpose), now)
        del self._counted[site]
        self._written[site] = now
