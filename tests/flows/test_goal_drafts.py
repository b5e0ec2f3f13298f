"""What is typed of a goal is kept until it is saved: a page that covers itself, or is left, loses no word."""

from typing import Any

import pytest

from tests.flows import steps
from tests.flows.steps import SAVED, filed, go, heading, hidden, post, say, text
from tests.flows.test_held import merge
from tests.running import Chart, Running, log_in
from tests.web.steps import record_of

WORDS = {"text": "A dog", "theirs": "yes", "step-1": "Ask the landlord", "helps": "My sister"}


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run)


@pytest.fixture
def chart(run: Running, patient: str) -> Chart:
    return log_in(run, patient=patient)


def keep(chart: Chart, page: Any, key: str, **fields: str) -> int:
    return post(chart.browser, page, chart.at(f"goal/{key}/keep"), **fields).status_code


def saved_goal(run: Running, chart: Chart, patient: str) -> dict[str, Any]:
    page = chart.browser.open(chart.at("goal/new"))
    assert heading(go(chart.browser, page, do="save", **WORDS)) == SAVED
    return next(goal for goal in filed(run, patient, "Goal") if goal["description"]["text"] == "A dog")


def test_a_new_goal_is_gone_on_with_and_saved_once(run: Running, patient: str, chart: Chart) -> None:
    page = chart.browser.open(chart.at("goal/new"))
    assert keep(chart, page, "new", **WORDS) == 204
    today = steps.words("en").day(run.clock().astimezone(run.site.zone))
    assert say("goal_draft.new", date=today) in text(chart.browser.get(chart.url))
    again = log_in(run, patient=patient)  # another launch of the same user
    page = again.browser.open(again.at("goal/new"))
    assert say("goals.begun", date=today) in text(page)
    assert [word for word in ("A dog", "Ask the landlord", "My sister") if word not in page.text] == []
    assert heading(go(again.browser, page, do="save", **WORDS)) == SAVED
    assert len(filed(run, patient, "Goal")) == 2
    assert say("goal_draft.new", date=today) not in text(again.browser.get(again.url))
    assert "A dog" not in again.browser.open(again.at("goal/new")).text


def test_what_was_under_way_when_it_was_saved_comes_too_late(run: Running, patient: str, chart: Chart) -> None:
    page = chart.browser.open(chart.at("goal/new"))
    go(chart.browser, page, do="save", **WORDS)
    assert keep(chart, page, "new", **WORDS) == 409
    assert post(chart.browser, page, chart.at("goal/new/keep"), **WORDS).text == say("goals.closed")
    assert "A dog" not in chart.browser.open(chart.at("goal/new")).text


def test_given_up(chart: Chart) -> None:
    page = chart.browser.open(chart.at("goal/new"))
    keep(chart, page, "new", **WORDS)
    go(chart.browser, page, do="cancel", **WORDS)
    assert keep(chart, page, "new", **WORDS) == 409
    assert "A dog" not in chart.browser.open(chart.at("goal/new")).text


def test_put_off_without_a_script(chart: Chart) -> None:
    page = chart.browser.open(chart.at("goal/new"))
    panel = go(chart.browser, page, do="later", **WORDS)
    assert panel.url == chart.url
    assert "A dog" in chart.browser.open(chart.at("goal/new")).text


def test_nothing_typed_is_nothing_kept(chart: Chart) -> None:
    page = chart.browser.open(chart.at("goal/new"))
    assert keep(chart, page, "new", text=" ", theirs="yes") == 204
    assert say("goals.begun", date="")[:20] not in text(chart.browser.open(chart.at("goal/new")))


def test_a_change_and_a_review(run: Running, patient: str, chart: Chart) -> None:
    goal = saved_goal(run, chart, patient)
    (step,) = [each for each in filed(run, patient, "Goal") if each["id"] != goal["id"]]
    today = steps.words("en").day(run.clock().astimezone(run.site.zone))
    edit = chart.browser.open(chart.at(f"goal/{goal['id']}/edit"))
    keep(chart, edit, f"{goal['id']}/edit", **{**hidden(edit), **WORDS, "text": "A black dog"})
    review = chart.browser.open(chart.at(f"goal/{goal['id']}/review"))
    given = {f"result-{step['id']}": "partly", f"helped-{step['id']}": "We went together"}
    keep(chart, review, f"{goal['id']}/review", **given)
    panel = text(chart.browser.get(chart.url))
    for doing in ("edit", "review"):
        assert say(f"goal_draft.{doing}", goal="A dog", date=today) in panel
    edit = chart.browser.open(chart.at(f"goal/{goal['id']}/edit"))
    assert "A black dog" in edit.text
    review = chart.browser.open(chart.at(f"goal/{goal['id']}/review"))
    assert "We went together" in review.text
    assert 'value="partly" checked' in review.text
    assert heading(go(chart.browser, review, do="save", **given)) == SAVED
    assert say("goal_draft.review", goal="A dog", date=today) not in text(chart.browser.get(chart.url))


def test_what_a_colleague_changed_meanwhile_is_told(run: Running, patient: str, chart: Chart) -> None:
    """What was kept is of the version that its page showed."""
    goal = saved_goal(run, chart, patient)
    edit = chart.browser.open(chart.at(f"goal/{goal['id']}/edit"))
    keep(chart, edit, f"{goal['id']}/edit", **{**hidden(edit), **WORDS, "text": "A black dog"})
    steps.put(run, goal | {"description": {"text": "A cat"}})
    edit = chart.browser.open(chart.at(f"goal/{goal['id']}/edit"))
    after = go(chart.browser, edit, do="save", **{**hidden(edit), **WORDS, "text": "A black dog"})
    assert after.status_code == 400
    assert say("goals.error.changed", text="A cat") in text(after)


def test_nobody_else_s(run: Running, patient: str, chart: Chart) -> None:
    page = chart.browser.open(chart.at("goal/new"))
    keep(chart, page, "new", **WORDS)
    other = log_in(run, patient=steps.new_patient(run))
    assert "A dog" not in other.browser.open(other.at("goal/new")).text
    colleague = log_in(run, patient=patient, user="Practitioner/ola")
    assert "A dog" not in colleague.browser.open(colleague.at("goal/new")).text


@pytest.mark.parametrize("key", ["old", "12/withdraw", "../edit", "a b/edit"])
def test_no_other_page_is_kept(chart: Chart, key: str) -> None:
    page = chart.browser.open(chart.at("goal/new"))
    assert keep(chart, page, key, **WORDS) == 404


# Begun for a record that was merged into another


def merged(run: Running, patient: str) -> Chart:
    """The record that is used instead."""
    new = steps.new_patient(run)
    merge(run, patient, new)
    return log_in(run, patient=new)


def test_a_new_goal_begun_in_a_merged_record_is_read_and_saved_in_the_one_that_is_used_now(
    run: Running, patient: str, chart: Chart
) -> None:
    keep(chart, chart.browser.open(chart.at("goal/new")), "new", **WORDS)
    survivor = merged(run, patient)
    new = record_of(run, survivor).context.patient
    today = steps.words("en").day(run.clock().astimezone(run.site.zone))
    told = f"{say('goal_draft.new', date=today)} {say('goal_draft.merged')}"
    assert told in text(survivor.page)
    other = log_in(run, patient=new, user="Practitioner/ola")
    assert say("goal_draft.merged") not in text(other.page)
    assert "A dog" not in other.browser.open(other.at("goal/new")).text
    page = survivor.browser.open(survivor.at("goal/new"))
    assert f"{say('goals.begun', date=today)} {say('goals.begun.merged')}" in text(page)
    assert [word for word in WORDS.values() if word not in page.text] == []
    assert keep(survivor, page, "new", **hidden(page), **WORDS) == 204
    assert heading(go(survivor.browser, page, do="save", **WORDS)) == SAVED
    assert "A dog" in [goal["description"]["text"] for goal in filed(run, new, "Goal")]
    assert filed(run, patient, "Goal") == []
    assert say("goal_draft.new", date=today) not in text(survivor.browser.get(survivor.url))
    assert "A dog" not in survivor.browser.open(survivor.at("goal/new")).text


@pytest.mark.parametrize("do", ["save", "cancel"])
def test_what_is_open_here_is_first_and_what_was_begun_there_waits(
    run: Running, patient: str, chart: Chart, do: str
) -> None:
    keep(chart, chart.browser.open(chart.at("goal/new")), "new", **WORDS)
    survivor = merged(run, patient)
    there = survivor.browser.open(survivor.at("goal/new"))
    post(survivor.browser, there, survivor.at("goal/new/keep"), **WORDS | {"text": "A cat", "once": "another"})
    page = survivor.browser.open(survivor.at("goal/new"))
    assert ("A cat" in page.text, "A dog" in page.text) == (True, False)
    go(survivor.browser, page, do=do, **WORDS | {"text": "A cat"})
    assert say("goal_draft.merged") in text(survivor.browser.get(survivor.url))
    page = survivor.browser.open(survivor.at("goal/new"))
    assert "A dog" in page.text
    go(survivor.browser, page, do="cancel", **WORDS)
    assert say("goal_draft.merged") not in text(survivor.browser.get(survivor.url))
    assert "A dog" not in survivor.browser.open(survivor.at("goal/new")).text


def test_so_is_a_review_of_a_goal_that_came_along(run: Running, patient: str, chart: Chart) -> None:
    goal = saved_goal(run, chart, patient)
    step = next(each for each in filed(run, patient, "Goal") if each["id"] != goal["id"])
    given = {f"result-{step['id']}": "partly", f"helped-{step['id']}": "We went together"}
    page = chart.browser.open(chart.at(f"goal/{goal['id']}/review"))
    keep(chart, page, f"{goal['id']}/review", **given)
    survivor = merged(run, patient)
    new = record_of(run, survivor).context.patient
    assert say("goal_draft.merged") not in text(survivor.page), "the goal is not in this record"
    for each in (goal, step):
        moved = {name: {"reference": f"Patient/{new}"} for name in ("subject", "expressedBy") if name in each}
        steps.put(run, each | moved)
    assert say("goal_draft.merged") in text(survivor.browser.get(survivor.url))
    assert "We went together" in survivor.browser.open(survivor.at(f"goal/{goal['id']}/review")).text
