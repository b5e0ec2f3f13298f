"""What is said of change, in the rules' phrases and in both languages; and how it is worked out."""

from typing import Any, get_args

import pytest

from imr_fhir.change import CannotSay, Reason
from smart_app.presenters.how import how
from smart_app.presenters.known import known
from smart_app.presenters.scales import change_phrases, signed
from smart_app.presenters.situation import Situation
from tests.presenters.build import chart, shown, words
from tests.spec.build import answers, client, clinician, course, d, stopped, sum_of

UP = "Higher than in January 2026, by more than measurement uncertainty usually gives. The figure does not say why."
DOWN = "Lower than in January 2026, by more than measurement uncertainty usually gives. The figure does not say why."
WITHIN = "So small that it can be measurement uncertainty. Something may still have changed for you."
CALENDAR = "Without the time since relapse or hospital stay, this would be within measurement uncertainty."
HARD_TIME = "The first rating was close to a hard time; some rise is to be expected."


@pytest.mark.parametrize(
    ("first", "last", "phrases", "details"),
    [
        (sum_of(45), sum_of(57), (UP,), ("Sum +12 since January 2026", "+0")),
        (sum_of(45), sum_of(33), (DOWN,), ("Sum −12 since January 2026", "+0")),
        (sum_of(45), sum_of(56), (WITHIN,), ("Sum +11 since January 2026", "+0")),
        (
            answers(3, {9: 1, 10: 1}), answers(3, {9: 5, 10: 5, 1: 4, 2: 4, 3: 4, 4: 4}),
            (UP, CALENDAR, HARD_TIME), ("Sum +12 since January 2026", "+8"),
        ),
        (
            answers(2), answers(3, {13: 0}),
            (UP, HARD_TIME), ("Sum +14 since January 2026", "On the 14 questions rated both times", "+2"),
        ),
    ],
)  # fmt: skip
def test_the_phrases_of_a_change(first: Any, last: Any, phrases: tuple[str, ...], details: tuple[str, ...]) -> None:
    panel = shown(chart([client(0, first), client(91, last)], episodes=[course()]), today=150, clinician_on=False)
    tile = panel.tiles[0]
    assert tile.change == phrases
    *lines, time = details
    k = signed(int(time))
    assert tile.details == (*lines, f"Of which time since relapse or hospital stay: {k}")


def test_the_rating_before_is_named_only_where_it_was_flagged_the_same_way() -> None:
    rising = [client(0, sum_of(30)), client(91, sum_of(50)), client(182, sum_of(52))]
    tile = shown(chart(rising, episodes=[course()]), today=250, clinician_on=False).tiles[0]
    assert tile.change == (UP, "Also at the rating before")


@pytest.mark.parametrize(
    ("responses", "says"),
    [
        ([client(0)], "Cannot say yet: one rating so far"),
        ([client(0), stopped(91)], "Cannot say: 9 questions have no answer. Each answer is shown."),
        ([client(0), client(20)], "Cannot say: less than four weeks between the two"),
        ([client(0), client(91, questionnaire="https://w3id.org/imr-fhir/Questionnaire/imr-client|0.2.0")],
         "Cannot say: the questions were not the same both times"),
        ([client(0), client(91, language="nb")], "Cannot say: filled in in two languages"),
        ([clinician(0), clinician(91, source="Practitioner/other")], "Cannot say: two different clinicians rated"),
    ],
)  # fmt: skip
def test_where_nothing_can_be_said_it_says_why(responses: Any, says: str) -> None:
    panel = shown(chart(responses, episodes=[course()]), today=150, may_write=False)
    assert [tile.change for tile in panel.tiles if tile.change] == [(says,)]


def test_a_place_without_figures_says_so() -> None:
    of = chart([client(0), client(91)], episodes=[course()])
    panel = shown(of, today=150, clinician_on=False, parameters=())
    assert panel.tiles[0].change == ("Cannot say: this place has set no figures for measurement uncertainty",)
    assert panel.chart is not None
    assert panel.chart.drawing is not None
    assert panel.chart.drawing.bands == {}


@pytest.mark.parametrize("language", ["en", "nb"])
def test_every_reason_has_its_phrase(language: str) -> None:
    for reason in get_args(Reason):
        (phrase,), details = change_phrases(words(language), CannotSay(reason, missing=3))
        assert phrase
        assert details == ()


def test_how_it_is_worked_out_prints_each_figure_with_its_source() -> None:
    of = chart([client(0, sum_of(45)), client(91, sum_of(57)), clinician(91)], episodes=[course()])
    situation = Situation(today=d(150), may_write=True, clinician_on=True)
    page = how(words(), known(words(), of, situation, name="Anna"), situation)
    first, second = page.raters
    assert [(term.name, term.value) for term in first.worked_out] == [
        ("First rating", "1 January 2026"),
        ("Latest rating", "2 April 2026"),
        ("Questions rated both times", "15 of 15"),
        ("Change of the sum", "+12"),
        ("Of which questions 9 and 10", "0"),
        ("Change of the mean", "0.80"),
        ("Limit", "more than 11.05 points of the sum, up or down"),
    ]
    assert [term.value for term in first.rests_on] == [
        "8.7, n = 101 (ACT+IMR trial at baseline, PMC6433370, Table 1)",
        "0.79, n = 111 (Dutch IMRS, doi 10.3109/09638237.2015.1124398)",
        "0.7367",
        "0.62 to 0.87",
    ]
    assert first.notes == (
        "SD and r come from different samples.",
        "SD or r was found with the form in another language.",
    )
    assert second.worked_out == ()
    assert second.rests_on[2].value == "0.5255"
