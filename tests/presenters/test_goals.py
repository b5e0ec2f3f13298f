"""Goals and steps: the goal begun last is open, steps in the order of a conversation, nothing of the words changed."""

from datetime import date

import pytest

from imr_fhir.goal import Goal
from imr_fhir.record import Factor, Review
from smart_app.presenters.goals import GoalsView
from tests.presenters.build import chart, goal, noted, shown
from tests.spec.build import d


def goals(*found: Goal, notes: tuple[object, ...] = (), language: str = "en") -> GoalsView:
    return shown(chart(goals=found, notes=notes), today=100, language=language).goals  # type: ignore[arg-type]


def test_the_goal_begun_last_is_open_and_the_others_folded() -> None:
    view = goals(goal("Old", 1, start=d(0)), goal("New", 2, start=d(50)), goal("Undated", 3))
    assert view.first is not None
    assert view.first.text == "“New”"
    assert [other.text for other in view.others] == ["“Old”", "“Undated”"]


def test_words_stay_as_they_are_also_between_marks_of_the_catalogue() -> None:
    odd = "Get {name} · <b>bold</b> “again” \u202e"
    view = goals(goal(odd, 1, parent=""), language="nb")
    assert view.first is not None
    assert view.first.text == f"«{odd}»"


def test_steps_are_done_then_next_then_later_then_not_wanted() -> None:
    steps = [
        goal("Later", 11, parent="Goal/g1", due=d(120)),
        goal("Not wanted", 12, parent="Goal/g1", lifecycle="cancelled"),
        goal("Done", 13, parent="Goal/g1", lifecycle="completed", status_date=d(20), achievement="achieved"),
        goal("Soon", 14, parent="Goal/g1", due=d(110)),
        goal("By mistake", 15, parent="Goal/g1", lifecycle="entered-in-error"),
        goal("Another goal's", 16, parent="Goal/g2"),
    ]
    view = goals(goal("Aim", 1), *steps, notes=(noted(Review, 60, focus="Goal/g14", result="partly"),))
    assert view.first is not None
    assert [(step.text, step.mark, step.state, step.due) for step in view.first.steps] == [
        ("Done", "✓", "Done", ""),
        ("Soon", "•", "Next · Partly", "by 21 April 2026"),
        ("Later", "•", "", "by 1 May 2026"),
        ("Not wanted", "–", "Not what I want any more", ""),
    ]
    assert view.first.next == "Soon"
    assert view.first.reviewed == "Last looked at 2 March 2026"


def test_a_step_whose_goal_is_not_to_be_had_is_shown_all_the_same() -> None:
    steps = (
        goal("Ring the choir", 11, parent="Goal/gone"),
        goal("Elsewhere", 14, parent="https://other.example/fhir/Goal/g1"),
        goal("By mistake", 12, parent="Goal/gone", lifecycle="entered-in-error"),
    )
    view = goals(goal("Aim", 1), goal("Its own", 13, parent="Goal/g1/_history/3"), *steps)
    assert [step.text for step in view.alone] == ["Ring the choir", "Elsewhere"]
    assert view.first is not None
    assert [step.text for step in view.first.steps] == ["Its own"]


def test_what_helps_and_what_is_in_the_way_are_those_that_stand() -> None:
    notes = (
        noted(Factor, 1, kind="helps", text="A walk", focus="Goal/g1"),
        noted(Factor, 2, kind="helps", text="Wrong goal", focus="Goal/g2"),
        noted(Factor, 3, kind="hinders", text="No bus", focus="Goal/g1"),
        noted(Factor, 4, kind="hinders", text="A mistake", focus="Goal/g1", status="entered-in-error"),
    )
    view = goals(goal("Aim", 1), notes=notes).first
    assert view is not None
    assert (view.helps, view.hinders, view.reviewed) == (("A walk",), ("No bus",), "Not looked at together yet")


@pytest.mark.parametrize(
    ("said", "tags"),
    [
        ({}, ()),
        ({"theirs": False}, ("Not in Anna’s own words",)),
        ({"lifecycle": "on-hold"}, ("Resting for now",)),
        ({"due": d(99)}, ("The date has passed. Move it?",)),
        ({"due": d(100)}, ()),
    ],
)
def test_what_a_reader_must_know_of_a_goal(said: dict[str, object], tags: tuple[str, ...]) -> None:
    view = goals(goal("Aim", 1, **said)).first
    assert view is not None
    assert view.tags == tags


@pytest.mark.parametrize(
    ("lifecycle", "achievement", "state"),
    [
        ("completed", "achieved", "Reached, 1 March 2026"),
        ("completed", "not-achieved", "Closed, 1 March 2026"),
        ("cancelled", "", "Not wanted any more, 1 March 2026"),
        ("rejected", "", "Not wanted any more, 1 March 2026"),
        ("entered-in-error", "", "Entered by mistake, 1 March 2026"),
    ],
)
def test_an_earlier_goal_says_what_became_of_it(lifecycle: str, achievement: str, state: str) -> None:
    past = goal("Aim", 1, lifecycle=lifecycle, achievement=achievement, status_date=date(2026, 3, 1))
    view = goals(past)
    assert view.first is None
    assert [each.state for each in view.past] == [state]


def test_of_a_step_whose_day_has_passed_it_is_asked_whether_to_move_it() -> None:
    steps = [goal("Late", 11, parent="Goal/g1", due=d(99)), goal("Today", 12, parent="Goal/g1", due=d(100))]
    for language, asked in (
        ("en", "by 10 April 2026 · move the date?"),
        ("nb", "innen 10. april 2026 · skal datoen flyttes?"),
    ):
        view = goals(goal("Aim", 1), *steps, language=language).first
        assert view is not None
        assert view.steps[0].due == asked
        assert "·" not in view.steps[1].due


def test_each_goal_finds_its_steps_by_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chart of hundreds compared each goal with each."""
    asked: list[str] = []

    def counted(step: Goal) -> str:
        asked.append(step.id)
        return step.parent.removeprefix("Goal/")

    monkeypatch.setattr(Goal, "goal_id", property(counted))
    found = [each for n in range(100) for each in (goal("Aim", n), goal("Step", n + 500, parent=f"Goal/g{n}"))]
    view = goals(*found)
    assert view.first is not None
    assert [len(each.steps) for each in (view.first, *view.others)] == [1] * 100
    assert len(asked) <= 4 * len(found)
