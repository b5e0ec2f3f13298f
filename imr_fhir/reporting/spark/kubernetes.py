"""Kubernetes: what Spark must be told there, and why no executor comes, in a sentence.

Spark itself tries again without end whatever the API server refuses, and writes why to a log that is off here.
What the API server says may be told: nothing of the data is ever sent there.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imr_fhir.errors import TablesError
from imr_fhir.reporting.spark.cluster import LONGER, SECURED

if TYPE_CHECKING:
    from pyspark import SparkContext

Json = dict[str, Any]
Told = tuple[str, str]  # what is wrong, and the next step

MASTER = "k8s://"
_IMAGES = "spark.kubernetes.container.image", "spark.kubernetes.executor.container.image"
_HOST, _NAMESPACE = "spark.driver.host", "spark.kubernetes.namespace"
# By default this machine's Java exits after three pods that ended, and nobody learns why.
_SETTINGS = {**SECURED, "spark.executor.maxNumFailures": "2147483647"}
_LOOK = f"Look at them while it waits (kubectl describe pod){LONGER}"
_RIGHTS = "Let its administrator give you the rights of docs/reporting.md."
# In the API server's words, as its client quotes them.
_REFUSED = {
    "code=401|Received 401": (
        "it does not know you",
        "Look at your kubeconfig, or set spark.kubernetes.authenticate.oauthTokenFile: a token may have expired.",
    ),
    r'namespaces \\?"(.+?)\\?" not found': ("there is no namespace {}", f"Make it, or set {_NAMESPACE} to another."),
    r'cannot (\w+) resource "(\S+)" .+? in the namespace "(.+?)"': ("you may not {} {} in the namespace {}", _RIGHTS),
    r"Received 403 on websocket\..+?/namespaces/(.+?)/(\w+)\?": ("you may not watch {1} in the namespace {0}", _RIGHTS),
    "PKIX path|SSLHandshake|SSLPeerUnverified": (
        "its certificate is of nobody you trust",
        "Give its authority's: in your kubeconfig, or as spark.kubernetes.authenticate.caCertFile.",
    ),
    r"Message: (.+?)\. Received status": (
        "it takes no such pod: {}",
        "Set spark.kubernetes.executor.podTemplateFile or the like to what it takes.",
    ),
}


def settings(given: Mapping[str, str], here: str) -> dict[str, str]:
    """``given`` over those for Kubernetes; ``here`` is this machine's address towards it: no pod knows its name."""
    return {**_SETTINGS, _HOST: here, **given}


def log(into: Path) -> str:
    """For log4j: why pods were refused goes to the file ``into``. That class has seen none of the data."""
    return f"""appender.pods.type = File
appender.pods.name = pods
appender.pods.fileName = {into}
appender.pods.layout.type = PatternLayout
appender.pods.layout.pattern = %m%n%ex{{short.message}}%n
logger.pods.name = org.apache.spark.scheduler.cluster.k8s.ExecutorPodsSnapshotsStoreImpl
logger.pods.level = warn
logger.pods.additivity = false
logger.pods.appenderRef.pods.ref = pods
"""


def check(jvm: Any) -> None:
    """Raises TablesError where Spark has no image for the executors: it would begin all the same."""
    if not any(map(jvm.org.apache.spark.SparkConf().contains, _IMAGES)):
        raise TablesError(
            "Nothing says what runs in the pods of Kubernetes.",
            next_step=f"Set {_IMAGES[0]} to an image with Spark 4.0, Java 21 and Python.",
        )


def refused(said: str) -> Told | None:
    """What the API server would not do, where it is in ``said``."""
    for pattern, (why, next_step) in _REFUSED.items():
        if found := re.search(pattern, said):
            return why.format(*map(_shown, found.groups())), next_step
    return None


def why(context: "SparkContext", logged: Path) -> Told | None:
    """Why no pod of Spark's does anything; ``logged``: that of `log`."""
    from py4j.protocol import Py4JError

    try:
        there = _pods(context)
    except Py4JError as error:
        return refused(str(error))
    return waiting(there) or refused(logged.read_text(encoding="utf-8") if logged.exists() else "")


def _pods(context: "SparkContext") -> list[Json]:
    jvm, conf = context._jvm, context._jsc.sc().conf()
    assert jvm
    factory, option = jvm.org.apache.spark.deploy.k8s.SparkKubernetesClientFactory, jvm.scala.Option
    kind = getattr(getattr(jvm.org.apache.spark.deploy.k8s, "SparkKubernetesClientFactory$ClientType$"), "MODULE$")
    namespace = option.apply(conf.get(_NAMESPACE, "default"))
    client = factory.createKubernetesClient(
        context.master.removeprefix(MASTER),
        namespace,
        "spark.kubernetes.authenticate",
        kind.Driver(),
        conf,
        option.empty(),
    )
    try:
        found = client.pods().withLabel("spark-app-selector", context.applicationId).list()
        return list(json.loads(jvm.io.fabric8.kubernetes.client.utils.Serialization.asJson(found)).get("items", ()))
    finally:
        client.close()


def waiting(pods: Iterable[Json]) -> Told | None:
    """Why ``pods`` do nothing."""
    return next(map(_waits, pods), None)


def _waits(pod: Json) -> Told:
    status = pod["status"]
    for condition in status.get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            said = _shown(condition.get("message", "").partition(". ")[0])
            return f"it has no room ({said})", f"Make room, or set spark.executor.memory or .cores to less{LONGER}"
    for container in status.get("containerStatuses", ()):
        if held := container["state"].get("waiting"):
            if "Image" in held["reason"]:
                return f"{held['reason']}, {container['image']}", f"Look at {_IMAGES[0]} and its pullSecrets."
            return f"its pods can't begin ({held['reason']})", _LOOK
        if ended := container["state"].get("terminated"):
            why = f"its pods end at once (exit code {ended['exitCode']}, {ended.get('reason', '')})"
            return why, f"Look whether the image has Spark 4.0 and Java 21, and whether pods reach {_HOST}."
    if status["phase"] == "Running":
        return "its pods run and can't reach this machine", f"Set {_HOST} to an address that they can reach."
    return f"its pods are {status['phase']}", _LOOK


def _shown(text: str) -> str:
    return " ".join(text.split())[:300].rstrip(".")
