"""On YARN: a ResourceManager, a NodeManager and HDFS, each a process of its own; Spark and Pathling are sent there."""

import gc
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from imr_fhir.errors import TablesError
from imr_fhir.reporting.spark.cluster import WAIT
from imr_fhir.reporting.spark.tables import write_tables_on_spark
from imr_fhir.reporting.tables import write_tables
from tests import parts
from tests.reporting.cluster import bare_python
from tests.reporting.test_spark import pytestmark as ignored
from tests.reporting.test_spark import same_rows, write
from tests.reporting.test_spark_cluster import GOALS, ONE, SECRET, kill_when_some_are_made
from tests.reporting.yarn import Yarn, client_settings, yarn

pytestmark = [ignored, pytest.mark.xdist_group("yarn")]


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yarn]:
    parts.need(parts.SPARK, parts.MAVEN)
    with yarn(tmp_path_factory.mktemp("yarn")) as made:
        made.start_hdfs()
        made.start_resource_manager()
        made.start_node_manager()
        yield made


@pytest.fixture(scope="module")
def no_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yarn]:
    parts.need(parts.SPARK, parts.MAVEN)
    with yarn(tmp_path_factory.mktemp("no-machine")) as made:
        made.start_resource_manager()
        yield made


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """With a Python for the cluster that has neither imr_fhir nor anything else."""
    parts.need(parts.SPARK)
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    monkeypatch.setenv("PYSPARK_PYTHON", str(bare_python(tmp_path / "python")))
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "Patient.ndjson").write_text('{"resourceType": "Patient", "id": "1"}\n', encoding="utf-8")
    yield tmp_path
    gc.collect()


@pytest.fixture
def settings(machines: Yarn, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("HADOOP_CONF_DIR", str(machines.configuration))
    return {f"spark.{where}.JAVA_HOME": machines.java_home for where in ("yarn.appMasterEnv", "executorEnv")}


def test_the_same_rows_though_an_executor_is_killed(
    machines: Yarn, folder: Path, settings: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    write(folder / "export")
    ours, there = write_tables(folder / "export", folder / "here", with_free_text=True), folder / "there"
    with ThreadPoolExecutor() as pool:
        killed = pool.submit(kill_when_some_are_made, machines.kill_an_executor, there)
        theirs = write_tables_on_spark(folder / "export", there, master="yarn", settings=settings, with_free_text=True)
        assert killed.result() < len(theirs.tables), "in the middle"
    assert theirs.sources == ours.sources
    same_rows(ours, theirs)
    assert {file.name for file in there.iterdir()} == {f"{table.name}.parquet" for table in ours.tables}
    assert capfd.readouterr() == ("", "")


def test_no_log_has_the_data(
    machines: Yarn, folder: Path, settings: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    goal = {"resourceType": "Goal", "id": "1", "lifecycleStatus": SECRET}
    (folder / "small" / "Goal.ndjson").write_text(json.dumps(goal), encoding="utf-8")
    before = set(machines.containers("stderr"))
    with pytest.raises(TablesError, match="a lifecycleStatus that FHIR does not allow") as raised:
        write_tables_on_spark(folder / "small", folder / "out", master="yarn", settings=settings, definitions=GOALS)
    said = set(machines.containers("stderr")) - before
    assert len(said) >= 2, "the application master's, an executor's"
    assert [file for file in said if file.read_text(encoding="utf-8")] == [], "nothing at all"
    assert [file for file, text in machines.logs() if SECRET in text] == []
    assert SECRET not in "".join((str(raised.value), *capfd.readouterr()))
    assert list((folder / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("spark.yarn.queue", "other", r"the queue is not for you\. Set spark\.yarn\.queue"),
        ("spark.executor.memory", "50g", r"its machines are too small for what is asked\. Set spark\.executor\.memory"),
        ("spark.yarn.appMasterEnv.JAVA_HOME", "/nowhere", r"its machines have no such Java\. Set spark\.yarn\.app"),
    ],
)
def test_what_yarn_refuses(folder: Path, settings: dict[str, str], setting: str, value: str, said: str) -> None:
    wrong = {**settings, setting: value}
    with pytest.raises(TablesError, match=f"Spark does not start at yarn: {said}"):
        write_tables_on_spark(folder / "small", folder / "out", master="yarn", settings=wrong, definitions=ONE)


@pytest.mark.parametrize("managers", [1, 2])
def test_an_application_that_gets_no_machine(
    no_machine: Yarn, managers: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two managers the first does not answer, as one that stands by or is down."""
    where = no_machine.configuration
    if managers == 2:
        named = {"ha.enabled": "true", "ha.rm-ids": "a,b", "address.a": "127.0.0.1:1", "address.b": no_machine.address}
        where = client_settings(folder / "conf", **named)
    monkeypatch.setenv("HADOOP_CONF_DIR", str(where))
    before = no_machine.ended()
    with pytest.raises(TablesError, match=r"The cluster at yarn gave no machine for 3 seconds. Look whether"):
        write_tables_on_spark(
            folder / "small", folder / "out", master="yarn", definitions=ONE, settings=_waiting(folder, "3")
        )
    assert no_machine.ended() == before + 1
    assert [*(folder / "staging").rglob("*.zip")] == []


def test_who_gives_up_waiting_leaves_no_application(
    no_machine: Yarn, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HADOOP_CONF_DIR", str(no_machine.configuration))
    before, taken = no_machine.ended(), no_machine.taken()
    given = [f"--spark-conf={name}={value}" for name, value in _waiting(folder, "600").items()]
    command = ["report", "small", "out", "--zone=Europe/Oslo", "--exported=2026-01-01", "--engine=spark"]
    ran = subprocess.Popen(
        [Path(sys.executable).parent / "imr-fhir", *command, "--master=yarn", *given],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    while no_machine.taken() == taken and ran.poll() is None:
        time.sleep(0.2)
    ran.send_signal(signal.SIGINT)
    said, _ = ran.communicate(timeout=120)
    assert (no_machine.ended(), "Traceback" in said) == (before + 1, False), said


def _waiting(folder: Path, seconds: str) -> dict[str, str]:
    return {WAIT: seconds, "spark.yarn.stagingDir": (folder / "staging").as_uri()}


@pytest.mark.parametrize(
    "named",
    [
        {"address": "127.0.0.1:1"},
        {"ha.enabled": "true", "ha.rm-ids": "a,b", "address.a": "127.0.0.1:1", "address.b": "127.0.0.1:2"},
    ],
)
def test_no_resource_manager_answers(named: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HADOOP_CONF_DIR", str(client_settings(folder / "conf", **named)))
    addresses = " or ".join(value for name, value in named.items() if name.startswith("address"))
    with pytest.raises(TablesError, match=rf"No ResourceManager answers at {addresses}\. Look at yarn-site.xml in"):
        write_tables_on_spark(folder / "small", folder / "out", master="yarn", definitions=ONE)
