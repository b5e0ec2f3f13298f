"""Tries again what a network or a busy server refused, and waits as long as the server says."""

import threading
from collections.abc import Callable
from typing import TypeVar

from imr_fhir.errors import Busy, LostReply, NotConnected, ServerFault

T = TypeVar("T")
Tell = Callable[[str], None]  # how far it is, for a person who waits

TRIES = 6  # in a row, with nothing gained: 2, 4, 8, 16 and 32 seconds between them
LONGEST = 300.0  # seconds at once, whatever the server says: then it is asked again, and says again


class Stopped(Exception):  # no fault of this part: another one ended the export
    pass


class Patience:
    """``wait``: sleeps, or returns at once where the export has ended: then Stopped is raised."""

    def __init__(self, wait: Callable[[float], object] | None = None) -> None:
        self._ended = threading.Event()
        self._wait = wait or self._ended.wait

    def stop(self) -> None:
        self._ended.set()

    def check(self) -> None:
        if self._ended.is_set():
            raise Stopped

    def pause(self, seconds: float) -> None:
        self.check()
        self._wait(min(max(seconds, 0), LONGEST))
        self.check()

    def insist(self, call: Callable[[], T], *, gained: Callable[[], object] = lambda: None) -> T:
        """``call`` until it succeeds; what is ``gained`` meanwhile begins the tries anew. Raises as the last one."""
        failed, before = 0, gained()
        while True:
            self.check()
            try:
                return call()
            except (NotConnected, LostReply, Busy, ServerFault) as error:
                self.check()
                now = gained()
                failed = 1 if now != before else failed + 1
                before = now
                if failed >= TRIES:
                    raise
                told = getattr(error, "retry_after", None)
                self.pause(2.0**failed if told is None else told)
