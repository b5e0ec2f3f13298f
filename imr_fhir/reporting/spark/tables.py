"""NDJSON files to tables on Spark: the same ViewDefinitions as on one machine, run by Pathling.

Each line is judged on the cluster by the rules of `imr_fhir.reporting.lines`. Where something is wrong, this machine
goes through that type's files line by line as it does without Spark, so what is left out, and why, is the same.
Pathling's parts become one Parquet file a table with the columns' own types, as the report reads them.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imr_fhir.errors import TablesError
from imr_fhir.reporting.duck import connection
from imr_fhir.reporting.lines import Left, count_lines
from imr_fhir.reporting.making import Maker, Source, Table, identity
from imr_fhir.reporting.spark.checked import package, read_lines
from imr_fhir.reporting.spark.cluster import SHARED, check_machines, known
from imr_fhir.reporting.spark.session import pathling_session
from imr_fhir.reporting.stored import stored
from imr_fhir.reporting.tables import Written, ask, writing
from imr_fhir.reporting.views.compile import View
from imr_fhir.reporting.views.value import literal
from imr_fhir.reporting.work import Work

if TYPE_CHECKING:
    from pathling import PathlingContext
    from pyspark.sql import DataFrame


def write_tables_on_spark(
    folder: Path,
    out: Path,
    *,
    master: str,
    jars: Path | None = None,
    settings: Mapping[str, str] | None = None,
    say: Callable[[str], None] = lambda _: None,
    definitions: Iterable[Mapping[str, Any]] | None = None,
    with_free_text: bool = False,
) -> Written:
    """As `imr_fhir.reporting.tables.write_tables`, as Parquet.

    All machines of the cluster must see ``folder`` and ``out`` under these paths. ``jars``: the folder with Pathling's
    jar, where it is not to be fetched. ``say`` is told what is fetched. Raises ViewError, TablesError.
    """
    asked = ask(folder, definitions, with_free_text=with_free_text)  # refuses what one of the two would not run
    if any(sign in str(out.resolve()) for sign in "*?[]{}\\"):
        raise TablesError(
            f"Spark takes {out} for a pattern.", next_step="Give a folder without * ? [ ] { } in its name."
        )
    with (
        writing(out) as own,
        connection(own.folders, spill=own.spill) as duck,
        pathling_session(own.parts, master=master, jars=jars, settings=settings or {}, say=say) as pathling,
    ):
        context = pathling.spark.sparkContext
        context.addPyFile(str(package(own.parts)))
        with _told("The tables"):
            check_machines(context, own.folder(), chain.from_iterable(asked.files.values()))
        maker = _OnSpark(pathling, own, Maker(duck, own, ("parquet",)), asked.definitions)
        return asked.written(maker, out)


@dataclass(frozen=True, slots=True)
class _OnSpark:
    pathling: "PathlingContext"
    work: Work
    embedded: Maker
    definitions: Mapping[str, Mapping[str, Any]]

    def make(self, resource: str, files: Sequence[Path], views: Sequence[View]) -> tuple[Source, list[Table]]:
        with _told(f"The tables of {resource}"):
            return self._made(resource, files, views)

    def _made(self, resource: str, files: Sequence[Path], views: Sequence[View]) -> tuple[Source, list[Table]]:
        needed, left = identity(), Left()
        for view in views:
            needed.add(view.needed)
        frame = self._lines(files)
        read = read_lines(frame, resource, needed)
        if read.slashes:
            raise TablesError(
                f"{read.slashes:,} lines of {resource} have an id with a slash.",
                next_step="FHIR allows none, and Pathling changes it: use --engine duckdb.",
            )
        lines = read.lines
        if not read.well:
            frame = self._lines(self.embedded.sound(resource, files, views, left))
            lines = sum(map(count_lines, files))
        plain = frame.selectExpr("regexp_replace(value, '^\\ufeff', '') AS value")  # HAPI's parser takes no such mark
        encoded = self.pathling.encode(plain, resource).persist()  # read once for all its views
        data = self.pathling.read.datasets({resource: encoded})
        tables = [
            self._table(view, data.view(json=json.dumps(self.definitions[view.name], default=str))) for view in views
        ]
        encoded.unpersist()
        names = tuple(file.name for file in files)
        return Source(resource, names, lines, lines - left.counts.total(), left), tables

    def _lines(self, files: Sequence[Path]) -> "DataFrame":
        spark = self.pathling.spark
        if not files:
            return spark.createDataFrame([], "value string")
        names = self.work.folder()  # on the tables' disk, which the whole cluster sees; a plain name is no pattern
        for number, file in enumerate(files):
            (names / f"{number:08}").symlink_to(file.resolve())
        found = [(names / f"{number:08}").as_uri() for number in range(len(files))]
        return spark.read.text(found, lineSep="\n").where("trim(value) != ''")

    def _table(self, view: View, rows: "DataFrame") -> Table:
        from pyspark.sql import Observation
        from pyspark.sql.functions import count

        parts, written = self.work.folder() / view.name, Observation()
        rows.observe(written, count("*").alias("rows")).write.parquet(parts.as_uri())
        file, columns, found = self.work.parts / f"{view.name}.parquet", ", ".join(map(stored, view.columns)), 0
        if any(parts.glob("*.parquet")):
            read = literal(f"{parts}/*.parquet")
            (found,) = self.embedded.one(
                f"COPY (SELECT {columns} FROM read_parquet({read})) TO {literal(str(file))} (FORMAT parquet)"
            )
        if (said := written.get["rows"]) != found or not file.exists():
            raise TablesError(
                f"Of {said:,} rows of {view.name} {found:,} are there: a machine wrote them elsewhere.",
                next_step=SHARED,
            )
        return Table(view.name, view.resource, found, (file,))


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Raises TablesError for what Spark or DuckDB say; their own words quote the data, so none of them is told."""
    import duckdb
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError, duckdb.Error) as error:
        if said := known(error):
            why, next_step = said
        elif found := re.search(r'HAPI-\d+: \[element="(\w+)"\] Invalid attribute value', str(error)):
            why = f"a line has a {found[1]} that FHIR does not allow"
            next_step = "Pathling reads valid FHIR only: mend it at its source, or use --engine duckdb."
        else:
            why, next_step = type(error).__name__, "See docs/reporting.md, or use --engine duckdb."
        raise TablesError(f"{what} can't be made on Spark: {why}.", next_step=next_step) from None
