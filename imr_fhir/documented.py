"""A rating that the record has as a document: whose and of which day. What it says is for people; it counts nowhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from imr_fhir.scale import Rater


@dataclass(frozen=True, slots=True)
class Document:
    """``complete``: it was not ended early. ``replaces``: ids of those that it corrects. ``gone``: the record says that
    it does not count any more."""

    id: str
    rater: Rater
    day: date
    withdrawn: bool
    complete: bool = True
    replaces: tuple[str, ...] = ()
    gone: bool = False


def standing(documents: Iterable[Document]) -> tuple[Document, ...]:
    """Those that count: neither withdrawn nor replaced by one that stands."""
    there = [each for each in documents if not each.withdrawn]
    replaced = {each for document in there for each in document.replaces}
    return tuple(each for each in there if not each.gone and each.id not in replaced)
