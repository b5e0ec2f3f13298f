"""What the resources of a search say, kept for as long as the EHR answers with the very same text.

Each page of the app asks the EHR for the whole chart, and nearly all of it comes as it came before. What a text says
follows from the text alone, so it is looked up by the text: nobody is shown what the EHR did not give them just now,
and what it changed is another text.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from sys import getsizeof
from typing import Any, TypeVar

from imr_fhir.ehr.address import make_local
from imr_fhir.ehr.bundle_reader import LEVELS, read_bundle
from imr_fhir.ehr.json_reader import read_value, text_of

T = TypeVar("T")

SECONDS = 15 * 60  # as long as a launch may be idle
BYTES = 170_000_000  # of memory, by `weight`: some 35 charts of ten years, which take 100 MB of it

# Characters by which a resource is looked up; then all of it is compared. Some servers write the id last, so they must
# hold what else differs: the version, or the filing's tag.
_HEAD = 400


class CachedResource(dict[str, Any]):
    """A resource that requests share, so it is never changed; a copy is a plain dict. What is worked out of it goes
    with it."""

    __slots__ = ("_worked_out",)

    def __init__(self, found: Mapping[str, Any]) -> None:
        super().__init__(found)
        self._worked_out: dict[Hashable, Any] = {}

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)


def once(raw: Mapping[str, Any], what: Hashable, work: Callable[[], T]) -> T:
    """What ``work`` gives, from a shared resource at most once: it follows from ``raw`` and ``what`` alone."""
    if not isinstance(raw, CachedResource):
        return work()
    known = raw._worked_out
    if what not in known:
        known[what] = work()
    return known[what]  # type: ignore[no-any-return]


def weight(text: str) -> int:
    """Bytes that a resource of this text takes, with what it says and what is worked out of it: three quarters too
    many for our own, and no fewer for any other, such as ten megabytes of empty lists."""
    wide = "\\" in text and "\\u" in text  # one escape may make all of its string as wide as it is
    strings = getsizeof(text) * (4 if wide else 1)
    values = 250 * text.count("{") + 90 * text.count("[") + 130 * text.count(",")
    return 3_500 + getsizeof(text) + 2 * strings + values


class ResourceCache:
    """For one hospital; used by all its requests side by side."""

    def __init__(self, *, seconds: float = SECONDS, most: int = BYTES) -> None:
        self._seconds = seconds
        self._most = most
        # The oldest first: a dict would look for it anew past all that were let go since it last grew.
        self._kept: OrderedDict[tuple[str, str], tuple[str, CachedResource, float, int]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def read(self, body: bytes, base: str) -> Any:
        """The same as `read_json` of a Bundle that the server ``base`` sent. Its entries' resources are shared and made
        local (`imr_fhir.ehr.address.make_local`), but for those of an odd Bundle: no CachedResource. Raises NotJson."""
        return read_bundle(text_of(body), lambda text, start: self._resource(text, start, base))

    def forget(self) -> None:
        """Lets go of what is older than it may be, also where nothing new comes."""
        with self._lock:
            self._shrink()

    def _resource(self, text: str, start: int, base: str) -> tuple[CachedResource, int]:
        head = (base, text[start : start + _HEAD])
        kept = self._kept.get(head)
        if kept and text.startswith(kept[0], start) and time.monotonic() - kept[2] < self._seconds:
            return kept[1], start + len(kept[0])  # what begins with a whole object is this object
        found, end = read_value(text, start, levels=LEVELS)
        make_local(found, base)
        resource, own = CachedResource(found), text[start:end]
        taken = weight(own)
        with self._lock:
            self._drop(head)
            self._kept[head] = own, resource, time.monotonic(), taken
            self._size += taken
            self._shrink()
        return resource, end

    def _shrink(self) -> None:
        since = time.monotonic() - self._seconds
        while self._kept:
            head, (_, _, when, _) = next(iter(self._kept.items()))
            if when > since and self._size <= self._most:
                return
            self._drop(head)

    def _drop(self, head: tuple[str, str]) -> None:
        if kept := self._kept.pop(head, None):
            self._size -= kept[3]
