"""Goals and reviews as they are typed: nobody else's, and none of what is saved."""

from datetime import timedelta

import pytest

from smart_app.store import Store
from smart_app.store.drafts import KEPT
from smart_app.store.errors import DraftSealed
from smart_app.store.launch import Launch
from tests.store.make import NOW, start

WORDS = (("text", "A dog"), ("step-1", "Ask the landlord"), ("helps", "My sister"))


def test_what_was_typed_last_stands(store: Store, launch: Launch) -> None:
    store.goal_drafts.keep(launch.owner, "new", "one", WORDS, NOW)
    store.goal_drafts.keep(launch.owner, "new", "one", WORDS[:1], NOW + timedelta(minutes=1))
    store.goal_drafts.keep(launch.owner, "g1/edit", "two", WORDS, NOW)
    found = store.goal_drafts.find(launch.owner, "new")
    assert found is not None
    assert (found.page, found.fields, found.touched) == ("new", WORDS[:1], NOW + timedelta(minutes=1))
    assert [each.page for each in store.goal_drafts.open_for(launch.owner)] == ["g1/edit", "new"]
    store.goal_drafts.drop(launch.owner, "new")
    assert store.goal_drafts.find(launch.owner, "new") is None


def test_nobody_else_s(store: Store, launch: Launch) -> None:
    store.goal_drafts.keep(launch.owner, "new", "one", WORDS, NOW)
    for other in (start(store, patient="bo").launch, start(store, sub="ola").launch):
        assert store.goal_drafts.find(other.owner, "new") is None
        assert store.goal_drafts.open_for(other.owner) == ()


def test_what_is_saved_does_not_come_back_by_what_its_page_had_under_way(store: Store, launch: Launch) -> None:
    store.goal_drafts.keep(launch.owner, "new", "one", WORDS, NOW)
    store.goal_drafts.close(launch.owner, "new", "one", NOW)
    assert store.goal_drafts.open_for(launch.owner) == ()
    with pytest.raises(DraftSealed):
        store.goal_drafts.keep(launch.owner, "new", "one", WORDS, NOW)
    assert store.goal_drafts.find(launch.owner, "new") is None
    store.goal_drafts.keep(launch.owner, "new", "two", WORDS, NOW)
    assert store.goal_drafts.find(launch.owner, "new") is not None


def test_what_another_tab_typed_stays_where_one_is_saved(store: Store, launch: Launch) -> None:
    store.goal_drafts.keep(launch.owner, "new", "other tab", WORDS, NOW)
    store.goal_drafts.close(launch.owner, "new", "this tab", NOW)
    assert store.goal_drafts.find(launch.owner, "new") is not None


def test_saved_before_anything_was_kept(store: Store, launch: Launch) -> None:
    store.goal_drafts.close(launch.owner, "new", "one", NOW)
    with pytest.raises(DraftSealed):
        store.goal_drafts.keep(launch.owner, "new", "one", WORDS, NOW)


def test_goes_30_days_after_the_last_touch(store: Store, launch: Launch) -> None:
    store.goal_drafts.keep(launch.owner, "new", "one", WORDS, NOW)
    store.purge(NOW + KEPT)
    assert len(store.goal_drafts.open_for(launch.owner)) == 1
    store.purge(NOW + KEPT + timedelta(seconds=1))
    assert store.goal_drafts.open_for(launch.owner) == ()
