"""The figures that reliable change rests on, as data: a row a rater, version and language, each with its sources.

A hospital puts its own rows in their place; without a row nothing is said of change (``no_parameters``).
Method: Jacobson and Truax 1991, threshold = 1.96·√2·SD·√(1−r).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from imr_fhir.scale import ITEM_COUNT, Rater

_Z = Decimal("1.96")  # two-sided 95 %


@dataclass(frozen=True, slots=True)
class Parameters:
    rater: Rater
    version: str  # of the Questionnaire
    language: str  # that the ratings were given in
    sd: Decimal  # of the sum of 15 items, between persons
    sd_source: str
    sd_n: int
    sd_language: str  # of the form in that sample
    r: Decimal  # reliability
    r_kind: str  # "retest-2-weeks"
    r_source: str
    r_n: int
    r_language: str
    same_sample: bool  # SD and r come from one sample

    def __post_init__(self) -> None:
        if not (self.sd > 0 and 0 < self.r < 1 and self.r_n > 3):
            raise ValueError(
                f"Change parameters for {self.rater}, {self.language}: SD {self.sd} must be above 0, "
                f"r {self.r} between 0 and 1, and its sample ({self.r_n}) above 3."
            )

    @property
    def other_language(self) -> bool:
        """SD or r was found with a form in another language than the one rated in."""
        return {self.sd_language, self.r_language} != {self.language}

    @property
    def threshold(self) -> Decimal:
        """T, the change of the item mean (scale 1 to 5) beyond which a change is flagged; unrounded."""
        return self._threshold(self.r)

    @property
    def band(self) -> tuple[Decimal, Decimal]:
        """T at the upper and at the lower end of r's 95 % interval (Fisher's z), unrounded: how sure T itself is."""
        odds = (1 + self.r) / (1 - self.r)
        spread = (2 * _Z / Decimal(self.r_n - 3).sqrt()).exp()
        low, high = ((end - 1) / (end + 1) for end in (odds / spread, odds * spread))
        return self._threshold(high), self._threshold(low)

    def exceeded_by(self, sum_change: int, items: int) -> bool:
        """Whether a change of the sum over ``items`` items is beyond T: |ΔΣ| > T·|I|, with no rounding before."""
        return abs(sum_change) * ITEM_COUNT > self._sum_threshold(self.r) * items

    def _sum_threshold(self, r: Decimal) -> Decimal:
        return _Z * self.sd * (2 * (1 - r)).sqrt()

    def _threshold(self, r: Decimal) -> Decimal:
        return self._sum_threshold(r) / ITEM_COUNT


_SD_SOURCE = "ACT+IMR trial at baseline, PMC6433370, Table 1"
_R_SOURCE = "Dutch IMRS, doi 10.3109/09638237.2015.1124398"

_ENGLISH = (
    Parameters(
        rater="client",
        version="0.1.0",
        language="en",
        sd=Decimal("8.7"),
        sd_source=_SD_SOURCE,
        sd_n=101,
        sd_language="en",
        r=Decimal("0.79"),
        r_kind="retest-2-weeks",
        r_source=_R_SOURCE,
        r_n=111,
        r_language="nl",
        same_sample=False,
    ),
    Parameters(
        rater="clinician",
        version="0.1.0",
        language="en",
        sd=Decimal("7.6"),
        sd_source=_SD_SOURCE,
        sd_n=101,
        sd_language="en",
        r=Decimal("0.86"),
        r_kind="retest-2-weeks",
        r_source=_R_SOURCE,
        r_n=40,
        r_language="nl",
        same_sample=False,
    ),
)

# No study of a bokmål form was found: the same figures, which other_language marks.
PARAMETERS: tuple[Parameters, ...] = _ENGLISH + tuple(replace(row, language="nb") for row in _ENGLISH)


def parameters_for(
    rater: Rater, version: str, language: str, table: Iterable[Parameters] = PARAMETERS
) -> Parameters | None:
    """The row for ratings by ``rater`` on ``version`` in ``language``; None where there is none."""
    wanted = (rater, version, language)
    return next((row for row in table if (row.rater, row.version, row.language) == wanted), None)
