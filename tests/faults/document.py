"""docs/faults.md: the table, one row for all faults of a request that come to the same."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path

from tests.faults.cell import Came
from tests.faults.kills import KILLS, WAYS, cell_of
from tests.faults.places import PLACES

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"
Cells = Mapping[tuple[str, str], Came]  # (place, fault) -> what came of it
_HEAD = ("Request", "What goes wrong", "The person sees", "In the record", "In the outbox", "Well again")


def render(cells: Cells, intro: str) -> str:
    """The whole document, its cells in the order of ALL_CELLS. ``intro`` stands above the table."""
    cells = {cell: cells[cell] for cell in ALL_CELLS if cell in cells}
    lines = [_line(_HEAD), _line("---" for _ in _HEAD)]
    for place, row in groupby(cells, key=lambda cell: cell[0]):
        by_outcome: dict[Came, list[str]] = {}
        for cell in row:
            by_outcome.setdefault(cells[cell], []).append(cell[1])
        for came, faults in by_outcome.items():
            lines.append(_line((place, "; ".join(faults), *came.cells)))
    return f"{intro.strip()}\n\n" + "\n".join(lines) + "\n"


def written() -> tuple[str, dict[tuple[str, str], Came]]:
    """The document as it stands: its words above the table, and its cells."""
    above, _, table = DOCUMENT.read_text(encoding="utf-8").partition(_line(_HEAD))
    return above, dict(_cells(table.splitlines()[2:]))


def _cells(lines: Iterable[str]) -> Iterator[tuple[tuple[str, str], Came]]:
    for line in lines:
        place, faults, *came = (each.strip() for each in line.strip("|").split("|"))
        for fault in faults.split("; "):
            yield (place, fault), Came(*came)


PLACE_CELLS = [(place.name, fault) for place in PLACES for fault in place.faults()]
KILL_CELLS = {cell_of(kill, way): (kill, way) for way in WAYS for kill in KILLS}
ALL_CELLS = [*PLACE_CELLS, *sorted(KILL_CELLS)]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
