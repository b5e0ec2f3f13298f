"""9. Cannot say, the first that holds.

One rating; incomplete; under 28 days; an unknown version; another version; an unknown language; another language;
another clinician, or who is not known to be one; no parameters.
Each answer is shown all the same.
"""

import pytest

from imr_fhir.change import CannotSay, Change, change
from imr_fhir.history import history
from imr_fhir.response import Response
from tests.spec.build import answers, client, clinician, stopped, withdrawn

OTHER_VERSION = {"questionnaire": "https://w3id.org/imr-fhir/Questionnaire/imr-client|0.2.0"}
OTHER_FORM = {"questionnaire": "https://w3id.org/imr-fhir/Questionnaire/imr-clinician|0.2.0"}
OTHER_CLINICIAN = {"source": "Practitioner/dahl", "author": "Practitioner/dahl"}
BERG_VERSION = {"source": "Practitioner/berg/_history/2"}
BERG_ELSEWHERE = {"source": "https://other.example/fhir/Practitioner/berg"}
VERSION_UNKNOWN = {"questionnaire": ""}
NOBODY = {"source": "", "author": ""}

CASES = [
    # case, ratings, reason, questions without an answer
    ("nothing", [], "one_rating", 0),
    ("one", [client(0)], "one_rating", 0),
    ("one, stopped", [stopped(0)], "one_rating", 0),
    ("one, and one withdrawn", [client(0), withdrawn(90)], "one_rating", 0),
    ("one, and one begun", [client(0), client(90, status="in-progress")], "one_rating", 0),
    ("stopped, then the first whole one", [stopped(0), client(90)], "one_rating", 0),
    ("latest stopped", [client(0), stopped(90)], "incomplete", 9),
    ("latest lacks one", [client(0), client(90, answers(without=[15]))], "incomplete", 1),
    ("none whole", [stopped(0), stopped(90)], "incomplete", 9),
    ("stopped between", [client(0), stopped(90), client(180)], None, 0),
    # Two by one rater within 28 days count as one (rule 10), so the later is First; the two on the screen are told
    # apart by the reason.
    ("27 days", [client(0), client(27)], "too_close", 0),
    ("29 days", [client(0), client(29)], None, 0),
    ("28 days: one of the two counts (rule 10)", [client(0), client(28)], "one_rating", 0),
    ("stopped 10 days after: the whole one counts", [client(0), client(90), stopped(100)], None, 0),
    ("another version", [client(0), client(90, **OTHER_VERSION)], "version_changed", 0),
    ("the first on no known version", [client(0, **VERSION_UNKNOWN), client(90)], "version_unknown", 0),
    ("both on no known version", [client(0, **VERSION_UNKNOWN), client(90, **VERSION_UNKNOWN)], "version_unknown", 0),
    ("another language", [client(0), client(90, language="nb")], "language_changed", 0),
    ("the first in no known language", [client(0, language=""), client(90)], "language_unknown", 0),
    ("the latest in no known language", [client(0), client(90, language="")], "language_unknown", 0),
    ("neither in a known language", [client(0, language=""), client(90, language="")], "language_unknown", 0),
    ("no known language between", [client(0), client(90, language=""), client(180)], None, 0),
    ("another language between", [client(0), client(90, language="nb"), client(180)], None, 0),
    ("another clinician", [clinician(0), clinician(90, **OTHER_CLINICIAN)], "rater_changed", 0),
    ("the same clinician, with a version", [clinician(0), clinician(90, **BERG_VERSION)], None, 0),
    ("another server's of the same id", [clinician(0), clinician(90, **BERG_ELSEWHERE)], "rater_changed", 0),
    ("no source kept, the same recorder", [clinician(0, source=""), clinician(90, source="")], None, 0),
    ("unknown who rated", [clinician(0, **NOBODY), clinician(90, **NOBODY)], "rater_changed", 0),
    *(
        (f"a {who} is not known to be one clinician", [clinician(day, source=who, author="") for day in (0, 90)],
         "rater_changed", 0)
        for who in ("Device/form-filler", "Organization/ward-3", "Patient/anna", "RelatedPerson/mother")
    ),
    ("a device in place of who answered", [clinician(day, source="", author="Device/form-filler") for day in (0, 90)],
     "rater_changed", 0),
    ("a clinician in a role", [clinician(day, source="PractitionerRole/4") for day in (0, 90)], None, 0),
    # A patient may be helped by another person each time: the rater is still the patient.
    ("client, typed by others", [client(0), client(90, author="Practitioner/dahl")], None, 0),
    # The order of the reasons.
    ("version before language", [client(0), client(90, language="nb", **OTHER_VERSION)], "version_changed", 0),
    ("language before rater", [clinician(0), clinician(90, language="nb", **OTHER_CLINICIAN)], "language_changed", 0),
    ("version before rater", [clinician(0), clinician(90, **OTHER_FORM, **OTHER_CLINICIAN)], "version_changed", 0),
]  # fmt: skip


def first_whole(ratings: list[Response]) -> Response | None:
    """What course.first_of gives: the later one of two within 28 days."""
    return next((response for response in history(ratings).counting if response.complete), None)


@pytest.mark.parametrize(("case", "ratings", "reason", "missing"), CASES)
def test_reason(case, ratings, reason, missing):
    found = change(ratings, first=first_whole(ratings))
    if reason is None:
        assert isinstance(found, Change)
    else:
        assert found == CannotSay(reason, missing)


# A comparison asked for by name, where rule 10 does not choose: the caller's First stands.
CLOSE = [(1, "too_close"), (27, "too_close"), (28, None), (29, None)]


@pytest.mark.parametrize(("days", "reason"), CLOSE)
def test_under_28_days(days, reason):
    found = change([client(0), client(days)], first=client(0))
    assert isinstance(found, Change) if reason is None else found == CannotSay(reason)


def test_incomplete_before_too_close_before_version():
    assert change([stopped(20)], first=client(0)) == CannotSay("incomplete", 9)
    assert change([client(20, **OTHER_VERSION)], first=client(0)) == CannotSay("too_close")


def test_no_parameters_comes_last():
    ratings = [clinician(0), clinician(90, **OTHER_CLINICIAN)]
    assert change(ratings, first=ratings[0], table=()) == CannotSay("rater_changed")
    assert change([clinician(0), clinician(90)], first=ratings[0], table=()) == CannotSay("no_parameters")
