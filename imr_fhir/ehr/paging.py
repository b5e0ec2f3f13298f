"""The pages in which a server answers a search (R4, http.html, paging), each looked at before the next is asked for."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from imr_fhir.ehr.address import make_local, under
from imr_fhir.ehr.answer import id_of, objects_of, resource_in, resources_of
from imr_fhir.ehr.failure import failure
from imr_fhir.ehr.json_reader import read_json
from imr_fhir.ehr.outcome import said
from imr_fhir.ehr.resource_cache import CachedResource, ResourceCache
from imr_fhir.ehr.transport import Reply
from imr_fhir.errors import BadReply

PAGE = 500  # one round trip for nearly every chart; servers give fewer where they want to
PAGES = 50
_TELL = "Tell the EHR's administrator."

Params = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Found:
    """``foreign``: how many were dropped, being another patient's. ``said``: warnings of the EHR, each once."""

    resources: tuple[dict[str, Any], ...]
    foreign: int = 0
    truncated: bool = False
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """``resources`` as they stand, others than those searched for among them. ``next`` is "" on the last one; ``date``
    is the server's clock, as HTTP writes it."""

    resources: tuple[dict[str, Any], ...]
    next: str
    date: str


class Pages:
    """What the pages of one search of the server ``base`` gave so far; ``ours`` says whose a resource is. With a
    ``cache`` the resources are shared, and must not be changed."""

    def __init__(
        self,
        resource_type: str,
        base: str,
        ours: Callable[[Mapping[str, Any]], bool],
        cache: ResourceCache | None = None,
    ) -> None:
        self._type = resource_type
        self._base = base
        self._ours = ours
        self._read = partial(cache.read, base=base) if cache else read_json
        self.resources: dict[object, dict[str, Any]] = {}  # by id: one may stand on two pages when another was written
        self.said: dict[str, None] = {}
        self.foreign = 0
        self.bytes = 0
        self.seen: set[str] = set()

    def take(self, reply: Reply) -> str:
        """Adds one page; the address of the next, or "". Raises EhrError."""
        if reply.status != 200:
            raise failure(reply, f"to search for {self._type}")
        self.bytes += len(reply.body)
        bundle = resource_in(reply, "Bundle", self._read)
        for resource in resources_of(bundle):
            self._add(resource)
        url = next_page(bundle, self._base)
        if url in self.seen:
            raise BadReply("The EHR's pages lead in a circle.", next_step=_TELL)
        if url:
            self.seen.add(url)
        return url

    def _add(self, resource: dict[str, Any]) -> None:
        if resource.get("resourceType") == "OperationOutcome":  # search.mode outcome: what the EHR wants to say
            self.said |= dict.fromkeys(filter(None, [said(resource)]))  # Epic says the same on each page
        elif resource.get("resourceType") == self._type:
            if self._ours(resource):
                if not isinstance(resource, CachedResource):
                    make_local(resource, self._base)
                self.resources[id_of(resource) or len(self.resources)] = resource
            else:
                self.foreign += 1


def next_page(bundle: Mapping[str, Any], base: str) -> str:
    """The address of the page after ``bundle``, absolute, or "". Raises RefusedUrl where it leads away from ``base``,
    BadReply where it leads nowhere."""
    links = objects_of(bundle, "link")
    following = [link for link in links if link.get("relation") == "next"]
    if not following:
        return ""
    if not isinstance(following[0].get("url"), str):
        raise BadReply("The EHR says that there is a next page, but not where.", next_step=_TELL)
    return under(following[0]["url"], base)
