"""5. One flag a rater: first to latest. Several comparisons would flag by chance.

"Also at the rating before" only if that one was flagged the same way.
"""

import pytest

from imr_fhir.change import CannotSay, Change, change
from tests.spec.build import client, clinician, ids, stopped, sum_of

CASES = [
    # case, sums of the ratings at days 0, 90, 180 ..., flag, also before
    ("two ratings: there is none before", (40, 52), "higher", False),
    ("the one before too", (40, 52, 53), "higher", True),
    ("the one before not", (40, 51, 52), "higher", False),
    ("the one before the other way", (45, 33, 57), "higher", False),
    ("lower, the one before too", (60, 48, 47), "lower", True),
    ("only the one before, the latest within", (40, 60, 45), "within", False),
    ("both within", (40, 45, 46), "within", False),
    ("only one long before", (40, 60, 45, 52), "higher", False),
    # from previous to latest is 20 points, and no flag: only first to latest counts
    ("a leap since last time", (45, 30, 50), "within", False),
]


@pytest.mark.parametrize(("case", "sums", "flag", "also_before"), CASES)
def test_first_to_latest(case, sums, flag, also_before):
    ratings = [client(90 * place, sum_of(total)) for place, total in enumerate(sums)]
    found = change(reversed(ratings), first=ratings[0])
    assert isinstance(found, Change)
    assert ids([found.first, found.last]) == f"client-0 client-{90 * (len(sums) - 1)}"
    assert (found.flag, found.also_before) == (flag, also_before)


def test_rating_before_that_was_stopped_was_not_flagged():
    ratings = [client(0, sum_of(40)), client(90, sum_of(55)), stopped(180), client(270, sum_of(55))]
    found = change(ratings, first=ratings[0])
    assert isinstance(found, Change)
    assert (found.flag, found.also_before) == ("higher", False)


def test_rating_before_that_cannot_be_compared_was_not_flagged():
    ratings = [client(0, sum_of(40)), client(90, sum_of(55), language="nb"), client(180, sum_of(55))]
    found = change(ratings, first=ratings[0])
    assert isinstance(found, Change)
    assert (found.flag, found.also_before) == ("higher", False)


def test_what_came_before_the_first_is_not_compared():
    ratings = [client(0, sum_of(70)), client(90, sum_of(40)), client(180, sum_of(45))]
    found = change(ratings, first=ratings[1])
    assert isinstance(found, Change)
    assert (found.sum_change, found.flag) == (5, "within")
    assert change(ratings[:2], first=ratings[1]) == CannotSay("one_rating")
    assert change(ratings[:1], first=ratings[1]) == CannotSay("one_rating")


def test_raters_are_never_mixed():
    with pytest.raises(ValueError, match="ratings of one rater"):
        change([client(0), clinician(90)], first=client(0))
