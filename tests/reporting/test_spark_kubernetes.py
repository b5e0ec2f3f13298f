"""On Kubernetes: its own API server and scheduler; pods are processes that see of the shared folder what they mount."""

import gc
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from imr_fhir.errors import TablesError
from imr_fhir.reporting.spark.cluster import WAIT
from imr_fhir.reporting.spark.java import java_21
from imr_fhir.reporting.spark.kubernetes import refused, waiting
from imr_fhir.reporting.spark.tables import write_tables_on_spark
from imr_fhir.reporting.tables import Written, write_tables
from tests import parts
from tests.reporting.cluster import bare_python
from tests.reporting.test_spark import pytestmark as ignored
from tests.reporting.test_spark import same_rows, write
from tests.reporting.test_spark_cluster import GOALS, ONE, SECRET
from tests.servers.kubelet import IMAGE, Kubelet, kubelet
from tests.servers.kubernetes import ADMIN, ApiServer, api_server

pytestmark = [ignored, pytest.mark.xdist_group("kubernetes")]
NAMESPACE, ACCOUNT, NOBODY, CLAIM = "imr", "imr-report", "nobody", "imr-shared"
_IN = f"/api/v1/namespaces/{NAMESPACE}"
_RBAC = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}"
# As docs/reporting.md has it.
ROLE: dict[str, Any] = {
    "metadata": {"name": "imr-report"},
    "rules": [
        {
            "apiGroups": [""],
            "resources": ["pods", "configmaps"],
            "verbs": ["create", "get", "list", "watch", "delete", "deletecollection"],
        }
    ],
}
_VOLUME = f"spark.kubernetes.executor.volumes.persistentVolumeClaim.{CLAIM}"
_HOST_PATH = "spark.kubernetes.executor.volumes.hostPath.other"


@dataclass(frozen=True, slots=True)
class Cluster:
    server: ApiServer
    node: Kubelet
    shared: Path

    def tables(
        self,
        export: str = "small",
        out: str = "out",
        *,
        definitions: Sequence[Mapping[str, Any]] | None = ONE,
        settings: Mapping[str, str] | None = None,
    ) -> Written:
        chosen = {
            "spark.kubernetes.container.image": IMAGE, "spark.kubernetes.namespace": NAMESPACE,
            f"{_VOLUME}.mount.path": str(self.shared), f"{_VOLUME}.options.claimName": CLAIM,
            WAIT: "10", "spark.scheduler.maxRegisteredResourcesWaitingTime": "1s", **(settings or {}),
        }  # fmt: skip
        return write_tables_on_spark(
            self.shared / export, self.shared / out, master=f"k8s://{self.server.url}", definitions=definitions,
            settings={name: value for name, value in chosen.items() if value}, with_free_text=True,
        )  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """With a namespace for reports, as an administrator would make it."""
    parts.need(parts.SPARK, parts.KUBERNETES)
    with api_server(tmp_path_factory.mktemp("kubernetes")) as made:
        labels = {"pod-security.kubernetes.io/enforce": "baseline"}
        made.ask("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE, "labels": labels}})
        for account in ("default", ACCOUNT, NOBODY):
            made.ask("POST", f"{_IN}/serviceaccounts", {"metadata": {"name": account}})
        made.ask("POST", f"{_RBAC}/roles", ROLE)
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": ROLE["metadata"]["name"]}
        who = [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}]
        bound = {"metadata": {"name": ACCOUNT}, "roleRef": role, "subjects": who}
        made.ask("POST", f"{_RBAC}/rolebindings", bound)
        yield made


@pytest.fixture
def cluster(server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """With one machine, whose Python has neither imr_fhir nor anything else."""
    import pyspark

    monkeypatch.setenv("PYSPARK_PYTHON", str(bare_python(tmp_path / "python")))
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(token(server, ACCOUNT))))
    shared = tmp_path / "shared"
    (shared / "small").mkdir(parents=True)
    (shared / "small" / "Patient.ndjson").write_text('{"resourceType": "Patient", "id": "1"}\n', encoding="utf-8")
    claim(server, shared)
    with java_21(tmp_path):
        image = {"JAVA_HOME": os.environ["JAVA_HOME"], "SPARK_HOME": str(Path(pyspark.__file__).parent)}
    with kubelet(server, tmp_path / "node", shared, image) as node:
        yield Cluster(server, node, shared)
    for path in (f"{_IN}/persistentvolumeclaims/{CLAIM}", f"/api/v1/persistentvolumes/{CLAIM}"):
        server.ask("PATCH", path, {"metadata": {"finalizers": None}})
        server.ask("DELETE", path)
    gc.collect()


def token(server: ApiServer, account: str) -> str:
    made = server.ask("POST", f"{_IN}/serviceaccounts/{account}/token", {"spec": {"expirationSeconds": 3600}})
    return str(made["status"]["token"])


def claim(server: ApiServer, shared: Path) -> None:
    """A claim of ``shared``, bound as the controllers of a cluster bind one."""
    size, mode = {"storage": "1Gi"}, ["ReadWriteMany"]
    volume = {
        "metadata": {"name": CLAIM},
        "spec": {
            "capacity": size, "accessModes": mode, "hostPath": {"path": str(shared)},
            "claimRef": {"namespace": NAMESPACE, "name": CLAIM},
        },
    }  # fmt: skip
    claimed = {
        "metadata": {"name": CLAIM, "annotations": {"pv.kubernetes.io/bind-completed": "yes"}},
        "spec": {"accessModes": mode, "resources": {"requests": size}, "volumeName": CLAIM, "storageClassName": ""},
    }
    server.ask("POST", "/api/v1/persistentvolumes", volume)
    server.ask("POST", f"{_IN}/persistentvolumeclaims", claimed)
    bound = {"status": {"phase": "Bound"}}
    server.ask("PATCH", f"/api/v1/persistentvolumes/{CLAIM}/status", bound)
    server.ask("PATCH", f"{_IN}/persistentvolumeclaims/{CLAIM}/status", bound)


def left_there(server: ApiServer) -> list[str]:
    kinds = ("pods", "configmaps", "secrets", "services")
    return [each["metadata"]["name"] for kind in kinds for each in server.ask("GET", f"{_IN}/{kind}")["items"]]


def test_the_same_rows_though_a_pod_is_killed(cluster: Cluster, capfd: pytest.CaptureFixture[str]) -> None:
    write(cluster.shared / "export")
    ours = write_tables(cluster.shared / "export", cluster.shared / "here", with_free_text=True)
    with ThreadPoolExecutor() as pool:
        killed = pool.submit(_kill_when_some_are_made, cluster)
        theirs = cluster.tables("export", "there", definitions=None)
        assert killed.result() < len(theirs.tables), "in the middle"
    assert theirs.sources == ours.sources
    same_rows(ours, theirs)
    assert len(cluster.node.pods) >= 3, "two, and one for the one that was killed"
    assert left_there(cluster.server) == []
    assert capfd.readouterr() == ("", "")


def _kill_when_some_are_made(cluster: Cluster) -> int:
    """How many tables there were then."""
    while len(made := list((cluster.shared / "there").glob(".tables-*/*.parquet"))) < 4:
        time.sleep(0.1)
    cluster.node.kill(min(cluster.node.running))
    return len(made)


def test_neither_a_pod_s_log_nor_the_api_server_has_the_data(
    cluster: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    goal = {"resourceType": "Goal", "id": "1", "lifecycleStatus": SECRET}
    (cluster.shared / "small" / "Goal.ndjson").write_text(json.dumps(goal), encoding="utf-8")
    with pytest.raises(TablesError, match="a lifecycleStatus that FHIR does not allow") as raised:
        cluster.tables(definitions=GOALS)
    logs = [file.read_text(encoding="utf-8") for file in cluster.node.folder.glob("*.log")]
    assert logs
    asked = cluster.server.asked()
    assert "SPARK_DRIVER_URL" in asked, "the pods stand there whole"
    assert [text for text in (*logs, asked, str(raised.value), *capfd.readouterr()) if SECRET in text] == []
    assert list((cluster.shared / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"spark.kubernetes.container.image": ""}, r"^Nothing says what runs in the pods of Kubernetes\. Set spark\."),
        ({"spark.kubernetes.container.image": "x/spark:1"}, r"10 seconds: ErrImagePull, x/spark:1\. Look at"),
        ({"spark.executor.memory": "64g"}, r"it has no room \(0/1 nodes are available: 1 Insufficient memory\)\. Make"),
        ({"spark.driver.host": "127.0.0.99", "spark.driver.bindAddress": "127.0.0.1"}, "its pods (end at|run and)"),
        ({f"{_VOLUME}.mount.path": "/elsewhere"}, r"A machine of the cluster can't use .* under the same path"),
        (
            {f"{_HOST_PATH}.mount.path": "/other", f"{_HOST_PATH}.options.path": "/other"},
            r'it takes no such pod: .* violates PodSecurity "baseline:latest": hostPath volumes \(volume "other"\)\.',
        ),
        (
            {"spark.kubernetes.namespace": "nowhere"},
            r"you may not \w+ \w+ in the namespace nowhere\. Let its administrator",
        ),
    ],
)  # fmt: skip
def test_why_no_machine_comes(cluster: Cluster, settings: dict[str, str], said: str) -> None:
    with pytest.raises(TablesError, match=said):
        cluster.tables(settings=settings)
    assert left_there(cluster.server) == []


@pytest.mark.parametrize(
    ("who", "settings", "said"),
    [
        ("", {}, "it does not know you. Look at your kubeconfig"),
        (NOBODY, {}, r"you may not \w+ \w+ in the namespace imr\. Let its administrator"),
        (ADMIN, {"spark.kubernetes.namespace": "nowhere"}, "there is no namespace nowhere. Make it, or set"),
    ],
)
def test_who_is_refused(
    cluster: Cluster, who: str, settings: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = {"": "expired", NOBODY: token(cluster.server, NOBODY), **cluster.server.tokens}
    monkeypatch.setenv("KUBECONFIG", str(cluster.server.kubeconfig(tokens[who])))
    with pytest.raises(TablesError, match=rf"^Spark does not start at k8s://\S+: {said}"):
        cluster.tables(settings=settings)
    assert cluster.node.pods == {}


def _pod(phase: str, **state: Mapping[str, object]) -> dict[str, Any]:
    return {"status": {"phase": phase, "containerStatuses": [{"image": IMAGE, "state": state}] if state else []}}


@pytest.mark.parametrize(
    ("pods", "said"),
    [
        ([_pod("Running", running={})], "its pods run and can't reach this machine"),
        ([_pod("Pending", waiting={"reason": "ImagePullBackOff"})], f"ImagePullBackOff, {IMAGE}"),
        ([_pod("Pending", waiting={"reason": "ContainerCreating"})], "its pods can't begin (ContainerCreating)"),
        ([_pod("Failed", terminated={"exitCode": 137, "reason": "OOM"})], "its pods end at once (exit code 137, OOM)"),
        ([_pod("Pending")], "its pods are Pending"),
    ],
)
def test_what_pods_wait_for(pods: list[dict[str, Any]], said: str) -> None:
    told = waiting(pods)
    assert told
    assert told[0] == said


def test_nothing_is_known_where_there_is_no_pod() -> None:
    assert waiting([]) is None
    assert refused("") is None


def test_another_certificate_than_the_server_s(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    file = cluster.server.kubeconfig(token(cluster.server, ACCOUNT))
    file.write_text(file.read_text(encoding="utf-8").replace("certificate-authority", "other"), encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(file))
    with pytest.raises(TablesError, match=r"its certificate is of nobody you trust\. Give its authority's"):
        cluster.tables()
