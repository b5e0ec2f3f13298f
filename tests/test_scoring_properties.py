"""Whatever is answered: scores, change, pairs and courses hold what their definitions say."""

from fractions import Fraction
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imr_fhir.change import CannotSay, Change, change, moves
from imr_fhir.course import course_of, courses
from imr_fhir.errors import RatingError
from imr_fhir.history import CLOSE_DAYS, days_apart, history, listed
from imr_fhir.pairing import pairs
from imr_fhir.parameters import PARAMETERS, Parameters
from imr_fhir.response import Response
from imr_fhir.scale import ITEM_COUNT, NA, NA_ITEM, RATERS
from imr_fhir.scoring import code_of, figures, rating_of, score
from tests.spec.build import course, d, response

ITEMS = range(1, ITEM_COUNT + 1)


def rating(item: int) -> st.SearchStrategy[int]:
    return st.integers(NA if item == NA_ITEM else 1, 5)


WHOLE = st.fixed_dictionaries({item: rating(item) for item in ITEMS})
ANY = st.fixed_dictionaries({}, optional={item: rating(item) for item in ITEMS})
STATUSES = st.sampled_from(["completed", "amended", "stopped", "entered-in-error", "in-progress"])
RESPONSES = st.lists(
    st.builds(response, st.integers(0, 400), ANY | WHOLE, st.sampled_from(RATERS), STATUSES),
    max_size=12,
    unique_by=lambda r: r.id,
)


def half_up(value: Fraction, digits: int) -> Fraction:
    scaled = value * 10**digits
    return Fraction((2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator), 10**digits)


@given(ANY | WHOLE)
def test_score_is_what_it_says(ratings: dict[int, int]) -> None:
    found = score(ratings)
    rated = [value for value in ratings.values() if value != NA]
    assert found.rated == len(rated)
    assert found.sum == (sum(rated) if ratings else None)
    assert found.complete == (set(ratings) == set(ITEMS))
    assert found.lowest <= sum(rated) <= found.highest
    if found.complete:
        exact = Fraction(sum(rated), len(rated))
        assert found.mean is not None
        assert Fraction(found.mean) == half_up(exact, 2)
        assert found.mean.as_tuple().exponent == -2
        shown = figures(found)
        assert shown is not None
        # shown from the exact mean, and the same from the stored one: the digits never disagree
        assert Fraction(shown.mean) == half_up(exact, 1) == half_up(Fraction(found.mean), 1)
    else:
        assert found.mean is None
        assert figures(found) is None


@given(WHOLE, st.permutations(list(ITEMS)))
def test_score_does_not_depend_on_order(ratings: dict[int, int], order: list[int]) -> None:
    assert score({item: ratings[item] for item in order}) == score(ratings)


NUMBERS = st.integers(-1, ITEM_COUNT + 1) | st.integers() | st.booleans()


@given(NUMBERS | st.text(max_size=2), NUMBERS | st.none() | st.floats())
@example(True, 3)
@example(3, True)
@example(NA_ITEM, False)
def test_no_other_rating_is_scored(item: object, value: object) -> None:
    known = type(item) is int and item in ITEMS and type(value) is int
    if known and (value in range(1, 6) or (item == NA_ITEM and value == NA)):
        assert score({item: value}).sum == value
    else:
        with pytest.raises(RatingError, match="has no rating"):
            score({item: value})


@pytest.mark.parametrize("item", ITEMS)
def test_every_answer_has_one_code(item: int) -> None:
    values = [*range(1, 6), *([NA] if item == NA_ITEM else [])]
    assert [rating_of(code_of(item, value)) for value in values] == [(item, value) for value in values]


@given(st.text(max_size=6))
def test_no_other_code_is_read(code: str) -> None:
    try:
        item, value = rating_of(code)
    except RatingError:
        return
    assert code_of(item, value) == code


@given(WHOLE, WHOLE, st.sampled_from(PARAMETERS))
def test_flag_in_exact_arithmetic(before: dict[int, int], after: dict[int, int], row: Parameters) -> None:
    first, last = (response(on, a, row.rater, language=row.language) for on, a in ((0, before), (90, after)))
    found = change([last, first], first=first)
    assert isinstance(found, Change)
    items = [item for item in ITEMS if before[item] != NA and after[item] != NA]
    total = sum(after[item] - before[item] for item in items)
    assert (found.items, found.sum_change) == (tuple(items), total)
    # |ΔΣ| > T·|I|, squared, so that no root is rounded
    threshold_squared = Fraction("1.96") ** 2 * 2 * Fraction(row.sd) ** 2 * (1 - Fraction(row.r)) / 15**2
    beyond = total**2 > threshold_squared * len(items) ** 2
    assert found.flag == ("within" if not beyond else "higher" if total > 0 else "lower")
    assert not (found.calendar_phrase and found.flag == "within")


@given(WHOLE, WHOLE)
def test_change_back_is_the_same_change_the_other_way(before: dict[int, int], after: dict[int, int]) -> None:
    there = change([response(0, before), response(90, after)], first=response(0, before))
    back = change([response(0, after), response(90, before)], first=response(0, after))
    assert isinstance(there, Change)
    assert isinstance(back, Change)
    assert (there.sum_change, there.calendar) == (-back.sum_change, -back.calendar)
    assert there.mean_change == -back.mean_change
    assert there.flag == {"higher": "lower", "lower": "higher", "within": "within"}[back.flag]
    assert [(m.item, m.before, m.after) for m in moves(response(0, before), response(90, after))] == [
        (m.item, m.after, m.before) for m in moves(response(0, after), response(90, before))
    ]


@given(RESPONSES.map(lambda found: [r for r in found if r.rater == "client"]), st.randoms())
def test_change_does_not_depend_on_order(responses: list[Response], random: Random) -> None:
    first = next((r for r in history(responses).counting if r.complete), None)
    shuffled = responses[:]
    random.shuffle(shuffled)
    found = change(responses, first=first)
    assert isinstance(found, Change | CannotSay)
    assert change(shuffled, first=first) == found


@given(RESPONSES)
def test_every_response_that_stands_counts_or_is_superseded(responses: list[Response]) -> None:
    found = history(responses)
    assert sorted(r.id for r in (*found.counting, *found.superseded)) == sorted(r.id for r in listed(responses))
    for one in found.counting:
        others = [r for r in found.counting if r.rater == one.rater and r is not one]
        assert all(days_apart(one, other) > CLOSE_DAYS for other in others)
    for one in found.superseded:
        near = [r for r in found.counting if r.rater == one.rater and days_apart(r, one) <= CLOSE_DAYS]
        assert near
        if one.complete:
            assert any(r.complete and r.measured >= one.measured for r in near)


@given(RESPONSES, st.integers(0, 60))
def test_pairs_are_the_nearest_ones(responses: list[Response], window: int) -> None:
    found = pairs(responses, [course(0)], window)
    both = [r for pair in found.pairs for r in (pair.client, pair.clinician)]
    everyone = [*both, *found.unpaired, *found.superseded]
    assert sorted(r.id for r in everyone) == sorted(r.id for r in listed(responses))
    assert all(days_apart(p.client, p.clinician) <= window for p in found.pairs)
    # By the definition, pair by pair over all of them: take the first of those left, strike out its two.
    counting = history(responses).counting
    left = sorted(
        (days_apart(c, k), c.measured.date(), c.key, k.key)
        for c in counting
        for k in counting
        if (c.rater, k.rater) == RATERS and days_apart(c, k) <= window
    )
    expected = []
    while left:
        _, _, ours, theirs = left[0]
        expected.append((ours, theirs))
        left = [entry for entry in left if entry[2] != ours and entry[3] != theirs]
    assert sorted((p.client.key, p.clinician.key) for p in found.pairs) == sorted(expected)


@given(RESPONSES, st.integers(400, 900))
def test_without_episodes_every_response_has_its_course(responses: list[Response], today: int) -> None:
    found = courses([], responses, today=d(today))
    for one in listed(responses):
        of = course_of(one, found)
        assert of is not None
        assert of.start <= one.measured.date()
