"""Ratings of one response to its score: mean, sum and how many items were rated; and the code of each answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from imr_fhir.errors import RatingError
from imr_fhir.scale import ITEM_COUNT, NA, NA_ITEM, RATING_MAX, Ratings

_STORED = Decimal("0.01")
_SHOWN = Decimal("0.1")
_NA_CODE = f"{NA_ITEM:02}-na"


@dataclass(frozen=True, slots=True)
class Score:
    sum: int | None  # of the items rated; None where nothing was answered
    rated: int  # items with a rating 1..5
    mean: Decimal | None  # sum / rated with two decimals; None unless all 15 were answered
    complete: bool  # all 15 answered, item 13 possibly "not applicable"

    @property
    def lowest(self) -> int:
        """The lowest sum that these rated items can give."""
        return self.rated

    @property
    def highest(self) -> int:
        return RATING_MAX * self.rated


@dataclass(frozen=True, slots=True)
class Figures:
    """The score of a complete response as it may be shown."""

    mean: Decimal  # one decimal, "on a scale from 1 to 5"
    sum: int
    lowest: int  # range of the sum: n to 5n
    highest: int
    all_that_apply: bool  # "all 14 that apply": item 13 was not applicable


def score(ratings: Ratings) -> Score:
    """The score of ``ratings`` (item 1..15 -> 1..5, or NA for item 13; unanswered items absent).

    Nothing is reversed or prorated, and there are no subscales: the factor structures published differ.
    Raises RatingError for an item or a rating that the instrument does not have.
    """
    total = rated = 0
    for item, rating in ratings.items():
        if type(rating) is int and 1 <= rating <= RATING_MAX and type(item) is int and 1 <= item <= ITEM_COUNT:
            total += rating
            rated += 1
        elif not _is_not_applicable(item, rating):
            raise _no_such_rating(item, rating)
    complete = len(ratings) == ITEM_COUNT
    # k/14 and k/15 never fall on a half at one or two decimals, so that no rounding rule can change a figure.
    mean = (Decimal(total) / rated).quantize(_STORED, ROUND_HALF_UP) if complete else None
    return Score(total if ratings else None, rated, mean, complete)


def figures(score: Score) -> Figures | None:
    """What may be shown of ``score``; None unless it is complete: then each answer is shown, but no figure."""
    if score.sum is None or score.mean is None:
        return None
    mean = (Decimal(score.sum) / score.rated).quantize(_SHOWN, ROUND_HALF_UP)
    return Figures(mean, score.sum, score.lowest, score.highest, all_that_apply=score.rated < ITEM_COUNT)


def rated_items(ratings: Ratings) -> frozenset[int]:
    """The items that have a rating 1..5: answered, and not "not applicable"."""
    return frozenset(item for item, rating in ratings.items() if rating != NA)


def code_of(item: int, rating: int) -> str:
    """The answer code of ``rating`` (1..5 or NA) on ``item``: "06-3", "13-na". Raises RatingError."""
    try:
        return _CODES[item, rating]
    except KeyError:
        raise _no_such_rating(item, rating) from None


def rating_of(code: str) -> tuple[int, int]:
    """Item and rating of an answer code: "06-3" gives (6, 3), "13-na" gives (13, NA). Raises RatingError."""
    try:
        return _RATINGS[code]
    except KeyError:
        raise RatingError(
            f"{code!r} is no answer of the IMR Scales.",
            next_step="Expected is item-rating, 01-1 to 15-5, or 13-na.",
        ) from None


def _is_not_applicable(item: object, rating: object) -> bool:
    return type(item) is int and item == NA_ITEM and type(rating) is int and rating == NA


def _no_such_rating(item: object, rating: object) -> RatingError:
    return RatingError(
        f"Item {item!r} has no rating {rating!r}.",
        next_step="Items are 1 to 15, ratings 1 to 5; only item 13 can be not applicable.",
    )


_CODES: Mapping[tuple[int, int], str] = {
    (item, rating): f"{item:02}-{rating}" for item in range(1, ITEM_COUNT + 1) for rating in range(1, RATING_MAX + 1)
} | {(NA_ITEM, NA): _NA_CODE}
_RATINGS: Mapping[str, tuple[int, int]] = {code: pair for pair, code in _CODES.items()}
