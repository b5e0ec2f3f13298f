"""Pressing save twice, reloading, going back, two tabs: filed once, and nothing typed is dropped unseen."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from smart_app.store.drafts import Drafts
from tests.flows import steps
from tests.flows.steps import SAVED, answers, begin, filed, go, heading, hidden, of_code, post, say, text
from tests.running import Browser, Chart, Running, log_in

TABS = 4


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run)


@pytest.fixture
def chart(run: Running, patient: str) -> Chart:
    return log_in(run, patient=patient)


def test_pressed_twice_and_reloaded(run: Running, patient: str, chart: Chart) -> None:
    form = begin(chart)
    first = go(chart.browser, form, do="complete", **answers())
    second = go(chart.browser, form, do="complete", **answers())
    assert (heading(second), second.url) == (SAVED, first.url)
    assert chart.browser.open(form.url).url == first.url, "back leads to what was saved, not to an empty form"
    assert chart.browser.get(first.url).status_code == 200
    assert len(filed(run, patient, "QuestionnaireResponse")) == 1


def test_saved_again_with_other_answers_shows_both(run: Running, patient: str, chart: Chart) -> None:
    form = begin(chart)
    go(chart.browser, form, do="complete", **answers(3))
    late = go(chart.browser, form, do="complete", **answers(3, {2: "5"}), comment="late")
    assert (late.status_code, heading(late)) == (409, say("conflict.title"))
    assert "2. Knowledge Some A great deal" in text(late)
    assert "no answer late" in text(late)
    (response,) = filed(run, patient, "QuestionnaireResponse")
    assert "late" not in str(response)


def at_once(browsers: list[Browser], form_url: str, fields: dict[str, str]) -> list[str]:
    """The address at which each of the tabs ends."""
    start = Barrier(len(browsers))

    def press(browser: Browser) -> str:
        start.wait()
        return browser.follow(browser.post(form_url, data=fields)).url

    with ThreadPoolExecutor(len(browsers)) as pool:
        return list(pool.map(press, browsers))


def tabs_of(chart: Chart) -> list[Browser]:
    """Tabs of one browser share its cookies."""
    found = []
    for _ in range(TABS):
        tab = Browser()
        tab.jar = chart.browser.jar
        found.append(tab)
    return found


def test_tabs_that_save_at_once(run: Running, patient: str, chart: Chart) -> None:
    form = begin(chart)
    fields = hidden(form) | answers() | {"do": "complete", "comment": ""}
    ended = at_once(tabs_of(chart), form.url, fields)
    assert len(set(ended)) == 1
    assert len(filed(run, patient, "QuestionnaireResponse")) == 1
    assert len(filed(run, patient, "Observation")) == 1


def test_tabs_that_save_one_goal_at_once(run: Running, patient: str, chart: Chart) -> None:
    page = chart.browser.get(chart.at("goal/new"))
    fields = hidden(page) | {"text": "A dog", "theirs": "yes", "step-1": "Ask the landlord", "do": "save"}
    ended = at_once(tabs_of(chart), page.url, fields)
    assert len(set(ended)) == 1
    assert len(filed(run, patient, "Goal")) == 2


def test_tabs_that_tap_one_line_at_once(run: Running, patient: str, chart: Chart) -> None:
    page = steps.answered_by_patient(chart, answers(3, {9: "1"}))
    fields = hidden(page) | {"point": "relapse-recent-09", "tap": "talked-about"}
    at_once(tabs_of(chart), page.url, fields)
    assert len(of_code(filed(run, patient, "Observation"), "prompt")) == 1


def test_a_goal_gone_back_to_and_changed_is_another(run: Running, patient: str, chart: Chart) -> None:
    page = chart.browser.get(chart.at("goal/new"))
    for words in ("A dog", "A dog", "A cat"):
        assert heading(go(chart.browser, page, text=words, do="save")) == SAVED
    assert [goal["description"]["text"] for goal in filed(run, patient, "Goal")] == ["A dog", "A cat"]


def test_a_review_pressed_twice(run: Running, patient: str, chart: Chart) -> None:
    go(chart.browser, chart.browser.get(chart.at("goal/new")), text="A dog", do="save", **{"step-1": "Ask"})
    goal, step = filed(run, patient, "Goal")
    page = chart.browser.get(chart.at(f"goal/{goal['id']}/review"))
    first = go(chart.browser, page, do="save", **{f"result-{step['id']}": "done"})
    second = go(chart.browser, page, do="save", **{f"result-{step['id']}": "done"})
    assert second.url == first.url
    assert len(filed(run, patient, "Observation")) == 1


def test_the_patient_s_send_pressed_twice(run: Running, patient: str, chart: Chart) -> None:
    check = steps.answer_alone(chart.browser, steps.give(chart), answers())
    for _ in range(2):
        assert heading(steps.hand_in(chart.browser, check)) == say("hand.done")
    steps.take_back(chart)
    assert len(filed(run, patient, "QuestionnaireResponse")) == 1


def test_an_answer_from_another_tab_comes_between(
    run: Running, patient: str, chart: Chart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It arrives after the form was read and before it is sealed."""
    form = begin(chart)
    read = Drafts.set_answers

    def overtaken(self, draft_id, owner, values, now, shown):  # type: ignore[no-untyped-def]
        found = read(self, draft_id, owner, values, now, shown)
        monkeypatch.undo()
        read(self, draft_id, owner, {"01": "01-5"}, now)
        return found

    monkeypatch.setattr(Drafts, "set_answers", overtaken)
    page = post(chart.browser, form, do="complete", **answers(3))
    assert page.status_code == 409
    assert say("form.error.stale") in text(page)
    assert 'value="01-5" checked' in page.text
    assert filed(run, patient, "QuestionnaireResponse") == []
