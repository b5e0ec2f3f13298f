"""The report's statistics give the figures that their authors published."""

import math
import random

import pytest

from imr_fhir.reporting.statistics import (
    mean_interval,
    quadratic_kappa,
    score_agreement,
    t_quantile,
    wilson,
)

# Newcombe 1998 (doi 10.1002/(SICI)1097-0258(19980430)17:8<857), Table I, method 3
WILSON = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
# any table of Student's t, two-sided 95 %
T = [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (10, 2.228), (30, 2.042), (100, 1.984), (1000, 1.962)]
# Bland and Altman 1986 (Lancet i: 307), Table: 17 persons' peak flow by a large and by a mini meter, l/min
LARGE = (494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427)
MINI = (512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451)


@pytest.mark.parametrize(("count", "of", "low", "high"), WILSON)
def test_wilson(count: int, of: int, low: float, high: float) -> None:
    found = wilson(count, of)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_a_proportion_of_nothing_has_no_interval_and_of_too_much_is_none() -> None:
    assert wilson(0, 0) is None
    with pytest.raises(ValueError, match="6 of 5 is no proportion"):
        wilson(6, 5)


@pytest.mark.parametrize(("degrees", "t"), T)
def test_student_s_t(degrees: int, t: float) -> None:
    assert round(t_quantile(degrees), 3) == t


def test_a_mean_s_interval() -> None:
    found = mean_interval(17, -2.1176, 38.7651)  # Bland and Altman 1986: -22.0 to 17.8
    assert found is not None
    assert (round(found.low, 1), round(found.high, 1)) == (-22.0, 17.8)
    assert mean_interval(1, 3.0, 0.0) is None


def test_limits_of_agreement() -> None:
    """They print a mean of -2.1, and -79.7 and 75.5 with 2 for 1.96; 1.96 gives -78.1 and 73.9."""
    found = score_agreement(list(zip(LARGE, MINI, strict=True)))
    assert found is not None
    assert (round(found.mean_difference, 1), round(found.limits.low, 1), round(found.limits.high, 1)) == (
        -2.1,
        -78.1,
        73.9,
    )


def test_icc_is_that_of_an_analysis_of_variance() -> None:
    """ICC(A,1) by the textbook's sums of squares, two raters."""
    pairs = list(zip(LARGE, MINI, strict=True))
    n, k = len(pairs), 2
    grand = sum(map(sum, pairs)) / (n * k)
    rows = k * sum((sum(pair) / k - grand) ** 2 for pair in pairs)
    columns = n * sum((sum(pair[j] for pair in pairs) / n - grand) ** 2 for j in range(k))
    total = sum((value - grand) ** 2 for pair in pairs for value in pair)
    msr, msc, mse = rows / (n - 1), columns / (k - 1), (total - rows - columns) / ((n - 1) * (k - 1))
    found = score_agreement(pairs)
    assert found is not None
    assert found.icc == pytest.approx((msr - mse) / (msr + (k - 1) * mse + k * (msc - mse) / n))


def test_nothing_is_said_of_agreement_on_one_pair_or_where_nothing_differs() -> None:
    assert score_agreement([(3.0, 2.0)]) is None
    same = score_agreement([(3.0, 3.0), (3.0, 3.0)])
    assert same is not None
    assert same.icc is None


def test_quadratic_kappa_is_the_share_of_squared_distance_that_is_not_chance() -> None:
    draw = random.Random(5)
    ratings = [(draw.randint(1, 5), draw.randint(1, 5)) for _ in range(200)]
    counts = {pair: ratings.count(pair) for pair in ratings}
    seen = sum((a - b) ** 2 for a, b in ratings) / len(ratings)
    chance = sum((a - b) ** 2 for a, _ in ratings for _, b in ratings) / len(ratings) ** 2
    assert quadratic_kappa(counts) == pytest.approx(1 - seen / chance)


@pytest.mark.parametrize(
    ("counts", "kappa"),
    [({(1, 1): 5, (5, 5): 5}, 1.0), ({(1, 5): 5, (5, 1): 5}, -1.0), ({(3, 3): 30}, None), ({}, None)],
)
def test_quadratic_kappa_at_its_ends(counts: dict[tuple[int, int], int], kappa: float | None) -> None:
    found = quadratic_kappa(counts)
    assert found == kappa or (found is not None and kappa is not None and math.isclose(found, kappa))
