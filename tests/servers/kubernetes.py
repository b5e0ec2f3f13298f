"""A Kubernetes API server with its etcd and its scheduler, as processes of this machine, where they are built.

    cd tests/servers/kubernetes && CGO_ENABLED=0 go build -o ~/kubernetes/ tool
    IMR_KUBERNETES=~/kubernetes pytest -n0 tests/reporting/test_spark_kubernetes.py

It needs Go 1.26 and builds for eight minutes on two cores, so whoever wants these tests does it once.
Its machines are played by `tests.servers.kubelet`: a kubelet of Kubernetes' own needs a container engine.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

PROGRAMS = ("kube-apiserver", "kube-scheduler", "server")  # the last one is etcd
FOLDER = Path(os.environ.get("IMR_KUBERNETES", "/nonexistent"))
ADMIN, SCHEDULER, NODE = "admin", "system:kube-scheduler", "system:node:here"
_GROUPS = {ADMIN: "system:masters", SCHEDULER: "", NODE: "system:nodes"}
_PATIENCE = 120  # seconds
_EVERYTHING = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "RequestResponse"}]}

Json = dict[str, Any]


def built() -> bool:
    return all((FOLDER / name).is_file() for name in PROGRAMS)


@dataclass(frozen=True, slots=True)
class ApiServer:
    """``tokens`` by user; ``authority`` is the file with the certificate that its clients trust."""

    folder: Path
    url: str
    authority: Path
    tokens: dict[str, str]

    def ask(self, method: str, path: str, body: Json | None = None, *, user: str = ADMIN, **more: Any) -> Any:
        """Raises HTTPError."""
        headers = {"Authorization": f"Bearer {self.tokens[user]}"}
        if method == "PATCH":
            headers["Content-Type"] = "application/strategic-merge-patch+json"
        data = None if body is None else json.dumps(body)
        answer = requests.request(
            method, self.url + path, data=data, headers=headers, verify=str(self.authority), timeout=30, **more
        )
        answer.raise_for_status()
        return answer.json()

    def kubeconfig(self, token: str) -> Path:
        """For whoever has ``token``."""
        cluster = {"server": self.url, "certificate-authority": str(self.authority)}
        made = {
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{"name": "here", "cluster": cluster}],
            "users": [{"name": "me", "user": {"token": token}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        }  # fmt: skip
        file = self.folder / f"{secrets.token_hex(4)}.kubeconfig"
        file.write_text(json.dumps(made), encoding="utf-8")
        return file

    def asked(self) -> str:
        """All that anybody asked of it and was answered, with what was sent: its audit log."""
        return (self.folder / "audit.log").read_text(encoding="utf-8")


@contextmanager
def api_server(folder: Path) -> Iterator[ApiServer]:
    with ExitStack() as running:
        tokens = {user: secrets.token_hex(16) for user in _GROUPS}
        made = ApiServer(folder, f"https://127.0.0.1:{_port()}", folder / "certificates" / "apiserver.crt", tokens)
        running.enter_context(_etcd(folder, client := _port()))
        running.enter_context(_api_server(made, client))
        _await(made)
        config = made.kubeconfig(tokens[SCHEDULER])
        running.enter_context(
            _running(folder, "kube-scheduler", kubeconfig=config, secure_port=_port(), bind_address="127.0.0.1",
                     leader_elect="false", cert_dir=folder / "scheduler")
        )  # fmt: skip
        yield made


def _etcd(folder: Path, client: int) -> Any:
    mine, peer = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{_port()}"
    return _running(
        folder, "server", data_dir=folder / "etcd", listen_client_urls=mine, advertise_client_urls=mine,
        listen_peer_urls=peer, initial_advertise_peer_urls=peer, initial_cluster=f"default={peer}",
        unsafe_no_fsync="true",
    )  # fmt: skip


def _api_server(made: ApiServer, etcd: int) -> Any:
    folder = made.folder
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "accounts.pem").write_bytes(pem)
    rows = (f'{made.tokens[user]},{user},{user},"{group}"' for user, group in _GROUPS.items())
    (folder / "tokens.csv").write_text("\n".join(rows), encoding="utf-8")
    (folder / "audit.json").write_text(json.dumps(_EVERYTHING), encoding="utf-8")
    return _running(
        folder, "kube-apiserver", etcd_servers=f"http://127.0.0.1:{etcd}", secure_port=made.url.rpartition(":")[2],
        bind_address="127.0.0.1", advertise_address="127.0.0.1", endpoint_reconciler_type="none",
        cert_dir=made.authority.parent, service_cluster_ip_range="10.96.0.0/16", authorization_mode="Node,RBAC",
        enable_admission_plugins="NodeRestriction", token_auth_file=folder / "tokens.csv",
        service_account_issuer="https://kubernetes.default.svc", service_account_key_file=folder / "accounts.pem",
        service_account_signing_key_file=folder / "accounts.pem", audit_policy_file=folder / "audit.json",
        audit_log_path=folder / "audit.log",
    )  # fmt: skip


def _await(made: ApiServer) -> None:
    end = time.monotonic() + _PATIENCE
    while not _ready(made):
        said = (made.folder / "kube-apiserver.log").read_text(encoding="utf-8")
        assert time.monotonic() < end, said[-3000:]
        time.sleep(0.2)


def _ready(made: ApiServer) -> bool:
    try:
        return requests.get(f"{made.url}/readyz", verify=str(made.authority), timeout=5).ok
    except OSError:  # it makes its certificate first
        return False


@contextmanager
def _running(folder: Path, program: str, **options: object) -> Iterator[None]:
    command = [str(FOLDER / program), *(f"--{name.replace('_', '-')}={value}" for name, value in options.items())]
    with (folder / f"{program}.log").open("wb") as log:
        popen = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        yield
    finally:
        popen.send_signal(signal.SIGKILL)
        popen.wait()


def _port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
