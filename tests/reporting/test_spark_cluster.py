"""On a cluster of several processes, driver and executors share no memory and no Python packages, only a disk."""

import gc
import json
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from imr_fhir.artefacts import view_definitions
from imr_fhir.commands.report import report
from imr_fhir.errors import TablesError
from imr_fhir.reporting.spark.cluster import WAIT, patience
from imr_fhir.reporting.spark.tables import write_tables_on_spark
from imr_fhir.reporting.tables import write_tables
from tests import parts
from tests.reporting.cluster import bare_python, cluster
from tests.reporting.test_spark import pytestmark as pytestmark
from tests.reporting.test_spark import same_rows, write

ONE, GOALS = ([view for view in view_definitions() if view["name"] == name] for name in ("patients", "goals"))
SECRET = "Kari-Nordmann"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """With a Python for the cluster that has neither imr_fhir nor anything else."""
    parts.need(parts.SPARK)
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    monkeypatch.setenv("PYSPARK_PYTHON", str(bare_python(tmp_path / "python")))
    (tmp_path / "cluster").mkdir()
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "Patient.ndjson").write_text('{"resourceType": "Patient", "id": "1"}\n', encoding="utf-8")
    yield tmp_path
    gc.collect()


def test_the_same_rows_though_a_worker_is_killed(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(folder / "export")
    ours = write_tables(folder / "export", folder / "here", with_free_text=True)
    there = folder / "there"
    with cluster(folder / "cluster") as spark, ThreadPoolExecutor() as pool:
        killed = pool.submit(kill_when_some_are_made, spark.workers[0].kill, there)
        theirs = write_tables_on_spark(folder / "export", there, master=spark.master, with_free_text=True)
        assert killed.result() < len(theirs.tables), "in the middle"
    assert theirs.sources == ours.sources
    same_rows(ours, theirs)
    assert {file.name for file in there.iterdir()} == {f"{table.name}.parquet" for table in ours.tables}
    assert capfd.readouterr() == ("", "")


def kill_when_some_are_made(kill: Callable[[], None], out: Path) -> int:
    """How many tables there were then."""
    while len(made := list(out.glob(".tables-*/*.parquet"))) < 4:
        time.sleep(0.1)
    kill()
    return len(made)


def test_no_log_has_the_data(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    goal = {"resourceType": "Goal", "id": "1", "lifecycleStatus": SECRET}
    (folder / "small" / "Goal.ndjson").write_text(json.dumps(goal), encoding="utf-8")
    with cluster(folder / "cluster", workers=1) as spark:
        with pytest.raises(TablesError, match="a lifecycleStatus that FHIR does not allow") as raised:
            write_tables_on_spark(folder / "small", folder / "out", master=spark.master, definitions=GOALS)
        said = list(spark.logs())
    assert len(said) >= 4, "the master's, the worker's, an executor's two"
    assert [file for file, text in said if SECRET in text] == []
    assert SECRET not in "".join((str(raised.value), *capfd.readouterr()))
    assert list((folder / "out").iterdir()) == []


@pytest.mark.parametrize("lacking", ["out", "small"])
def test_a_folder_that_a_machine_does_not_have(folder: Path, lacking: str) -> None:
    if not shutil.which("unshare"):
        pytest.skip("unshare is not on this machine")
    (folder / "out").mkdir()
    with cluster(folder / "cluster", workers=0) as spark:
        spark.start_worker(hidden=folder / lacking)
        with pytest.raises(TablesError, match=rf"A machine of the cluster can't use {folder / lacking}.* same path"):
            write_tables_on_spark(folder / "small", folder / "out", master=spark.master, definitions=ONE)
    assert list((folder / "out").iterdir()) == []


def test_machines_that_never_come_or_have_no_such_python(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSPARK_PYTHON", "python3.99")
    with cluster(folder / "cluster", workers=0) as spark:
        arguments = folder / "small", folder / "out"
        with pytest.raises(TablesError, match=r"gave no machine for 5 seconds. Look whether its workers run"):
            write_tables_on_spark(*arguments, master=spark.master, definitions=ONE, settings={WAIT: "5"})
        spark.start_worker()
        with pytest.raises(TablesError, match=r"no such Python. Set PYSPARK_PYTHON to a Python 3\.\d+ of the cluster"):
            write_tables_on_spark(*arguments, master=spark.master, definitions=ONE)


def test_rows_that_a_machine_wrote_elsewhere_are_missed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    glob = Path.glob
    monkeypatch.setattr(Path, "glob", lambda path, what: [] if what == "*.parquet" else glob(path, what))
    with pytest.raises(TablesError, match="Of 1 rows of patients 0 are there"):
        write_tables_on_spark(folder / "small", folder / "out", master="local[1]", definitions=ONE)


@pytest.mark.parametrize(
    "master", ["spark://127.0.0.1:1", "spark://127.0.0.1:1,127.0.0.1:2", "k8s://https://127.0.0.1:1"]
)
def test_nobody_at_the_master(master: str, tmp_path: Path) -> None:
    options = ["--zone", "Europe/Oslo", "--exported", "2026-01-01", "--engine", "spark", "--master", master]
    (tmp_path / "export").mkdir()
    ran = CliRunner().invoke(report, [str(tmp_path / "export"), str(tmp_path / "out"), *options])
    assert f"Nobody answers at {master}." in str(ran.exception)


def test_nothing_says_where_yarn_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HADOOP_CONF_DIR", raising=False)
    monkeypatch.delenv("YARN_CONF_DIR", raising=False)
    options = ["--zone", "Europe/Oslo", "--exported", "2026-01-01", "--engine", "spark", "--master", "yarn"]
    (tmp_path / "export").mkdir()
    ran = CliRunner().invoke(report, [str(tmp_path / "export"), str(tmp_path / "out"), *options])
    assert "Set HADOOP_CONF_DIR to the folder with the cluster's yarn-site.xml" in str(ran.exception)


def test_a_wait_that_is_no_number() -> None:
    assert patience("600") == 600
    with pytest.raises(TablesError, match=r"spark.imr.wait is 10min. Give it in seconds"):
        patience("10min")
