"""The tables of one resource type: a strict read at once, and a slow one line by line where that finds a fault."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from imr_fhir.errors import TablesError
from imr_fhir.reporting.csv_cells import cells
from imr_fhir.reporting.duck import read_ndjson
from imr_fhir.reporting.lines import Left, count_lines, newest_lines, sound_lines
from imr_fhir.reporting.stored import SUSPECTS, blank, is_text, stored
from imr_fhir.reporting.views.compile import View
from imr_fhir.reporting.views.needed import Needed
from imr_fhir.reporting.views.value import SAID, literal
from imr_fhir.reporting.work import Work

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Format = Literal["parquet", "csv"]


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    resource: str
    rows: int
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """The files of one resource type: how many lines they have, and how many resources were read of them."""

    resource: str
    files: tuple[str, ...]
    lines: int
    read: int
    left: Left


@dataclass(frozen=True, slots=True)
class Maker:
    duck: "DuckDBPyConnection"
    work: Work
    formats: tuple[Format, ...]

    def make(self, resource: str, files: Sequence[Path], views: Sequence[View]) -> tuple[Source, list[Table]]:
        """The tables of ``views``, all of one resource type. Raises TablesError."""
        import duckdb

        names, left = tuple(file.name for file in files), Left()
        try:
            if (found := self._at_once(resource, files, views)) is not None:
                lines, tables = found
                return Source(resource, names, lines, lines, left), tables
        except (duckdb.InvalidInputException, duckdb.ConversionException):
            pass  # a line that can't be read strictly: which one, and why, is told below
        except duckdb.Error as error:
            raise _unmade(resource, error) from None
        sound = self.sound(resource, files, views, left)
        try:
            tables = [self._table(view, sound) for view in views]
        except duckdb.Error as error:
            raise _unmade(resource, error) from None
        lines = sum(map(count_lines, files))
        return Source(resource, names, lines, lines - left.counts.total(), left), tables

    def _at_once(self, resource: str, files: Sequence[Path], views: Sequence[View]) -> tuple[int, list[Table]] | None:
        """Lines and tables; None where a line is no resource of this type, or where a resource has several lines."""
        made: dict[str, Table] = {}
        ids = -1
        keyed = min((view for view in views if view.key), key=lambda view: view.many, default=None)
        if keyed:
            made[keyed.name] = self._table(keyed, files)
            (ids,) = self.one(f'SELECT count(DISTINCT "{keyed.key}") FROM {self._parquet(self._made(keyed))}')
        lines = sum(map(count_lines, files))  # of files that were read well: no line is too long
        if lines != ids and (not keyed or keyed.many):  # not every resource has a row in that table
            of_type = f"resourceType = '{resource}'"
            counts = f"count(*), count(*) FILTER ({of_type}), count(DISTINCT id) FILTER ({of_type})"
            lines, resources, ids = self.one(f"SELECT {counts} FROM {_read(self.work.linked(files), identity())}")
            if lines != resources:
                return None
        if lines != ids:
            return None
        return lines, [made.get(view.name) or self._table(view, files) for view in views]

    def sound(self, resource: str, files: Sequence[Path], views: Sequence[View], left: Left) -> list[Path]:
        """Copies of ``files`` without what can't be counted."""
        needed = identity()
        for view in views:
            needed.add(view.needed)
        sound = sound_lines(files, self.work.folder(), resource, needed, left)
        read = _read(self.work.linked(sound), identity())
        several = self.duck.execute(f"SELECT id FROM {read} GROUP BY id HAVING count(*) > 1").fetchall()
        return newest_lines(sound, self.work.folder(), [id_ for (id_,) in several], left) if several else sound

    def _table(self, view: View, files: Sequence[Path]) -> Table:
        parquet = self._made(view)
        rows = view.sql(_read(self.work.linked(files), view.needed), strict=True)
        columns = ", ".join(stored(column, blanks=True) for column in view.columns)
        (count,) = self._copy(f"SELECT {columns} FROM ({rows})", parquet)
        if self._holds_blanks(view, parquet):
            written = parquet.rename(parquet.with_suffix(".blanks"))
            self._copy(f"SELECT {', '.join(map(stored, view.columns))} FROM {self._parquet(written)}", parquet)
            written.unlink()
        found = [parquet] if "parquet" in self.formats else []
        if "csv" in self.formats:
            csv = parquet.with_suffix(".csv")
            shown = f"SELECT {cells(view.columns)} FROM {self._parquet(parquet)}"
            self.duck.execute(f"COPY ({shown}) TO {literal(str(csv))} (FORMAT csv, HEADER)")
            found.append(csv)
        return Table(view.name, view.resource, count, tuple(found))

    def _holds_blanks(self, view: View, parquet: Path) -> bool:
        """Looked for in what was written: to look at each text as it is written costs an eighth more."""
        file = literal(str(*self.work.linked([parquet])))
        suspects = {name for (name,) in self.duck.execute(SUSPECTS.format(file=file)).fetchall()}
        texts = [f'"{column.name}"' for column in view.columns if column.name in suspects and is_text(column)]
        return bool(texts) and self.one(f"SELECT {blank(texts)} FROM {self._parquet(parquet)}") == (True,)

    def _copy(self, rows: str, to: Path) -> tuple[Any, ...]:
        return self.one(f"COPY ({rows}) TO {literal(str(to))} (FORMAT parquet)")

    def _made(self, view: View) -> Path:
        return self.work.parts / f"{view.name}.parquet"

    def _parquet(self, file: Path) -> str:
        return f"read_parquet({literal(str(*self.work.linked([file])))})"

    def one(self, sql: str) -> tuple[Any, ...]:
        row = self.duck.execute(sql).fetchone()
        assert row is not None
        return row


def _read(files: Sequence[Path], needed: Needed) -> str:
    return read_ndjson(files, needed) if files else needed.nothing()


def identity() -> Needed:
    needed = Needed()
    needed.primitive("resourceType", "code", many=False)
    needed.primitive("id", "id", many=False)
    return needed


def _unmade(resource: str, error: Exception) -> TablesError:
    """DuckDB's own words may quote the data, so only ours and the kind of its error are told."""
    _, _, ours = str(error).partition(SAID)
    why = ours.splitlines()[0] if ours else type(error).__name__
    return TablesError(
        f"The tables of {resource} can't be made: {why}.",
        next_step="Look at the view; where the disk or the memory is full, make room.",
    )
