"""A hospital that runs: waitress on loopback, in threads of this process."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

from .app import create_hospital
from .config import HospitalConfig
from .hospital import Hospital, hospital_of

THREADS = 8


@dataclass(frozen=True)
class RunningHospital:
    """``base_url`` is known only once the port is bound; ``fhir_base`` is what applications are configured with."""

    app: Flask
    hospital: Hospital
    base_url: str
    _server: Any
    _thread: threading.Thread
    _stopping: threading.Event

    @property
    def fhir_base(self) -> str:
        return self.hospital.config.fhir_base

    def stop(self) -> None:
        """Ends the server, its connections and its threads."""
        self._stopping.set()
        self._server.pull_trigger()
        self._thread.join(10)
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._server._map)
        self.hospital.close()


def start_hospital(config: HospitalConfig, port: int = 0) -> RunningHospital:
    """Serves on ``http://localhost:<port>``, loopback only; port 0 takes a free one. ``config.base_url`` is replaced by
    what was bound. Raises OSError where the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        base_url = f"http://localhost:{listener.getsockname()[1]}"
        app = create_hospital(replace(config, base_url=base_url))
        server = create_server(
            app, sockets=[listener], threads=THREADS, ident="hospital", clear_untrusted_proxy_headers=True
        )
    except BaseException:
        listener.close()
        raise
    # A browser opens six connections at once: that one waits for a moment is no news.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    stopping = threading.Event()
    thread = threading.Thread(target=_serve, args=(server, stopping), name="hospital", daemon=True)
    thread.start()
    return RunningHospital(app, hospital_of(app), base_url, server, thread, stopping)


def _serve(server: Any, stopping: threading.Event) -> None:
    """waitress' own ``run`` ends by a signal only; its loop, one round at a time, can be stopped by a thread."""
    while not stopping.is_set():
        wasyncore.loop(timeout=1, map=server._map, count=1)


@contextmanager
def running_hospital(config: HospitalConfig, port: int = 0) -> Iterator[RunningHospital]:
    running = start_hospital(config, port)
    try:
        yield running
    finally:
        running.stop()
