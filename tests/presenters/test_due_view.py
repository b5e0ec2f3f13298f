"""What is said of due times: when it is time, what became of it, and when it is next."""

from dataclasses import replace
from typing import Any

import pytest

from imr_fhir.documented import Document
from imr_fhir.record import DueOutcome
from imr_fhir.response import Response
from imr_fhir.scale import Rater
from tests.presenters.build import chart, noted, pair, shown
from tests.spec.build import client, course, d

NEXT = "Next time: between 17 June 2026 and 29 July 2026."
GAPS = (
    "The record holds no course of IMR: it is counted from the first rating, "
    "and over nine months without one begin a new course."
)
TIME = "Time to look at how things are going, between 18 March 2026 and 29 April 2026"

IN_RECORD = (
    "Clinician: the rating of 1 April 2026 is in the record as a document. "
    "Its answers are read there and not counted here."
)


def due(today: int, responses: tuple[Response, ...] = pair(0), notes: Any = (), episodes: Any = None) -> Any:
    of = chart(responses, notes=notes, episodes=[course()] if episodes is None else episodes)
    return shown(of, today=today).due


@pytest.mark.parametrize(
    ("today", "text", "button"),
    [
        (60, "Next time: between 18 March 2026 and 29 April 2026.", ""),
        (76, TIME, "Not today"),
        (118, TIME, "Not today"),
        (119, f"No answers between 18 March 2026 and 29 April 2026. {NEXT}", ""),
    ],
)  # fmt: skip
def test_by_the_calendar(today: int, text: str, button: str) -> None:
    view = due(today)
    assert (view.text, view.not_today) == (text, button)


def test_it_says_who_has_not_answered() -> None:
    assert due(90).small == ("Still to answer: Anna, the clinician",)
    assert due(95, (*pair(0), client(90))).small == ("Still to answer: the clinician",)
    assert due(95, (*pair(0), *pair(90))).text == NEXT


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        ("not-today", "Noted: not today. Ask again 20 April 2026."),
        ("declined", "Noted: would rather not this time. Ask again 20 April 2026."),
        ("too-unwell", "Noted: too unwell this time. Ask again 20 April 2026."),
        ("not-asked", "Noted: was not asked. Ask again 20 April 2026."),
    ],
)
def test_what_became_of_it_is_an_answer_until_its_new_date(outcome: str, text: str) -> None:
    note = noted(DueOutcome, 95, outcome=outcome, new_date=d(109))
    assert due(96, notes=(note,)).text == text
    assert due(109, notes=(note,)).text == TIME
    taken_back = noted(DueOutcome, 95, outcome=outcome, new_date=d(109), status="entered-in-error")
    assert due(96, notes=(taken_back,)).text == TIME


def test_pressed_twice_the_form_has_one_name_and_another_after_a_note() -> None:
    note = noted(DueOutcome, 95, outcome="not-today", new_date=d(96))
    assert due(96).once == due(96).once
    assert due(96).once != due(96, notes=(note,)).once


@pytest.mark.parametrize(
    ("episodes", "says"),
    [
        ([], GAPS),
        ([course(0, status="onhold")], "The course is on hold."),
        ([course(0, 50)], "The course ended 20 February 2026."),
        ([course(200, status="offered")], "The course is offered, not begun."),
        ([course(0)], None),
    ],
)  # fmt: skip
def test_what_is_known_of_the_course_is_said(episodes: Any, says: str | None) -> None:
    assert due(60, episodes=episodes).small == ((says,) if says else ())


def test_without_a_course_nothing_is_due() -> None:
    assert shown(chart()).due is None


def documented(rater: Rater, on: int, **said: Any) -> Document:
    return Document(id=f"{rater}-{on}", rater=rater, day=d(on), withdrawn=False, **said)


def beside(*documents: Document, today: int = 95, responses: tuple[Response, ...] = ()) -> Any:
    of = chart((*pair(0), *responses), episodes=[course()])
    return shown(replace(of, documents=documents), today=today).due


def test_a_rating_that_the_record_has_as_a_document_is_no_longer_asked_for() -> None:
    one = beside(documented("clinician", 90))
    assert (one.text, one.waiting) == (TIME, ("client",))
    assert one.small == ("Still to answer: Anna", IN_RECORD)
    both = beside(documented("clinician", 90), responses=(client(91),))
    assert (both.text, both.not_today, both.small) == (NEXT, "", (IN_RECORD,))
    assert beside(documented("clinician", 90), documented("client", 90), today=119).text == NEXT, "not missed either"


@pytest.mark.parametrize(
    "left_out",
    [
        documented("clinician", 70),  # of the occasion before
        replace(documented("clinician", 90), withdrawn=True),
        documented("clinician", 90, gone=True),
    ],
)
def test_one_that_does_not_count_there_changes_nothing(left_out: Document) -> None:
    assert beside(left_out).small == ("Still to answer: Anna, the clinician",)


def test_one_that_was_ended_early_is_told_as_that() -> None:
    view = beside(documented("client", 90, complete=False))
    said = "Anna: a rating of 1 April 2026 that was ended early is in the record as a document."
    assert (view.waiting, view.small) == (("clinician",), ("Still to answer: the clinician", said))
