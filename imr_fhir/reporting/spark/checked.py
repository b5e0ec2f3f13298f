"""On the cluster: whether each line of the files can be counted, by the same rules as on one machine."""

import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imr_fhir.reporting.lines import sound_id
from imr_fhir.reporting.views.needed import Needed

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_PACKAGE = Path(__file__).parents[2]


def package(into: Path) -> Path:
    """This package's modules in a zip file, for machines that have none of it."""
    made = into / "imr_fhir.zip"
    with zipfile.ZipFile(made, "w") as archive:
        for module in _PACKAGE.rglob("*.py"):
            archive.write(module, module.relative_to(_PACKAGE.parent))
    return made


@dataclass(frozen=True, slots=True)
class Read:
    lines: int
    sound: int  # lines that can be counted
    resources: int
    slashes: int  # ids with one, which FHIR does not allow: Pathling would take what comes after it for the id

    @property
    def well(self) -> bool:
        return self.lines == self.sound == self.resources


def read_lines(frame: "DataFrame", resource: str, needed: Needed) -> Read:
    from pyspark.sql import functions

    raw = frame.select(functions.col("value").cast("binary")).rdd
    ids = raw.mapPartitions(_judge(resource, needed)).toDF("id string")
    slash = functions.when(functions.contains(functions.col("id"), functions.lit("/")), 1)
    counts = (functions.count("*"), functions.count("id"), functions.countDistinct("id"), functions.count(slash))
    (found,) = ids.agg(*counts).collect()
    return Read(*found)


def _judge(resource: str, needed: Needed) -> Callable[[Iterable[Any]], Iterator[tuple[str | None]]]:
    def judge(rows: Iterable[Any]) -> Iterator[tuple[str | None]]:
        for (line,) in rows:
            if line and line.strip():
                yield (sound_id(bytes(line), resource, needed),)

    return judge
