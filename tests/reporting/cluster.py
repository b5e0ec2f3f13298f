"""A Spark cluster as a hospital has one, on this machine: a master and workers, each a process of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from imr_fhir.reporting.spark.java import java_21

LOOPBACK = "127.0.0.1"
_PATIENCE = 180  # seconds


@dataclass(slots=True)
class Process:
    """``Popen`` of a session of its own, and where it logs."""

    popen: subprocess.Popen[bytes]
    log: Path

    def said(self, pattern: str) -> re.Match[str]:
        """What its log says, once it does."""
        end = time.monotonic() + _PATIENCE
        while not (found := re.search(pattern, self.log.read_text(encoding="utf-8", errors="replace"))):
            if time.monotonic() > end or self.popen.poll() is not None:
                raise AssertionError(f"{self.log} never said {pattern}:\n{self.log.read_text(encoding='utf-8')}")
            time.sleep(0.1)
        return found

    def kill(self) -> None:
        """It and its executors, at once, as where a machine goes down."""
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait()


def start(folder: Path, name: str, command: list[str], environment: dict[str, str]) -> Process:
    log = folder / f"{name}.log"
    with log.open("wb") as out:
        popen = subprocess.Popen(command, env=environment, cwd=folder, stdout=out, stderr=out, start_new_session=True)
    return Process(popen, log)


def bare_environment(folder: Path) -> dict[str, str]:
    """Nothing of this project's; with a Java 21."""
    with java_21(folder):
        kept = {name: os.environ[name] for name in ("JAVA_HOME", "PATH", "LANG", "HOME") if name in os.environ}
    return {**kept, "SPARK_LOCAL_IP": LOOPBACK}


@dataclass(slots=True)
class Cluster:
    folder: Path
    home: Path  # of Spark
    environment: dict[str, str]
    master: str = ""
    workers: list[Process] = field(default_factory=list)
    _all: list[Process] = field(default_factory=list)

    def start_master(self) -> None:
        process = self._start("master", "master.Master", "--host", LOOPBACK, "--port", "0", "--webui-port", "0")
        self.master = process.said(r"Starting Spark master at (spark://\S+)")[1]

    def start_worker(self, *, hidden: Path | None = None) -> None:
        """A worker of one core; ``hidden``: a folder that is empty there, as one that is not shared."""
        number = len(self.workers)
        before = ("unshare", "-rm", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', str(hidden)) if hidden else ()
        worker = self._start(
            f"worker-{number}", "worker.Worker", "--host", LOOPBACK, "--webui-port", "0", "--cores", "1",
            "--memory", "2g", "--work-dir", str(self.folder / f"work-{number}"), self.master, before=before,
        )  # fmt: skip
        worker.said("Successfully registered with master")
        self.workers.append(worker)

    def logs(self) -> Iterator[tuple[Path, str]]:
        """All that the cluster's processes wrote, the executors' too."""
        for file in [*self.folder.glob("*.log"), *self.folder.glob("work-*/*/*/std*")]:
            yield file, file.read_text(encoding="utf-8", errors="replace")

    def _start(self, name: str, of: str, *arguments: str, before: tuple[str, ...] = ()) -> Process:
        command = [*before, str(self.home / "bin" / "spark-class"), f"org.apache.spark.deploy.{of}", *arguments]
        process = start(self.folder, name, command, self.environment)
        self._all.append(process)
        return process

    def stop(self) -> None:
        for process in reversed(self._all):
            process.kill()


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """A master and so many workers; they have nothing of this project's environment."""
    import pyspark

    environment = {**bare_environment(folder), "SPARK_LOCAL_DIRS": str(folder / "local")}
    made = Cluster(folder, Path(pyspark.__file__).parent, environment)
    try:
        made.start_master()
        for _ in range(workers):
            made.start_worker()
        yield made
    finally:
        made.stop()


def bare_python(folder: Path) -> Path:
    """A Python as this one, without a package."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder / "bin" / "python"
