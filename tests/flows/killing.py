"""A hospital in this process, and the app in one of its own that can be killed and started again."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from smart_app.config_file import read_config
from smart_app.sandbox import Client, HospitalConfig, start_hospital
from smart_app.store import Store
from smart_app.store.keys import load_keys
from tests.flows.steps import answers, go
from tests.flows.wrong import Wsgi, in_front, is_send
from tests.running import CLIENT_ID, SCOPES, SITE, Chart, Clock, Running

SETTINGS = """\
[app]
demo = true
public_url = "http://127.0.0.1:{port}"
store = "private/imr.sqlite"
keys = "private/imr.keys"

[sites.{site}]
organization = "Nordlys DPS"
phone = "+47 00 00 00 00"
iss = "{iss}"
client_id = "{client}"
allow_unverified_clinician_scale = true
"""
LEASE = 91  # seconds, and one more


@dataclass
class Process:
    """The app of one folder. To start it again is to kill the one before."""

    settings: Path
    port: int
    app: int = 0  # process id
    _maker: subprocess.Popen[str] = field(init=False)
    _ending: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        command = [sys.executable, "-m", "tests.flows.killed_app", str(self.settings), str(self.port)]
        top = Path(__file__).parents[2]
        self._maker = subprocess.Popen(command, cwd=top, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, point: str = "") -> None:
        self.kill()
        self.app = int(self._ask(f"start {point}"))

    def kill(self) -> None:
        """Also from the hospital's thread, while the test's goes on already."""
        with self._ending:
            if self.app:
                os.kill(self.app, signal.SIGKILL)
                assert self.died()

    def died(self) -> bool:
        """Waits for it."""
        self.app = 0
        return int(self._ask("wait")) == -signal.SIGKILL

    def end(self) -> None:
        self.kill()
        self._maker.kill()  # it may still be importing
        self._maker.communicate()

    def _ask(self, line: str) -> str:
        assert self._maker.stdin
        assert self._maker.stdout
        self._maker.stdin.write(f"{line}\n")
        self._maker.stdin.flush()
        return self._maker.stdout.readline()


@contextmanager
def killable(folder: Path) -> Iterator[tuple[Process, Running]]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    client = Client(CLIENT_ID, "IMR", SCOPES, redirect_uris=(f"{url}/callback/{SITE}",))
    hospital = start_hospital(HospitalConfig(folder / "hospital.sqlite", (client,), seed=("north.json",)))
    settings = folder / "app.toml"
    settings.write_text(SETTINGS.format(port=port, site=SITE, iss=hospital.fhir_base, client=CLIENT_ID))
    (folder / "private").mkdir(mode=0o700)
    config = read_config(settings)
    store = Store.open(config.store, load_keys(config.keys, create=True))
    found = Process(settings, port)
    try:
        yield found, Running(hospital, hospital.app, store, config, Clock(), folder, [])
    finally:
        found.end()
        store.close()
        hospital.stop()


@contextmanager
def kills_when_taken(run: Running, process: Process) -> Iterator[None]:
    """The hospital has committed what was sent; its reply finds nobody."""

    def make(hospital: Wsgi) -> Wsgi:
        def answering(environ: Any, start_response: Any) -> Any:
            reply = hospital(environ, start_response)
            if is_send(environ, "/fhir", "/fhir/QuestionnaireResponse"):
                process.kill()
            return reply

        return answering

    with in_front(run, make):
        yield


def lease_runs_out(run: Running) -> None:
    with run.store.writing() as connection:
        for column in ("lease_until", "lost_at", "not_before"):
            connection.exec_driver_sql(f"UPDATE filing SET {column} = {column} - {LEASE * 1000}")


def save_until_killed(chart: Chart, form: requests.Response, comment: str) -> None:
    with pytest.raises(requests.ConnectionError):
        go(chart.browser, form, do="complete", **answers(3), comment=comment)
