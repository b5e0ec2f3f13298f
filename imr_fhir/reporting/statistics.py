"""The statistics of the report, from counts and sums that a query gives: each names its source, none rounds.

Student's t is worked out by its exact series, since a library of statistics would weigh more than all else here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

_Z = NormalDist().inv_cdf(0.975)  # two-sided 95 %


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


def wilson(count: int, of: int) -> Interval | None:
    """The 95 % interval of the proportion ``count`` of ``of`` (Wilson 1927, without correction); None of nothing."""
    if not 0 <= count <= of:
        raise ValueError(f"{count} of {of} is no proportion.")
    if of == 0:
        return None
    share, weight = count / of, _Z**2 / of
    middle = share + weight / 2
    spread = _Z * math.sqrt((share * (1 - share) + weight / 4) / of)
    return Interval(max(0.0, (middle - spread) / (1 + weight)), min(1.0, (middle + spread) / (1 + weight)))


def mean_interval(n: int, mean: float, sd: float) -> Interval | None:
    """The 95 % interval of a mean, by Student's t with n - 1 degrees of freedom; None of fewer than two.

    ``sd``: the standard deviation of the sample (divided by n - 1).
    """
    if n < 2:
        return None
    spread = t_quantile(n - 1) * sd / math.sqrt(n)
    return Interval(mean - spread, mean + spread)


def t_quantile(degrees: int) -> float:
    """The 97.5 % point of Student's t with ``degrees`` (1 or more) degrees of freedom."""
    low, high = 0.0, 13.0  # 12.706 with one degree
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < 0.95 else (low, middle)
    return (low + high) / 2


def _within(t: float, degrees: int) -> float:
    """How much of Student's t lies within plus or minus ``t`` (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(degrees))
    sine, square = math.sin(angle), math.cos(angle) ** 2
    odd = degrees % 2
    term = math.cos(angle) if odd else 1.0
    total = term if degrees > 1 else 0.0
    for step in range(2 + odd, degrees - 1, 2):
        term *= square * (step - 1) / step
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total


def quadratic_kappa(counts: Mapping[tuple[int, int], int]) -> float | None:
    """Cohen's kappa with quadratic weights (Cohen 1968) from how often each pair of levels was given.

    None where both raters gave one and the same level always: there is no chance agreement to compare with.
    """
    n = sum(counts.values())
    first: dict[int, int] = {}
    second: dict[int, int] = {}
    for (one, other), count in counts.items():
        first[one] = first.get(one, 0) + count
        second[other] = second.get(other, 0) + count
    seen = sum(count * (one - other) ** 2 for (one, other), count in counts.items()) * n
    chance = sum(a * b * (one - other) ** 2 for one, a in first.items() for other, b in second.items())
    return 1 - seen / chance if chance else None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of two raters' scores: Bland and Altman's limits (1986), and the ICC(A,1) of McGraw and Wong (1996)."""

    n: int
    mean_difference: float
    limits: Interval
    icc: float | None


def score_agreement(pairs: Sequence[tuple[float, float]]) -> Agreement | None:
    """Of pairs (client, clinician), the difference being client minus clinician; None of fewer than two.

    ICC(A,1): two raters, absolute agreement, one rating each; None where nobody's scores differ.
    """
    n = len(pairs)
    if n < 2:
        return None
    differences = [one - other for one, other in pairs]
    mean = math.fsum(differences) / n
    spread = math.sqrt(math.fsum((d - mean) ** 2 for d in differences) / (n - 1))
    means = [(one + other) / 2 for one, other in pairs]
    grand = math.fsum(means) / n
    between = 2 * math.fsum((m - grand) ** 2 for m in means) / (n - 1)
    raters = n * mean**2 / 2  # k = 2: the raters' mean square has one degree of freedom
    error = spread**2 / 2
    below = between + error + 2 * (raters - error) / n
    return Agreement(
        n, mean, Interval(mean - _Z * spread, mean + _Z * spread), (between - error) / below if below else None
    )
