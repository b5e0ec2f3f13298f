"""The sandbox hospital in a process of its own, so that what the app costs is the app's alone."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from smart_app.sandbox import Client, HospitalConfig, Launch, start_hospital


class HospitalApart:
    """What `tests.running` needs of a hospital: its addresses, and launches, which it gives by its chart page."""

    def __init__(self, config: HospitalConfig) -> None:
        (client,) = config.clients
        told = {
            "database": str(config.database),
            "app_launch_url": config.app_launch_url,
            "seed": config.seed,
            "client": asdict(client),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.apart", json.dumps(told)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout
        self.base_url = self._process.stdout.readline().decode().strip()
        self.fhir_base = f"{self.base_url}/fhir"
        self.app = SimpleNamespace(wsgi_app=None)
        self.hospital = SimpleNamespace(launch=self._launch)

    def _launch(self, wanted: Launch) -> str:
        query = urlencode([("user", wanted.user.partition("/")[2]), *(("fault", fault) for fault in wanted.faults)])
        address = f"{self.base_url}/chart/{wanted.patient}/launch?{query}"
        leads_to = requests.get(address, timeout=30, allow_redirects=False).headers["Location"]
        return parse_qs(urlsplit(leads_to).query)["launch"][0]

    def stop(self) -> None:
        self._process.communicate(timeout=30)  # the end of its input is the end of it


def main(told: dict[str, Any]) -> None:
    client = {name: tuple(value) if isinstance(value, list) else value for name, value in told["client"].items()}
    running = start_hospital(
        HospitalConfig(
            Path(told["database"]),
            (Client(**client),),
            app_launch_url=told["app_launch_url"],
            seed=tuple(told["seed"]) if told["seed"] is not None else None,
        )
    )
    print(running.base_url, flush=True)
    sys.stdin.read()
    running.stop()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
