"""NDJSON files to tables: one Parquet or CSV file a ViewDefinition, and what was left out of them and why."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from imr_fhir.artefacts import view_definitions
from imr_fhir.errors import TablesError, ViewError
from imr_fhir.reporting.duck import MEMORY, THREADS, connection
from imr_fhir.reporting.making import Format, Maker, Source, Table
from imr_fhir.reporting.views.columns import without_free_text
from imr_fhir.reporting.views.compile import View, compile_view
from imr_fhir.reporting.work import Work, work
from imr_fhir.reporting.writing import writing_to

PARQUET: tuple[Format, ...] = ("parquet",)
_FILE = re.compile(r"([A-Z][A-Za-z]+)(?:[^A-Za-z].*)?\.ndjson", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Written:
    tables: tuple[Table, ...]
    sources: tuple[Source, ...]
    unread: tuple[str, ...]  # NDJSON files of the folder that no table is made of


def write_tables(
    folder: Path,
    out: Path,
    *,
    definitions: Iterable[Mapping[str, Any]] | None = None,
    formats: Collection[Format] = PARQUET,
    with_free_text: bool = False,
    memory: str = MEMORY,
    threads: int = THREADS,
) -> Written:
    """The tables of ``definitions`` (by default ours) from the NDJSON files in ``folder``, into the folder ``out``.

    A file's name begins with its resource type: Patient.ndjson, Patient-00001.ndjson. Each line that can't be counted
    is left out and told of: cut off, no JSON, a key twice, another resource type, an older version. A table without a
    resource is there all the same, and empty. Columns of a person's own words only ``with_free_text``. Tables that are
    there already are replaced once all are made. Raises ViewError, TablesError.
    """
    asked = ask(folder, definitions, with_free_text=with_free_text)
    sources = [file for several in asked.files.values() for file in several]
    with (
        writing(out) as own,
        connection(own.folders, files=sources, spill=own.spill, memory=memory, threads=threads) as duck,
    ):
        return asked.written(Maker(duck, own, tuple(formats)), out)


class Makes(Protocol):
    """What makes the tables of one resource type: DuckDB here, or Spark."""

    def make(self, resource: str, files: Sequence[Path], views: Sequence[View]) -> tuple[Source, list[Table]]: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """The tables that are asked for, and the files that they are made of."""

    definitions: Mapping[str, Mapping[str, Any]]  # by name
    views: tuple[View, ...]
    files: Mapping[str, Sequence[Path]]  # by resource type
    unread: tuple[str, ...]

    def written(self, maker: Makes, out: Path) -> Written:
        """Moved into the folder ``out`` once all are made. Raises TablesError."""
        by_resource: dict[str, list[View]] = defaultdict(list)
        for view in self.views:
            by_resource[view.resource].append(view)
        made = [maker.make(resource, self.files.get(resource, ()), views) for resource, views in by_resource.items()]
        tables = tuple(_moved(table, out) for _, of in made for table in of)
        return Written(tables, tuple(source for source, _ in made), self.unread)


def ask(folder: Path, definitions: Iterable[Mapping[str, Any]] | None, *, with_free_text: bool) -> Asked:
    """Raises ViewError, TablesError."""
    chosen = view_definitions() if definitions is None else definitions
    given = [each if with_free_text else without_free_text(each) for each in chosen]
    views = tuple(compile_view(each) for each in given)
    if twice := [name for name, often in Counter(view.name for view in views).items() if often > 1]:
        raise ViewError(f"Several views are named {twice[0]!r}.", next_step="Give each table a name of its own.")
    files, unread = _files(folder, {view.resource for view in views})
    return Asked({view.name: each for view, each in zip(views, given, strict=True)}, views, files, unread)


@contextmanager
def writing(out: Path) -> Iterator[Work]:
    """For tables that go to the folder ``out``. Raises TablesError where that can't be written, or is full."""
    with writing_to(out, "The tables", TablesError):
        out.mkdir(parents=True, exist_ok=True)
        with work(out) as own:
            yield own


def _files(folder: Path, resources: Collection[str]) -> tuple[dict[str, list[Path]], tuple[str, ...]]:
    """The files of each resource type, and the names of the others."""
    if not folder.is_dir():
        raise TablesError(f"There is no folder {folder}.", next_step="Give the folder that an export was written to.")
    found: dict[str, list[Path]] = defaultdict(list)
    unread = []
    for file in sorted(folder.iterdir()):
        match = _FILE.fullmatch(file.name)
        if match and match[1] in resources:
            found[match[1]].append(file)
        elif ".ndjson" in file.name:  # Patient.ndjson.gz, too
            unread.append(file.name)
    return found, tuple(unread)


def _moved(table: Table, out: Path) -> Table:
    for file in table.files:
        file.replace(out / file.name)
    return replace(table, files=tuple(out / file.name for file in table.files))
