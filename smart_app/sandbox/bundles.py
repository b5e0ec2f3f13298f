"""Search results as Bundles, page by page. Stored texts are joined, never parsed: a panel of 40 takes milliseconds."""

import json
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass

from .access import Access
from .fhir_store import FhirStore, Stored
from .outcome import FhirError
from .search import Search

SNAPSHOTS = 500


@dataclass(frozen=True)
class Snapshot:
    """What a search found, so that its later pages fit the first; for the token's family that asked."""

    search: Search
    numbers: tuple[int, ...]
    family: str


class Pages:
    """Searches that have further pages: the newest 500, in memory; an older link answers 410, as HAPI's do."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Snapshot] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, snapshot: Snapshot) -> str:
        key = secrets.token_urlsafe(16)
        with self._lock:
            self._kept[key] = snapshot
            if len(self._kept) > SNAPSHOTS:
                self._kept.popitem(last=False)
        return key

    def page(self, link: str, access: Access) -> tuple[str, Snapshot, int]:
        key, _, start = link.rpartition(".")
        with self._lock:
            snapshot = self._kept.get(key)
        if snapshot is None or snapshot.family != access.family or not start.isdecimal():
            raise FhirError(410, "expired", "this page is no longer kept: search again")
        return key, snapshot, int(start)


def searchset(
    store: FhirStore, pages: Pages, access: Access, snapshot: Snapshot, start: int, key: str, *, base: str, url: str
) -> str:
    """One page as the text of a Bundle; ``base`` is the FHIR base, ``url`` the address that was asked."""
    search, numbers = snapshot.search, snapshot.numbers
    head = {"resourceType": "Bundle", "id": secrets.token_hex(16), "type": "searchset"}
    if search.total or search.count_only:
        head["total"] = len(numbers)  # type: ignore[assignment]
    end = start + search.count
    links = [{"relation": "self", "url": url}]
    if end < len(numbers) and not search.count_only:
        key = key or pages.keep(snapshot)
        links.append({"relation": "next", "url": f"{base}?_page={key}.{end}"})
    head["link"] = links  # type: ignore[assignment]
    matches = [] if search.count_only else store.by_number(numbers[start:end])
    matches = [each for each in matches if access.permits(each.type, "s", each.patient)]
    entries = [_entry(each, base, "match") for each in matches]
    entries += [_entry(each, base, "include") for each in _included(store, access, search, matches)]
    text = json.dumps(head, ensure_ascii=False)
    return f'{text[:-1]}, "entry": [{",".join(entries)}]}}' if entries else text


def _entry(stored: Stored, base: str, mode: str) -> str:
    full_url = json.dumps(f"{base}/{stored.reference}")
    return f'{{"fullUrl": {full_url}, "resource": {stored.body}, "search": {{"mode": "{mode}"}}}}'


def _included(store: FhirStore, access: Access, search: Search, matches: list[Stored]) -> list[Stored]:
    found: dict[str, Stored] = {}
    for match in matches:
        for source, param in search.include:
            rows = store.database.connection.execute(
                "SELECT value FROM search_index WHERE param = ? AND resource = "
                "(SELECT number FROM resource WHERE type = ? AND id = ? AND type = ?)",
                (param, match.type, match.id, source),
            ).fetchall()
            targets = [value.split("/") for (value,) in rows if value.count("/") == 1]
            found |= {each.reference: each for each in (store.read(*target) for target in targets) if each}
        for source, param in search.revinclude:
            rows = store.database.connection.execute(
                "SELECT resource FROM search_index WHERE value = ? AND param = ? AND type = ?",
                (match.reference, param, source),
            ).fetchall()
            found |= {each.reference: each for each in store.by_number(number for (number,) in rows)}
    for match in matches:
        found.pop(match.reference, None)
    return [each for each in found.values() if access.permits(each.type, "r", each.patient)]
