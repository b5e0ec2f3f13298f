"""15. "3.6 on a scale from 1 to 5" (stored with two decimals), and the sum with its range n to 5n.

Only when complete; "all 14 that apply" when item 13 is not applicable. Sums with different n are never subtracted or
drawn in one line.
"""

from decimal import Decimal

import pytest

from imr_fhir.change import Change, change
from imr_fhir.scale import NA
from imr_fhir.scoring import Figures, figures, score
from tests.spec.build import answers, client, sum_of

CASES = [
    # ratings, mean stored, mean shown, sum, its range, "all 14 that apply"
    (answers(3), "3.00", "3.0", 45, (15, 75), False),
    (answers(1), "1.00", "1.0", 15, (15, 75), False),
    (answers(5), "5.00", "5.0", 75, (15, 75), False),
    (sum_of(54), "3.60", "3.6", 54, (15, 75), False),
    (sum_of(53), "3.53", "3.5", 53, (15, 75), False),
    (answers(3, {1: 4, 2: 4, 13: NA}), "3.14", "3.1", 44, (14, 70), True),
    (answers(5, {13: NA}), "5.00", "5.0", 70, (14, 70), True),
    (answers(1, {13: NA}), "1.00", "1.0", 14, (14, 70), True),
]

INCOMPLETE = [
    # ratings, sum, rated
    ({}, None, 0),
    ({6: 3}, 3, 1),
    ({13: NA}, 0, 0),
    (answers(4, without=[15]), 56, 14),  # 14 rated, but not because one does not apply
    (answers(4, {13: NA}, without=[15]), 52, 13),
]


@pytest.mark.parametrize(("ratings", "stored", "shown", "total", "bounds", "all_that_apply"), CASES)
def test_figures(ratings, stored, shown, total, bounds, all_that_apply):
    found = score(ratings)
    assert str(found.mean) == stored
    assert figures(found) == Figures(Decimal(shown), total, *bounds, all_that_apply)
    assert str(figures(found).mean) == shown


@pytest.mark.parametrize(("ratings", "total", "rated"), INCOMPLETE)
def test_incomplete_has_no_figures(ratings, total, rated):
    found = score(ratings)
    assert (found.sum, found.rated, found.mean, found.complete) == (total, rated, None, False)
    assert figures(found) is None


def test_sums_with_different_n_are_not_subtracted():
    # 75 of 15 items and 70 of 14: the same answers to the same questions, and a difference of 5 that means nothing
    start = client(0, answers(5))
    found = change([start, client(90, answers(5, {13: NA}))], first=start)
    assert isinstance(found, Change)
    assert found.sum_change == 0
