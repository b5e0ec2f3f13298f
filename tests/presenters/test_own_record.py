"""Whose words they are, and why something was changed. An EHR may give its own references with its address or a version
(R4, references): they name the same."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from imr_fhir.ehr.changes import Change, Changes
from imr_fhir.record import Factor, Review, SeenFirst
from smart_app.presenters.goal_history import history
from smart_app.presenters.known import known
from smart_app.presenters.own_record import OwnRecord, own_record
from smart_app.presenters.situation import Situation
from tests.presenters.build import VIEWER, chart, goal, noted, shown, words
from tests.spec.build import client, course, d

say = words().say
HOW = ["{}", "{}/_history/3"]
NONE = Changes()
every = pytest.mark.parametrize("how", HOW)


def own(reasons: Changes = NONE, **said: Any) -> OwnRecord:
    of, now = chart(**said), Situation(today=d(1), may_write=False, clinician_on=False, own_record=True)
    return own_record(words(), of, known(words(), of, now, name="Anna"), now, reasons=reasons, figures=True)


@every
def test_earlier_reviews_of_a_goal_and_its_steps_stay(how: str) -> None:
    top = goal("Sing in a choir", 1)
    step = goal("Ring the choir", 2, parent=how.format("Goal/g1"))
    reviews = [
        noted(Review, day, focus=how.format(f"Goal/{of}"), result="done", helped="My sister")
        for day, of in ((1, "g1"), (2, "g2"))
    ]
    found = history(words(), chart(goals=[top, step], notes=reviews), top)
    assert [(line.text, line.why[0].text) for line in found] == [
        ("Ring the choir", "My sister"), ("Sing in a choir", "My sister"),
    ]  # fmt: skip


@every
def test_own_words_are_told_as_own(how: str) -> None:
    anna = how.format("Patient/anna")
    helps = noted(Factor, 1, kind="helps", text="My sister", focus=how.format("Goal/g1"), performer=anna)
    review = noted(Review, 2, focus=how.format("Goal/g1"), result="done", performer=anna)
    page = own(responses=[client(0, author=anna, source=anna)], goals=[goal("Sing", 1)], notes=[helps, review])
    assert page.ratings[0].by == say("own.by.self")
    assert {note.by for note in page.notes} == {say("own.note.self")}
    assert page.notes[0].lines[0].term == "Sing"


def test_whose_words_they_are_is_not_made_up() -> None:
    notes = [
        noted(Factor, day, kind="helps", text="My sister", focus="Goal/g1", performer=who)
        for day, who in ((2, ""), (1, VIEWER))
    ]
    page = own(responses=[client(0, author="")], notes=notes)
    assert page.ratings[0].by == ""
    assert [note.by for note in page.notes] == [say("own.note.unknown"), say("own.note.clinician")]


@every
def test_who_opened_the_answers_first_is_known_again(how: str) -> None:
    rated = client(90)
    note = noted(SeenFirst, 90, response=how.format(rated.reference), performer=how.format(VIEWER))
    page = shown(chart([rated], notes=[note], episodes=[course()]), today=91)
    assert say("blind.why") not in page.tiles[0].notes
    other = replace(note, performer=how.format("Practitioner/dahl"))
    page = shown(chart([rated], notes=[other], episodes=[course()]), today=91)
    assert say("blind.why") in page.tiles[0].notes


def test_reasons_that_were_cut_short_are_told() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    reason = Change("QuestionnaireResponse/client-0", at, "Read aloud wrongly")
    page = own(Changes((reason,), whole=False), responses=[client(0, status="amended")])
    assert page.ratings[0].changes == (say("own.change", date="2 January 2026", reason="Read aloud wrongly"),)
    assert page.problems == (say("own.reasons.some"),)
