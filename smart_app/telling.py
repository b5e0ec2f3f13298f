"""Tells the EHR who saw and wrote what, once the page is out: one AuditEvent each, where the EHR takes them.

The app's own log has every row before anything is shown or sent; what the EHR does not take in time stays there alone.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace

from imr_fhir.artefacts import FILING
from imr_fhir.errors import (
    BadReply,
    Busy,
    EhrError,
    Forbidden,
    LostReply,
    NotConnected,
    ResourceError,
    ServerFault,
    Unauthorized,
)  # fmt: skip
from smart_app.audit_events import event_of
from smart_app.plan import Plan, plan_from
from smart_app.state import State
from smart_app.store.launch import Context, Launch
from smart_app.store.unsent import Due
from smart_app.tokens import client_of

_log = logging.getLogger(__name__)
_ONE_SECONDS, _ALL_SECONDS = 5.0, 20.0
_TRIES = 5
_NOTHING_TAKEN = (NotConnected, Busy, Unauthorized)
_MAY_BE_THERE = (LostReply, ServerFault, BadReply)


def tell(state: State) -> None:
    """What is due, as much as its time allows. A hospital that is silent takes no time from the others."""
    ends = time.monotonic() + _ALL_SECONDS
    silent: set[str] = set()
    lost: Counter[str] = Counter()
    for due in _due(state, silent):
        if state.draining.is_set() or time.monotonic() > ends:
            break
        launch = state.store.launches.live(due.launch_id, state.clock())
        if launch is None or launch.context.site in silent or launch.context.site not in state.hospitals:
            continue
        plan = plan_from(launch.context.plan)
        if not takes_events(plan):
            state.store.unsent.leave(due.seq)
        elif state.store.unsent.claim(due, state.clock(), repeatable=plan.conditional):
            error = _tell_one(state, due, launch, plan)
            silent |= {launch.context.site} if isinstance(error, (*_NOTHING_TAKEN, *_MAY_BE_THERE)) else set()
            if error is None or not _again(error, due, repeatable=plan.conditional):
                state.store.unsent.leave(due.seq)
                lost.update([f"{launch.context.site}, {type(error).__name__}"] if error else [])
            elif not plan.conditional:
                state.store.unsent.put_back(due, state.clock())
    for what, count in lost.items():
        _log.warning("%d AuditEvents were not taken, the app's own log has them: %s", count, what)


def _due(state: State, silent: Collection[str]) -> Iterator[Due]:
    """All that is due, read some at a time, so that what waits for a silent hospital hides nothing behind it."""
    after = 0
    while some := state.store.unsent.due(state.clock(), after=after, silent=silent):
        yield from some
        after = some[-1].seq


def takes_events(plan: Plan) -> bool:
    return plan.rung("events") == "event"


def _tell_one(state: State, due: Due, launch: Launch, plan: Plan) -> EhrError | ResourceError | None:
    """What went wrong, if anything."""
    (row,) = state.store.audit.entries(after=due.seq - 1, limit=1)
    client = client_of(launch, state.hospitals[launch.context.site], state.store, state.clock)
    try:
        event = event_of(row, launch.context.fhir_base)
        assert event is not None, "only what has a kind waits to be told"
        once = f"_tag={FILING}|{row['id']}" if plan.conditional else ""
        client.within(_ONE_SECONDS).create(event, if_none_exist=once)
    except (EhrError, ResourceError) as error:
        if isinstance(error, Forbidden):
            state.store.launches.change(launch.id, _without_events)
        return error
    return None


def _without_events(context: Context) -> Context:
    """After the EHR refused what it said it takes: no more is tried in this launch."""
    return replace(context, plan=plan_from(context.plan).without("event").as_json())


def _again(error: Exception, due: Due, *, repeatable: bool) -> bool:
    """An EHR that can't be told "only if it is not there yet" is never sent twice what it may have."""
    sure = isinstance(error, _NOTHING_TAKEN) or (repeatable and isinstance(error, _MAY_BE_THERE))
    return sure and due.tries + 1 < _TRIES
