"""7. Items move from one anchor to another. How a move is read depends on the item, never on its direction alone.

Items 9 and 10 are "time since". A fall of item 1 after an achieved goal reads "finished a goal, began a new one".
Items 3, 12 and 13 are a person's choices: neutral. Items 4 and 5 quote the band, never a difference of hours or
contacts. Nowhere "improved", "deteriorated", "responder" or "significant".
"""

from pathlib import Path
from typing import get_args

import pytest

from imr_fhir import change as change_module
from imr_fhir.change import Move, MoveKind, moves
from imr_fhir.scale import NA
from tests.spec.build import answers, client, stopped

KINDS = [
    # item, before, after, kind
    (1, 2, 4, "moved"),
    (1, 4, 2, "moved"),  # a fall, and no goal was finished
    (1, 5, 3, "goal"),
    (1, 5, 2, "goal"),
    (1, 5, 1, "moved"),  # "no personal goals": none was begun, and the phrase would not be true
    (2, 3, 4, "moved"),
    (3, 4, 2, "choice"),
    (4, 2, 3, "band"),
    (5, 3, 1, "band"),
    (6, 2, 5, "moved"),
    (7, 5, 2, "moved"),
    (8, 1, 5, "moved"),
    (9, 3, 4, "calendar"),
    (9, 5, 1, "calendar"),
    (10, 4, 5, "calendar"),
    (11, 3, 2, "moved"),
    (12, 1, 4, "choice"),
    (13, 5, 3, "choice"),
    (13, 5, NA, "choice"),  # quoted like any other answer: "no medication is prescribed"
    (13, NA, 1, "choice"),
    (14, 3, 5, "moved"),
    (15, 5, 4, "moved"),
]

GOAL_ACHIEVED = [
    # item 1 before, after, a Goal was achieved between, kind
    (4, 2, True, "goal"),
    (4, 2, False, "moved"),
    (2, 4, True, "moved"),  # no fall
    (4, 1, True, "moved"),  # none was begun
]


@pytest.mark.parametrize(("item", "before", "after", "kind"), KINDS)
def test_kind(item, before, after, kind):
    found = moves(client(0, answers(3, {item: before})), client(90, answers(3, {item: after})))
    assert found == (Move(item, before, after, kind),)


@pytest.mark.parametrize(("before", "after", "achieved", "kind"), GOAL_ACHIEVED)
def test_goal_achieved_in_the_record(before, after, achieved, kind):
    found = moves(client(0, answers(3, {1: before})), client(90, answers(3, {1: after})), goal_achieved=achieved)
    assert found == (Move(1, before, after, kind),)


def test_items_by_number_and_only_those_answered_both_times():
    found = moves(client(0, answers(3)), stopped(90, ratings={6: 5, 2: 4, 3: 3}))
    assert [move.item for move in found] == [2, 6]


def test_no_kind_says_that_somebody_got_better_or_worse():
    assert set(get_args(MoveKind)) == {"moved", "calendar", "goal", "choice", "band"}
    code = Path(change_module.__file__).read_text().lower()
    for word in ("improv", "deteriorat", "responder", "significan"):
        assert word not in code
