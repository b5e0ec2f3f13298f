"""The panel's parts for each kind of chart: with nothing, one visit, one rater, a rater missing, blind, ten years."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from imr_fhir.documented import Document
from imr_fhir.ehr.chart import Problem
from imr_fhir.record import SeenFirst
from imr_fhir.scale import scale
from smart_app.presenters.panel import Panel
from smart_app.presenters.situation import OpenDraft
from tests.presenters.build import PLAN, chart, noted, pair, shown, words
from tests.revised import MENDED, revised
from tests.spec.build import answers, client, clinician, course, d, stopped, sum_of, withdrawn

say = words().say


def tiles(panel: Panel) -> list[str]:
    """Each tile in one line: mean or note, and the first phrase of change."""
    return [" | ".join(filter(None, (tile.mean, *tile.notes, *tile.change[:1]))) for tile in panel.tiles]


def test_with_nothing_it_asks_for_a_goal_and_a_first_rating() -> None:
    panel = shown(chart())
    assert panel.goals.first is None
    assert (panel.scales_title, panel.tiles, panel.items, panel.chart) == ("IMR Scales: no ratings yet", (), None, None)
    assert panel.may_rate
    assert panel.name == "Anna"


def test_one_visit_says_that_change_can_not_be_said_yet() -> None:
    panel = shown(chart(pair(0, answers(3), answers(2))), today=1)
    assert tiles(panel) == ["3.0 | Cannot say yet: one rating so far", "2.0 | Cannot say yet: one rating so far"]
    assert (panel.choices, panel.since) == ((), ())


def test_one_rater_at_a_site_without_the_clinician_scale_is_no_gap() -> None:
    panel = shown(chart([client(0), client(91)]), today=95, clinician_on=False)
    assert [tile.name for tile in panel.tiles] == ["Anna"]
    assert list(panel.raters) == ["client"]
    assert not panel.may_rate
    assert panel.chart is not None
    assert all(len(row.figures) == 1 for row in panel.chart.rows)


def test_a_rater_without_the_scale_today_still_shows_what_was_rated_before() -> None:
    panel = shown(chart([*pair(0), client(91)]), today=95, clinician_on=False)
    assert list(panel.raters) == ["client", "clinician"]


def test_while_the_ehr_fails_to_say_which_courses_there_are_nothing_is_said_that_hangs_on_them() -> None:
    """By the gaps between ratings it is one course since day 0, with another First and no window open."""
    of = chart([client(0, sum_of(30)), client(20, sum_of(45)), client(125, sum_of(50))], episodes=[course(17)])
    failed = replace(of, episodes=None)
    hidden = "Anna answered 6 May 2026."
    assert [tiles(shown(each, today=126))[0][: len(hidden)] for each in (of, failed)] == [hidden, hidden]
    panel = shown(failed, today=150, clinician_on=False)
    assert (tiles(panel), panel.due) == (["3.3"], None)


def test_the_latest_is_the_rater_s_own_where_a_site_pairs_over_two_months() -> None:
    """Two pairs that cross: the later clinician's rating stands with the earlier answers."""
    rated = [client(0, sum_of(30)), client(125, sum_of(45)), client(158, sum_of(60)), clinician(148), clinician(180)]
    panel = shown(chart(rated, episodes=[course()]), today=220, pair_window=60)
    assert panel.scales_title == say("scales.title", date="30 June 2026")
    assert panel.tiles[0].change == (), "of the rating of May; the flag stands at that of June"
    june = shown(chart(rated, episodes=[course()]), today=220, pair_window=60, occasion=client(158).key)
    assert june.tiles[0].change
    assert june.since[0].title == say("moved.title", date="6 May 2026")


def test_a_missing_rater_is_said_in_words() -> None:
    late = shown(chart([*pair(0), client(91)], episodes=[course()]), today=130)
    assert tiles(late)[1] == "Not rated in this period | Last: 3.0 (sum 45, 15 to 75), 1 January 2026"
    soon = shown(chart([*pair(0), client(91)], episodes=[course(0, 60)]), today=95)
    assert tiles(soon)[1].startswith("Not rated yet")


def test_a_stopped_rating_has_no_figure_and_each_answer() -> None:
    panel = shown(chart([client(0), stopped(91)], episodes=[course()]), today=96, clinician_on=False)
    assert tiles(panel)[0] == "Cannot say: 9 questions have no answer. Each answer is shown."
    assert panel.tiles[0].items == "6 of 15 questions answered"
    assert panel.tiles[0].tags == ("Stopped early",)
    assert panel.items is not None
    rows = {row.number: row for group in panel.items.groups for row in group.rows}
    assert rows[7].answers == ()
    assert rows[6].answers[0].now == "“My symptoms bother me somewhat”"


def test_the_flag_stands_at_the_latest_rating_only() -> None:
    of = chart([client(0, sum_of(30)), client(91, sum_of(45)), client(182, sum_of(60))], episodes=[course()])
    latest = shown(of, today=250, clinician_on=False)
    assert tiles(latest) == [
        "4.0 | Higher than in January 2026, by more than measurement uncertainty usually gives. "
        "The figure does not say why."
    ]
    earlier = shown(of, today=250, clinician_on=False, occasion="QuestionnaireResponse/client-91")
    assert tiles(earlier) == ["3.0"]
    assert [choice.chosen for choice in earlier.choices] == [False, True, False]


def test_since_last_time_stands_open_and_since_the_first_is_folded() -> None:
    of = chart([client(0, answers(2)), client(91, answers(3)), client(182, answers(3, {2: 4}))], episodes=[course()])
    panel = shown(of, today=250, clinician_on=False)
    assert [block.title for block in panel.since] == [
        "What is different since 2 April 2026",
        "What is different since 1 January 2026",
    ]
    assert [item.numbers for item in panel.since[0].items] == [(2,)]
    assert [item.numbers for item in panel.since[1].items] == [(3,), (4,), (5,), (12,), (1,), (2,)]
    folded = [(8,), (6,), (7,), (11,), (9, 10), (13,), (14,), (15,)]
    assert [item.numbers for item in panel.since[1].more] == folded


class TestBlind:
    """Rule 11: until the clinician has rated, the patient's current answers stay hidden in every form."""

    of = chart(
        [*pair(0, answers(2), answers(2)), client(91, answers(4, {9: 1}), comment="Slept badly")], episodes=[course()]
    )

    def test_nothing_of_the_answers_is_shown(self) -> None:
        panel = shown(self.of, today=95)
        assert panel.tiles[0].notes[0] == "Anna answered 2 April 2026."
        assert panel.tiles[0].mean == ""
        assert panel.chart is not None
        assert panel.chart.rows[0].figures == ("hidden until you have rated", "not rated")
        assert panel.chart.drawing is not None
        assert [label.text for label in panel.chart.drawing.values] == ["2.0", "2.0"]
        assert (panel.gaps, panel.since, panel.together) == (None, (), False)
        assert panel.items is not None
        assert panel.items.title == "Item by item, 1 January 2026"
        assert panel.comments == ()
        assert panel.ratings[0].figure == "hidden until you have rated"
        assert not panel.ratings[0].changeable

    def test_what_the_occasion_before_held_is_not_compared_in_its_place(self) -> None:
        before = [*pair(0, answers(2), answers(4)), *pair(91, answers(3), answers(5)), client(182)]
        panel = shown(chart(before, episodes=[course()]), today=185)
        assert (panel.gaps, panel.since) == (None, ())
        chosen = shown(chart(before, episodes=[course()]), today=185, occasion="QuestionnaireResponse/client-91")
        assert chosen.gaps is not None
        assert len(chosen.since) == 1

    def test_a_line_worth_talking_about_shows_only_what_caused_it(self) -> None:
        strip = shown(self.of, today=95).talk
        assert strip is not None
        assert strip.rating == "rating of 2 April 2026"
        assert strip.short == "question 9: time since relapse; a comment"
        assert [(line.title, line.quote) for line in strip.lines] == [
            ("Question 9: time since relapse", "“Within the last month”"),
            ("A comment", "“Slept badly”"),
        ]

    def test_a_lower_sum_is_named_without_its_figures(self) -> None:
        down = chart([client(0, answers(4)), client(91, answers(2))], episodes=[course()])
        strip = shown(down, today=95).talk
        assert strip is not None
        line = strip.lines[0]
        assert (line.title, line.quote) == ("The sum is lower than before", "")
        opened = shown(down, today=95, opened=frozenset({"QuestionnaireResponse/client-91"}))
        assert opened.talk is not None
        assert opened.talk.lines[0].quote.startswith("60 then, 30 now")

    def test_opened_first_by_this_viewer_they_show(self) -> None:
        note = noted(SeenFirst, 92, response="QuestionnaireResponse/client-91")
        seen = chart(self.of.responses, notes=[note], episodes=self.of.episodes)
        assert shown(seen, today=95).tiles[0].mean == "3.8"
        assert shown(seen, today=95, viewer="Practitioner/other").tiles[0].mean == ""

    def test_a_clinician_rating_or_a_closed_window_ends_it(self) -> None:
        rated = chart([*self.of.responses, clinician(93)], episodes=self.of.episodes)
        assert shown(rated, today=95).tiles[0].mean == "3.8"
        assert shown(self.of, today=130).tiles[0].mean == "3.8"

    def test_who_does_not_rate_sees_them(self) -> None:
        assert shown(self.of, today=95, may_write=False).tiles[0].mean == "3.8"


def test_item_13_that_does_not_apply_is_said_and_counts_as_14() -> None:
    panel = shown(chart([client(0, answers(3, {13: 0}))]), today=1, clinician_on=False)
    assert panel.tiles[0].items == "All 14 questions that apply. No medication prescribed"
    assert panel.tiles[0].sum == "Sum 42 (14 to 70)"


def test_gaps_are_at_most_three_and_never_say_who_is_right() -> None:
    panel = shown(chart(pair(0, answers(2, {9: 3, 13: 0}), answers(4, {9: 4}))), today=1)
    assert panel.gaps is not None
    assert [line.number for line in panel.gaps.offered] == [3, 4, 5]
    assert panel.gaps.medication == "Is medication prescribed?"
    assert {line.note for line in panel.gaps.folded if line.number == 9} == {"Look up the date together"}


def test_every_rating_is_listed_with_what_became_of_it() -> None:
    corrected = client(40, status="amended", authored=client(50).authored)
    of = chart([client(0), corrected, client(60), withdrawn(91), stopped(150)], episodes=[course()])
    rows = [(row.day, row.figure, row.tags, row.changeable) for row in shown(of).ratings]
    assert rows == [
        ("31 May 2026", "6 of 15 answered", ("Stopped early",), True),
        ("2 Apr 2026", "withdrawn", (), False),
        ("2 Mar 2026", "3.0 (sum 45, 15 to 75)", (), True),
        (
            "10 Feb 2026",
            "3.0 (sum 45, 15 to 75)",
            ("Corrected 20 February 2026", "Rated again within four weeks; the later one counts"),
            True,
        ),
        ("1 Jan 2026", "3.0 (sum 45, 15 to 75)", (), True),
    ]


def test_a_reader_can_change_nothing() -> None:
    panel = shown(chart(pair(0)), today=100, may_write=False, plan=None)
    assert not any(row.changeable for row in panel.ratings)
    assert not panel.may_rate
    assert panel.plan.lines == ("You can see and print; nothing is saved from here.",)


def test_the_write_plan_is_said_before_anyone_types() -> None:
    assert shown(chart()).plan.lines == (
        "Answers: saved as a form.",
        "Score: saved as a measurement.",
        "Goals and steps: saved as goals.",
        "How the steps went: saved as notes.",
        "Who wrote what: kept in the record and in the app’s own log.",
    )


@pytest.mark.parametrize(
    ("changed", "whole"),
    [
        ({}, True),
        ({"in_transaction": False, "versioned": False}, True),
        ({"edited": ("client",)}, False),
        ({"closed": {"form"}}, True),  # measurements alone hold each answer
        ({"closed": {"components", "members", "flat"}}, False),
        ({"closed": {"form", "components", "members", "flat"}}, True),  # a document can be read
        ({"closed": {"goal"}}, False),
        ({"closed": {"note"}}, False),
    ],
)
def test_the_plan_is_folded_where_all_is_saved(changed: dict[str, Any], whole: bool) -> None:
    plan = PLAN
    for rung in changed.get("closed", ()):
        plan = plan.without(rung)
    plan = replace(plan, **{name: value for name, value in changed.items() if name != "closed"})
    assert shown(chart(), plan=plan).plan.whole is whole


def test_an_edited_form_is_said_before_anyone_types() -> None:
    only = {**PLAN.ladders, "answers": {"components": ""}, "goal": {"goal": "not-offered"}, "audit": {}}
    plan = replace(PLAN, edited=("client",), ladders=only)
    assert shown(chart(), plan=plan).plan.lines == (
        "The form in this record differs from the packaged one, so nothing can be filed against it. "
        "Tell those who look after the record system.",
        "Answers: saved as one measurement that holds each answer.",
        "Goals and steps: shown, can’t be saved here. They can be written down and printed.",
        "How the steps went: saved as notes.",
        "Who wrote what: kept in the app’s own log.",
    )


def test_that_somebody_has_died_comes_first() -> None:
    of = chart(problems=[Problem("cut-short", "Goal")])
    died = replace(of, patient=replace(of.patient, deceased=True))
    assert shown(died).problems[0] == "The record says that this person has died."
    assert len(shown(of).problems) == 1


def test_what_is_missing_of_the_record_is_said_plainly() -> None:
    problems = [
        Problem("other-patient", "Goal", count=2),
        Problem("unreadable", "QuestionnaireResponse/77", "authored is no date."),
        Problem("not-available", "EpisodeOfCare", "The EHR says: no."),
        Problem("cut-short", "Observation"),
        Problem("said", "Goal", "slow today"),
        Problem("modified", "Patient"),
    ]
    for language in ("en", "nb"):
        lines = shown(chart(problems=problems), language=language).problems
        assert len(lines) == 6
        assert "QuestionnaireResponse/77" in lines[1]
    assert shown(chart(problems=problems)).problems[0] == (
        "Asked for the goals, the EHR answered with 2 of another patient. They were dropped, and this was logged."
    )


def test_an_open_draft_can_be_gone_on_with_and_is_warned_of() -> None:
    draft = OpenDraft("clinician", 9, d(1), d(31), expiring=True)
    assert shown(chart(), drafts=(draft,)).drafts[0].text == (
        "Clinician: 9 of 15 answered 2 January 2026, not handed in. Kept until 1 February 2026."
    )


def test_wording_that_nobody_has_checked_is_marked() -> None:
    panel = shown(chart(pair(0)), today=100, language="nb")
    assert panel.translation
    assert "Fylt ut på engelsk" in panel.tiles[0].tags
    assert panel.tiles[1].tags[-1] == "Foreløpig ordlyd, ikke kontrollert mot den trykte skalaen"
    assert not shown(chart(pair(0)), today=100).translation


def test_ten_years_of_ratings_are_all_there() -> None:
    of = chart([each for visit in range(40) for each in pair(91 * visit)], episodes=[course()])
    panel = shown(of, today=91 * 39 + 5)
    assert (len(panel.ratings), len(panel.choices)) == (80, 40)
    assert panel.chart is not None
    assert len(panel.chart.rows) == 40


SAME = "urn:uuid:6566f1e9-c964-482e-b11d-000000000001"


def test_of_one_identifier_each_rating_has_its_own_figure_and_can_be_opened() -> None:
    both = client(0, answers(2), id="1", identifier=SAME), client(200, answers(4), id="2", identifier=SAME)
    page = shown(chart(both), today=201, clinician_on=False)
    assert [(row.day, row.figure[:3]) for row in page.ratings] == [("20 Jul 2026", "4.0"), ("1 Jan 2026", "2.0")]
    titles = {shown(chart(both), today=201, occasion=each.key).scales_title for each in page.choices}
    assert len(titles) == 2
    assert page.problems == (say("problem.copies", n=2, dates="1 January 2026, 20 July 2026"),)


def test_a_withdrawn_copy_does_not_make_the_one_that_stands_withdrawn() -> None:
    gone = client(0, answers(2), id="2", identifier=SAME, status="entered-in-error")
    page = shown(chart([client(0, answers(2), id="1", identifier=SAME), gone]), today=1, clinician_on=False)
    assert sorted(row.figure[:3] for row in page.ratings) == ["2.0", "wit"]
    assert page.problems == (), "a person has said already which of them counts"


def test_of_two_copies_the_one_written_last_counts() -> None:
    first = client(0, answers(2), id="1", identifier=SAME)
    mended = replace(first, id="0", ratings=answers(3), authored=first.authored + timedelta(days=1), status="amended")
    page = shown(chart([first, mended]), today=2, clinician_on=False)
    assert page.tiles[0].mean == "3.0"
    assert [(row.link, say("rating.copy") in row.tags) for row in page.ratings] == [("0", False), ("1", True)]
    assert not any(say("rating.superseded") in row.tags for row in page.ratings)


def test_a_rating_dated_after_today_counts_for_nothing_and_is_told() -> None:
    later, now = client(400, answers(2)), client(95, answers(4, {10: 1}))
    page = shown(chart([client(0), later, now], episodes=[course()]), today=95, clinician_on=False)
    assert (page.scales_title, page.tiles[0].mean) == (say("scales.title", date="6 April 2026"), "3.8")
    assert page.talk is not None
    assert next((row.figure[:3], say("rating.ahead") in row.tags) for row in page.ratings) == ("2.0", True)
    assert page.problems == (say("problem.ahead", date="5 February 2027"),)


def test_a_rating_dated_after_today_neither_lifts_the_blind_nor_gets_round_it() -> None:
    before = client(90, answers(5)), client(400, answers(2)), clinician(110, answers(2))
    page = shown(chart(before, episodes=[course()]), today=95)
    hidden = say("figure.hidden")
    assert [row.figure for row in page.ratings if row.rater == "client"] == [hidden, hidden]


def test_what_was_answered_on_an_earlier_version_keeps_its_words_and_its_mark() -> None:
    both = client(0, answers(2)), clinician(0, answers(4))  # 0.1.0
    later = client(95, answers(1))
    before = shown(chart(both), today=1)
    assert say("form.unverified") in before.tiles[1].tags
    with revised(mended=True):
        after = shown(chart(both), today=1)
        down = shown(chart([client(0, answers(4, {6: 4})), later]), today=95, clinician_on=False)
        assert (
            say("form.unverified")
            not in shown(chart([clinician(0, questionnaire=scale("clinician").canonical)]), today=1).tiles[1].tags
        )
    assert after.tiles == before.tiles
    assert (after.items, after.gaps) == (before.items, before.gaps)
    assert MENDED not in str((down.talk, down.since, down.items))


FIRST, SECOND = Document("1", "clinician", d(90), withdrawn=False), Document("2", "clinician", d(91), withdrawn=False)


@pytest.mark.parametrize(
    ("documents", "hidden"),
    [
        ((FIRST,), False),
        ((replace(FIRST, withdrawn=True),), True),
        ((replace(FIRST, gone=True),), True),  # superseded: the record says that it does not count
        ((FIRST, replace(SECOND, replaces=("1",))), False),
        ((FIRST, replace(SECOND, replaces=("1",), complete=False)), True),  # it was corrected to "ended early"
        ((FIRST, replace(SECOND, replaces=("1",), withdrawn=True)), False),
        ((replace(FIRST, day=d(100)),), True),  # dated after today
    ],
)
def test_only_a_document_that_stands_lifts_the_blind(documents: tuple[Document, ...], hidden: bool) -> None:
    of = replace(chart([client(90)], episodes=[course()]), documents=documents)
    assert (say("figure.hidden") in {row.figure for row in shown(of, today=95).ratings}) is hidden
