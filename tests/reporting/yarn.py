"""YARN as a hospital has it, on this machine: its ResourceManager and a NodeManager, and HDFS, each a process."""

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from tests import parts
from tests.reporting.cluster import LOOPBACK, Process, bare_environment, start

_POM = Path(__file__).parents[1] / "servers" / "yarn" / "pom.xml"
_HADOOP = "org.apache.hadoop"
_LOG = """log4j.rootLogger=INFO,console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d %p %c: %m%n
"""


@dataclass(slots=True)
class Yarn:
    folder: Path
    java_home: str
    jars: Path
    environment: dict[str, str]
    address: str  # of the ResourceManager
    _all: list[Process] = field(default_factory=list)

    @property
    def configuration(self) -> Path:
        """What HADOOP_CONF_DIR names."""
        return self.folder / "conf"

    def start_hdfs(self) -> None:
        self._start("format", "hdfs.server.namenode.NameNode", "-format", "-nonInteractive").popen.wait()
        names = self._start("namenode", "hdfs.server.namenode.NameNode")
        self._start("datanode", "hdfs.server.datanode.DataNode").said("successfully registered with NN")
        names.said("Adding a new node")

    def start_resource_manager(self) -> None:
        manager = self._start("resourcemanager", "yarn.server.resourcemanager.ResourceManager")
        manager.said("Transitioned to active state")

    def start_node_manager(self) -> None:
        self._start("nodemanager", "yarn.server.nodemanager.NodeManager").said("Registered with ResourceManager")

    def kill_an_executor(self) -> None:
        """At once, as where its machine goes down."""
        found = next(
            file for file in self.folder.glob("local/nmPrivate/*/*/*.pid") if not file.stem.endswith("_000001")
        )
        os.killpg(int(found.read_text(encoding="utf-8")), signal.SIGKILL)

    def taken(self) -> int:
        """How many applications came to wait for their first machine."""
        return self._told("to ACCEPTED on event")

    def ended(self) -> int:
        """How many were ended while they waited."""
        return self._told("from ACCEPTED to (KILLING|FINAL_SAVING|KILLED) on event *= *(KILL|ATTEMPT_KILLED)")

    def logs(self) -> Iterator[tuple[Path, str]]:
        """All that the cluster's processes wrote, those of the applications too."""
        for file in [*self.folder.glob("*.log"), *self.containers("*")]:
            yield file, file.read_text(encoding="utf-8", errors="replace")

    def containers(self, name: str) -> list[Path]:
        """What the applications' processes wrote to files of that name."""
        return [*self.folder.glob(f"logs/*/*/{name}")]

    def _told(self, pattern: str) -> int:
        return len(re.findall(pattern, (self.folder / "resourcemanager.log").read_text(encoding="utf-8")))

    def _start(self, name: str, of: str, *arguments: str) -> Process:
        path = f"{self.configuration}:{self.jars}/*"
        java = [f"{self.java_home}/bin/java", "-Xmx400m", "--add-opens=java.base/java.lang=ALL-UNNAMED", "-cp", path]
        process = start(self.folder, name, [*java, f"{_HADOOP}.{of}", *arguments], self.environment)
        self._all.append(process)
        return process

    def stop(self) -> None:
        for process in reversed(self._all):
            process.kill()


@contextmanager
def yarn(folder: Path) -> Iterator[Yarn]:
    """With nothing started yet. What it runs has no Java by itself: an application says where one is."""
    environment = bare_environment(folder)
    files = _settings(folder)
    address = files["yarn-site"]["yarn.resourcemanager.address"]
    made = Yarn(folder, environment.pop("JAVA_HOME"), _jars(), environment, address)
    _write(made.configuration, files)
    try:
        yield made
    finally:
        made.stop()


def client_settings(folder: Path, **of_yarn: str) -> Path:
    """A HADOOP_CONF_DIR that says no more than ``of_yarn``."""
    _write(folder, {"yarn-site": {f"yarn.resourcemanager.{name}": value for name, value in of_yarn.items()}})
    return folder


def _settings(folder: Path) -> dict[str, dict[str, str]]:
    names, *manager = (f"{LOOPBACK}:{port}" for port in _free_ports(8))
    anywhere = f"{LOOPBACK}:0"
    of_manager = ("", "scheduler.", "resource-tracker.", "admin.", "webapp.")
    return {
        "core-site": {"fs.defaultFS": f"hdfs://{names}", "hadoop.tmp.dir": str(folder / "tmp")},
        "hdfs-site": {
            "dfs.replication": "1",
            "dfs.namenode.http-address": anywhere,
            **{f"dfs.datanode.{name}address": anywhere for name in ("", "http.", "ipc.")},
        },
        "yarn-site": {
            "yarn.resourcemanager.hostname": LOOPBACK,
            **{f"yarn.resourcemanager.{name}address": where for name, where in zip(of_manager, manager, strict=False)},
            "yarn.nodemanager.hostname": LOOPBACK,
            "yarn.nodemanager.address": anywhere,
            "yarn.nodemanager.localizer.address": manager[5],
            "yarn.nodemanager.webapp.address": anywhere,
            "yarn.nodemanager.local-dirs": str(folder / "local"),
            "yarn.nodemanager.log-dirs": str(folder / "logs"),
            "yarn.nodemanager.env-whitelist": "PATH,LANG,SPARK_LOCAL_IP",
            "yarn.nodemanager.resource.memory-mb": "5120",
            "yarn.nodemanager.resource.cpu-vcores": "4",
            "yarn.nodemanager.vmem-check-enabled": "false",
            "yarn.nodemanager.disk-health-checker.enable": "false",  # a disk that is 90 % full is one to a developer
            "yarn.scheduler.minimum-allocation-mb": "256",
        },
        "capacity-scheduler": {
            "yarn.scheduler.capacity.root.queues": "default",
            "yarn.scheduler.capacity.root.default.capacity": "100",
        },
    }


def _write(folder: Path, files: Mapping[str, Mapping[str, str]]) -> None:
    folder.mkdir()
    (folder / "log4j.properties").write_text(_LOG, encoding="utf-8")
    for name, settings in files.items():
        said = "".join(
            f"<property><name>{key}</name><value>{value}</value></property>" for key, value in settings.items()
        )
        (folder / f"{name}.xml").write_text(f"<configuration>{said}</configuration>", encoding="utf-8")


def _free_ports(many: int) -> list[int]:
    sockets = [socket.create_server((LOOPBACK, 0)) for _ in range(many)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _jars() -> Path:
    """Fetched once by Maven (100 MB)."""
    jars = Path(os.environ.get("IMR_SERVERS", parts.tools_folder() / "servers")).absolute() / "yarn" / "lib"
    if not (done := jars / ".done").exists() or done.stat().st_mtime < _POM.stat().st_mtime:
        shutil.rmtree(jars, ignore_errors=True)
        jars.parent.mkdir(parents=True, exist_ok=True)
        made = mkdtemp(dir=jars.parent)
        copy = ("dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={made}")
        subprocess.run(["mvn", "-C", "-q", "-B", "-ntp", "-f", str(_POM), *copy], check=True)
        Path(made, ".done").touch()
        Path(made).rename(jars)
    return jars
