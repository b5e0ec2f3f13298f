"""20. What the patient may see, and when. Nothing of the patient's own record is hidden from the patient.

Right after answering, alone: no scores, change or gaps; they come on the shared page. Never other patients, norms,
ranks or labels. The patient never sees the clinician's rating first (11). On the shared page items 13 to 15 can be
folded.
"""

from typing import get_args

import pytest

from imr_fhir.patient_view import FOLDABLE_ITEMS, PATIENT_SEES, Moment, Thing

MOMENTS = ("answering", "handed-in", "shared-page", "own-record")

SEES = [
    # what                answering, handed in, shared page, own record
    ("own-answers",       True,      True,      True,        True),
    ("own-corrections",   False,     False,     True,        True),
    ("clinician-rating",  False,     False,     True,        True),
    ("score",             False,     False,     True,        True),
    ("change",            False,     False,     True,        True),
    ("gaps",              False,     False,     True,        True),
    ("who-opened",        False,     False,     True,        True),
    ("what-was-filed",    False,     False,     True,        True),
    ("use-in-reports",    False,     False,     True,        True),
    ("other-patients",    False,     False,     False,       False),
    ("norms",             False,     False,     False,       False),
    ("ranks",             False,     False,     False,       False),
    ("labels",            False,     False,     False,       False),
]  # fmt: skip


@pytest.mark.parametrize(("thing", "answering", "handed_in", "shared", "own"), SEES)
def test_patient_sees(thing, answering, handed_in, shared, own):
    assert tuple(thing in PATIENT_SEES[moment] for moment in MOMENTS) == (answering, handed_in, shared, own)


def test_table_is_whole():
    assert {row[0] for row in SEES} == set(get_args(Thing))
    assert set(MOMENTS) == set(get_args(Moment)) == set(PATIENT_SEES)


def test_items_that_can_be_folded():
    assert FOLDABLE_ITEMS == (13, 14, 15)
