"""Runs all cells, or those whose name begins so, and writes the document. A cell that breaks an invariant is named and
stays as it was."""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.faults.cell import Came, run_cell
from tests.faults.document import DOCUMENT, KILL_CELLS, render, written
from tests.faults.kills import run_kill
from tests.faults.places import PLACES
from tests.faults.world import faulty_world
from tests.flows.killing import killable
from tests.running import running


def main(begins: str = "") -> int:
    above, cells = written()
    broken, began = 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        for cell, run in _all(Path(folder), stack):
            if not cell[0].startswith(begins):
                continue
            try:
                cells[cell] = run()
            except AssertionError as error:
                broken += 1
                print(f"{': '.join(cell)}: {str(error)[:600]}", file=sys.stderr)
        DOCUMENT.write_text(render(cells, above), encoding="utf-8")
    print(f"{len(cells)} cells, {broken} broken, {time.monotonic() - began:.0f} s")
    return 1 if broken else 0


def _all(folder: Path, stack: ExitStack) -> Iterator[tuple[tuple[str, str], Callable[[], Came]]]:
    for name in ("faulty", "killed"):
        (folder / name).mkdir()
    world = stack.enter_context(faulty_world(stack.enter_context(running(folder / "faulty"))))
    for place in PLACES:
        for fault in place.faults():
            yield (place.name, fault), partial(run_cell, world, place, fault)
    mortal = stack.enter_context(killable(folder / "killed"))
    for cell, (kill, way) in KILL_CELLS.items():
        yield cell, partial(run_kill, *mortal, kill, way)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
