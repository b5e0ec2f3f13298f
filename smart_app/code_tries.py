"""How many wrong one-time codes are taken, so that nobody finds one by trying: by device, and by the app as a whole."""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime, timedelta

WITHIN = timedelta(minutes=10)  # as long as a code lives
# A whole hospital may have one address, and who uses it up shuts out the others: more than a ward gets wrong by chance.
# A code is one of 2^40 = 1.1 * 10^12. 100 in ten minutes are 14,400 a day, 300 are 43,200: with a hundred codes live at
# any time, one is found by trying once in 700 years.
FROM_ONE = 100  # by one address
FROM_ALL = 300


class CodeTries:
    """In memory, for one process. Once there are too many, right codes are refused as well until the oldest is old."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wrong: deque[tuple[datetime, str]] = deque()

    def too_many(self, address: str, now: datetime) -> bool:
        with self._lock:
            while self._wrong and now - self._wrong[0][0] > WITHIN:
                self._wrong.popleft()
            mine = sum(1 for _, other in self._wrong if other == address)
            return mine >= FROM_ONE or len(self._wrong) >= FROM_ALL

    def wrong(self, address: str, now: datetime) -> None:
        with self._lock:
            self._wrong.append((now, address))
