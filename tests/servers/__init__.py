"""Real servers for tests, built once by Maven into .tools/servers (or IMR_SERVERS) and started on a free port."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import parts
from tests.validator import Validator

_HERE = Path(__file__).parent
_TOP = _HERE.parent.parent
_BUILD_AND_START = 900  # seconds; the first time downloads some 200 jars


@contextmanager
def hapi() -> Iterator[str]:
    """An empty HAPI FHIR R4 server; yields its base URL."""
    with _started("hapi") as origin:
        yield f"{origin}/fhir"


@contextmanager
def validator() -> Iterator[Validator]:
    """The FHIR validator, knowing our artefacts and what HL7 published after R4 of which they speak."""
    with _started("validator", _TOP / "questionnaires", _TOP / "profiles", _HERE / "data") as origin:
        yield Validator(origin)


@contextmanager
def _started(what: str, *folders: Path) -> Iterator[str]:
    built = Path(os.environ.get("IMR_SERVERS", parts.tools_folder() / "servers")).absolute()
    built.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = built / f"{what}-{port}.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [_HERE / "start", what, str(port), *folders],
            env={**os.environ, "IMR_SERVERS": str(built)},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that Maven, javac or java, whichever runs, ends with it
        )
    try:
        _wait_until_ready(server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)
    log.unlink()


def _wait_until_ready(server: subprocess.Popen[bytes], log: Path) -> None:
    latest = time.monotonic() + _BUILD_AND_START
    while "READY" not in log.read_text(errors="replace"):
        if server.poll() is not None or time.monotonic() > latest:
            state = "is not ready" if server.returncode is None else f"ended with {server.returncode}"
            raise RuntimeError(f"The server {state}; the end of {log}:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.1)
