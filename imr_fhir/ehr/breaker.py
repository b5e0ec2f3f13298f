"""A host that fails again and again is left alone for a while, so that its silence holds up nobody else's requests.

After ``failures`` in a row nothing is sent to it for ``rest`` seconds; then one request may try, and an answer to it,
or to any that goes out anyway, ends the rest. In memory, for one process: each finds out for itself.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from imr_fhir.errors import NotConnected


@dataclass(frozen=True, slots=True)
class Thresholds:
    """``fair``: a call that was given less than these seconds says nothing of the host when its time is up."""

    failures: int
    rest: float
    fair: float


THRESHOLDS = Thresholds(failures=5, rest=15, fair=2)


class Breaker:
    def __init__(self, thresholds: Thresholds = THRESHOLDS, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._thresholds = thresholds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0

    def check(self) -> None:
        """Raises NotConnected while the host is left alone."""
        with self._lock:
            left = self._until - self._monotonic() if self._failures >= self._thresholds.failures else 0
        if left > 0:
            raise self._left_alone(left)

    def enter(self) -> None:
        """Before a request is sent: after a rest, one tries and the others go on waiting. Raises as ``check``."""
        with self._lock:
            if self._failures < self._thresholds.failures:
                return
            left = self._until - self._monotonic()
            if left <= 0:
                self._until = self._monotonic() + self._thresholds.rest
                return
        raise self._left_alone(left)

    def answered(self) -> None:
        with self._lock:
            self._failures = 0

    def failed(self, seconds: float) -> None:
        """No answer, or a server's fault, in a call that was given ``seconds``."""
        if seconds < self._thresholds.fair:
            return
        with self._lock:
            self._failures += 1
            self._until = self._monotonic() + self._thresholds.rest

    def _left_alone(self, left: float) -> NotConnected:
        return NotConnected(
            f"This hospital gave no good answer {self._thresholds.failures} times in a row or more.",
            next_step=f"Nothing was sent. Try again in {math.ceil(left)} seconds.",
        )
