"""NDJSON files to tables: one Parquet or CSV file a ViewDefinition, and what was left out of them and why."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from imr_fhir.artefacts import view_definitions
from imr_fhir.errors import TablesError, ViewError
from imr_fhir.reporting.duck import MEMORY, THREADS, connection
from imr_fhir.reporting.making import Format, Maker, Source, Table
from imr_fhir.reporting.views.columns import without_free_text
from imr_fhir.reporting.views.compile import View, compile_view
from imr_fhir.reporting.work import work

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
    chosen = view_definitions() if definitions is None else definitions
    views = compiled(each if with_free_text else without_free_text(each) for each in chosen)
    files, unread = files_of(folder, {view.resource for view in views})
    try:
        out.mkdir(parents=True, exist_ok=True)
        sources = [file for several in files.values() for file in several]
        with (
            work(out) as own,
            connection(own.folders, files=sources, spill=own.spill, memory=memory, threads=threads) as duck,
        ):
            maker = Maker(duck, own, tuple(formats))
            made = [maker.make(resource, files[resource], of) for resource, of in by_resource(views).items()]
            tables = [moved(table, out) for _, of in made for table in of]
    except OSError as error:
        raise TablesError(
            f"The tables can't be written to {out}: {error.strerror or type(error).__name__}.",
            next_step="Make room there, or give another folder.",
        ) from error
    return Written(tuple(tables), tuple(source for source, _ in made), unread)


def compiled(definitions: Iterable[Mapping[str, Any]]) -> list[View]:
    """Raises ViewError."""
    views = [compile_view(each) for each in definitions]
    if twice := [name for name, often in Counter(view.name for view in views).items() if often > 1]:
        raise ViewError(f"Several views are named {twice[0]!r}.", next_step="Give each table a name of its own.")
    return views


def files_of(folder: Path, resources: Collection[str]) -> tuple[dict[str, list[Path]], tuple[str, ...]]:
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


def by_resource(views: Iterable[View]) -> dict[str, list[View]]:
    found: dict[str, list[View]] = defaultdict(list)
    for view in views:
        found[view.resource].append(view)
    return found


def moved(table: Table, out: Path) -> Table:
    for file in table.files:
        file.replace(out / file.name)
    return replace(table, files=tuple(out / file.name for file in table.files))
