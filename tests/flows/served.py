"""`imr-app serve` in processes of their own, as a hospital runs it, beside a sandbox hospital in this one."""

import subprocess
import sys
import time
from pathlib import Path

import requests
from sqlalchemy.engine import URL

from smart_app.sandbox import Client, HospitalConfig, RunningHospital, start_hospital
from tests.running import CLIENT_ID, SCOPES, SITE

SETTINGS = """\
[app]
demo = true
public_url = "http://127.0.0.1:{front}"
bind = "127.0.0.1:{port}"
store = "{store}"
keys = "private/imr.keys"

[sites.{site}]
organization = "Nordlys DPS"
phone = "+47 00 00 00 00"
iss = "{iss}"
client_id = "{client}"
allow_unverified_clinician_scale = true
"""


def hospital_of(folder: Path, port: int) -> tuple[RunningHospital, list[str]]:
    """For an app that browsers find at ``port``, and what it is asked."""
    client = Client(CLIENT_ID, "IMR", SCOPES, redirect_uris=(f"http://127.0.0.1:{port}/callback/{SITE}",))
    hospital = start_hospital(HospitalConfig(folder / "hospital.sqlite", (client,), seed=("north.json",)))
    asked: list[str] = []
    answering = hospital.app.wsgi_app
    hospital.app.wsgi_app = lambda environ, start: (  # type: ignore[method-assign]
        asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"),
        answering(environ, start),
    )[1]
    return hospital, asked


def settings_of(folder: Path, hospital: RunningHospital, *, front: int, port: int, place: Path | URL) -> Path:
    """The settings file of a process that listens on ``port``; browsers come by ``front``."""
    private = folder / "private"
    private.mkdir(mode=0o700, exist_ok=True)
    file = folder / f"{port}.toml"
    store = place.render_as_string() if isinstance(place, URL) else str(place)
    told = {"store": store, "site": SITE, "iss": hospital.fhir_base, "client": CLIENT_ID}
    file.write_text(SETTINGS.format(front=front, port=port, **told))
    return file


def served(settings: Path) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-c", "from smart_app.cli import main; main()", "serve", "--config", str(settings)]
    with settings.with_suffix(".log").open("wb") as log:
        return subprocess.Popen(program, stderr=log)


def until_ready(port: int) -> None:
    for _ in range(600):
        try:
            if requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise AssertionError(f"The app on port {port} is not ready.")
