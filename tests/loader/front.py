"""A FHIR server that stands before a real one, counts what is asked of it, and fails where a test says so."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from tests.wire_server import Exchange, serve

Fault = Callable[[Exchange], bool]  # True: it has answered, or cut the connection


@dataclass
class Front:
    """``before`` and ``after``: faults before a request is passed on, and when it has been done."""

    behind: str
    token: str = ""
    base: str = ""
    asked: list[str] = field(default_factory=list)
    before: Fault = lambda exchange: False
    after: Fault = lambda exchange: False

    @property
    def writes(self) -> Counter[str]:
        return Counter(each.split()[0] for each in self.asked if not each.startswith("GET"))

    def right(self) -> None:
        self.before = self.after = lambda exchange: False

    def pass_on(self, exchange: Exchange) -> None:
        request = exchange.request
        path = request.path.removeprefix("/fhir")
        self.asked.append(f"{request.method} {path}")
        if self.before(exchange):
            return
        reply = self.ask(request.method, path, data=request.body or None, headers=_passed(request.headers))
        if not self.after(exchange):
            headers = {
                name: reply.headers[name] for name in ("Content-Type", "Location", "ETag") if name in reply.headers
            }
            exchange.answer(reply.status_code, reply.content, headers)

    def ask(self, method: str, path: str, **options: object) -> requests.Response:
        """Of the real server, not counted."""
        headers = {"Content-Type": "application/fhir+json", "Cache-Control": "no-cache", **options.pop("headers", {})}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return requests.request(method, f"{self.behind}{path}", headers=headers, timeout=60, **options)


def _passed(headers: dict[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in headers.items()
        if name in ("accept", "content-type", "cache-control", "if-match", "if-none-exist", "prefer")
    }


@contextmanager
def front_of(behind: str, token: str = "") -> Iterator[Front]:
    front = Front(behind, token)
    with serve(front.pass_on) as server:
        front.base = f"{server.origin}/fhir"
        yield front
