"""What the panel of each launch showed last, for as long as it would show the same again.

From one view of a chart to the next mostly nothing changes, and to work the page out takes longer than to see that. It
follows from its `Source` alone, so as long as that is the same, so is the page.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from imr_fhir.ehr.chart import Chart
from smart_app.language import Words
from smart_app.presenters.situation import Situation

SECONDS = 15 * 60  # as long as a launch may be idle
MOST = 64  # launches; of a chart of ten years some 3 MB each, most of which the hospital's ResourceCache holds anyway


@dataclass(frozen=True, slots=True)
class Source:
    """All that the panel of one launch is worked out from, but for what each of its forms has anew (`csrf_field`)."""

    chart: Chart
    situation: Situation
    words: Words

    def repeats(self, other: "Source") -> bool:
        rest = (self.situation, self.words) == (other.situation, other.words)
        return rest and self.chart.repeats(other.chart)


class PanelsShown:
    """Used by all requests side by side."""

    def __init__(self, *, seconds: float = SECONDS, most: int = MOST) -> None:
        self._seconds = seconds
        self._most = most
        self._last: OrderedDict[str, tuple[Source, list[Markup], float]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, launch_id: str, source: Source, csrf_field: Markup, work: Callable[[], Markup]) -> Markup:
        """The panel of this launch: as it was last, where that was of the same source, else what ``work`` gives.

        Its forms get this request's ``csrf_field``, which ``work`` writes; nobody can have typed that text.
        """
        last = self._last.get(launch_id)
        if last and time.monotonic() - last[2] < self._seconds and source.repeats(last[0]):
            return csrf_field.join(last[1])
        shown = work()
        with self._lock:
            self._last[launch_id] = source, shown.split(csrf_field), time.monotonic()
            self._last.move_to_end(launch_id)
            while len(self._last) > self._most:
                self._last.popitem(last=False)
        return shown

    def forget(self) -> None:
        """Lets go of what is older than it may be."""
        since = time.monotonic() - self._seconds
        with self._lock:
            while self._last and next(iter(self._last.values()))[2] < since:
                self._last.popitem(last=False)
