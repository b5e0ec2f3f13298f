"""Sets of answers to a scale: the same in each run, random ones of each kind and those at the edges."""

from collections.abc import Iterator
from random import Random

from imr_fhir.scale import NA, Ratings

KINDS = ("complete", "complete, 13 not applicable", "incomplete", "incomplete, 13 not applicable", "empty")
EACH = 300  # sets of answers a kind, but for the empty one


def answer_sets() -> Iterator[tuple[str, Ratings]]:
    """(kind, set)."""
    random = Random(15)
    for same in range(1, 6):
        yield KINDS[0], dict.fromkeys(range(1, 16), same)
        yield KINDS[1], dict.fromkeys(range(1, 16), same) | {13: NA}
        for item in range(1, 16):
            yield KINDS[2], {item: same}
    yield KINDS[3], {13: NA}
    yield KINDS[4], {}
    for _ in range(EACH):
        whole = {item: random.randint(1, 5) for item in range(1, 16)}
        yield KINDS[0], whole
        yield KINDS[1], whole | {13: NA}
        some = random.sample(range(1, 16), random.randint(1, 14))
        yield KINDS[2], {item: whole[item] for item in some}
        yield KINDS[3], {item: whole[item] for item in some if item != 13} | {13: NA}
