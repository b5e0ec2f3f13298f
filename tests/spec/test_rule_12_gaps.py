"""12. A gap counts where both rated, from 2 apart; items 9 and 10 from 1, as "look up the date together".

At most three are offered to talk about, largest first; among equals items 3, 4, 5, 12, then by number. The rest is
folded. Item 13 rated by one and not applicable for the other asks "is medication prescribed?".
"""

import pytest

from imr_fhir.pairing import Gap, Pair, gaps
from imr_fhir.scale import NA
from tests.spec.build import answers, client, clinician

CASES = [
    # case, client's, clinician's (the others are 3), offered, folded
    ("nothing", {}, {}, [], []),
    ("one apart", {6: 4}, {}, [], []),
    ("two apart", {6: 5}, {}, [6], []),
    ("two apart, the clinician higher", {}, {6: 5}, [6], []),
    ("item 9, one apart", {9: 4}, {}, [9], []),
    ("item 10, one apart", {}, {10: 4}, [10], []),
    ("larger first", {6: 5, 7: 5}, {7: 1}, [7, 6], []),
    ("equal: by number", {8: 5, 2: 5, 6: 5}, {}, [2, 6, 8], []),
    ("equal: the social items first", {1: 5, 2: 5, 12: 5, 3: 5}, {}, [3, 12, 1], [2]),
    ("equal: all the social items", {12: 1, 5: 1, 4: 1, 3: 1}, {}, [3, 4, 5], [12]),
    ("size before social", {3: 5, 1: 5, 2: 1}, {1: 2, 2: 4}, [1, 2, 3], []),
    ("the fourth is folded", {1: 5, 2: 5, 6: 5, 7: 5, 8: 5}, {}, [1, 2, 6], [7, 8]),
    ("dates, one apart, come after the others", {9: 4, 6: 5, 7: 5, 8: 5}, {}, [6, 7, 8], [9]),
    ("dates far apart come first", {9: 5, 6: 5}, {9: 1}, [9, 6], []),
    ("item 13", {13: 5}, {13: 2}, [13], []),
]


@pytest.mark.parametrize(("case", "ours", "theirs", "offered", "folded"), CASES)
def test_gaps(case, ours, theirs, offered, folded):
    found = gaps(Pair(client(0, answers(3, ours)), clinician(0, answers(3, theirs))))
    assert [gap.item for gap in found.offered] == offered
    assert [gap.item for gap in found.folded] == folded
    assert not found.medication


KINDS = [(item, "dates" if item in (9, 10) else "talk") for item in range(1, 16)]


@pytest.mark.parametrize(("item", "kind"), KINDS)
def test_both_answers_and_the_kind(item, kind):
    found = gaps(Pair(client(0, answers(3, {item: 5})), clinician(0, answers(3, {item: 2})))).offered
    assert found == (Gap(item, client=5, clinician=2, kind=kind),)
    assert found[0].size == 3


MEDICATION = [
    # client, clinician (None: no answer), asked, gap
    (5, NA, True, False),
    (NA, 1, True, False),
    (NA, NA, False, False),
    (5, 1, False, True),
    (5, None, False, False),  # the other stopped before item 13: no answer is no statement about medication
    (NA, None, False, False),
    (None, 3, False, False),
    (None, None, False, False),
]


@pytest.mark.parametrize(("ours", "theirs", "asked", "gap"), MEDICATION)
def test_medication(ours, theirs, asked, gap):
    def given(rating):
        return answers(without=[13]) if rating is None else answers(3, {13: rating})

    found = gaps(Pair(client(0, given(ours)), clinician(0, given(theirs))))
    assert found.medication is asked
    assert [g.item for g in found.offered] == [13] * gap


def test_only_items_that_both_rated():
    found = gaps(Pair(client(0, {6: 5, 7: 5}), clinician(0, {7: 1, 8: 1})))
    assert [gap.item for gap in found.offered] == [7]
