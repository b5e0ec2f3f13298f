"""A stand-in for a machine's kubelet: it has the rights of one at the API server, and its containers are processes.

It knows one image, which is this machine, and does as Spark's image does with the argument `executor`. What the pod
does not mount is hidden: the folder ``shared``, and what lies under /var and /opt.
"""

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from shlex import quote
from threading import Event, Thread
from typing import Any

import requests

from tests.servers.kubernetes import ADMIN, NODE, ApiServer

IMAGE = "registry.hospital.example/spark:4.0.5"
_NAME = NODE.rpartition(":")[2]
_NODES, _PODS = "/api/v1/nodes", "/api/v1/pods"
_BACKEND = "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend"

Json = dict[str, Any]


@dataclass(slots=True)
class Kubelet:
    server: ApiServer
    folder: Path
    shared: Path
    image: Mapping[str, str]  # what its environment has: JAVA_HOME, SPARK_HOME
    pods: dict[str, Json] = field(default_factory=dict)  # as last seen, by name
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _stopped: Event = field(default_factory=Event)
    _addresses: Iterator[int] = field(default_factory=lambda: count(1))

    def register(self, cores: int, memory: str) -> None:
        room = {"cpu": str(cores), "memory": memory, "pods": "10"}
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": _now()}
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": _NAME}}
        self._ask("POST", _NODES, node)
        self._ask(
            "PATCH",
            f"{_NODES}/{_NAME}/status",
            {"status": {"capacity": room, "allocatable": room, "conditions": [ready]}},
        )
        # A controller of the cluster's does this once a machine is ready.
        self.server.ask("PATCH", f"{_NODES}/{_NAME}", {"spec": {"taints": None}})

    def run(self) -> None:
        """Does what the API server has for this machine, until it is stopped."""
        mine = {"fieldSelector": f"spec.nodeName={_NAME}", "watch": "true", "timeoutSeconds": "1"}
        while not self._stopped.is_set():
            with requests.get(
                self.server.url + _PODS, params=mine, stream=True, verify=str(self.server.authority), timeout=30,
                headers={"Authorization": f"Bearer {self.server.tokens[NODE]}"},
            ) as events:  # fmt: skip
                for line in events.iter_lines():
                    event = json.loads(line)
                    if event["type"] in ("ADDED", "MODIFIED"):
                        self._seen(event["object"])
            self._reap()

    def _seen(self, pod: Json) -> None:
        name, known = pod["metadata"]["name"], pod["metadata"]["name"] in self.pods
        self.pods[name] = pod
        if "deletionTimestamp" in pod["metadata"]:
            self._delete(pod)
        elif not known:
            self._start(pod)

    def _start(self, pod: Json) -> None:
        (container,), name = pod["spec"]["containers"], pod["metadata"]["name"]
        if container["image"] != IMAGE:
            said = f"failed to pull and unpack image {container['image']}: not found"
            return self._tell(pod, "Pending", {"waiting": {"reason": "ErrImagePull", "message": said}})
        address = f"127.0.1.{next(self._addresses)}"
        with (self.folder / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(
                self._inside(pod), env=_environment(pod, container, address, self.image), cwd=self.folder, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip
        return self._tell(pod, "Running", {"running": {"startedAt": _now()}}, podIP=address, podIPs=[{"ip": address}])

    def _inside(self, pod: Json) -> list[str]:
        """The container's process, where only what the pod mounts is to be seen."""
        (container,), name = pod["spec"]["containers"], pod["metadata"]["name"]
        sources = {each["name"]: self._source(pod, each) for each in pod["spec"]["volumes"]}
        steps, after = ["set -e"], []
        for number, mount in enumerate(container.get("volumeMounts", [])):
            kept = self.folder / f"{name}-{number}"
            kept.mkdir()
            if source := sources[mount["name"]]:
                steps.append(f"mount --bind {quote(source)} {quote(str(kept))}")
            after.append(f"mkdir -p {quote(mount['mountPath'])}")
            after.append(f"mount --bind {quote(str(kept))} {quote(mount['mountPath'])}")
        steps += [f"mount -t tmpfs none {quote(str(hidden))}" for hidden in (self.shared, "/opt", "/var")]
        begin = _EXECUTOR if container["args"] == ["executor"] else "exit 64"
        return ["unshare", "--mount", "bash", "-c", "; ".join([*steps, *after, begin])]

    def _source(self, pod: Json, volume: Json) -> str:
        """The folder of this machine that ``volume`` is; "" is an empty one."""
        if "persistentVolumeClaim" not in volume:
            return str(volume.get("hostPath", {}).get("path", ""))
        claims = f"/api/v1/namespaces/{pod['metadata']['namespace']}/persistentvolumeclaims"
        claim = self.server.ask("GET", f"{claims}/{volume['persistentVolumeClaim']['claimName']}", user=NODE)
        bound = self.server.ask("GET", f"/api/v1/persistentvolumes/{claim['spec']['volumeName']}", user=NODE)
        return str(bound["spec"]["hostPath"]["path"])

    def _reap(self) -> None:
        for name, process in list(self.running.items()):
            if process.poll() is not None:
                del self.running[name]
                ended = {"exitCode": process.returncode % 256, "finishedAt": _now(), "reason": "Error"}
                self._tell(self.pods[name], "Failed" if process.returncode else "Succeeded", {"terminated": ended})

    def _delete(self, pod: Json) -> None:
        name = pod["metadata"]["name"]
        if process := self.running.pop(name, None):
            _end(process)
        now = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
        self._ask("DELETE", _path(pod), now)

    def _tell(self, pod: Json, phase: str, state: Json, **more: object) -> None:
        (container,) = pod["spec"]["containers"]
        up = phase == "Running"
        status = {
            "name": container["name"], "image": container["image"], "imageID": container["image"], "restartCount": 0,
            "ready": up, "started": up, "state": state,
        }  # fmt: skip
        told = {"phase": phase, "startTime": _now(), "containerStatuses": [status], "hostIP": "127.0.0.1", **more}
        self._ask("PATCH", f"{_path(pod)}/status", {"status": told})

    def _ask(self, method: str, path: str, body: Json) -> None:
        try:
            self.server.ask(method, path, body, user=NODE)
        except requests.HTTPError as error:
            if error.response.status_code not in (404, 409):  # deleted meanwhile
                raise

    def kill(self, name: str) -> None:
        """As where the machine runs out of memory."""
        _end(self.running[name])

    def stop(self) -> None:
        self._stopped.set()
        for process in self.running.values():
            _end(process)


@contextmanager
def kubelet(
    server: ApiServer, folder: Path, shared: Path, image: Mapping[str, str], cores: int = 2, memory: str = "8Gi"
) -> Iterator[Kubelet]:
    folder.mkdir()
    made = Kubelet(server, folder, shared, image)
    made.register(cores, memory)
    thread = Thread(target=made.run)
    thread.start()
    try:
        yield made
    finally:
        made.stop()
        thread.join()
        server.ask("DELETE", f"{_NODES}/{_NAME}", user=ADMIN)


def _environment(pod: Json, container: Json, address: str, image: Mapping[str, str]) -> dict[str, str]:
    fields = {"status.podIP": address, "metadata.name": pod["metadata"]["name"]}
    given = {
        each["name"]: each["value"] if "value" in each else fields[each["valueFrom"]["fieldRef"]["fieldPath"]]
        for each in container["env"]
        if "value" in each or "valueFrom" in each
    }
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **image, **given}


_EXECUTOR = f"""
readarray -t options < <(env | sed -n 's/^SPARK_JAVA_OPT_[0-9]*=//p')
exec "$JAVA_HOME/bin/java" "${{options[@]}}" "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" \\
    -cp "$SPARK_CONF_DIR:${{SPARK_CLASSPATH:+$SPARK_CLASSPATH:}}$SPARK_HOME/jars/*" {_BACKEND} \\
    --driver-url "$SPARK_DRIVER_URL" --executor-id "$SPARK_EXECUTOR_ID" --cores "$SPARK_EXECUTOR_CORES" \\
    --app-id "$SPARK_APPLICATION_ID" --hostname "$SPARK_EXECUTOR_POD_IP" \\
    --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" --podName "$SPARK_EXECUTOR_POD_NAME"
"""


def _path(pod: Json) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
