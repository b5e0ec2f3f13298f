"""The states of a filing and every step between them, as data.

State        durable before it is entered                      a crash in it means
DRAFT        each answer with its version (a draft's row)      the last kept answer stays
SEALED       frozen bytes of all parts, plan, audit row        waits, nothing was sent
SENDING      attempt + 1 and a lease, before the first byte    the lease runs out: UNKNOWN, never SEALED
PART_OK      server id, version and status                     goes on with the next part
UNKNOWN      attempt and time of the lost reply                the same
WAITING      reason, not before                                the same
REFUSED      reason, plan                                      the same
DUPLICATE    the ids                                           the same
DONE         all receipts                                      nothing to do
WITHDRAWN    who, when, why                                    the same
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    DRAFT = "DRAFT"
    SEALED = "SEALED"
    SENDING = "SENDING"
    PART_OK = "PART_OK"
    UNKNOWN = "UNKNOWN"
    WAITING = "WAITING"
    REFUSED = "REFUSED"
    DUPLICATE = "DUPLICATE"
    DONE = "DONE"
    WITHDRAWN = "WITHDRAWN"


FINISHED = frozenset({State.DONE, State.WITHDRAWN})
UNFINISHED = tuple(state for state in State if state not in FINISHED | {State.DRAFT})


class Event(StrEnum):
    SEAL = "a person saves"
    CLAIM = "a person's POST sends the next part"
    ACCEPTED = "sent, read back and equal"
    LOST = "something was sent, no whole reply came"
    LEASE_OUT = "the sender died"
    WAIT = "nothing was taken: log-in, load or connection"
    REFUSE = "the EHR said no"
    FOUND = "a search found one, equal"
    NOT_FOUND = "a search found none, ten seconds later or more"
    CLASH = "a search found several, or an unequal one"
    VOUCH = "a person says: it is there"
    SEND_AGAIN = "a person says: send again"
    CHOOSE = "a person says which of the copies is this one"
    REPLAN = "the next rung, or a place that is open now, as new parts, nothing accepted yet"
    REPLAN_REST = "the same, some accepted"
    NEXT_UNKNOWN = "the next part may have been sent before a restore"
    RESTORED = "the store came from a backup"
    FINISH = "all parts accepted"
    WITHDRAW = "a person takes it back"
    HOLD = "nothing may be sent now, whoever presses: the state stays, and says why"


@dataclass(frozen=True, slots=True)
class Step:
    source: State
    event: Event
    target: State


STEPS = (
    Step(State.DRAFT, Event.SEAL, State.SEALED),
    Step(State.SEALED, Event.CLAIM, State.SENDING),
    Step(State.SEALED, Event.WITHDRAW, State.WITHDRAWN),
    Step(State.SEALED, Event.HOLD, State.SEALED),
    Step(State.SEALED, Event.REPLAN, State.SEALED),
    Step(State.SENDING, Event.ACCEPTED, State.PART_OK),
    Step(State.SENDING, Event.LOST, State.UNKNOWN),
    Step(State.SENDING, Event.LEASE_OUT, State.UNKNOWN),
    Step(State.SENDING, Event.WAIT, State.WAITING),
    Step(State.SENDING, Event.REFUSE, State.REFUSED),
    Step(State.PART_OK, Event.CLAIM, State.SENDING),
    Step(State.PART_OK, Event.FINISH, State.DONE),
    Step(State.PART_OK, Event.NEXT_UNKNOWN, State.UNKNOWN),
    Step(State.PART_OK, Event.HOLD, State.PART_OK),
    Step(State.PART_OK, Event.WITHDRAW, State.WITHDRAWN),
    Step(State.PART_OK, Event.REPLAN_REST, State.PART_OK),
    Step(State.UNKNOWN, Event.FOUND, State.PART_OK),
    Step(State.UNKNOWN, Event.NOT_FOUND, State.WAITING),
    Step(State.UNKNOWN, Event.CLASH, State.DUPLICATE),
    Step(State.UNKNOWN, Event.VOUCH, State.PART_OK),
    Step(State.UNKNOWN, Event.SEND_AGAIN, State.WAITING),
    Step(State.UNKNOWN, Event.WITHDRAW, State.WITHDRAWN),
    Step(State.WAITING, Event.CLAIM, State.SENDING),
    Step(State.WAITING, Event.WITHDRAW, State.WITHDRAWN),
    Step(State.WAITING, Event.HOLD, State.WAITING),
    Step(State.REFUSED, Event.REPLAN, State.SEALED),
    Step(State.REFUSED, Event.REPLAN_REST, State.PART_OK),
    Step(State.REFUSED, Event.WITHDRAW, State.WITHDRAWN),
    Step(State.DUPLICATE, Event.FOUND, State.PART_OK),
    Step(State.DUPLICATE, Event.CHOOSE, State.PART_OK),
    Step(State.DUPLICATE, Event.REPLAN, State.SEALED),
    Step(State.DUPLICATE, Event.REPLAN_REST, State.PART_OK),
    Step(State.DUPLICATE, Event.WITHDRAW, State.WITHDRAWN),
    *(Step(state, Event.RESTORED, State.UNKNOWN) for state in UNFINISHED),
)

TARGETS: Mapping[tuple[State, Event], State] = {(step.source, step.event): step.target for step in STEPS}
