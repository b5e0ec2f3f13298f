"""How long a call may take, and how much its reply may be, by what it is for."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """``seconds`` from the first look-up of a name to the last byte; ``bytes`` of the body once unpacked.

    ``anyway``: sent also to a host that the breaker leaves alone. For what is taken piece by piece (``open``), the
    seconds are those in which nothing comes.
    """

    seconds: float
    bytes: int
    anyway: bool = False


# All pages of one search, but for the last of them: some 2,000 of our responses, ten years of two a week. What is read
# of them takes several times as much memory, each view has five searches, and several views are under way at once.
SEARCH_BYTES = 20_000_000

LIMITS: Mapping[str, Limit] = {
    "chart": Limit(30, 10_000_000),
    # What became of a write: few, each after a person's press, and without it a lost answer would stay unknown, and
    # tempt to "send again", which may double it.
    "read-back": Limit(30, 10_000_000, anyway=True),
    "metadata": Limit(30, 10_000_000),
    "write": Limit(30, 10_000_000),
    "token": Limit(30, 256_000),
    "jwks": Limit(30, 256_000),
    "validate": Limit(180, 10_000_000),  # a validator reads all definitions at its first resource: 9 to 23 s
    "export": Limit(60, 10_000_000),
    "export-page": Limit(300, 100_000_000),
    "export-file": Limit(120, 200_000_000_000),
}
