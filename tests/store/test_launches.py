"""SECURITY A: access to a launch, its two clocks, its browser."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from smart_app.store import Store
from smart_app.store.cipher import Cipher, sha256_hex
from smart_app.store.errors import NoAccess
from smart_app.store.keys import Keys
from smart_app.store.launch import Launch
from tests.store.make import ANNA, NOW, TOKENS, behind, draft, start

MINUTE = timedelta(minutes=1)


def opens(store: Store, launch_id: str, secret: str, now: datetime = NOW) -> bool:
    try:
        store.launches.access(launch_id, secret, now)
    except NoAccess:
        return False
    return True


def test_launch_opens_with_its_id_and_its_own_secret(store: Store) -> None:
    started = start(store)
    launch = store.launches.access(started.launch.id, started.secret, NOW)
    assert launch == started.launch
    assert (launch.context, launch.tokens) == (ANNA, TOKENS)
    assert len(launch.id) == 32  # 128 bits in hex
    assert len(started.secret) >= 43  # 256 bits in base64url


def test_wrong_missing_unknown_foreign_and_ended_say_the_same(store: Store) -> None:
    mine, other, over = start(store), start(store, patient="bjorn"), start(store)
    store.launches.end(over.launch.id, "log-out", NOW)
    said = set()
    for launch_id, secret in [
        (mine.launch.id, "wrong"),
        (mine.launch.id, ""),
        ("0" * 32, mine.secret),
        (mine.launch.id, other.secret),
        (over.launch.id, over.secret),
        (mine.launch.id, sha256_hex(mine.secret)),
    ]:
        with pytest.raises(NoAccess) as caught:
            store.launches.access(launch_id, secret, NOW)
        said.add(str(caught.value))
    assert len(said) == 1


def test_only_a_keyed_hash_of_the_secret_is_kept(store: Store, place: Path | URL, keys: Keys) -> None:
    started = start(store)
    with behind(place) as connection:
        row = connection.exec_driver_sql("SELECT * FROM launch").fetchone()
    assert started.secret not in row
    assert sha256_hex(started.secret) not in row  # who writes to the database alone can make no cookie that opens
    assert Cipher(keys).secret_mac(started.secret) in row


@pytest.mark.parametrize(
    ("touched", "minutes", "open_"),
    [
        ([], 15, True),
        ([], 16, False),
        ([10], 25, True),
        ([10], 26, False),
        (range(10, 480, 10), 480, True),
        (range(10, 490, 10), 481, False),
    ],
)
def test_idle_after_15_minutes_and_over_after_8_hours(
    store: Store, touched: list[int], minutes: int, open_: bool
) -> None:
    started = start(store)
    for minute in touched:
        store.launches.touch(started.launch.id, NOW + minute * MINUTE)
    assert opens(store, started.launch.id, started.secret, NOW + minutes * MINUTE) is open_


def test_expired_launches_come_back_with_their_tokens_once(store: Store) -> None:
    idle, busy = start(store), start(store)
    store.launches.touch(busy.launch.id, NOW + 10 * MINUTE)
    ended = store.launches.expire(NOW + 20 * MINUTE)
    assert [(each.id, each.tokens) for each in ended] == [(idle.launch.id, TOKENS)]
    assert store.launches.expire(NOW + 20 * MINUTE) == ()


def test_ended_launch_keeps_no_token_and_no_name(store: Store, place: Path | URL) -> None:
    started = start(store)
    ended = store.launches.end(started.launch.id, "log-out", NOW)
    assert ended is not None
    assert ended.tokens == TOKENS
    assert store.launches.end(started.launch.id, "log-out", NOW) is None
    with behind(place) as connection:
        assert connection.exec_driver_sql("SELECT context, tokens FROM launch").fetchone() == (None, None)


def test_thirteenth_launch_of_a_browser_ends_the_one_unseen_for_longest(store: Store) -> None:
    twelve = [start(store, NOW, patient=f"p{n}") for n in range(12)]
    for n, each in enumerate(twelve):
        store.launches.touch(each.launch.id, NOW + (5 if n == 3 else 6) * MINUTE)
    elsewhere = start(store)
    cookies = [each.secret for each in twelve]
    new = start(store, NOW + 7 * MINUTE, presented=cookies)
    assert [each.id for each in new.ended] == [twelve[3].launch.id]
    assert opens(store, elsewhere.launch.id, elsewhere.secret, NOW + 7 * MINUTE)
    assert len(store.launches.of_browser([*cookies, new.secret], NOW + 7 * MINUTE)) == 12


def test_twelve_launches_of_a_browser_stay(store: Store) -> None:
    cookies: list[str] = []
    for n in range(12):
        started = start(store, presented=cookies, patient=f"p{n}")
        assert started.ended == (), n
        cookies.append(started.secret)
    assert len(store.launches.of_browser(cookies, NOW)) == 12


def test_site_of_a_launch_that_is_over_is_known_to_its_own_cookie_alone(store: Store) -> None:
    mine, other = start(store), start(store, patient="bjorn")
    store.launches.end(mine.launch.id, "log-out", NOW)
    assert store.launches.site_of(mine.launch.id, mine.secret) == "sandbox"
    for launch_id, secret in [(mine.launch.id, ""), (mine.launch.id, other.secret), ("0" * 32, mine.secret)]:
        assert store.launches.site_of(launch_id, secret) == ""


@pytest.mark.parametrize("other", [{"sub": "per"}, {"issuer": "https://other.example"}, {"site": "other"}, {"sub": ""}])
def test_another_user_in_the_browser_ends_the_launches_before(store: Store, other: dict[str, str]) -> None:
    mine, elsewhere = start(store), start(store)
    kept = draft(store, mine.launch)
    theirs = start(store, presented=[mine.secret, "unknown"], **other)
    assert [(each.id, each.tokens) for each in theirs.ended] == [(mine.launch.id, TOKENS)]
    assert not opens(store, mine.launch.id, mine.secret)
    assert opens(store, elsewhere.launch.id, elsewhere.secret)
    assert store.drafts.get(kept.id, mine.launch.owner).state == "open"


def test_another_fhir_user_patient_or_address_of_the_same_subject_is_the_same_user(store: Store) -> None:
    mine = start(store)
    changed = {"fhir_user": "Practitioner/9", "patient": "bjorn", "iss": "https://ehr.example/FHIR/R4"}
    again = start(store, presented=[mine.secret], **changed)
    assert again.ended == ()
    assert again.launch.user_key == mine.launch.user_key
    assert again.launch.patient_key != mine.launch.patient_key


def test_launches_without_a_verified_person_share_nothing(store: Store) -> None:
    first, second = start(store, sub=""), start(store, sub="")
    assert first.launch.user_key != second.launch.user_key
    made = draft(store, first.launch)
    with pytest.raises(NoAccess):
        store.drafts.get(made.id, second.launch.owner)


def test_change_keeps_what_another_tab_changed(store: Store) -> None:
    started = start(store)
    store.launches.change(started.launch.id, lambda context: replace(context, language="nb"))
    changed = store.launches.change(
        started.launch.id, lambda context: replace(context, plan={"goal": "yes"}, opened=("r1",))
    )
    assert changed.context == replace(ANNA, language="nb", plan={"goal": "yes"}, opened=("r1",))
    assert store.launches.access(started.launch.id, started.secret, NOW).context == changed.context


@pytest.mark.parametrize("field", ["site", "iss", "fhir_base", "issuer", "sub", "patient"])
def test_launch_never_turns_into_another(store: Store, field: str) -> None:
    started = start(store)
    with pytest.raises(ValueError, match="never change"):
        store.launches.change(started.launch.id, lambda context: replace(context, **{field: "other"}))
    assert store.launches.access(started.launch.id, started.secret, NOW).context == ANNA


def test_nothing_personal_shows_in_a_traceback(store: Store) -> None:
    started = start(store)
    shown = repr(started) + repr(draft(store, started.launch))
    for secret in ("Anna", "Kari", "1990", "anna", "kari", "access-1", "refresh-1", started.secret):
        assert secret not in shown


def test_end_all_returns_every_live_launch(store: Store, launch: Launch) -> None:
    start(store)
    assert len(store.launches.end_all("restored", NOW)) == 2
    assert store.launches.end_all("restored", NOW) == ()
