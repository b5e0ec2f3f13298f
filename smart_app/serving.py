"""Waitress in a thread of its own, for `imr-app serve`, the demo and the tests; stopping lets open answers end."""

import gc
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.utilities import RequestEntityTooLarge

WsgiApp = Callable[..., Any]
# No form of a person is larger than MAX_CONTENT_LENGTH; what is gets a page up to here, and a plain 413 beyond.
_LARGEST_BODY = 1_000_000


def listen(host: str, port: int) -> socket.socket:
    """A bound socket, so that an app can know its port before it is made; port 0 takes a free one.

    Raises OSError where the port is taken or not allowed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
    except OSError:
        listener.close()
        raise
    return listener


def settle_memory() -> None:
    """Once all is loaded: it stays, so the collector need not walk through it, which holds up one page in thirty by
    some 50 ms; and a panel makes 20,000 objects that go with it: at Python's own 700, a tenth of its time is spent on
    looking through them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


class _Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no type information
    def received(self, data: bytes) -> int:
        """Waitress refuses a body by its announced length, before the app could; these are then the words."""
        taken: int = super().received(data)
        if isinstance(self.error, RequestEntityTooLarge):
            self.error.body = "Nothing was changed. Go back and shorten what you wrote."
        return taken


class _Channel(HTTPChannel):  # type: ignore[misc]
    parser_class = _Parser


class Server:
    """One application behind one socket."""

    def __init__(self, application: WsgiApp, listener: socket.socket, *, threads: int = 8, behind_proxy: bool = False):
        self.port: int = listener.getsockname()[1]
        self._server = create_server(
            application,
            sockets=[listener],
            threads=threads,
            ident=None,
            max_request_body_size=_LARGEST_BODY,
            # Bodies and pages hold patients' data: they stay in memory, never in a temporary file.
            inbuf_overflow=2 * _LARGEST_BODY,
            outbuf_overflow=32 * _LARGEST_BODY,
            # ProxyFix believes so many hops as the settings say; without a proxy nothing of it reaches the app.
            clear_untrusted_proxy_headers=not behind_proxy,
        )
        self._server.channel_class = _Channel
        self._thread = threading.Thread(target=self._server.run, name=f"server-{self.port}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, graceful: float = 45.0) -> None:
        """Take no new connection, let those who are being answered have their answer, at most ``graceful`` seconds."""
        self._server.accepting = False
        deadline = time.monotonic() + graceful
        while time.monotonic() < deadline and self._busy():
            time.sleep(0.02)
        self._server.task_dispatcher.shutdown(timeout=max(0.0, deadline - time.monotonic()) + 0.2)
        pulled = threading.Event()

        def close() -> None:
            pulled.wait()  # an answer's own pull may run this while ours is still to write to what is closed here
            wasyncore.close_all(self._server._map)

        self._server.trigger.pull_trigger(close)
        pulled.set()
        self._thread.join(5)

    def _busy(self) -> bool:
        return any(
            channel.requests or channel.total_outbufs_len for channel in list(self._server.active_channels.values())
        )
