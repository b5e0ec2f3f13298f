"""What goes when, and what a restore means."""

from datetime import UTC, datetime, timedelta

import pytest

from imr_fhir.errors import StateError
from smart_app.store import Store
from smart_app.store.errors import BodyPurged, NoAccess, StaleFiling
from smart_app.store.filing_states import UNFINISHED, State
from smart_app.store.launch import Launch
from smart_app.store.purge import RULES
from tests.store.make import (
    NOW,
    PATHS,
    TOKENS,
    bring,
    claim,
    draft,
    entry,
    later,
    receipts,
    seal,
    sealing,
    start,
)

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TODAY = datetime.now(UTC)
"""Filings change by the database's own clock."""


def kept(store: Store, table: str) -> int:
    with store.reading() as connection:
        count: int = connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
        return count


def test_states_go_after_an_hour_and_tickets_after_their_time(store: Store) -> None:
    store.states.use("state-1", NOW)
    store.tickets.issue("window", {}, NOW)
    store.purge(NOW + 30 * timedelta(seconds=1))
    assert (kept(store, "used_state"), kept(store, "ticket")) == (1, 1)
    store.purge(NOW + MINUTE)
    assert (kept(store, "used_state"), kept(store, "ticket")) == (1, 0)
    store.purge(NOW + HOUR)
    with pytest.raises(StateError):
        store.states.use("state-1", NOW)
    store.purge(NOW + HOUR + MINUTE)
    assert kept(store, "used_state") == 0


def test_launches_that_are_over_are_ended_for_revocation_and_gone_a_day_later(store: Store, launch: Launch) -> None:
    purged = store.purge(NOW + 16 * MINUTE)
    assert [(each.id, each.tokens) for each in purged.ended] == [(launch.id, TOKENS)]
    assert kept(store, "launch") == 1
    assert store.purge(NOW + DAY + 17 * MINUTE).ended == ()
    assert kept(store, "launch") == 0


def test_hand_over_goes_a_day_later_and_its_draft_stays(store: Store) -> None:
    mine = start(store)
    made = draft(store, mine.launch)
    given = store.handovers.create(mine.launch, made, "483920", {}, NOW)
    _, secret = store.handovers.open(given.handover.id, NOW)
    store.purge(NOW + HOUR)
    assert store.handovers.access(given.handover.id, secret, NOW + HOUR).state == "open"
    store.purge(NOW + DAY + MINUTE)
    assert kept(store, "handover") == 0
    assert store.drafts.get(made.id, mine.launch.owner).state == "open"


def test_open_draft_goes_30_days_after_the_last_touch_with_its_answers(store: Store, launch: Launch) -> None:
    made = draft(store, launch)
    store.drafts.set_answers(made.id, launch.owner, {"06": "06-3"}, NOW + DAY)
    store.purge(NOW + 31 * DAY)
    assert store.drafts.get(made.id, launch.owner).codes == {"06": "06-3"}
    store.purge(NOW + 31 * DAY + MINUTE)
    with pytest.raises(NoAccess):
        store.drafts.get(made.id, launch.owner)
    assert kept(store, "answer") == 0


def test_bodies_and_draft_go_a_day_after_done_and_receipts_stay_a_month(store: Store, launch: Launch) -> None:
    made = draft(store, launch)
    filing = store.filings.seal(sealing(launch, of=made), entry(launch), NOW)
    filing = claim(store, launch, filing)
    filing = store.filings.finish(store.filings.accepted(filing, receipts(filing)))
    store.purge(TODAY + 23 * HOUR)
    assert len(store.filings.bodies(filing)) == 3
    store.purge(TODAY + 25 * HOUR)
    with pytest.raises(BodyPurged):
        store.filings.bodies(filing)
    with pytest.raises(NoAccess):
        store.drafts.get(made.id, launch.owner)
    assert store.filings.get(filing.id, launch.owner).receipts == filing.receipts
    store.purge(TODAY + 31 * DAY)
    assert (kept(store, "filing"), kept(store, "part")) == (0, 0)


def test_withdrawn_bodies_go_at_once(store: Store, launch: Launch) -> None:
    filing = bring(store, launch, State.WITHDRAWN)
    store.purge(TODAY)
    with pytest.raises(BodyPurged):
        store.filings.bodies(filing)
    assert store.filings.get(filing.id, launch.owner).reason == "wrong form"


@pytest.mark.parametrize("state", UNFINISHED)
def test_what_is_saved_and_not_in_the_ehr_never_goes(store: Store, launch: Launch, state: State) -> None:
    filing = bring(store, launch, state)
    sealed = store.filings.seal(sealing(launch, of=draft(store, launch)), entry(launch), NOW)
    store.purge(TODAY + 3650 * DAY)
    assert len(store.filings.bodies(filing)) == 3
    assert store.filings.get(filing.id, launch.owner) == filing
    assert store.drafts.get(sealed.draft_id, launch.owner).state == "sealed"


def test_audit_never_goes(store: Store, launch: Launch) -> None:
    store.audit.record(entry(launch, "view"), NOW)
    store.purge(NOW + 3650 * DAY)
    assert store.audit.verify().rows == 1


def test_each_rule_is_reported(store: Store) -> None:
    assert set(store.purge(NOW).rows) == set(RULES)


def test_restore_ends_all_sessions_and_doubts_every_unfinished_filing(store: Store, launch: Launch) -> None:
    filings = {state: bring(store, launch, state, count=2) for state in PATHS if state is not State.PART_OK}
    (ended,) = store.restored(NOW).ended
    assert (ended.id, ended.tokens) == (launch.id, TOKENS)
    for state, filing in filings.items():
        after = store.filings.get(filing.id, launch.owner)
        assert after.state is (State.UNKNOWN if state in UNFINISHED else state)
        if state in UNFINISHED:
            assert [str(part.state) for part in after.parts] == ["UNKNOWN", "UNKNOWN"]


def test_after_a_restore_each_part_is_looked_for_before_it_is_sent(store: Store, launch: Launch) -> None:
    filing = seal(store, launch, in_transaction=False)
    filing = store.filings.accepted(claim(store, launch, filing), receipts(filing))
    store.restored(NOW)
    filing = store.filings.get(filing.id, launch.owner)
    assert [str(part.state) for part in filing.parts] == ["PART_OK", "UNKNOWN", "UNKNOWN"]
    with pytest.raises(StaleFiling):
        claim(store, launch, filing)
    filing = store.filings.found(filing, receipts(filing))
    assert (filing.state, filing.current[0].number) == (State.UNKNOWN, 3)
    later(store, 10)
    filing = store.filings.not_found(filing)
    filing = claim(store, launch, filing)
    filing = store.filings.finish(store.filings.accepted(filing, receipts(filing)))
    assert filing.state is State.DONE


def test_filing_whose_parts_were_all_accepted_is_done_after_a_restore(store: Store, launch: Launch) -> None:
    filing = bring(store, launch, State.PART_OK)
    store.restored(NOW)
    assert store.filings.get(filing.id, launch.owner).state is State.DONE
