"""Drafts: each answer kept, two tabs on one draft, its own user alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from smart_app.store import Store
from smart_app.store.errors import DraftSealed, NoAccess, StaleDraft
from smart_app.store.launch import Launch
from smart_app.store.shown import Answer
from tests.store.make import NOW, draft, entry, sealing, start

DAY = timedelta(days=1)


def test_each_answer_is_kept_with_its_version(store: Store, launch: Launch) -> None:
    made = draft(store, launch)
    owner = launch.owner
    given = ("06", "06-3"), ("13", "13-na"), ("06", "06-4"), ("comment", "Tired <today>"), ("13", "")
    for item, value in given:
        store.drafts.set_answers(made.id, owner, {item: value}, NOW)
    now = store.drafts.get(made.id, owner)
    assert now.answers == {
        "06": Answer("06-4", 2),
        "13": Answer("", 2),
        "comment": Answer("Tired <today>", 1),
    }
    assert now.codes == {"06": "06-4"}
    assert now.comment == "Tired <today>"


def test_two_tabs_see_one_draft_and_the_last_writer_wins(store: Store, launch: Launch) -> None:
    first, second = draft(store, launch), draft(store, launch)
    assert first.id == second.id
    assert first.identifier == second.identifier
    store.drafts.set_answers(first.id, launch.owner, {"06": "06-3"}, NOW)
    store.drafts.set_answers(second.id, launch.owner, {"06": "06-5"}, NOW)
    assert draft(store, launch).codes == {"06": "06-5"}


def test_page_of_answers_counts_only_what_changed(store: Store, launch: Launch) -> None:
    made = draft(store, launch)
    store.drafts.set_answers(made.id, launch.owner, {"01": "01-1", "02": "02-2"}, NOW)
    now = store.drafts.set_answers(made.id, launch.owner, {"01": "01-1", "02": "02-3", "03": "", "comment": "x"}, NOW)
    assert now.answers == {"01": Answer("01-1", 1), "02": Answer("02-3", 2), "comment": Answer("x", 1)}


@pytest.mark.parametrize("other", [{"sub": "per"}, {"patient": "bjorn"}, {"site": "other"}])
def test_draft_opens_for_its_own_user_site_and_patient_alone(
    store: Store, launch: Launch, other: dict[str, str]
) -> None:
    made = draft(store, launch)
    stranger = start(store, **other).launch
    steps = [
        lambda: store.drafts.get(made.id, stranger.owner),
        lambda: store.drafts.set_answers(made.id, stranger.owner, {"06": "06-1"}, NOW),
        lambda: store.drafts.set_answers(made.id, stranger.owner, {"06": "06-1"}, NOW),
        lambda: store.drafts.set_language(made.id, stranger.owner, "en", NOW),
        lambda: store.drafts.discard(made, stranger.owner),
        lambda: store.filings.seal(sealing(stranger, of=made), entry(stranger), NOW),
    ]
    for step in steps:
        with pytest.raises(NoAccess):
            step()
    assert draft(store, stranger).id != made.id
    assert store.drafts.get(made.id, launch.owner) == made


def test_one_open_draft_a_rater_and_a_correction(store: Store, launch: Launch) -> None:
    begin = store.drafts.start
    how = {"questionnaire": "q|1", "language": "en", "identifier": "urn:uuid:1", "now": NOW}
    client = begin(launch.owner, "client", **how)
    clinician = begin(launch.owner, "clinician", **how)
    correction = begin(launch.owner, "client", about="QuestionnaireResponse/7", answers={"06": "06-2"}, **how)
    assert len({client.id, clinician.id, correction.id}) == 3
    assert correction.codes == {"06": "06-2"}
    assert correction.about == "QuestionnaireResponse/7"
    assert store.drafts.find(launch.owner, "client") == client
    assert store.drafts.find(launch.owner, "client", "QuestionnaireResponse/8") is None
    assert {each.id for each in store.drafts.open_for(launch.owner)} == {client.id, clinician.id, correction.id}


def test_language_changes_and_the_rest_stays(store: Store, launch: Launch) -> None:
    made = draft(store, launch)
    changed = store.drafts.set_language(made.id, launch.owner, "en", NOW)
    assert changed == replace(made, language="en", revision=made.revision + 1)


def test_end_is_30_days_after_the_last_touch_and_warned_of(store: Store, launch: Launch) -> None:
    made = draft(store, launch)
    assert made.expires == NOW + 30 * DAY
    assert not made.expiring(NOW + 22 * DAY)
    assert made.expiring(NOW + 23 * DAY)
    store.drafts.set_answers(made.id, launch.owner, {"06": "06-1"}, NOW + DAY)
    assert store.drafts.get(made.id, launch.owner).expires == NOW + 31 * DAY
    assert draft(store, launch, NOW + 2 * DAY).expires == NOW + 32 * DAY


def test_discarded_draft_is_gone_with_its_answers(store: Store, launch: Launch) -> None:
    made = draft(store, launch)
    store.drafts.set_answers(made.id, launch.owner, {"06": "06-1"}, NOW)
    with pytest.raises(StaleDraft):
        store.drafts.discard(made, launch.owner)
    store.drafts.discard(store.drafts.get(made.id, launch.owner), launch.owner)
    with pytest.raises(NoAccess):
        store.drafts.get(made.id, launch.owner)
    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM answer").scalar_one() == 0
    assert draft(store, launch).codes == {}


def test_sealed_draft_is_read_only_and_makes_room_for_the_next(store: Store, launch: Launch) -> None:
    made = draft(store, launch)
    store.drafts.set_answers(made.id, launch.owner, {"06": "06-1"}, NOW)
    read = store.drafts.get(made.id, launch.owner)
    store.filings.seal(sealing(launch, of=read), entry(launch), NOW)
    for step in (
        lambda: store.drafts.set_answers(made.id, launch.owner, {"06": "06-2"}, NOW),
        lambda: store.drafts.set_answers(made.id, launch.owner, {"06": "06-2"}, NOW),
        lambda: store.drafts.set_language(made.id, launch.owner, "en", NOW),
        lambda: store.drafts.discard(made, launch.owner),
    ):
        with pytest.raises(DraftSealed):
            step()
    assert store.drafts.get(made.id, launch.owner).codes == {"06": "06-1"}
    assert store.drafts.get(made.id, launch.owner).state == "sealed"
    assert draft(store, launch).id != made.id


def test_answer_that_comes_between_reading_and_sealing_is_not_lost(store: Store, launch: Launch) -> None:
    read = draft(store, launch)
    store.drafts.set_answers(read.id, launch.owner, {"06": "06-1"}, NOW)
    with pytest.raises(StaleDraft):
        store.filings.seal(sealing(launch, of=read), entry(launch), NOW)
    assert store.drafts.get(read.id, launch.owner).state == "open"
    assert store.filings.outbox(launch.owner) == ()
    assert store.audit.entries() == []


ANEW = {"questionnaire": "q|2", "language": "en", "identifier": "urn:uuid:2", "now": NOW + DAY}


def test_begun_anew_the_one_before_is_set_aside_whole(store: Store, launch: Launch) -> None:
    made = draft(store, launch)
    store.drafts.set_answers(made.id, launch.owner, {"01": "01-1", "06": "06-3", "comment": "x"}, NOW)
    store.drafts.set_handed_over(made.id, launch.owner, NOW)
    read = store.drafts.set_seen(made.id, launch.owner, "Practitioner/1", NOW)
    fresh = store.drafts.begin_anew(read, launch.owner, answers={"06": "06-3"}, **ANEW)
    assert (fresh.codes, fresh.questionnaire, fresh.identifier) == ({"06": "06-3"}, "q|2", "urn:uuid:2")
    assert (fresh.handed_over, fresh.seen_by, fresh.rater) == (True, "Practitioner/1", read.rater)
    assert store.drafts.open_for(launch.owner) == (fresh,)
    (aside,) = store.drafts.aside_for(launch.owner)
    assert aside == replace(read, state="aside", touched=NOW + DAY)
    with pytest.raises(DraftSealed):
        store.drafts.set_answers(read.id, launch.owner, {"06": "06-5"}, NOW)
    with pytest.raises(DraftSealed):
        store.drafts.begin_anew(read, launch.owner, answers={}, **ANEW)
    assert store.drafts.set_seen(read.id, launch.owner, "Practitioner/2", NOW + DAY).state == "aside"
    assert store.drafts.find(launch.owner, read.rater) == fresh
    store.purge(NOW + 31 * DAY)
    assert store.drafts.aside_for(launch.owner) != ()
    store.purge(NOW + 32 * DAY)
    assert store.drafts.aside_for(launch.owner) == ()


def test_begun_anew_twice_or_on_what_changed_meanwhile_nothing_is_lost(store: Store, launch: Launch) -> None:
    read = draft(store, launch)
    store.drafts.set_answers(read.id, launch.owner, {"06": "06-1"}, NOW)
    with pytest.raises(StaleDraft):
        store.drafts.begin_anew(read, launch.owner, answers={}, **ANEW)
    assert [each.codes for each in store.drafts.open_for(launch.owner)] == [{"06": "06-1"}]
    assert store.drafts.aside_for(launch.owner) == ()


def test_begun_anew_for_another_patient_no_answer_there_is_written_over(store: Store, launch: Launch) -> None:
    read = draft(store, launch)
    other = start(store, patient="bjorn").launch
    there = draft(store, other)
    store.drafts.set_answers(there.id, other.owner, {"06": "06-1"}, NOW)
    with pytest.raises(StaleDraft):
        store.drafts.begin_anew(read, other.owner, answers={"06": "06-5"}, **ANEW)
    assert store.drafts.get(read.id, launch.owner).state == "open"
    store.drafts.set_answers(there.id, other.owner, {"06": ""}, NOW)
    fresh = store.drafts.begin_anew(read, other.owner, answers={"06": "06-5"}, **ANEW)
    assert (fresh.owner, fresh.codes) == (other.owner, {"06": "06-5"})
    assert store.drafts.open_for(other.owner) == (fresh,)
