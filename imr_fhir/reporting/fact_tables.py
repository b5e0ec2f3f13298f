"""The rows of facts as tables: written line by line, so that a million ratings need no more memory than one patient."""

import csv
from collections.abc import Iterable
from datetime import date
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from imr_fhir.reporting.fact_rows import ChangeFact, CourseFact, Facts, GoalFact, OccasionFact, PairFact, PairItemFact
from imr_fhir.reporting.facts import facts
from imr_fhir.reporting.life import Life

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TABLES = {
    "courses": ("course_fact", CourseFact),
    "occasions": ("occasion_fact", OccasionFact),
    "changes": ("change_fact", ChangeFact),
    "pairs": ("pair_fact", PairFact),
    "pair_items": ("pair_item_fact", PairItemFact),
    "goals": ("goal_fact", GoalFact),
}
_TYPES = {int: "BIGINT", float: "DOUBLE", str: "VARCHAR", bool: "BOOLEAN", date: "DATE"}


def make_fact_tables(connection: "DuckDBPyConnection", lives: Iterable[Life], exported: date, work: Path) -> None:
    """The tables course_fact, occasion_fact, change_fact, pair_fact, pair_item_fact and goal_fact in ``connection``.

    After `lives.prepare`, of the same day. ``work``: a folder in which it may read and write.
    """
    with TemporaryDirectory(dir=work) as folder:
        paths = {name: Path(folder, f"{name}.csv") for name in Facts._fields}
        _write(lives, exported, paths)
        for name, (table, row) in _TABLES.items():
            columns = {column: _type(kind) for column, kind in get_type_hints(row).items()}
            said: dict[str, object] = {"path": str(paths[name]), "columns": columns}
            if texts := [column for column, kind in columns.items() if kind == "VARCHAR"]:
                said["force_not_null"] = texts  # "" is a text, not nothing
            options = "".join(f", {option} = ${option}" for option in said if option != "path")
            read = f"read_csv($path, auto_detect = false, header = false, delim = ',', quote = '\"'{options})"
            connection.execute(f"CREATE OR REPLACE TABLE {table} AS FROM {read}", said)
    connection.execute((files("imr_fhir.reporting") / "sql" / "facts.sql").read_text(encoding="utf-8"))


def _write(lives: Iterable[Life], exported: date, paths: dict[str, Path]) -> None:
    opened = {name: path.open("w", encoding="utf-8", newline="") for name, path in paths.items()}
    try:
        writers = {name: csv.writer(file) for name, file in opened.items()}
        number = 1
        for life in lives:
            found = facts(life, exported, number)
            number += len(found.courses)
            for name, writer in writers.items():
                writer.writerows(getattr(found, name))
    finally:
        for file in opened.values():
            file.close()


def _type(kind: Any) -> str:
    return _TYPES[next((one for one in get_args(kind) if one is not type(None)), kind)]
