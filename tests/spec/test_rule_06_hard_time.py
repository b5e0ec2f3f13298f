"""6. A low start rises by itself. Was item 9 or 10 of the first rating at 2 or less, ``change.hardtime`` is added.

No correction is made for one person, so the figures are the same with and without the phrase.
"""

import pytest

from imr_fhir.change import Change, change
from tests.spec.build import answers, client

CASES = [
    # first rating: item 9, item 10; latest: item 9, item 10; phrase
    (3, 3, 3, 3, False),
    (2, 3, 3, 3, True),
    (3, 2, 3, 3, True),
    (1, 5, 5, 5, True),
    (5, 1, 5, 5, True),
    (1, 1, 1, 1, True),
    (5, 5, 1, 1, False),  # a hard time now is no low start
]


@pytest.mark.parametrize(("nine", "ten", "nine_now", "ten_now", "phrase"), CASES)
def test_hard_time(nine, ten, nine_now, ten_now, phrase):
    start = client(0, answers(3, {9: nine, 10: ten}))
    found = change([start, client(90, answers(3, {9: nine_now, 10: ten_now}))], first=start)
    assert isinstance(found, Change)
    assert found.hard_time is phrase
    assert found.sum_change == nine_now + ten_now - nine - ten
