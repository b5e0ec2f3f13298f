"""A server on a socket whose every byte a test decides: for what no well-behaved server does."""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from imr_fhir.ehr.json_writer import write_json


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int  # the how-manieth connection this server took
    number: int  # the how-manieth request on it

    def json(self) -> Any:
        return json.loads(self.body, parse_float=Decimal)


@dataclass
class Exchange:
    """One request, and the socket on which to answer; ``close`` ends the connection after the script."""

    request: Request
    sock: socket.socket
    close: bool = False

    def answer(self, status: int = 200, body: Any = b"", headers: Mapping[str, str] | None = None) -> None:
        if not isinstance(body, bytes):
            body = write_json(body)
        lines = {"Content-Type": "application/fhir+json", "Content-Length": str(len(body)), **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.sock.sendall(f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + body)

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close = True


Script = Callable[[Exchange], None]


@dataclass
class Server:
    port: int
    scheme: str = "http"
    requests: list[Request] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{'localhost' if self.scheme == 'https' else '127.0.0.1'}:{self.port}"


@contextmanager
def serve(script: Script, *, tls: ssl.SSLContext | None = None, silent: bool = False) -> Iterator[Server]:
    """Answers with ``script``, a thread a connection; with ``silent`` it takes connections and never reads."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(listener.getsockname()[1], "https" if tls else "http")
    taken: list[socket.socket] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                taken.append(sock)
                if not silent:
                    threading.Thread(target=_talk, args=(server, sock, len(taken), script, tls), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for sock in taken:
            sock.close()


def _talk(server: Server, sock: socket.socket, connection: int, script: Script, tls: ssl.SSLContext | None) -> None:
    with (
        suppress(OSError),
        tls.wrap_socket(sock, server_side=True) if tls else sock as talking,
        talking.makefile("rb") as stream,
    ):
        number = 0
        while line := stream.readline():
            number += 1
            method, path, _ = line.decode().split(" ", 2)
            headers: dict[str, str] = {}
            while (line := stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            body = stream.read(int(headers.get("content-length", 0)))
            server.requests.append(Request(method, path, headers, body, connection, number))
            exchange = Exchange(server.requests[-1], talking)
            script(exchange)
            if exchange.close:
                return


def pages(answers: Mapping[str, Any]) -> Script:
    """``answers``: "GET /path" -> body, or (status, body), or (status, body, headers); any other is 404."""

    def script(exchange: Exchange) -> None:
        found = answers.get(f"{exchange.request.method} {exchange.request.path.partition('?')[0]}", (404, b""))
        exchange.answer(*found) if isinstance(found, tuple) else exchange.answer(200, found)

    return script
