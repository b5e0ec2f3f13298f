"""What a hospital says of itself, asked by one request at a time: a slow hospital must not hold the app's workers.

Anybody may open `/launch`, so those who only wait there are few, and wait briefly.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from imr_fhir.ehr.discovery import SmartConfiguration
from imr_fhir.errors import EhrError, NotConnected

LIVES = timedelta(hours=1)
STALE_LIVES = timedelta(days=1)  # an EHR that fails may have its last good answer used for so long
WAIT = 2.0  # seconds that a request waits for another's answer, or for a newer one than it has
FAILURE_LIVES = 20.0  # seconds
MOMENT = 0.5  # seconds that a quick hospital's answer takes: for so long all who open the app at once wait for it
ANONYMOUS = 2  # requests of nobody in particular: one may ask, the other wait


class Discovered:
    """``ask`` takes the seconds that it may take, None: as the transport allows; raises EhrError."""

    def __init__(self, ask: Callable[[float | None], SmartConfiguration]) -> None:
        self._ask = ask
        self._changed = threading.Condition()
        self._asking = False
        self._anonymous = 0
        self._since = 0.0  # when the first of them came (monotonic)
        self._good: tuple[SmartConfiguration, datetime] | None = None
        self._failed: tuple[EhrError, float] | None = None  # and when it is forgotten (monotonic)

    def current(self, now: datetime, *, anonymous: bool = False, seconds: float | None = None) -> SmartConfiguration:
        """At most an hour old, or a day where the hospital does not answer; ``seconds`` may shorten the transport's
        deadline. Raises EhrError; NotConnected where it takes too long, or too many wait already."""
        with self._changed:
            known = self._known(now)
            if known is not None:
                return known
            if anonymous and self._anonymous >= ANONYMOUS:
                left = self._since + MOMENT - time.monotonic()
                self._changed.wait_for(lambda: self._known(now) or self._anonymous < ANONYMOUS, left)
                known = self._known(now)
                if known is not None:
                    return known
                if self._anonymous >= ANONYMOUS:
                    raise _slow()
            if anonymous and not self._anonymous:
                self._since = time.monotonic()
            self._anonymous += anonymous
        try:
            return self._wait_or_ask(now, seconds)
        finally:
            with self._changed:
                self._anonymous -= anonymous
                self._changed.notify_all()

    def _wait_or_ask(self, now: datetime, most: float | None) -> SmartConfiguration:
        began = time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: not self._asking or self._known(now), WAIT)
            known = self._known(now)
            if known is not None:
                return known
            if self._asking:
                raise _slow()
            self._asking = True
            left = None if most is None else most - (time.monotonic() - began)
            seconds = WAIT if self._usable(now) else left
        try:
            found = self._ask(seconds)
        except EhrError as error:
            return self._failure(error, now)
        else:
            self._good, self._failed = (found, now), None
            return found
        finally:
            with self._changed:
                self._asking = False
                self._changed.notify_all()

    def _failure(self, error: EhrError, now: datetime) -> SmartConfiguration:
        self._failed = error, time.monotonic() + FAILURE_LIVES
        stale = self._usable(now)
        if stale is None:
            raise error
        return stale

    def _known(self, now: datetime) -> SmartConfiguration | None:
        """What needs no question: a fresh answer; a stale one while somebody asks or the hospital has just failed."""
        if self._good is not None and now - self._good[1] <= LIVES:
            return self._good[0]
        failed = self._failed if self._failed and time.monotonic() < self._failed[1] else None
        stale = self._usable(now)
        if stale is not None and (self._asking or failed):
            return stale
        if failed:
            raise failed[0].with_traceback(None)
        return None

    def _usable(self, now: datetime) -> SmartConfiguration | None:
        return self._good[0] if self._good is not None and now - self._good[1] <= STALE_LIVES else None


def _slow() -> NotConnected:
    return NotConnected("The hospital takes long to say where its log-in is.", next_step="Try again in a minute.")
