"""A PostgreSQL server of the tests' own, in a folder that goes with it; each test begins with its database empty.

PostgreSQL refuses to run as root: then it runs as the user that Debian's package makes for it.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.engine import URL

OWNER = "postgres"
# what is written need not outlive the machine, only the killed process
_QUICK = ("fsync=off", "full_page_writes=off", "shared_buffers=16MB", "max_connections=200")


@cache
def programs() -> Path | None:
    """The folder of initdb and pg_ctl, which Debian keeps off the path."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((folder for folder in reversed(folders) if (folder / "pg_ctl").exists()), None)


@dataclass(frozen=True)
class Cluster:
    """Trusts whoever may open its folder; by TCP on ``port`` of loopback it asks for a password."""

    folder: Path
    port: int

    @property
    def url(self) -> URL:
        query = {"host": str(self.folder), "port": str(self.port)}
        return URL.create("postgresql+psycopg", username=OWNER, database=OWNER, query=query)

    def run(self, *statements: str) -> None:
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()

    def emptied(self) -> URL:
        self.run("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
        return self.url


@contextmanager
def cluster(port: int) -> Iterator[Cluster]:
    bin_ = programs()
    assert bin_ is not None
    folder = Path(tempfile.mkdtemp(prefix="imr-pg-"))
    as_owner: dict[str, Any] = {"check": True, "capture_output": True, "cwd": "/"}
    if os.geteuid() == 0:
        shutil.chown(folder, OWNER, OWNER)
        as_owner |= {"user": OWNER, "group": OWNER, "extra_groups": []}
    data, started = folder / "data", [bin_ / "pg_ctl", "--pgdata", folder / "data", "--wait", "--silent"]
    try:
        how = ("--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C", "--wal-segsize=1")
        subprocess.run([bin_ / "initdb", "--pgdata", data, "--username", OWNER, "--no-sync", *how], **as_owner)
        settings = [*_QUICK, f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}"]
        options = " ".join(f"-c {each}" for each in settings)
        subprocess.run([*started, "--log", folder / "log", "--options", options, "start"], **as_owner)
        try:
            yield Cluster(folder, port)
        finally:
            subprocess.run([*started, "--mode", "immediate", "stop"], **as_owner)
    finally:
        shutil.rmtree(folder)
