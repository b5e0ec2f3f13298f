"""2. A change is flagged if and only if |ΔΣ| > T·|I|, with T = 1.96·√2·SD·√(1−r) / 15 unrounded.

T is 0.7367 for the client and 0.5255 for the clinician.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from imr_fhir.change import Change, change
from imr_fhir.parameters import PARAMETERS
from imr_fhir.scale import NA, RATERS
from tests.spec.build import answers, response

THRESHOLDS = [("client", "0.7367"), ("clinician", "0.5255")]

FLAGS = [
    # rater, items, ΔΣ, flag
    ("client", 15, 11, "within"),
    ("client", 15, 12, "higher"),
    ("client", 15, -11, "within"),
    ("client", 15, -12, "lower"),
    ("client", 14, 10, "within"),
    ("client", 14, 11, "higher"),
    ("client", 14, -10, "within"),
    ("client", 14, -11, "lower"),
    ("clinician", 15, 7, "within"),
    ("clinician", 15, 8, "higher"),
    ("clinician", 15, -7, "within"),
    ("clinician", 15, -8, "lower"),
    ("clinician", 14, 7, "within"),  # a rounded 0.5 would flag it
    ("clinician", 14, 8, "higher"),
    ("clinician", 14, -7, "within"),
    ("clinician", 14, -8, "lower"),
    ("client", 15, 0, "within"),
]

# Not 9 and 10, and not 13: one step each.
STEPS = (1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15)


@pytest.mark.parametrize(("rater", "threshold"), THRESHOLDS)
def test_threshold(rater, threshold):
    rows = [row for row in PARAMETERS if row.rater == rater]
    assert [round(row.threshold, 4) for row in rows] == [Decimal(threshold)] * len(rows)
    assert all(row.threshold != round(row.threshold, 6) for row in rows)


@pytest.mark.parametrize(("rater", "items", "sum_change", "flag"), FLAGS)
def test_flag(rater, items, sum_change, flag):
    thirteen = {13: NA} if items == 14 else {}
    step = 1 if sum_change > 0 else -1
    start = response(0, answers(3, thirteen), rater)
    moved = dict.fromkeys(STEPS[: abs(sum_change)], 3 + step)
    found = change([start, response(90, answers(3, moved | thirteen), rater)], first=start)
    assert isinstance(found, Change)
    assert (len(found.items), found.sum_change, found.flag) == (items, sum_change, flag)


def test_exactly_at_the_limit_is_not_beyond_it():
    # r = 0.5 makes √2·√(1−r) = 1, so that T·15 = 1.96·25 = 49 to the last digit
    row = replace(PARAMETERS[0], sd=Decimal(25), r=Decimal("0.5"))
    assert not row.exceeded_by(49, 15)
    assert row.exceeded_by(50, 15)


def test_both_raters_have_a_row():
    assert {row.rater for row in PARAMETERS} == set(RATERS)
