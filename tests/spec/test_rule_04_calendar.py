"""4. Items 9 and 10 (time since relapse, since hospital) rise with the calendar alone, up to 8 points in a quiet year.

Their share k of ΔΣ is printed. Where the flag holds, but not for ΔΣ without these two items against the same limit,
the phrase ``change.calendar`` is added.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from imr_fhir.change import Change, change
from imr_fhir.parameters import PARAMETERS
from imr_fhir.scale import NA
from tests.spec.build import answers, response

OTHERS = (1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15)

CASES = [
    # rater, items, item 9, item 10, the others' sum, flag, k, phrase
    ("client", 15, (1, 5), (1, 5), 4, "higher", 8, True),  # 12, of which 8 are the calendar
    ("client", 15, (1, 5), (1, 5), 3, "within", 8, False),  # 11: no flag, no phrase
    ("client", 15, (1, 5), (1, 5), 11, "higher", 8, True),  # 19; 11 without
    ("client", 15, (1, 5), (1, 5), 12, "higher", 8, False),  # 20; 12 without: it holds by itself
    ("client", 15, (3, 3), (3, 3), 12, "higher", 0, False),
    ("client", 15, (3, 4), (3, 3), 11, "higher", 1, True),
    # The same limit: 14 items in ΔΣ, 12 without the two, and still 10.3, not 8.8.
    ("client", 14, (3, 4), (3, 3), 10, "higher", 1, True),
    ("client", 14, (3, 4), (3, 3), 11, "higher", 1, False),
    ("clinician", 15, (1, 5), (3, 3), 4, "higher", 4, True),
    ("clinician", 15, (1, 5), (3, 3), 8, "higher", 4, False),
    # Down: a relapse takes the two items down at once.
    ("client", 15, (5, 1), (5, 1), -4, "lower", -8, True),
    ("client", 15, (5, 1), (5, 1), -12, "lower", -8, False),
    # Against the rest: without the two it would be beyond the limit all the more.
    ("client", 15, (3, 2), (3, 3), 12, "within", -1, False),
    ("clinician", 15, (3, 2), (3, 3), 9, "higher", -1, False),
]


def found(rater, items, nine, ten, others, table=PARAMETERS):
    thirteen = {13: NA} if items == 14 else {}
    step = 1 if others > 0 else -1
    start = response(0, answers(3, {9: nine[0], 10: ten[0]} | thirteen), rater)
    moved = dict.fromkeys(OTHERS[: abs(others)], 3 + step) | {9: nine[1], 10: ten[1]} | thirteen
    return change([start, response(90, answers(3, moved), rater)], first=start, table=table)


@pytest.mark.parametrize(("rater", "items", "nine", "ten", "others", "flag", "k", "phrase"), CASES)
def test_calendar(rater, items, nine, ten, others, flag, k, phrase):
    said = found(rater, items, nine, ten, others)
    assert isinstance(said, Change)
    assert (said.flag, said.calendar, said.calendar_phrase) == (flag, k, phrase)
    assert said.sum_change == others + k


def test_phrase_is_left_out_where_it_would_be_untrue():
    # Only with a hospital's own, much smaller T: +4 in all, -4 without the two, both beyond 2. "Within measurement
    # uncertainty" would be false, so the phrase is not added; k = +8, printed beside it, says what happened.
    small = [replace(PARAMETERS[0], sd=Decimal("1.5"))]
    said = found("client", 15, (1, 5), (1, 5), -4, small)
    assert (said.sum_change, said.flag, said.calendar, said.calendar_phrase) == (4, "higher", 8, False)
