"""No mark of an item's track hides another, whatever both raters chose now and at the start."""

import re
from itertools import combinations, product

import pytest

from smart_app.presenters.tracks import HEIGHT, WIDTH, Marks, place, track

RATINGS = (None, 1, 2, 3, 4, 5)
Box = tuple[float, float, float, float]


def box(path: str) -> Box:
    """Left, top, right, bottom of a circle or diamond, with half of its outline."""
    if circle := re.fullmatch(r"M(\S+) (\S+)a(\S+) .*z", path):
        left, middle, radius = (float(each) for each in circle.groups())
        return left - 0.8, middle - radius - 0.8, left + 2 * radius + 0.8, middle + radius + 0.8
    diamond = re.fullmatch(r"M(\S+) (\S+)l(\S+) .*z", path)
    assert diamond, path
    x, top, half = (float(each) for each in diamond.groups())
    return x - half - 0.8, top - 0.8, x + half + 0.8, top + 2 * half + 0.8


def overlap(one: Box, other: Box) -> bool:
    """How far two boxes cover one another both ways, beyond a touch of the outlines."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return min(across, down) > 2


@pytest.mark.parametrize(("client", "clinician"), list(product(RATINGS, RATINGS)))
def test_marks_never_hide_each_other_and_stay_inside(client: int | None, clinician: int | None) -> None:
    for client_first, clinician_first in product(RATINGS, RATINGS):
        drawn = track(Marks(client, clinician, client_first, clinician_first), wide=False)
        if drawn is None:
            assert (client, clinician, client_first, clinician_first) == (None, None, None, None)
            continue
        paths = [drawn.client, drawn.clinician, drawn.client_first, drawn.clinician_first]
        boxes = [box(path) for path in paths if path]
        assert len(boxes) == sum(rating is not None for rating in (client, clinician, client_first, clinician_first))
        assert not [pair for pair in combinations(boxes, 2) if overlap(*pair)]
        assert all(left >= 0 and top >= 0 and right <= WIDTH and bottom <= HEIGHT for left, top, right, bottom in boxes)


def test_a_mark_stands_at_its_rating() -> None:
    drawn = track(Marks(client=2, clinician=5, client_first=1, clinician_first=None), wide=True)
    assert drawn is not None
    assert [place(rating) for rating in range(1, 6)] == [20, 80, 140, 200, 260]
    left, _, right, _ = box(drawn.client)
    assert (left + right) / 2 == place(2)
    assert (drawn.between, drawn.wide) == ("M80 18H260", True)
