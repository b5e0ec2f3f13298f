"""14. Ratings are due every 3 calendar months from the start, while the course runs.

The due window is 14 days before to 28 after, 28 each way for the first; the answering window reaches from 14 days
before one due date to 14 before the next. "Not today", declined, too unwell, not asked, with a new date, are
outcomes of a due occasion, not silence.
"""

from datetime import date
from itertools import pairwise

import pytest

from imr_fhir.course import Span
from imr_fhir.documented import Document
from imr_fhir.due import DueOccasion, DueOutcome, Standing, add_months, current, next_due, occasions, standing
from tests.spec.build import client, clinician, course, d, stopped, withdrawn

MONTHS = [
    # start, months, day
    ("2026-01-15", 3, "2026-04-15"),
    ("2026-01-31", 3, "2026-04-30"),
    ("2026-01-31", 6, "2026-07-31"),  # from the start, not from 30 April
    ("2025-11-30", 3, "2026-02-28"),
    ("2027-11-30", 3, "2028-02-29"),
    ("2028-02-29", 12, "2029-02-28"),
    ("2026-11-15", 3, "2027-02-15"),
    ("2026-01-15", 120, "2036-01-15"),
    ("2026-01-15", 0, "2026-01-15"),
]


@pytest.mark.parametrize(("start", "months", "expected"), MONTHS)
def test_calendar_months(start, months, expected):
    assert add_months(date.fromisoformat(start), months).isoformat() == expected


WINDOWS = [
    # k, due, due window, answering window; the course starts on 31 January 2026
    (0, "2026-01-31", "2026-01-03", "2026-02-28", "2026-01-03", "2026-04-15"),
    (1, "2026-04-30", "2026-04-16", "2026-05-28", "2026-04-16", "2026-07-16"),
    (2, "2026-07-31", "2026-07-17", "2026-08-28", "2026-07-17", "2026-10-16"),
    (3, "2026-10-31", "2026-10-17", "2026-11-28", "2026-10-17", "2027-01-16"),
]


def test_windows():
    found = occasions(course(30), date(2026, 10, 17))
    assert found == tuple(DueOccasion(k, *map(date.fromisoformat, days)) for k, *days in WINDOWS)


# The course of the tables below starts on day 0, 1 January 2026: due on days 0, 90, 181, 273, 365.
RUNS = [
    # case, course, until day, due days
    ("before anything opens", course(0), -29, []),
    ("the first window opens", course(0), -28, [0]),
    ("before the second opens", course(0), 75, [0]),
    ("the second opens", course(0), 76, [0, 90]),
    ("a year", course(0), 365, [0, 90, 181, 273, 365]),
    ("it ends before a due date", course(0, 89), 365, [0]),
    ("it ends on a due date", course(0, 90), 365, [0, 90]),
    ("offered, not begun", course(0, status="offered"), 365, []),
    ("left", course(0, 200, status="left"), 365, [0, 90, 181]),
    ("on hold for a whole window", course(0, on_hold=(Span(d(76), d(118)),)), 200, [0, 181]),
    ("on hold for all but a day of it", course(0, on_hold=(Span(d(77), d(118)),)), 200, [0, 90, 181]),
    ("on hold until further notice", course(0, on_hold=(Span(d(60), None),)), 200, [0]),
]


@pytest.mark.parametrize(("case", "of", "until", "due"), RUNS)
def test_due_while_the_course_runs(case, of, until, due):
    assert [occasion.due for occasion in occasions(of, d(until))] == [d(number) for number in due]


TODAY = [
    # case, course, today, due now, due next
    ("before", course(0), -29, None, 0),
    ("the window opens", course(0), -28, 0, 90),
    ("the window closes", course(0), 28, 0, 90),
    ("between two", course(0), 29, None, 90),
    ("the second opens", course(0), 76, 90, 181),
    ("years later", course(0), 3653, 3652, 3743),  # 1 January, 1 April 2036
    ("on hold", course(0, status="onhold"), 90, None, None),
    ("it ends first", course(0, 80), 60, None, None),
    ("ended", course(0, 100), 300, None, None),
    ("offered", course(10, status="offered"), 5, None, None),
    ("starts in a year", course(365), 0, None, 365),
]


@pytest.mark.parametrize(("case", "of", "today", "now", "then"), TODAY)
def test_due_now_and_next(case, of, today, now, then):
    found = [occasion and occasion.due for occasion in (current(of, d(today)), next_due(of, d(today)))]
    assert found == [None if number is None else d(number) for number in (now, then)]


def said(outcome, recorded, new_date=None):
    return DueOutcome(outcome, d(recorded), None if new_date is None else d(new_date))


# Occasion 1: due on day 90, due window 76 to 118, answering window 76 to 166.
STANDING = [
    # case, responses, outcomes, today, state, in time, ask again on
    ("not yet", [], [], 75, "ahead", False, None),
    ("open", [], [], 76, "open", False, None),
    ("open, last day", [], [], 118, "open", False, None),
    ("nothing came", [], [], 119, "missed", False, None),
    ("answered in time", [client(80)], [], 90, "answered", True, None),
    ("answered, last day in time", [client(118)], [], 120, "answered", True, None),
    ("answered late", [client(119)], [], 120, "answered", False, None),
    ("answered, last day of all", [client(166)], [], 170, "answered", False, None),
    ("that was the next occasion", [client(167)], [], 170, "missed", False, None),
    ("that was the occasion before", [client(75)], [], 90, "open", False, None),
    ("the other rater answered", [clinician(90)], [], 100, "open", False, None),
    ("stopped early", [stopped(90)], [], 100, "stopped", False, None),
    ("stopped, then whole", [stopped(90), client(95)], [], 100, "answered", True, None),
    ("withdrawn", [withdrawn(90)], [], 100, "open", False, None),
    ("dated after today", [client(100)], [], 90, "open", False, None),
    ("declined", [], [said("declined", 90)], 100, "declined", False, None),
    ("declined, and the window is over", [], [said("declined", 90)], 150, "declined", False, None),
    ("too unwell, with a new date", [], [said("too-unwell", 90, 104)], 100, "too-unwell", False, 104),
    ("the new date has come", [], [said("too-unwell", 90, 104)], 104, "open", False, 104),
    ("a new date after the due window", [], [said("too-unwell", 90, 130)], 130, "open", False, 130),
    ("not asked", [], [said("not-asked", 95)], 119, "not-asked", False, None),
    ("not today", [], [said("not-today", 90)], 90, "not-today", False, 91),
    ("not today, and now it is tomorrow", [], [said("not-today", 90)], 91, "open", False, 91),
    ("not today, and nothing came", [], [said("not-today", 90)], 119, "not-today", False, 91),
    ("not today, but on day 97", [], [said("not-today", 90, 97)], 95, "not-today", False, 97),
    ("the latest outcome stands", [], [said("declined", 97), said("not-today", 90)], 99, "declined", False, None),
    ("of one day the last said", [], [said("not-today", 90), said("declined", 90)], 91, "declined", False, None),
    ("an answer after all", [client(99)], [said("declined", 90)], 100, "answered", True, None),
    ("an outcome of the occasion before", [], [said("declined", 75)], 90, "open", False, None),
]  # fmt: skip


@pytest.mark.parametrize(("case", "responses", "outcomes", "today", "state", "timely", "ask_on"), STANDING)
def test_what_became_of_it(case, responses, outcomes, today, state, timely, ask_on):
    occasion = occasions(course(0), d(80))[1]
    found = standing(occasion, "client", responses, outcomes, today=d(today))
    assert found == Standing(state, timely, None if ask_on is None else d(ask_on))


def test_a_correction_moves_nothing():
    corrected = client(90, status="amended", authored=client(160).authored)
    found = standing(occasions(course(0), d(80))[1], "client", [corrected], today=d(165))
    assert found == Standing("answered", timely=True)


def test_answering_windows_leave_no_day_out_and_none_twice():
    found = occasions(course(30), d(3000))
    for one, following in pairwise(found):
        assert (following.answering_opens - one.answering_closes).days == 1
        assert one.answering_opens <= one.opens <= one.due <= one.closes <= one.answering_closes


DOCUMENTS = [
    # case, documents (rater, day, complete), state, timely, day of the document; occasion 1, due on day 90
    ("in time", [("client", 95, True)], "answered", True, 95),
    ("late", [("client", 130, True)], "answered", False, 130),
    ("the other rater's", [("clinician", 95, True)], "open", False, None),
    ("at the occasion before", [("client", 75, True)], "open", False, None),
    ("dated after today", [("client", 97, True)], "open", False, None),
    ("ended early", [("client", 95, False)], "stopped", False, 95),
    ("ended early, then whole", [("client", 92, False), ("client", 95, True)], "answered", True, 95),
]


@pytest.mark.parametrize(("case", "documents", "state", "timely", "on"), DOCUMENTS)
def test_a_document_says_that_and_when_there_was_an_answer(case, documents, state, timely, on):
    occasion = occasions(course(0), d(95))[-1]
    told = [Document("1", rater, d(day), withdrawn=False, complete=complete) for rater, day, complete in documents]
    found = standing(occasion, "client", (), today=d(max(96, on or 0)), documents=told)
    assert found == Standing(state, timely=timely, document=None if on is None else d(on)), case


def test_an_answer_that_is_counted_comes_before_its_document():
    occasion = occasions(course(0), d(95))[-1]
    told = [Document("1", "client", d(95), withdrawn=False)]
    assert standing(occasion, "client", [client(94)], today=d(96), documents=told) == Standing("answered", timely=True)
