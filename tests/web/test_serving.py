"""Waitress in this process, health, and the end that lets open answers end."""

import shutil
import socket
import threading
import time
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
import requests

from smart_app.serving import Server, listen
from smart_app.state import state_of
from tests.running import Running, running


def test_who_is_being_answered_or_waits_for_it_gets_an_answer_and_nobody_new_comes_in() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def application(_environ: Any, start_response: Any) -> list[bytes]:
        begun.set()
        go_on.wait(10)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"saved"]

    server = Server(application, listen("127.0.0.1", 0), threads=1)
    server.start()
    answers: list[str] = []
    url = f"http://127.0.0.1:{server.port}/"
    asking = [threading.Thread(target=lambda: answers.append(requests.get(url, timeout=10).text)) for _ in range(2)]
    for each in asking:
        each.start()
    assert begun.wait(5)
    time.sleep(0.1)  # the second waits for the one thread
    stopping = threading.Thread(target=server.stop, args=(10,))
    stopping.start()
    time.sleep(0.1)
    assert stopping.is_alive(), "it waits for the open answer"
    go_on.set()
    for each in (*asking, stopping):
        each.join(5)
    assert answers == ["saved", "saved"]
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=2)


def test_an_answer_that_never_comes_is_waited_for_so_long_only() -> None:
    hanging = threading.Event()

    def application(_environ: Any, start_response: Any) -> list[bytes]:
        hanging.wait(20)
        start_response("200 OK", [])
        return []

    server = Server(application, listen("127.0.0.1", 0), threads=2)
    server.start()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.1)
        server.stop(0.2)
        assert connection.recv(100) == b"", "closed without an answer"
    hanging.set()


def test_an_answer_that_wakes_the_loop_while_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop closed its own pipe then, before what stops it had written to it."""
    server = Server(lambda _environ, _start_response: [], listen("127.0.0.1", 0))
    server.start()
    trigger = server._server.trigger
    pull = trigger._physical_pull

    def woken_before() -> None:
        pull()
        time.sleep(0.2)
        pull()

    monkeypatch.setattr(trigger, "_physical_pull", woken_before)
    server.stop(1)
    assert not server._thread.is_alive()


def test_a_taken_port_is_an_error_of_the_system() -> None:
    with listen("127.0.0.1", 0) as first:
        first.listen()
        with pytest.raises(OSError, match="in use"):
            listen("127.0.0.1", first.getsockname()[1])


def test_alive_and_ready(run: Running) -> None:
    for path, text in (("livez", "alive"), ("readyz", "ready")):
        answer = requests.get(f"{run.url}/{path}", timeout=5)
        assert (answer.status_code, answer.text) == (200, text)
        assert answer.headers["Content-Type"].startswith("text/plain")
    assert run.asked == [], "the hospital is not asked"


def test_not_ready_from_sigterm_on_but_alive(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        state_of(run.app).draining.set()
        assert requests.get(f"{run.url}/readyz", timeout=5).status_code == 503
        assert requests.get(f"{run.url}/livez", timeout=5).status_code == 200


def test_not_ready_where_the_disk_is_full(run: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(1, 1, 0))
    answer = requests.get(f"{run.url}/readyz", timeout=5)
    assert (answer.status_code, answer.text) == (503, "not ready")
