"""SECURITY F: the table of states, walked whole on a real store."""

import pytest

from smart_app.store import Store
from smart_app.store.errors import StaleFiling
from smart_app.store.filing import Filing
from smart_app.store.filing_states import STEPS, TARGETS, UNFINISHED, Event, State
from smart_app.store.launch import Launch
from tests.store import make

LEADS_TO = {
    # as SECURITY.md has it; a restore leads from anything unfinished to UNKNOWN, and what is held stays where it is
    "DRAFT": {"SEALED"},
    "SEALED": {"SENDING", "WITHDRAWN", "SEALED"},  # what had no place may have one later
    "SENDING": {"PART_OK", "UNKNOWN", "WAITING", "REFUSED"},
    "PART_OK": {"SENDING", "DONE", "WITHDRAWN", "PART_OK"},  # the rest: withdrawn as of what waits; placed as SEALED
    "UNKNOWN": {"PART_OK", "WAITING", "DUPLICATE", "WITHDRAWN"},  # withdrawn: from the record used now
    "WAITING": {"SENDING", "WITHDRAWN"},  # withdrawn: offered only where it can't go, the record being merged
    "REFUSED": {"SEALED", "PART_OK", "WITHDRAWN"},  # next rung as new parts
    "DUPLICATE": {"PART_OK", "SEALED", "WITHDRAWN"},  # a person decides
    "DONE": set(),
    "WITHDRAWN": set(),
}
BY_HAND = {Event.SEAL, Event.LEASE_OUT, Event.RESTORED, Event.NEXT_UNKNOWN}
"""Not a call on one filing: tested by themselves."""


@pytest.mark.parametrize("state", State)
def test_table_leads_where_the_rules_say(state: State) -> None:
    others = {Event.RESTORED, Event.NEXT_UNKNOWN, Event.HOLD}
    targets = {step.target.value for step in STEPS if step.source is state and step.event not in others}
    assert targets == LEADS_TO[state.value]


def test_each_state_and_event_has_one_target() -> None:
    assert len(TARGETS) == len(STEPS)
    assert {source for source, event in TARGETS if event is Event.RESTORED} == set(UNFINISHED)


@pytest.mark.parametrize("in_transaction", [True, False])
@pytest.mark.parametrize("state", make.PATHS)
def test_each_step_of_the_table_works_and_no_other_does(
    store: Store, launch: Launch, state: State, in_transaction: bool
) -> None:
    walked = set()
    for event in make.STEPS:
        rest = event is Event.REPLAN_REST and not in_transaction  # needs an accepted part, so single requests
        if event is Event.REPLAN_REST and (not rest or state is State.SEALED):
            continue
        if event is Event.REPLAN and state is State.PART_OK:  # some is accepted, so it is the other
            continue
        count = 1 if state is State.DONE or event is Event.FINISH else 3
        before = make.bring(store, launch, state, count=count, in_transaction=in_transaction, accepted=rest)
        make.later(store, 60)  # past the ten seconds after a lost reply
        audited = len(store.audit.entries())
        target = TARGETS.get((state, event))
        if target is None or (event is Event.CLAIM and not before.current):
            with pytest.raises(StaleFiling, match=before.id):
                make.STEPS[event](store, launch, before)
            after = store.filings.get(before.id, launch.owner)
            assert (after.state, after.attempt, after.parts) == (before.state, before.attempt, before.parts), event
            assert len(store.audit.entries()) == audited, event
        else:
            after = make.STEPS[event](store, launch, before)
            assert after.state is target, event
            assert after == store.filings.get(before.id, launch.owner)
            assert after.attempt == before.attempt + (event is Event.CLAIM), event
            walked.add(event)
    in_table = {event for source, event in TARGETS if source is state} - BY_HAND
    assert walked >= in_table - {Event.REPLAN_REST, Event.CLAIM}


def test_every_event_is_walked() -> None:
    assert set(make.STEPS) | BY_HAND == set(Event)


@pytest.mark.parametrize("state", [state for state in make.PATHS if state is not State.SEALED])
def test_step_from_a_state_that_is_over_is_refused(store: Store, launch: Launch, state: State) -> None:
    """The person's other tab still shows the filing as it was."""
    shown = make.seal(store, launch)
    now: Filing = shown
    for step in make.PATHS[state]:
        now = make.STEPS[step](store, launch, now)
    for event in make.STEPS:
        with pytest.raises(StaleFiling):
            make.STEPS[event](store, launch, shown)
    assert store.filings.get(now.id, launch.owner) == now
