"""What may be wrong with a cluster, found before the data is read, and said in a sentence.

Spark itself waits without end for machines that don't come, and loses what a machine wrote to a disk of its own.
"""

import os
import re
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING
from uuid import uuid4

from imr_fhir.errors import TablesError

if TYPE_CHECKING:
    from pyspark import SparkContext

WAIT = "spark.imr.wait"  # setting: seconds without a machine of the cluster's before it is given up
# Where the cluster hands Spark's secret on, so that nobody has to set one.
SECURED = {
    "spark.authenticate": "true",
    "spark.network.crypto.enabled": "true",
    "spark.network.crypto.cipher": "AES/GCM/NoPadding",
}
LONGER = f"; --spark-conf {WAIT}=600 waits longer."
_ANSWER = 5  # seconds for a master's machine to take a connection
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
SHARED = "Give folders that each machine has under the same path, and run its executors as the user that you are here."
_SAME_PYTHON = f"Set PYSPARK_PYTHON to a Python {_PYTHON} of the cluster's machines."

# In Spark's own words, which quote the data and are told to nobody: what it is, and the next step.
_KNOWN = {
    "PYTHON_VERSION_MISMATCH": (f"Python on the cluster is not {_PYTHON}, as here", _SAME_PYTHON),
    "Cannot run program": ("a machine of the cluster has no such Python", _SAME_PYTHON),
    "UnsupportedClassVersionError": ("Java on the cluster is older than 21", "Run its executors on Java 21."),
    "OutOfMemoryError|memory limits": (
        "memory is short on the cluster",
        "Give more: --spark-conf spark.executor.memory=8g.",
    ),
    "No space left on device|Disk quota exceeded": ("a disk is full", "Make room on the cluster's disks."),
    "FileNotFoundException|FILE_NOT_EXIST|Permission denied|Mkdirs failed": ("a machine lacks the files", SHARED),
    "ExecutorLostFailure|ExecutorDeadException|FetchFailed": ("machines went down", "Look at the cluster's workers."),
    "unresponsive|SparkContext was shut down|removed our application": (
        "it was given up",
        "Look at its executors' logs.",
    ),
}


def known(error: Exception) -> tuple[str, str] | None:
    """What is wrong with the cluster, and the next step, where ``error`` is of its making."""
    return next((told for pattern, told in _KNOWN.items() if re.search(pattern, str(error))), None)


def patience(seconds: str) -> float:
    """What WAIT says. Raises TablesError."""
    try:
        return float(seconds)
    except ValueError:
        raise TablesError(f"{WAIT} is {seconds}.", next_step="Give it in seconds: 600.") from None


def check_master(master: str) -> str:
    """This machine's address towards ``master``; "" where that is no host.

    Raises TablesError where nobody is there: Spark would try it again for a minute.
    """
    kind, _, rest = master.partition("://")
    if kind not in ("spark", "k8s"):
        return ""
    hosts = rest.rpartition("://")[2].split("/")[0].split(",")
    here = next(filter(None, map(_towards, hosts)), "")
    if not here:
        raise TablesError(f"Nobody answers at {master}.", next_step="Look at --master, and whether the master runs.")
    return here


def _towards(host: str) -> str:
    name, _, port = host.rpartition(":")
    try:
        with socket.create_connection((name.strip("[]") or host, int(port) if name else 443), _ANSWER) as connection:
            address = str(connection.getsockname()[0])
    except (OSError, ValueError):
        return ""
    return f"[{address}]" if ":" in address else address


@contextmanager
def watched(
    alone: Callable[[], bool],
    give_up: Callable[[], None],
    master: str,
    seconds: float,
    why: Callable[[], tuple[str, str] | None] = lambda: None,
) -> Iterator[None]:
    """Gives up where what is done within has been ``alone``, with no machine of the cluster's, for so long.

    Raises TablesError where that ended it, with what ``why`` knew then.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    ended, lost = Event(), Event()
    told = None

    def watch() -> None:
        nonlocal told
        without = 0.0
        while not ended.wait(1):
            with suppress(Py4JError, OSError):  # what is wrong is said where it is met, not here
                without = without + 1 if alone() else 0
                if without >= seconds:
                    lost.set()
                    try:
                        told = why()
                    finally:
                        give_up()
                    return

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    except (TablesError, PySparkException, Py4JError, OSError):
        if lost.is_set():
            reason, step = told or ("", f"Look whether its workers run and have room{LONGER}")
            raise TablesError(
                f"The cluster at {master} gave no machine for {seconds:g} seconds{reason and f': {reason}'}.",
                next_step=step,
            ) from None
        raise
    finally:
        ended.set()
        thread.join()


def without_machines(context: "SparkContext") -> bool:
    """Whether it has something to do and none to do it."""
    status = context._jsc.sc().statusTracker()
    return len(status.getExecutorInfos()) <= 1 and len(status.getActiveJobIds()) > 0  # one of them is this machine


def check_machines(context: "SparkContext", shared: Path, files: Iterable[Path]) -> None:
    """Whether the machines that are there have ``files`` and the new folder ``shared``. Raises TablesError."""
    mark, names = uuid4().hex, [str(file.resolve()) for file in files]
    (shared / "mark").write_text(mark, encoding="utf-8")
    many = max(2, context.defaultParallelism)
    lacking = context.parallelize(range(many), many).map(_look(str(shared), mark, names)).collect()
    if found := next(filter(None, lacking), None):
        raise TablesError(f"A machine of the cluster can't use {found}.", next_step=SHARED)


def _look(shared: str, mark: str, names: Sequence[str]) -> Callable[[int], str]:
    def look(number: int) -> str:
        """The first path that is not there; it is run on the cluster."""
        folder = Path(shared)
        try:
            (folder / str(number)).touch()
            if (folder / "mark").read_text(encoding="utf-8") != mark:
                return shared
        except OSError:
            return shared
        return next((name for name in names if not os.access(name, os.R_OK)), "")

    return look


def settle(context: "SparkContext", seconds: float = 20) -> None:
    """Ends all jobs and waits until nobody writes any more: the folder that they wrote to goes next."""
    from py4j.protocol import Py4JError

    end = monotonic() + seconds
    with suppress(Py4JError, OSError):  # where Spark has ended by itself, nobody writes
        context.cancelAllJobs()
        status = context._jsc.sc().statusTracker()
        while any(each.numRunningTasks() for each in status.getExecutorInfos()) and monotonic() < end:
            sleep(0.2)
