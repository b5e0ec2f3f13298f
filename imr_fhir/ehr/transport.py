"""The one place that speaks HTTP: allowed hosts only, no redirects, one deadline, bounded bytes.

It knows requests and replies, no FHIR and no OAuth. What it says of a failure is what filing needs to know: nothing was
sent (NotConnected), or something may have been (LostReply).
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.exceptions import HTTPError

from imr_fhir.ehr import address, wire
from imr_fhir.ehr.adapter import Adapter, PlainRequest
from imr_fhir.ehr.breaker import THRESHOLDS, Breaker, Thresholds
from imr_fhir.ehr.host_clock import SeenClock, seen_clock
from imr_fhir.ehr.json_reader import read_json
from imr_fhir.ehr.limits import LIMITS, Limit
from imr_fhir.ehr.no_reply import no_reply
from imr_fhir.errors import BadReply, LostReply, NotConnected, RefusedUrl

T = TypeVar("T")

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_AT_ONCE = 1.0  # second in which one's turn came, where one waited for nobody
_OWN_HEADERS = frozenset({"authorization", "host", "content-length", "transfer-encoding"})

# urllib3's DEBUG line prints whole addresses, and those of a search name the patient.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply. ``headers`` don't care for case; a redirect is a reply like any other, and nobody follows it."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; raises NotJson."""
        return read_json(self.body)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A reply whose body is still to come: ``pieces`` gives it once, unpacked, and raises as ``Transport.send``."""

    status: int
    headers: Mapping[str, str]
    pieces: Iterator[bytes]


def may_be_added(name: str, value: str) -> bool:
    """Whether a site may have this header on each request: it is a header, and none that a request has of its own."""
    plain = value.isascii() and value.isprintable()
    return plain and bool(_HEADER_NAME.fullmatch(name)) and name.lower() not in _OWN_HEADERS


class Transport:
    """Requests to the hosts of one site.

    ``allowed_hosts`` are origins (``https://host[:port]``); http only for this machine and only with
    ``allow_loopback_http``. ``ca`` is a file of certificate authorities instead of the public ones. At most ``pool``
    requests are under way at once, and a host that fails ``thresholds.failures`` times in a row is left alone for a
    while. ``to_allow`` tells a person how another host is named. No proxy, ``~/.netrc`` or other setting of the
    environment is read.
    """

    def __init__(
        self,
        allowed_hosts: Collection[str],
        *,
        allow_loopback_http: bool = False,
        extra_headers: Mapping[str, str] | None = None,
        pool: int = 8,
        ca: str | None = None,
        user_agent: str = "imr-fhir",
        limits: Mapping[str, Limit] = LIMITS,
        thresholds: Thresholds = THRESHOLDS,
        to_allow: str = "add it to the site's allowed hosts",
    ) -> None:
        self._to_allow = to_allow
        self._allowed = frozenset(address.parse(origin).origin for origin in allowed_hosts)
        self._allow_loopback_http = allow_loopback_http
        self._bare = {"User-Agent": user_agent, "Accept-Encoding": "gzip"}
        self._headers = {**self._bare, **(extra_headers or {})}
        self._slots = threading.BoundedSemaphore(pool)
        self._pool = pool
        self._threads = ThreadPoolExecutor(pool, "side-by-side")  # kept: to start five for a page costs 0.3 ms of it
        self._limits = limits
        self._clocks: dict[str, SeenClock] = {}
        self._breakers = {origin: Breaker(thresholds) for origin in self._allowed}
        self._adapter = Adapter(self._allowed, ca or DEFAULT_CA_BUNDLE_PATH, pool)

    def beside(self, call: Callable[[], T]) -> Future[T]:
        """Begins ``call`` beside what else is under way, as many at once as requests; it must wait for no other one."""
        return self._threads.submit(call)

    def seconds(self, purpose: str) -> float:
        """How long one call for ``purpose`` may take."""
        return self._limits[purpose].seconds

    def check(self, url: str) -> str:
        """``url`` if we may call it; raises RefusedUrl."""
        self._checked(url)
        return url

    def _checked(self, url: str) -> address.Address:
        target = address.parse(url)
        if target.scheme == "http" and not (self._allow_loopback_http and target.host in address.LOOPBACK):
            raise RefusedUrl(
                f"{target.origin} is not encrypted, so it is not called.", next_step="Use the hospital's https address."
            )
        if target.origin not in self._allowed:
            raise RefusedUrl(
                f"{target.origin} is not one of this site's hosts, so it is not called.",
                next_step=f"If it belongs to the hospital, {self._to_allow.format(host=address.origin(url))}.",
            )
        return target

    def send(
        self,
        method: str,
        url: str,
        *,
        purpose: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        seconds: float | None = None,
        in_turn: bool = False,
    ) -> Reply:
        """One request and its whole reply, whatever its status.

        ``purpose`` names the row of limits; ``seconds`` may shorten its deadline: ``in_turn``, by waiting for others,
        so that it says nothing of the host where there is no reply in what was left. Raises RefusedUrl, NotConnected
        (nothing was sent), LostReply (something may have been, no whole reply came), BadReply (too big).
        """
        origin, limit = self._checked(url).origin, self._limits[purpose]
        breaker = self._breakers[origin]
        if not limit.anyway:
            breaker.check()  # not only once there is a slot: those who fail hold them
        deadline = limit.seconds if seconds is None else min(seconds, limit.seconds)
        request = PlainRequest(origin, method, url, {**self._headers, **(headers or {})}, body)
        cut = in_turn and deadline < limit.seconds - _AT_ONCE
        # A write takes a connection of its own: one that the server closes just now would leave it unknown.
        with self._slot(deadline, fresh=method not in ("GET", "HEAD")) as call:
            if not limit.anyway:
                breaker.enter()
            try:
                reply = self._exchange_once(request, limit.bytes, call)
            except (NotConnected, LostReply):
                breaker.failed(0 if cut else deadline)
                raise
        if reply.status >= 500 and "Retry-After" not in reply.headers:
            breaker.failed(deadline)
        else:
            breaker.answered()
        return reply

    @contextmanager
    def open(
        self, url: str, *, purpose: str, headers: Mapping[str, str] | None = None, bare: bool = False
    ) -> Iterator[Incoming]:
        """GET, on a connection of its own, whatever the status; the body is for the caller to take, piece by piece.

        ``bare``: without the site's extra headers, which are none of a file host's business. Raises as ``send``.
        """
        origin, limit = self._checked(url).origin, self._limits[purpose]
        breaker = self._breakers[origin]
        request = PlainRequest(origin, "GET", url, {**(self._bare if bare else self._headers), **(headers or {})}, None)
        with self._slot(limit.seconds, fresh=True) as call:
            breaker.enter()
            try:
                response = self._adapter.send(request, stream=True, timeout=call.left())
            except (requests.RequestException, HTTPError, TimeoutError) as error:
                breaker.failed(limit.seconds)
                raise no_reply(str(request.url), error, sent=call.sent) from None
            breaker.answered()
            call.idle = True
            try:
                pieces = _pieces(request, response, limit.bytes, call)
                yield Incoming(response.status_code, response.headers, pieces)
            finally:
                response.close()

    def clock_off(self, url: str, now: datetime) -> timedelta:
        """How far the clock of this host is from ``now``, ours, by the ``Date`` of its last reply; 0 before the first.

        ``now`` is the time of this call.
        """
        seen = self._clocks.get(address.parse(url).origin)
        return seen.off(now, time.monotonic()) if seen else timedelta()

    def _exchange_once(self, request: PlainRequest, most: int, call: wire.Call) -> Reply:
        try:
            return self._exchange(request, most)
        except LostReply:
            if not call.reused or call.over:
                raise
        call.fresh = True  # the server had closed the kept connection: once more, on a new one
        return self._exchange(request, most)

    @contextmanager
    def _slot(self, seconds: float, *, fresh: bool) -> Iterator[wire.Call]:
        call = wire.Call(seconds, fresh=fresh)
        if not self._slots.acquire(timeout=max(seconds, 0)):
            raise NotConnected(
                f"{self._pool} requests to this hospital are under way and none ended in time.",
                next_step="Nothing was sent. Try again in a minute.",
            )
        token = wire.CALL.set(call)
        try:
            yield call
        finally:
            wire.CALL.reset(token)
            self._slots.release()

    def _exchange(self, request: PlainRequest, most: int) -> Reply:
        call = wire.CALL.get()
        call.sent = False
        began = time.monotonic()
        try:
            # The adapter, not a Session: a Session reads the body of a redirect without any limit.
            response = self._adapter.send(request, stream=True, timeout=call.left())
            try:
                body = _read(response, most)
            finally:
                response.close()
        except (requests.RequestException, HTTPError, TimeoutError) as error:
            raise no_reply(str(request.url), error, sent=call.sent) from None
        if seen := seen_clock(response.headers, began, time.monotonic()):
            self._clocks[request.origin] = seen
        return Reply(response.status_code, response.headers, body)


def _read(response: requests.Response, most: int) -> bytes:
    body = bytearray()
    for part in response.raw.stream(1_000_000, decode_content=True):  # most in one go; no more is unpacked at once
        body += part
        _require_fit(len(body), most)
    return bytes(body)


def _pieces(request: PlainRequest, response: requests.Response, most: int, call: wire.Call) -> Iterator[bytes]:
    parts = response.raw.stream(65_536, decode_content=True)
    had = 0
    while True:
        call.again()  # what the caller did with the last piece took none of the server's time
        try:
            part = next(parts, b"")
        except (requests.RequestException, HTTPError, TimeoutError) as error:
            raise no_reply(str(request.url), error, sent=True) from None
        if not part:
            return
        had += len(part)
        _require_fit(had, most)
        yield part


def _require_fit(had: int, most: int) -> None:
    if had > most:
        raise BadReply(
            f"The reply is larger than {most:,} bytes, so the rest was not read.",
            next_step="Tell the EHR's administrator.",
        )
