"""Sockets that keep one deadline for a whole call, and know whether anything was sent.

A timeout of `requests` is for one read: with `timeout=1` a server that drips bytes held us for 7 s. Here each read and
write gets what is left of the call's time, so headers that come byte by byte end as well.
"""

import queue
import socket
import ssl
import threading
import time
from contextvars import ContextVar
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

CONNECT = 5.0  # seconds for one address of a host, so that a dead one leaves time for the next


class Call:
    """One request under way. ``sent``: a byte of it may have left. ``reused``: on a connection kept from before.

    ``idle``: the seconds are from one byte to the next, no more for the whole.
    """

    def __init__(self, seconds: float, *, fresh: bool) -> None:
        self._seconds = seconds
        self._ends = time.monotonic() + seconds
        self.fresh = fresh
        self.sent = False
        self.reused = False
        self.idle = False

    def again(self) -> None:
        """Where it is idle time that counts, it counts from now: something came."""
        if self.idle:
            self._ends = time.monotonic() + self._seconds

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._ends

    def left(self) -> float:
        """Seconds until the deadline; raises TimeoutError when there are none."""
        seconds = self._ends - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the deadline is over")
        return seconds


CALL: ContextVar[Call] = ContextVar("call")


class _TimedSocket(socket.socket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        call = CALL.get()
        self.settimeout(call.left())
        received = super().recv_into(*args, **kwargs)
        call.again()
        return received

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        call = CALL.get()
        self.settimeout(call.left())
        call.sent = True
        super().sendall(*args, **kwargs)


class _TimedTLSSocket(ssl.SSLSocket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        call = CALL.get()
        self.settimeout(call.left())
        received = super().recv_into(*args, **kwargs)
        call.again()
        return received

    def send(self, *args: Any, **kwargs: Any) -> int:  # SSLSocket.sendall calls it for each part
        call = CALL.get()
        self.settimeout(call.left())
        call.sent = True
        return super().send(*args, **kwargs)


def tls_context(ca: str) -> ssl.SSLContext:
    """Checks certificates and host names against the authorities in the file ``ca``; TLS 1.2 or later."""
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _TimedTLSSocket
    return context


def _lookup(host: str, port: int, seconds: float) -> list[Any]:
    """``getaddrinfo`` within ``seconds``: it takes no timeout itself, so it waits in a thread of its own."""
    answers: queue.SimpleQueue[list[Any] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except OSError as error:
            answers.put(error)

    threading.Thread(target=ask, name=f"lookup of {host}", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer about the name {host}") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def _connect(connection: HTTPConnection) -> socket.socket:
    call = CALL.get()
    try:
        addresses = _lookup(connection.host.strip("[]"), connection.port, call.left())
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, str(error)) from error
    last: OSError = OSError("the name has no address")
    for family, kind, protocol, _, address in addresses:
        sock = _TimedSocket(family, kind, protocol)
        try:
            sock.settimeout(min(CONNECT, call.left()))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
            sock.settimeout(call.left())  # a TLS handshake takes this as its total
        except OSError as error:
            sock.close()
            last = error
        else:
            return sock
    raise NewConnectionError(connection, f"no connection: {last}") from last


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _TLSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self)


def _prepared(connection: Any) -> Any:
    call = CALL.get()
    if call.fresh:
        connection.close()
    call.reused = connection.sock is not None
    return connection


class Pool(HTTPConnectionPool):
    ConnectionCls = _Connection

    def _get_conn(self, timeout: float | None = None) -> Any:
        return _prepared(super()._get_conn(timeout))


class TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection

    def _get_conn(self, timeout: float | None = None) -> Any:
        return _prepared(super()._get_conn(timeout))
