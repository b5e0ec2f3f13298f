"""SECURITY F: sealing, leases, outcomes, the outbox, and what a person may decide."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from smart_app.store import Store
from smart_app.store.errors import Damaged, NoAccess, StaleFiling, StoreUnready, TooSoon
from smart_app.store.filing import Filing, Receipt
from smart_app.store.filing_states import Event, State
from smart_app.store.launch import Launch
from tests.store.make import NOW, STEPS, bring, claim, draft, entry, later, parts, receipts, seal, sealing, start


def states(filing: Filing) -> list[str]:
    return [str(part.state) for part in filing.parts]


def test_sealed_filing_keeps_bytes_plan_owner_and_an_audit_row(store: Store, launch: Launch) -> None:
    made = sealing(launch)
    filing = store.filings.seal(made, entry(launch), NOW)
    assert (filing.id, filing.state, filing.attempt, filing.sealed) == (made.id, State.SEALED, 0, NOW)
    assert (filing.owner, filing.plan, filing.details) == (launch.owner, made.plan, made.details)
    assert list(store.filings.bodies(filing).values()) == [part.body for part in made.parts]
    assert [part.type for part in filing.parts] == ["QuestionnaireResponse", "Observation", "Provenance"]
    assert [(row["action"], row["patient"]) for row in store.audit.entries()] == [("save", "anna")]


def test_seal_without_its_audit_row_is_no_seal(store: Store, launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    made = draft(store, launch)

    def fails(*_: object) -> int:
        raise RuntimeError

    monkeypatch.setattr(store.audit, "record", fails)
    with pytest.raises(RuntimeError):
        store.filings.seal(sealing(launch, of=made), entry(launch), NOW)
    assert store.filings.outbox(launch.owner) == ()
    assert store.drafts.get(made.id, launch.owner).state == "open"


@pytest.mark.parametrize("kind", ["draft", "form"])
def test_saved_twice_or_by_two_tabs_at_once_is_one_filing(store: Store, launch: Launch, kind: str) -> None:
    made = sealing(launch, of=draft(store, launch) if kind == "draft" else None)
    again = [replace(made, id=sealing(launch).id) for _ in range(7)]
    with ThreadPoolExecutor(8) as pool:
        filings = list(pool.map(lambda each: store.filings.seal(each, entry(launch), NOW), [made, *again]))
    assert len({filing.id for filing in filings}) == 1
    assert len(store.filings.outbox(launch.owner)) == 1
    assert len(store.audit.entries()) == 1
    if made.draft:
        found = store.filings.of_draft(made.draft.id, launch.owner)
        assert found is not None
        assert found.id == filings[0].id


def test_form_name_of_another_user_finds_nothing(store: Store, launch: Launch) -> None:
    made = sealing(launch)
    store.filings.seal(made, entry(launch), NOW)
    other = start(store, sub="per").launch
    theirs = store.filings.seal(replace(made, id=sealing(other).id, owner=other.owner), entry(other), NOW)
    assert theirs.id != made.id


@pytest.mark.parametrize(
    "wrong", [{"form": ""}, {"parts": ()}, {"id": "filing-1"}, {"id": "6BA7B810-9DAD-11D1-80B4-00C04FD430C8"}]
)
def test_filing_without_what_it_needs_is_refused(store: Store, launch: Launch, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        store.filings.seal(replace(sealing(launch), **wrong), entry(launch), NOW)


def test_one_of_many_claims_it(store: Store, launch: Launch) -> None:
    filing = seal(store, launch)

    def attempt(_: int) -> Filing | None:
        try:
            return claim(store, launch, filing)
        except StaleFiling:
            return None

    with ThreadPoolExecutor(8) as pool:
        (claimed,) = (each for each in pool.map(attempt, range(16)) if each)
    assert (claimed.state, claimed.attempt) == (State.SENDING, 1)
    assert [row["action"] for row in store.audit.entries()] == ["save", "send"]


def test_claim_is_durable_by_itself(store: Store, launch: Launch) -> None:
    filing = seal(store, launch)
    with store.writing(), pytest.raises(StoreUnready):
        claim(store, launch, filing)


def test_transaction_is_one_send_whose_parts_move_together(store: Store, launch: Launch) -> None:
    filing = claim(store, launch, seal(store, launch, in_transaction=True))
    assert states(filing) == ["SENDING"] * 3
    assert [part.number for part in filing.current] == [1, 2, 3]
    filing = store.filings.accepted(filing, receipts(filing))
    assert states(filing) == ["PART_OK"] * 3
    filing = store.filings.finish(filing)
    assert (filing.state, filing.attempt) == (State.DONE, 1)
    assert [receipt.id for receipt in filing.receipts] == ["id-1", "id-2", "id-3"]


def test_single_requests_go_one_by_one_and_never_an_accepted_one_again(store: Store, launch: Launch) -> None:
    filing = claim(store, launch, seal(store, launch, in_transaction=False))
    assert states(filing) == ["SENDING", "SEALED", "SEALED"]
    filing = store.filings.accepted(filing, receipts(filing))
    with pytest.raises(StaleFiling, match="2 of its parts"):
        store.filings.finish(filing)
    filing = store.filings.lost(claim(store, launch, filing), "timeout")
    assert states(filing) == ["PART_OK", "UNKNOWN", "SEALED"]
    later(store, 10)
    filing = store.filings.not_found(store.filings.get(filing.id, launch.owner))
    filing = claim(store, launch, filing)
    assert states(filing) == ["PART_OK", "SENDING", "SEALED"]
    filing = store.filings.accepted(filing, receipts(filing))
    filing = store.filings.accepted(claim(store, launch, filing), [Receipt("Provenance", "9", "1", 201)])
    assert [part.attempt for part in filing.parts] == [1, 3, 4]
    assert store.filings.finish(filing).receipts[2] == Receipt("Provenance", "9", "1", 201)


def test_receipts_are_as_many_as_the_parts_sent(store: Store, launch: Launch) -> None:
    filing = claim(store, launch, seal(store, launch))
    with pytest.raises(ValueError, match="1 receipts for 3 parts"):
        store.filings.accepted(filing, [Receipt("Observation", "1", "1", 201)])
    assert store.filings.get(filing.id, launch.owner).state is State.SENDING


def test_step_shown_before_another_attempt_is_refused(store: Store, launch: Launch) -> None:
    shown = bring(store, launch, State.WAITING)
    now = store.filings.wait(claim(store, launch, shown), "not connected")
    assert (now.state, states(now)) == (shown.state, states(shown))
    with pytest.raises(StaleFiling):
        claim(store, launch, shown)


def test_finished_twice_is_refused(store: Store, launch: Launch) -> None:
    shown = bring(store, launch, State.PART_OK)
    store.filings.finish(shown)
    with pytest.raises(StaleFiling):
        store.filings.finish(shown)


def test_receipt_for_one_part_never_lands_on_the_next(store: Store, launch: Launch) -> None:
    shown = seal(store, launch, in_transaction=False)
    store.restored(NOW)
    shown = store.filings.get(shown.id, launch.owner)
    now = store.filings.found(shown, receipts(shown))
    assert (now.state, now.attempt) == (shown.state, shown.attempt)
    with pytest.raises(StaleFiling):
        store.filings.found(shown, receipts(shown))


def test_lease_is_90_seconds_by_the_databases_clock(store: Store, launch: Launch) -> None:
    filing = claim(store, launch, seal(store, launch))
    later(store, 85)
    assert store.filings.recover() == ()
    later(store, 6)
    (recovered,) = store.filings.recover()
    assert (recovered.id, recovered.state, states(recovered)) == (filing.id, State.UNKNOWN, ["UNKNOWN"] * 3)
    assert recovered.lost is not None
    with pytest.raises(StaleFiling):
        store.filings.accepted(filing, receipts(filing))
    assert store.filings.recover() == ()


def test_search_that_finds_none_is_believed_after_ten_seconds(store: Store, launch: Launch) -> None:
    filing = bring(store, launch, State.UNKNOWN)
    with pytest.raises(TooSoon) as caught:
        store.filings.not_found(filing)
    assert 1 <= caught.value.seconds <= 10
    later(store, 10)
    waiting = store.filings.not_found(store.filings.get(filing.id, launch.owner))
    assert waiting.state is State.WAITING


def test_waits_as_long_as_the_ehr_asked(store: Store, launch: Launch) -> None:
    filing = store.filings.wait(claim(store, launch, seal(store, launch)), "429", retry_after=60)
    assert filing.reason == "429"
    with pytest.raises(TooSoon) as caught:
        claim(store, launch, filing)
    assert 50 <= caught.value.seconds <= 60
    later(store, 60)
    assert claim(store, launch, store.filings.get(filing.id, launch.owner)).attempt == 2


def test_refusal_updates_the_plan_and_the_next_rung_keeps_what_was_accepted(store: Store, launch: Launch) -> None:
    filing = claim(store, launch, seal(store, launch, in_transaction=False))
    filing = store.filings.accepted(filing, receipts(filing))
    filing = store.filings.refused(claim(store, launch, filing), "405", plan={"score": "document"})
    assert (filing.plan, filing.reason) == ({"score": "document"}, "405")
    filing = STEPS[Event.REPLAN_REST](store, launch, filing)
    assert filing.state is State.PART_OK
    assert [(part.number, str(part.state), part.replaced) for part in filing.parts] == [
        (1, "PART_OK", False),
        (2, "REFUSED", True),
        (3, "SEALED", True),
        (4, "SEALED", False),
    ]
    assert set(store.filings.bodies(filing)) == {1, 4}
    assert [part.number for part in claim(store, launch, filing).current] == [4]


def test_duplicate_keeps_the_ids_and_waits_for_a_person(store: Store, launch: Launch) -> None:
    filing = bring(store, launch, State.DUPLICATE, count=1)
    assert filing.candidates == ("Observation/1", "Observation/2")
    chosen = store.filings.choose(
        filing, [Receipt("Observation", "2", "1", 200)], launch.owner, entry(launch, "decide"), NOW
    )
    assert (chosen.state, chosen.receipts[0].id) == (State.PART_OK, "2")


def test_persons_word_that_it_is_there_is_a_receipt_without_an_id(store: Store, launch: Launch) -> None:
    filing = STEPS[Event.VOUCH](store, launch, bring(store, launch, State.UNKNOWN, count=2))
    kinds = ("QuestionnaireResponse", "Observation")
    assert filing.receipts == tuple(Receipt(kind, "", "", 0, "vouched") for kind in kinds)
    assert store.audit.entries()[-1]["action"] == "decide"


def test_withdrawal_keeps_who_when_and_why(store: Store, launch: Launch) -> None:
    filing = bring(store, launch, State.WITHDRAWN)
    assert filing.reason == "wrong form"
    last = store.audit.entries()[-1]
    assert (last["action"], last["display"], last["at"]) == ("withdraw", "Kari Nordmann", NOW)
    assert store.filings.outbox(launch.owner) == ()


def test_outbox_is_the_users_own_for_this_patient(store: Store, launch: Launch) -> None:
    mine, done = seal(store, launch), bring(store, launch, State.DONE)
    colleague = start(store, sub="per").launch
    theirs = seal(store, colleague)
    seal(store, start(store, patient="bjorn").launch)
    seal(store, start(store, site="other").launch)
    assert [each.id for each in store.filings.outbox(launch.owner)] == [mine.id]
    assert [each.id for each in store.filings.left_by_others(launch.owner)] == [theirs.id]
    assert [each.id for each in store.filings.filed(launch.owner)] == [done.id]


ACTS: tuple[tuple[State, Callable[[Store, Filing, Launch, str], Filing]], ...] = (
    (State.SEALED, lambda s, f, by, why: s.filings.claim(f, by.owner, entry(by, "send", why), NOW)),
    (State.SEALED, lambda s, f, by, why: s.filings.withdraw(f, "x", by.owner, entry(by, "withdraw", why), NOW)),
    (State.UNKNOWN, lambda s, f, by, why: s.filings.vouch(f, by.owner, entry(by, "decide", why), NOW)),
    (State.UNKNOWN, lambda s, f, by, why: s.filings.send_again(f, by.owner, entry(by, "decide", why), NOW)),
    (
        State.DUPLICATE,
        lambda s, f, by, why: s.filings.choose(f, receipts(f), by.owner, entry(by, "decide", why), NOW),
    ),
    (
        State.REFUSED,
        lambda s, f, by, why: s.filings.replan(
            f, parts(1), plan={}, in_transaction=True, by=by.owner, audit=entry(by, "decide", why), now=NOW
        ),
    ),
)


@pytest.mark.parametrize(("state", "act"), ACTS)
def test_another_user_acts_with_a_reason_and_another_patients_launch_never(
    store: Store, launch: Launch, state: State, act: Callable[[Store, Filing, Launch, str], Filing]
) -> None:
    filing = bring(store, launch, state)
    colleague = start(store, sub="per").launch
    for stranger in ({"patient": "bjorn"}, {"site": "other"}):
        other = start(store, **stranger).launch
        with pytest.raises(NoAccess):
            store.filings.get(filing.id, other.owner)
        with pytest.raises(NoAccess):
            act(store, filing, other, "on holiday")
    with pytest.raises(NoAccess):
        act(store, filing, colleague, "")
    assert act(store, store.filings.get(filing.id, colleague.owner), colleague, "author on holiday")
    assert store.filings.get(filing.id, launch.owner).owner == launch.owner


def test_body_that_changed_is_never_sent(store: Store, launch: Launch) -> None:
    filing = seal(store, launch)
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE part SET body = (SELECT body FROM part WHERE number = 2) WHERE number = 1")
    with pytest.raises(Damaged):
        store.filings.bodies(filing)
