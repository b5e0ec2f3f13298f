"""The hospital that all cells share, with another patient's record in it and a host beside it that is none of its."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults import flows
from tests.faults.cell import World
from tests.faults.flows import Scene
from tests.flows import steps
from tests.flows.steps import filed
from tests.running import Running
from tests.wire_server import Exchange, serve


@contextmanager
def faulty_world(run: Running) -> Iterator[World]:
    """``run`` with all that goes wrong around it; at the end its audit log is still whole."""
    called: list[str] = []

    def note(exchange: Exchange) -> None:
        called.append(f"{exchange.request.method} {exchange.request.path}")
        exchange.answer(200, {})

    stranger, shown = (steps.new_patient(run, course=True) for _ in range(2))
    for patient in (stranger, shown):
        flows.something_is_there(Scene(run, patient))
    theirs = {kind: filed(run, stranger, kind)[0]["id"] for kind in ("QuestionnaireResponse", "Observation", "Goal")}
    with serve(note) as server:
        yield World(run, shown, {"Patient": stranger, **theirs}, server.origin, called)
    assert run.store.audit.verify().broken == 0
