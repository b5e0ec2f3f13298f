"""SECURITY E and G: canary rows, readiness, one-time states and tickets."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.engine import URL

from imr_fhir.errors import StateError
from smart_app.store import Store
from smart_app.store.errors import Damaged, NoAccess, SchemaError, WrongKey
from smart_app.store.keys import Keys, new_key, new_keys
from smart_app.store.launch import Launch
from smart_app.store.schema import answer, canary, metadata
from tests.store.make import NOW, behind, draft, seal, start


@pytest.mark.parametrize("kind", ["values", "lookups", "audit"])
def test_wrong_key_is_refused_at_start(place: Path | URL, keys: Keys, kind: str) -> None:
    Store.open(place, keys).close()
    other = new_keys()
    with pytest.raises(WrongKey, match=kind):
        Store.open(place, replace(keys, **{kind: getattr(other, kind)}))
    Store.open(place, keys).close()


@pytest.mark.parametrize("kind", ["values", "lookups", "audit"])
def test_wrong_key_under_the_right_id_is_refused_too(place: Path | URL, keys: Keys, kind: str) -> None:
    Store.open(place, keys).close()
    secret = new_key().secret
    right = getattr(keys, kind)
    wrong = replace(right, secret=secret) if kind == "lookups" else (replace(right[0], secret=secret),)
    with pytest.raises(WrongKey, match=kind):
        Store.open(place, replace(keys, **{kind: wrong}))


def test_key_added_in_front_still_opens_the_store(place: Path | URL, keys: Keys) -> None:
    Store.open(place, keys).close()
    more = replace(keys, values=(new_key(), *keys.values), audit=(new_key(), *keys.audit))
    Store.open(place, more).close()


def test_store_without_its_canary_is_refused(place: Path | URL, keys: Keys) -> None:
    Store.open(place, keys).close()
    with behind(place) as connection:
        connection.exec_driver_sql("DELETE FROM canary")
    with pytest.raises(WrongKey):
        Store.open(place, keys)


def test_rows_swapped_behind_the_apps_back_do_not_open(store: Store, launch: Launch, place: Path | URL) -> None:
    other = start(store, patient="bjorn").launch
    drafts = [draft(store, each) for each in (launch, other)]
    for each, owner in zip(drafts, (launch.owner, other.owner), strict=True):
        store.drafts.set_answers(each.id, owner, {"06": "06-3"}, NOW)
    with behind(place) as connection:
        first, second = (
            connection.execute(select(answer.c.value).where(answer.c.draft_id == each.id)).scalar_one()
            for each in drafts
        )
        connection.execute(update(answer).where(answer.c.draft_id == drafts[0].id).values(value=second))
        connection.execute(update(answer).where(answer.c.draft_id == drafts[1].id).values(value=first))
    with pytest.raises(Damaged, match=r"answer\.value"):
        store.drafts.get(drafts[0].id, launch.owner)


_READ = {
    "launch": lambda store, row, _: store.launches.end(row, "log-out", NOW),
    "draft": lambda store, row, owner: store.drafts.get(row, owner),
    "handover": lambda store, row, _: store.handovers.open(row, NOW),
    "filing": lambda store, row, owner: store.filings.get(row, owner),
}


@pytest.mark.parametrize("table", _READ)
@pytest.mark.parametrize("column", ["user_key", "site", "patient"])
def test_row_given_to_another_owner_behind_the_apps_back_does_not_open(
    store: Store, place: Path | URL, table: str, column: str
) -> None:
    mine, other = start(store).launch, start(store, sub="per", site="south", patient="bjorn").launch
    filing, begun = seal(store, mine), draft(store, mine)
    handover = store.handovers.create(mine, begun, "483920", {}, NOW).handover
    row = {"launch": mine.id, "draft": begun.id, "handover": handover.id, "filing": filing.id}[table]
    names = {"user_key": "user_key", "site": "site", "patient_key": "patient"}
    theirs = {field: value for field, value in asdict(other.owner).items() if names[field] == column}
    with behind(place) as connection:
        into = metadata.tables[table]
        connection.execute(update(into).where(into.c.id == row).values(**dict.fromkeys([column], *theirs.values())))
    with pytest.raises(Damaged, match=table):
        _READ[table](store, row, replace(mine.owner, **theirs))


def test_many_that_open_a_new_store_at_once_make_one(place: Path | URL, keys: Keys) -> None:
    with ThreadPoolExecutor(4) as pool:
        for store in pool.map(lambda _: Store.open(place, keys), range(4)):
            store.check()
            assert store.audit.verify().broken == 0
            store.close()


def test_readiness_looks_at_schema_and_keys(store: Store, place: Path | URL) -> None:
    store.check()
    with behind(place) as connection:
        connection.execute(update(canary).where(canary.c.name == "lookups").values(value=b"0"))
    with pytest.raises(WrongKey):
        store.check()
    with behind(place) as connection:
        connection.exec_driver_sql("UPDATE schema_version SET version = 7")
    with pytest.raises(SchemaError):
        store.check()


def test_state_is_used_once_also_by_many_at_once(store: Store) -> None:
    def use(_: int) -> bool:
        try:
            store.states.use("state-1", NOW)
        except StateError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(use, range(16))) == 1
    store.states.use("state-2", NOW)


def test_used_state_remembers_its_launch(store: Store, launch: Launch) -> None:
    store.states.use("state-1", NOW)
    assert store.states.launch_of("state-1") == ""
    store.states.led_to("state-1", launch.id)
    assert store.states.launch_of("state-1") == launch.id
    assert store.states.launch_of("state-2") == ""


def test_ticket_opens_once_for_its_purpose_and_for_half_a_minute(store: Store) -> None:
    value = {"launch": "l1"}
    given = store.tickets.issue("window", value, NOW)
    assert len(given) >= 43  # 256 bits in base64url
    with pytest.raises(NoAccess):
        store.tickets.redeem("hand-over", given, NOW)
    assert store.tickets.redeem("window", given, NOW + timedelta(seconds=30)) == value
    with pytest.raises(NoAccess):
        store.tickets.redeem("window", given, NOW)
    late = store.tickets.issue("window", value, NOW)
    with pytest.raises(NoAccess):
        store.tickets.redeem("window", late, NOW + timedelta(seconds=31))


def test_ticket_redeemed_by_many_at_once_opens_once(store: Store) -> None:
    given = store.tickets.issue("window", {}, NOW)

    def redeem(_: int) -> bool:
        try:
            store.tickets.redeem("window", given, NOW)
        except NoAccess:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(redeem, range(16))) == 1
