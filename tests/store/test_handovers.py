"""SECURITY B: hand-over to the patient and back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from smart_app.store import Store
from smart_app.store.errors import NoAccess, PinRefused, StoreUnready
from smart_app.store.handovers import HandedOver
from smart_app.store.launch import Started
from tests.store.make import NOW, draft, entry, sealing, start

PIN = "483920"
MINUTE = timedelta(minutes=1)


def hand_over(store: Store, started: Started, now: datetime = NOW) -> HandedOver:
    return store.handovers.create(started.launch, draft(store, started.launch), PIN, {"name": "Anna"}, now)


def active(store: Store, launch_id: str, secret: str, now: datetime = NOW) -> bool:
    try:
        store.launches.access(launch_id, secret, now)
    except NoAccess:
        return False
    return True


def test_all_live_launches_of_the_user_are_locked_in_every_cookie_jar(store: Store) -> None:
    mine, frame, colleague = start(store), start(store, patient="bjorn"), start(store, sub="per")
    given = hand_over(store, mine)
    for each in (mine, frame):
        assert not active(store, each.launch.id, each.secret)
    assert not active(store, mine.launch.id, given.launch_secret)
    assert active(store, colleague.launch.id, colleague.secret)


def test_old_and_new_cookie_see_the_pin_page_and_nobody_else_does(store: Store) -> None:
    mine, frame, colleague = start(store), start(store, patient="bjorn"), start(store, sub="per")
    given = hand_over(store, mine)
    for launch_id, secret in [
        (mine.launch.id, mine.secret),
        (mine.launch.id, given.launch_secret),
        (frame.launch.id, frame.secret),
    ]:
        assert store.handovers.locked(launch_id, secret, NOW).id == given.handover.id
    for launch_id, secret in [
        (mine.launch.id, ""),
        (mine.launch.id, frame.secret),
        (colleague.launch.id, colleague.secret),
        ("0" * 32, mine.secret),
    ]:
        with pytest.raises(NoAccess):
            store.handovers.locked(launch_id, secret, NOW)
        with pytest.raises(NoAccess):
            store.handovers.unlock(launch_id, secret, PIN, [], NOW)


@pytest.mark.parametrize("pin", ["", "12345", "12345a", "1234567890123", "١٢٣٤٥٦", "-123456"])
def test_pin_that_is_none_is_refused_before_anything_is_locked(store: Store, pin: str) -> None:
    mine = start(store)
    with pytest.raises(PinRefused, match="6 to 12 digits"):
        store.handovers.create(mine.launch, draft(store, mine.launch), pin, {}, NOW)
    assert active(store, mine.launch.id, mine.secret)


def test_window_opens_once_with_a_secret_of_its_own(store: Store) -> None:
    mine = start(store)
    given = hand_over(store, mine)
    assert given.handover.state == "offered"
    opened, secret = store.handovers.open(given.handover.id, NOW)
    assert opened.state == "open"
    assert store.handovers.access(opened.id, secret, NOW) == opened
    assert opened.value == {"name": "Anna"}
    assert opened.owner == mine.launch.owner
    with pytest.raises(NoAccess):
        store.handovers.open(given.handover.id, NOW)
    for wrong in ("", mine.secret, given.launch_secret):
        with pytest.raises(NoAccess):
            store.handovers.access(opened.id, wrong, NOW)
    assert not active(store, mine.launch.id, secret)


def test_offered_hand_over_opens_with_no_secret_at_all(store: Store) -> None:
    given = hand_over(store, start(store))
    with pytest.raises(NoAccess):
        store.handovers.access(given.handover.id, "", NOW)


def test_hand_over_does_not_idle_out_for_two_hours(store: Store) -> None:
    mine = start(store)
    given = hand_over(store, mine)
    opened, secret = store.handovers.open(given.handover.id, NOW)
    assert store.handovers.access(opened.id, secret, NOW + 120 * MINUTE)
    assert store.launches.expire(NOW + 120 * MINUTE) == ()
    with pytest.raises(NoAccess):
        store.handovers.access(opened.id, secret, NOW + 121 * MINUTE)
    with pytest.raises(NoAccess):
        store.handovers.unlock(mine.launch.id, mine.secret, PIN, [], NOW + 121 * MINUTE)
    store.handovers.touch(opened.id, NOW + 60 * MINUTE)
    assert store.handovers.access(opened.id, secret, NOW + 180 * MINUTE)


def test_pin_brings_back_the_launches_of_this_browser_under_new_secrets(store: Store) -> None:
    mine, same_browser, other_jar = start(store), start(store, patient="bjorn"), start(store, patient="cato")
    given = hand_over(store, mine)
    back = store.handovers.unlock(mine.launch.id, given.launch_secret, PIN, [same_browser.secret], NOW)
    assert back.handover.state == "closed"
    assert set(back.secrets) == {mine.launch.id, same_browser.launch.id}
    for launch_id, secret in back.secrets.items():
        assert active(store, launch_id, secret)
    for known_to_the_patient in (mine.secret, given.launch_secret):
        assert not active(store, mine.launch.id, known_to_the_patient)
        with pytest.raises(NoAccess):
            store.handovers.locked(mine.launch.id, known_to_the_patient, NOW)
        assert store.launches.of_browser([known_to_the_patient], NOW) == ()
    there = store.handovers.unlock(other_jar.launch.id, other_jar.secret, PIN, [], NOW)
    assert active(store, other_jar.launch.id, there.secrets[other_jar.launch.id])


def test_fifth_wrong_pin_ends_the_launches_and_keeps_the_draft(store: Store) -> None:
    mine, frame = start(store), start(store, patient="bjorn")
    given = hand_over(store, mine)
    opened, secret = store.handovers.open(given.handover.id, NOW)
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(PinRefused) as caught:
            store.handovers.unlock(mine.launch.id, mine.secret, "000000", [], NOW)
        assert caught.value.left == left
    assert {each.id for each in caught.value.ended} == {mine.launch.id, frame.launch.id}
    assert all(each.tokens.refresh_token == "refresh-1" for each in caught.value.ended)
    for right in (mine, frame):
        with pytest.raises(NoAccess):
            store.handovers.unlock(right.launch.id, right.secret, PIN, [], NOW)
    assert store.handovers.access(opened.id, secret, NOW).state == "closed"
    assert store.drafts.get(given.handover.draft_id, mine.launch.owner).state == "open"


def test_tries_count_across_launches_and_begin_again_after_the_right_pin(store: Store) -> None:
    mine, frame = start(store), start(store, patient="bjorn")
    given = hand_over(store, mine)
    for each in (mine, frame, mine, frame):
        with pytest.raises(PinRefused):
            store.handovers.unlock(each.launch.id, each.secret, "000000", [], NOW)
    assert store.handovers.locked(mine.launch.id, mine.secret, NOW).tries_left == 1
    store.handovers.unlock(mine.launch.id, given.launch_secret, PIN, [], NOW)
    assert store.handovers.locked(frame.launch.id, frame.secret, NOW).tries_left == 5


def test_many_tries_at_once_are_five_tries(store: Store) -> None:
    mine = start(store)
    hand_over(store, mine)

    def attempt(n: int) -> object:
        try:
            return store.handovers.unlock(mine.launch.id, mine.secret, f"{n:06}", [], NOW)
        except (PinRefused, NoAccess) as error:
            return error

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(attempt, range(12)))
    lefts = [each.left for each in results if isinstance(each, PinRefused)]
    assert [left for left in sorted(lefts, reverse=True) if left] == [4, 3, 2, 1]
    with pytest.raises(NoAccess):
        store.handovers.unlock(mine.launch.id, mine.secret, PIN, [], NOW)


def test_spent_try_outlives_the_request_that_spent_it(store: Store) -> None:
    mine = start(store)
    hand_over(store, mine)
    with store.writing(), pytest.raises(StoreUnready):
        store.handovers.unlock(mine.launch.id, mine.secret, PIN, [], NOW)


def test_patients_submit_seals_and_back_says_finished(store: Store) -> None:
    mine = start(store)
    given = hand_over(store, mine)
    opened, secret = store.handovers.open(given.handover.id, NOW)
    store.drafts.set_answers(opened.draft_id, opened.owner, {"06": "06-3"}, NOW)
    with store.writing():
        of = store.drafts.get(opened.draft_id, opened.owner)
        filing = store.filings.seal(sealing(mine.launch, of=of), entry(mine.launch), NOW)
        store.handovers.submit(opened.id, NOW)
    assert store.handovers.submit(opened.id, NOW).state == "submitted"
    assert store.handovers.access(opened.id, secret, NOW).submitted
    back = store.handovers.unlock(mine.launch.id, given.launch_secret, PIN, [], NOW)
    assert [each.id for each in store.filings.outbox(back.launch.owner)] == [filing.id]
    finished = store.handovers.access(opened.id, secret, NOW)
    assert (finished.state, finished.submitted) == ("closed", True)


def test_taken_back_before_submit_closes_the_patients_pages(store: Store) -> None:
    mine = start(store)
    given = hand_over(store, mine)
    opened, secret = store.handovers.open(given.handover.id, NOW)
    store.handovers.unlock(mine.launch.id, mine.secret, PIN, [], NOW)
    assert store.handovers.access(opened.id, secret, NOW).state == "closed"
    with pytest.raises(NoAccess):
        store.handovers.submit(opened.id, NOW)


def test_second_hand_over_closes_the_first_and_its_pin_leads_back_everywhere(store: Store) -> None:
    frame, mine = start(store, patient="bjorn"), start(store)
    first = hand_over(store, mine)
    back = store.handovers.unlock(mine.launch.id, mine.secret, PIN, [], NOW)
    second = store.handovers.create(back.launch, draft(store, back.launch), "777777", {}, NOW)
    with pytest.raises(NoAccess):
        store.handovers.open(first.handover.id, NOW)
    with pytest.raises(PinRefused):
        store.handovers.unlock(frame.launch.id, frame.secret, PIN, [], NOW)
    assert store.handovers.unlock(frame.launch.id, frame.secret, "777777", [], NOW).handover.id == second.handover.id


@pytest.mark.parametrize("step", ["offered", "open", "submitted"])
@pytest.mark.parametrize("here", [True, False], ids=["this browser", "another machine"])
def test_launch_during_a_hand_over_begins_locked_and_opens_by_its_pin(store: Store, step: str, here: bool) -> None:
    mine = start(store)
    given = hand_over(store, mine)
    if step != "offered":
        store.handovers.open(given.handover.id, NOW)
    if step == "submitted":
        store.handovers.submit(given.handover.id, NOW)
    again = start(store, presented=[given.launch_secret] if here else [], patient="bjorn")
    assert (again.launch.state, again.ended) == ("handed_over", ())
    assert not active(store, again.launch.id, again.secret)
    assert store.handovers.locked(again.launch.id, again.secret, NOW).id == given.handover.id
    back = store.handovers.unlock(again.launch.id, again.secret, PIN, [given.launch_secret] if here else [], NOW)
    assert active(store, again.launch.id, back.secrets[again.launch.id])
    assert set(back.secrets) == {again.launch.id} | ({mine.launch.id} if here else set())


@pytest.mark.parametrize("how", ["taken back", "five wrong PINs", "two hours", "another user", "another's hand-over"])
def test_launch_begins_open_where_no_screen_of_this_user_is_with_a_patient(store: Store, how: str) -> None:
    mine, frame = start(store), start(store, patient="bjorn")
    given = hand_over(store, mine)
    later = NOW + 121 * MINUTE if how == "two hours" else NOW
    if how == "taken back":  # the frame stays locked behind the closed hand-over
        store.handovers.unlock(mine.launch.id, mine.secret, PIN, [], NOW)
    if how == "five wrong PINs":
        for _ in range(5):
            with pytest.raises(PinRefused):
                store.handovers.unlock(frame.launch.id, frame.secret, "000000", [], NOW)
    if how == "another user":
        start(store, presented=[given.launch_secret, frame.secret], sub="per")
    again = start(store, later, sub="per" if how == "another's hand-over" else "kari")
    assert again.launch.state == "active"
    assert active(store, again.launch.id, again.secret, later)


def test_hand_over_after_one_that_nobody_took_back_closes_it(store: Store) -> None:
    first = hand_over(store, start(store))
    opened, secret = store.handovers.open(first.handover.id, NOW)
    later = NOW + 121 * MINUTE
    again = start(store, later)
    hand_over(store, again, later)
    assert store.handovers.access(opened.id, secret, later).state == "closed"


def test_only_an_active_launch_hands_over_and_only_its_own_open_draft(store: Store) -> None:
    mine, other = start(store), start(store, patient="bjorn")
    foreign, own = draft(store, other.launch), draft(store, mine.launch)
    with pytest.raises(NoAccess):
        store.handovers.create(mine.launch, foreign, PIN, {}, NOW)
    with pytest.raises(NoAccess):
        store.handovers.create(mine.launch, own, PIN, {}, NOW + 16 * MINUTE)
    store.filings.seal(sealing(mine.launch, of=own), entry(mine.launch), NOW)
    with pytest.raises(NoAccess):
        store.handovers.create(mine.launch, own, PIN, {}, NOW)
    hand_over(store, mine)
    with pytest.raises(NoAccess):
        hand_over(store, mine)


def test_another_user_at_the_machine_ends_the_hand_over_and_keeps_the_draft(store: Store) -> None:
    mine = start(store)
    given = hand_over(store, mine)
    opened, secret = store.handovers.open(given.handover.id, NOW)
    theirs = start(store, presented=[given.launch_secret], sub="per")
    assert [each.id for each in theirs.ended] == [mine.launch.id]
    with pytest.raises(NoAccess):
        store.handovers.access(opened.id, secret, NOW)
    assert store.drafts.get(opened.draft_id, mine.launch.owner).state == "open"
