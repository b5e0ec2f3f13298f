"""Requests that wait for one hospital have so many places, that one that is slow leaves workers for all else: another
hospital's pages, those that ask no EHR, and whoever watches the app."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from flask import Flask, g

from imr_fhir.errors import NotConnected

SLOW = 3.0  # seconds: who has waited longer shows that the hospital is slow, and nobody waits longer for a place


class Places:
    """Of one hospital. As long as it is quick each gets one soon, however many come at once."""

    def __init__(self, most: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._since: dict[Place, float] = {}

    def enter(self, place: Place) -> None:
        """Raises NotConnected where all are taken and none gets free: at once where all who have one wait long."""
        with self._changed:
            ends = self._monotonic() + SLOW
            while len(self._since) >= self._most:
                left = min(ends, max(self._since.values()) + SLOW) - self._monotonic()
                if left <= 0:
                    raise NotConnected(
                        f"{self._most} requests wait for this hospital already, which is slow.",
                        next_step="Nothing was sent. Try again in a minute.",
                    )
                self._changed.wait(left)
            self._since[place] = self._monotonic()

    def leave(self, place: Place) -> None:
        with self._changed:
            if self._since.pop(place, None) is not None:
                self._changed.notify()


class Place:
    """One request's: taken when it first asks the hospital, from whatever thread, and left when its answer is out."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._settled = False
        self._refused: NotConnected | None = None

    def take(self) -> None:
        """Raises NotConnected, to all calls of the request the same."""
        with self._lock:
            if self._refused:
                raise self._refused.with_traceback(None)
            if self._settled:
                return
            try:
                self._places.enter(self)
            except NotConnected as error:
                self._refused = error
                raise
            self._settled = True

    def leave(self) -> None:
        with self._lock:
            self._settled = True
            self._places.leave(self)


def place_among(places: Places) -> Place:
    """This request's."""
    if "place" not in g:
        g.place = Place(places)
    place: Place = g.place
    return place


def init_places(app: Flask) -> None:
    @app.teardown_request
    def leave(_error: BaseException | None) -> None:
        if "place" in g:
            g.place.leave()
