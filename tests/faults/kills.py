"""The app killed (SIGKILL) in each state of a filing and started again, whether the EHR had committed or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

import requests

from smart_app.store.filing_states import FINISHED, State
from tests.faults import invariants
from tests.faults.answers import FAULTS, Wrong
from tests.faults.cell import REASON, Came, chart_of, filings_of, owner_of, recorded, settled
from tests.faults.flows import Scene, rating
from tests.flows import filings, steps
from tests.flows.killing import Process, kills_when_taken, lease_runs_out
from tests.flows.steps import SAVED, heading
from tests.flows.wrong import Wsgi, in_front, is_send
from tests.running import Running

WAYS: Mapping[str, bool] = {"in a transaction": False, "one by one": True}  # apart


@dataclass(frozen=True)
class Kill:
    """``point``: the step of `killed_app.die_at`; "" where the hospital kills. ``had``: the EHR had committed by then.

    ``fault``: how the hospital answers what is sent, or with ``read_back`` how it shows it afterwards.
    """

    state: State
    point: str
    had: bool
    fault: str = ""
    read_back: bool = False


KILLS = (
    Kill(State.DRAFT, "kept", had=False),
    Kill(State.SEALED, "sealed", had=False),
    Kill(State.SENDING, "claimed", had=False),
    Kill(State.SENDING, "", had=True),
    Kill(State.UNKNOWN, "lost", had=False, fault="reset"),
    Kill(State.UNKNOWN, "lost", had=True, fault="reset when it is done"),
    Kill(State.PART_OK, "accepted", had=True),
    Kill(State.WAITING, "wait", had=False, fault="429 with Retry-After"),
    Kill(State.REFUSED, "refused", had=False, fault="403 with nothing in it"),
    Kill(State.DUPLICATE, "duplicate", had=True, fault="another patient's", read_back=True),
    Kill(State.DONE, "finish", had=True),
    Kill(State.WITHDRAWN, "withdraw", had=False, fault="403 with nothing in it"),
)


def cell_of(kill: Kill, way: str) -> tuple[str, str]:
    return f"Killed in {kill.state}, {way}", "the EHR had it" if kill.had else "the EHR did not have it"


def run_kill(app: Process, run: Running, kill: Kill, way: str) -> Came:
    """Raises AssertionError where an invariant does not hold."""
    scene = Scene(run, steps.new_patient(run))
    with run.store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM refusal")
    app.start()
    rating(apart=WAYS[way])(scene)
    app.start(kill.point)
    with ExitStack() as stack:
        stack.enter_context(in_front(run, _answering(kill, scene.patient)))
        if not kill.point:
            stack.enter_context(kills_when_taken(run, app))
        _press_until_killed(scene)
    assert not kill.point or app.died()
    (filing,) = new = filings_of(scene) or (None,)
    assert (filing.state if filing else State.DRAFT) is kill.state
    record = recorded(run, filing)
    app.start()
    lease_runs_out(run)
    chart = chart_of(scene)
    sees = chart.browser.get(chart.at(f"saved/{filing.id}") if filing else str(scene.page.url))
    invariants.is_ours(sees)
    invariants.kept(scene, sees, [each for each in new if each])
    if filing is None:
        assert heading(scene.press()) == SAVED
        (filing,) = filings_of(scene)
        then = "its button once more; saved"
    else:
        then = settled(scene, run.store.filings.get(filing.id, owner_of(scene)))
    assert run.store.audit.verify().broken == 0
    return Came(heading(sees), record, kill.state if kill.state not in FINISHED else "–", then)


def _answering(kill: Kill, patient: str) -> Callable[[Wsgi], Wsgi]:
    """The send, or its read-back, meets the fault."""

    def make(hospital: Wsgi) -> Wsgi:
        wrong = Wrong(hospital, patient, {"Patient": "eva-berg"})

        def answering(environ: Any, start_response: Any) -> Any:
            reads = environ["PATH_INFO"].startswith("/fhir/QuestionnaireResponse/")
            hit = reads if kill.read_back else is_send(environ, "/fhir", "/fhir/QuestionnaireResponse")
            if kill.fault and hit:
                return FAULTS[kill.fault](wrong, environ, start_response)
            return hospital(environ, start_response)

        return answering

    return make


def _press_until_killed(scene: Scene) -> None:
    """Save, and where that is survived, the decision that it may lead to."""
    with suppress(requests.ConnectionError):
        page = scene.press()
        filings.act(chart_of(scene), page, "drop", REASON)
        raise AssertionError("it lived on")
