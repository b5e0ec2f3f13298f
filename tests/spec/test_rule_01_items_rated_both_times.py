"""1. Change is worked out on the items rated both times: all 15, or 14 where item 13 was not applicable.

ΔΣ is the change of the sum over these items, Δ = ΔΣ / their number. "On the 14 questions rated both times" is said
where the items differ between the two.
"""

from decimal import Decimal

import pytest

from imr_fhir.change import Change, change
from imr_fhir.scale import NA
from tests.spec.build import answers, client

CASES = [
    # case, first, last, items, ΔΣ, Δ, said "on the 14 questions"
    ("nothing moved", answers(3), answers(3), 15, 0, "0.00", False),
    ("one step on one item", answers(3), answers(3, {6: 4}), 15, 1, "0.07", False),
    ("one step down", answers(3), answers(3, {6: 2}), 15, -1, "-0.07", False),
    ("all items up one", answers(3), answers(4), 15, 15, "1.00", False),
    # the two means are 47/15 = 3.13 and 42/14 = 3.00: their difference would be a change that nobody made
    ("only item 13, from 5 to not applicable", answers(3, {13: 5}), answers(3, {13: NA}), 14, 0, "0.00", True),
    ("only item 13, from not applicable to 1", answers(3, {13: NA}), answers(3, {13: 1}), 14, 0, "0.00", True),
    ("13 to not applicable, 6 and 7 up one", answers(3), answers(3, {6: 4, 7: 4, 13: NA}), 14, 2, "0.14", True),
    # the same 14 items both times: nothing to explain
    ("13 not applicable both times", answers(3, {13: NA}), answers(4, {13: NA}), 14, 14, "1.00", False),
    ("lowest to highest", answers(1), answers(5), 15, 60, "4.00", False),
]


@pytest.mark.parametrize(("case", "first", "last", "items", "sum_change", "mean_change", "items14"), CASES)
def test_change_over_items_rated_both_times(case, first, last, items, sum_change, mean_change, items14):
    start = client(0, first)
    found = change([start, client(90, last)], first=start)
    assert isinstance(found, Change)
    assert (len(found.items), found.sum_change, found.mean_change) == (items, sum_change, Decimal(mean_change))
    assert found.items14 is items14
    assert (13 in found.items) is (items == 15)
