"""11. The clinician rates blind.

Where the clinician scale is on and the viewer may rate: until this occasion's clinician rating is complete, or the
due window closes, the patient's current answers are hidden; earlier occasions stay. Opening them first is allowed and
recorded as ``seen-first``.
"""

import pytest

from imr_fhir.blind import hidden_from_clinician, hidden_from_patient
from imr_fhir.due import current
from tests.spec.build import client, clinician, course, d, ids, stopped, withdrawn

# The course starts on day 0 (1 January 2026): due on days 0, 90 (1 April), 181 ...; windows -28..28, 76..118.
CASES = [
    # case, responses, today, hidden
    ("nothing rated", [], 0, ""),
    ("the patient rated", [client(90)], 90, "client-90"),
    ("the clinician rated too", [client(90), clinician(91)], 91, ""),
    ("the clinician rated before", [clinician(80), client(90)], 90, ""),
    ("the clinician stopped early", [client(90), stopped(91, "clinician")], 91, "client-90"),
    ("the clinician's was withdrawn", [client(90), clinician(91, status="entered-in-error")], 92, "client-90"),
    ("the clinician's was corrected", [client(90), clinician(91, status="amended")], 92, ""),
    ("last day of the window", [client(90)], 118, "client-90"),
    ("the window has closed", [client(90)], 119, ""),
    ("before the first window closes", [client(0)], 28, "client-0"),
    ("after it", [client(0)], 29, ""),
    ("first day of the next window", [client(76)], 76, "client-76"),
    ("earlier occasions stay", [client(0), client(90)], 90, "client-90"),
    ("last occasion's clinician rating opens nothing now", [client(0), clinician(0), client(90)], 90, "client-90"),
    # rated between two windows: the due window is closed
    ("too late for the window", [client(40)], 40, ""),
    ("stopped answers are answers", [stopped(90)], 90, "client-90"),
    ("withdrawn answers too", [withdrawn(90)], 90, "client-90"),
    ("begun ones too", [client(90, status="in-progress")], 90, "client-90"),
    ("rated twice", [client(88), client(95)], 96, "client-88 client-95"),
]

VIEWERS = [
    # clinician scale on, viewer may rate, opened first, hidden
    (True, True, (), "client-90"),
    (False, True, (), ""),
    (True, False, (), ""),
    (True, True, ("QuestionnaireResponse/client-90",), ""),
    (True, True, ("QuestionnaireResponse/client-0",), "client-90"),
]


@pytest.mark.parametrize(("case", "responses", "today", "hidden"), CASES)
def test_hidden(case, responses, today, hidden):
    occasion = current(course(0), d(today))
    found = hidden_from_clinician(responses, occasion, today=d(today), clinician_on=True, may_rate=True)
    assert ids(found) == hidden


@pytest.mark.parametrize(("clinician_on", "may_rate", "seen_first", "hidden"), VIEWERS)
def test_from_whom(clinician_on, may_rate, seen_first, hidden):
    found = hidden_from_clinician(
        [client(90)],
        current(course(0), d(92)),
        today=d(92),
        clinician_on=clinician_on,
        may_rate=may_rate,
        seen_first=seen_first,
    )
    assert ids(found) == hidden


def test_the_window_closes_for_an_occasion_that_was_kept():
    occasion = current(course(0), d(118))
    assert hidden_from_clinician([client(90)], occasion, today=d(119), clinician_on=True, may_rate=True) == ()


# No course runs (offered, ended, none in the record): no due window, so the last 28 days are the occasion.
UNSCHEDULED = [
    # case, responses, today, hidden
    ("the patient rated today", [client(200)], 200, "client-200"),
    ("28 days ago", [client(200)], 228, "client-200"),
    ("29 days ago", [client(200)], 229, ""),
    ("the clinician rated too", [client(200), clinician(201)], 201, ""),
    ("the clinician rated long before", [clinician(150), client(200)], 200, "client-200"),
]


@pytest.mark.parametrize(("case", "responses", "today", "hidden"), UNSCHEDULED)
def test_hidden_without_a_running_course(case, responses, today, hidden):
    found = hidden_from_clinician(responses, None, today=d(today), clinician_on=True, may_rate=True, scheduled=False)
    assert ids(found) == hidden


UNKNOWN = [
    # case, responses, today, hidden
    ("the patient rated today", [client(200)], 200, "client-200"),
    ("at the begin of the longest window", [client(144)], 200, "client-144"),
    ("before it", [client(143)], 200, ""),
    ("the clinician rated too", [client(150), clinician(160)], 200, ""),
]


@pytest.mark.parametrize(("case", "responses", "today", "hidden"), UNKNOWN)
def test_hidden_while_the_ehr_fails_to_say_which_courses_there_are(case, responses, today, hidden):
    found = hidden_from_clinician(responses, None, today=d(today), clinician_on=True, may_rate=True, scheduled=None)
    assert ids(found) == hidden


# "The patient never sees the clinician's rating first."
OF_THE_PATIENT = [
    ("nobody rated", [], 90, ""),
    ("the clinician rated", [clinician(90)], 91, "clinician-90"),
    ("the patient rated too", [clinician(90), client(91)], 91, ""),
    ("the patient stopped early", [clinician(90), stopped(91)], 91, "clinician-90"),
    ("the patient's was withdrawn", [clinician(90), withdrawn(91)], 92, "clinician-90"),
    ("earlier occasions stay", [clinician(0), clinician(90)], 90, "clinician-90"),
    ("the window has closed", [clinician(90)], 119, ""),
    ("the clinician's was withdrawn", [clinician(90, status="entered-in-error")], 91, "clinician-90"),
    ("and rated anew", [clinician(90, status="entered-in-error"), clinician(91)], 91, "clinician-90 clinician-91"),
    ("begun ones too", [clinician(90, status="in-progress")], 91, "clinician-90"),
    ("the own answers are never hidden", [client(90)], 90, ""),
]


@pytest.mark.parametrize(("case", "responses", "today", "hidden"), OF_THE_PATIENT)
def test_hidden_from_the_patient(case, responses, today, hidden):
    assert ids(hidden_from_patient(responses, current(course(0), d(today)), today=d(today))) == hidden


def test_the_patient_may_open_it_first():
    """Rule 20: nothing of the own record is hidden from who asks for it."""
    opened = ("QuestionnaireResponse/clinician-90",)
    found = hidden_from_patient([clinician(90)], current(course(0), d(91)), today=d(91), seen_first=opened)
    assert found == ()


def test_without_a_course_the_last_28_days_are_the_occasion_for_the_patient_too():
    hidden = [hidden_from_patient([clinician(0)], None, today=d(day), scheduled=False) for day in (28, 29)]
    assert [ids(each) for each in hidden] == ["clinician-0", ""]


ELSEWHERE = [
    # days of complete ratings that the record has as documents, today, hidden
    ((), 91, "client-90"),
    ((91,), 91, ""),
    ((0,), 91, "client-90"),  # of an earlier occasion
    ((119,), 91, "client-90"),  # of a later one
]


@pytest.mark.parametrize(("days", "today", "hidden"), ELSEWHERE)
def test_a_rating_that_is_kept_as_a_document_is_one(days, today, hidden):
    occasion, rated = current(course(0), d(today)), [d(day) for day in days]
    found = hidden_from_clinician(
        [client(90)], occasion, today=d(today), clinician_on=True, may_rate=True, elsewhere=rated
    )
    assert ids(found) == hidden
    theirs = hidden_from_patient([clinician(90)], occasion, today=d(today), elsewhere=rated)
    assert ids(theirs) == hidden.replace("client", "clinician")
