"""DuckDB, locked down: it reads and writes the folders given to it, and nothing else."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from imr_fhir.errors import TablesError
from imr_fhir.reporting.views.needed import Needed
from imr_fhir.reporting.views.value import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

INSTALL = "pip install 'imr-fhir[reporting]', or in a copy of the repository: make .venv/.dev"
MEMORY = "300MB"  # the process as a whole then stays under 500
THREADS = 2
LONGEST_LINE = 16 * 1024 * 1024  # bytes; DuckDB's own limit for one resource


@contextmanager
def connection(
    folders: Iterable[Path],
    *,
    files: Iterable[Path] = (),
    spill: Path | None = None,
    memory: str = MEMORY,
    threads: int = THREADS,
) -> "Iterator[DuckDBPyConnection]":
    """An empty database in memory; it may use ``folders`` and ``files``. ``spill``: where it puts what does not fit.

    Raises TablesError where DuckDB is not installed.
    """
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise TablesError("DuckDB is not installed.", next_step=INSTALL) from error
    allowed = ", ".join(literal(f"{folder.resolve()}/") for folder in folders)
    also = ", ".join(literal(str(file.resolve())) for file in files)
    with duckdb.connect(":memory:") as duck:
        for setting in (
            "TimeZone = 'UTC'",  # a date without an offset is meant so on every machine
            f"memory_limit = {literal(memory)}",
            f"threads = {int(threads)}",
            f"temp_directory = {literal(str(spill) if spill else '')}",
            f"allowed_directories = [{allowed}]",
            f"allowed_paths = [{also}]",
            "autoinstall_known_extensions = false",
            "autoload_known_extensions = false",
            "allow_community_extensions = false",
            "enable_progress_bar = false",  # it would stand in the standard output
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            duck.execute(f"SET {setting}")
        yield duck


def read_ndjson(files: Iterable[Path], needed: Needed) -> str:
    """Strict: a line that is no JSON, a key twice or another shape is an error. Names without glob characters only."""
    names = ", ".join(literal(str(file)) for file in files)
    return (
        f"read_json([{names}], format = 'newline_delimited', columns = {needed.columns()}, "
        f"maximum_object_size = {LONGEST_LINE})"
    )
