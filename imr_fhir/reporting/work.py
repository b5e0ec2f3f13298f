"""Two temporary folders that DuckDB may use, and no other."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from imr_fhir.errors import TablesError


@dataclass(frozen=True, slots=True)
class Work:
    links: Path  # DuckDB takes the names of what it reads for patterns: here each file has a plain one
    parts: Path  # on the disk of the tables: what is being made, and what does not fit into memory
    _number: "count[int]" = field(default_factory=count)

    @property
    def folders(self) -> tuple[Path, Path]:
        return self.links, self.parts

    @property
    def spill(self) -> Path:
        return self.parts / "spill"

    def linked(self, files: Iterable[Path]) -> list[Path]:
        """Plain names for ``files``, to read them by."""
        found = []
        for file in files:
            link = self.links / f"{next(self._number):08}"
            link.symlink_to(file.resolve())
            found.append(link)
        return found

    def folder(self) -> Path:
        """A new empty folder."""
        made = self.parts / f"{next(self._number):08}"
        made.mkdir()
        return made


@contextmanager
def work(out: Path) -> Iterator[Work]:
    """For tables that go to the folder ``out``; removed afterwards, whatever happens."""
    with TemporaryDirectory(prefix="imr-fhir-") as links, TemporaryDirectory(prefix=".tables-", dir=out) as parts:
        if any(sign in links for sign in "*?["):
            raise TablesError(
                f"The folder for temporary files is {links}.", next_step="Set TMPDIR to one without * ? [."
            )
        yield Work(Path(links).resolve(), Path(parts).resolve())
