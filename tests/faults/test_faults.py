"""The fault matrix: what came of each cell is what docs/faults.md says, and the invariants hold."""

from collections.abc import Iterator

import pytest

from tests.faults.cell import World, run_cell
from tests.faults.document import ALL_CELLS, DOCUMENT, KILL_CELLS, PLACE_CELLS, render, written
from tests.faults.kills import run_kill
from tests.faults.places import PLACES
from tests.faults.world import faulty_world
from tests.flows.killing import Process, killable
from tests.running import Running

STALE = "docs/faults.md says otherwise; see what changed, then: python -m tests.faults"
_PLACES = {place.name: place for place in PLACES}
_ABOVE, _WRITTEN = written()


@pytest.fixture(scope="module")
def faulty(world: Running) -> Iterator[World]:
    with faulty_world(world) as found:
        yield found


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Process, Running]]:
    with killable(tmp_path_factory.mktemp("killed")) as found:
        yield found


@pytest.mark.parametrize(("place", "fault"), PLACE_CELLS)
@pytest.mark.usefixtures("run")
def test_a_hospital_that_gets_it_wrong(faulty: World, place: str, fault: str) -> None:
    assert run_cell(faulty, _PLACES[place], fault) == _WRITTEN.get((place, fault)), STALE


@pytest.mark.parametrize("cell", KILL_CELLS)
def test_killed_and_started_again(mortal: tuple[Process, Running], cell: tuple[str, str]) -> None:
    assert run_kill(*mortal, *KILL_CELLS[cell]) == _WRITTEN.get(cell), STALE


def test_the_document_has_these_cells_and_no_others() -> None:
    assert set(_WRITTEN) == set(ALL_CELLS), STALE
    assert DOCUMENT.read_text(encoding="utf-8") == render(_WRITTEN, _ABOVE), STALE
