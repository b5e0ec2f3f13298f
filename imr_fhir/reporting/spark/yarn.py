"""YARN's ResourceManager, asked by Hadoop's own client: Spark waits for it, and for a first machine, without end."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from typing import Any
from uuid import uuid4

from imr_fhir.errors import TablesError
from imr_fhir.reporting.spark.cluster import SECURED, known

_TAGS = "spark.yarn.tags"  # by ours the application is found before Spark says its id
_WAITS = {"NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED"}  # without a machine
_FOLDERS = ("HADOOP_CONF_DIR", "YARN_CONF_DIR")
_HADOOP = "spark.hadoop."  # what begins so is a setting of Hadoop's

# By default a machine that takes no connection is waited for a quarter of an hour, and one that says nothing for ever.
_SOON = {
    "yarn.resourcemanager.connect.max-wait.ms": "3000",
    "yarn.resourcemanager.connect.retry-interval.ms": "1500",
    "yarn.client.application-client-protocol.poll-timeout-ms": "10000",
    "ipc.client.connect.timeout": "5000",
    "ipc.client.connect.max.retries": "0",
    "ipc.client.connect.max.retries.on.timeouts": "0",
    "ipc.client.rpc-timeout.ms": "10000",
}
_JAVA_HOME = "Set spark.yarn.appMasterEnv.JAVA_HOME and spark.executorEnv.JAVA_HOME to a Java 21 of its machines."
_KNOWN = {
    "unknown queue|submit applications? to queue": ("the queue is not for you", "Set spark.yarn.queue to one that is."),
    "above the max threshold": ("its machines are too small for what is asked", "Set spark.executor.memory to less."),
    "bin/java: |UnsupportedClassVersionError": ("its machines have no such Java", _JAVA_HOME),
    "IOException: (Failed to connect|Connecting) to ": (
        "its machines can't reach this one",
        "Set spark.driver.host, and spark.driver.port and spark.blockManager.port to ports that are open to them.",
    ),
    "GSSException|SIMPLE authentication is not enabled|TOKEN, KERBEROS": (
        "it asks for Kerberos",
        "Run kinit, or set spark.kerberos.principal and spark.kerberos.keytab.",
    ),
}


def refused(error: Exception) -> tuple[str, str] | None:
    """Why YARN does not run the application, and the next step, where ``error`` says it."""
    return next((told for pattern, told in _KNOWN.items() if re.search(pattern, str(error))), known(error))


def settings(given: Mapping[str, str]) -> dict[str, str]:
    """``given`` over those of an application on YARN. Raises TablesError where nothing says where that is."""
    if not _folder():
        raise TablesError(
            "--master yarn, and nothing says where that is.",
            next_step="Set HADOOP_CONF_DIR to the folder with the cluster's yarn-site.xml and core-site.xml.",
        )
    tags = ",".join(filter(None, (given.get(_TAGS), f"imr-fhir-{uuid4().hex}")))
    return {**SECURED, **given, _TAGS: tags}


@dataclass(slots=True)
class Application:
    """The one that Spark is about to start."""

    jvm: Any
    client: Any
    tag: str
    id: Any = None

    def waits(self) -> bool:
        """Whether it was taken, and has no machine yet."""
        if self.id is None:
            tags = self.jvm.java.util.HashSet()
            tags.add(self.tag)
            asked = self.jvm.org.apache.hadoop.yarn.api.protocolrecords.GetApplicationsRequest.newInstance()
            asked.setApplicationTags(tags)
            self.id = next((found.getApplicationId() for found in self.client.getApplications(asked)), None)
        return self.id is not None and self._state() in _WAITS

    def end(self) -> None:
        from py4j.protocol import Py4JError

        with suppress(Py4JError, OSError):  # who does not answer can't be told
            if self.waits():
                self.client.killApplication(self.id)

    def _state(self) -> str:
        return str(self.client.getApplicationReport(self.id).getYarnApplicationState().toString())


@contextmanager
def asked(jvm: Any, chosen: Mapping[str, str]) -> Iterator[Application]:
    """The application, ended where it is given up within. Raises TablesError where no ResourceManager answers."""
    configuration = jvm.org.apache.hadoop.yarn.conf.YarnConfiguration()
    hadoops = {name.removeprefix(_HADOOP): value for name, value in chosen.items() if name.startswith(_HADOOP)}
    for name, value in {**hadoops, **_SOON}.items():
        configuration.set(name, value)
    client = jvm.org.apache.hadoop.yarn.client.api.YarnClient.createYarnClient()
    client.init(configuration)
    client.start()
    application = Application(jvm, client, chosen[_TAGS].rpartition(",")[2])
    try:
        _ask(client, configuration)
        try:
            yield application
        except BaseException:  # in a thread of its own: this one may have been stopped in the middle of an answer
            ending = Thread(target=application.end)
            ending.start()
            ending.join()
            raise
    finally:
        client.stop()


def _ask(client: Any, configuration: Any) -> None:
    from py4j.protocol import Py4JJavaError

    try:
        client.getYarnClusterMetrics()
    except Py4JJavaError as error:
        if told := refused(error):
            raise TablesError(f"YARN takes nothing from you: {told[0]}.", next_step=told[1]) from None
        raise TablesError(
            f"No ResourceManager answers at {' or '.join(_addresses(configuration))}.",
            next_step=f"Look at yarn-site.xml in {_folder()}, and whether it runs.",
        ) from None


def _addresses(configuration: Any) -> list[str]:
    name = "yarn.resourcemanager.address"
    several = configuration.getTrimmedStrings("yarn.resourcemanager.ha.rm-ids")
    return [str(configuration.get(f"{name}.{each}")) for each in several] or [str(configuration.get(name))]


def _folder() -> str:
    return next(filter(None, map(os.environ.get, _FOLDERS)), "")
