"""The resource whose invariants are asked for, and what several of them look at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from imr_fhir import artefacts
from imr_fhir.scale import RATERS
from imr_fhir.validation.finding import Path, codings, many, one, text

Broken = Iterator[tuple[Path, str]]  # a path from the element that has the invariant, and the end of a sentence
Element = Mapping[str, Any]

SCALES = {f"{artefacts.BASE}/CodeSystem/imr-{rater}" for rater in RATERS}


@dataclass(frozen=True, slots=True)
class Asked:
    """One item of the group imr in a response."""

    path: Path
    item: Element
    link_id: str
    codes: tuple[tuple[Path, str], ...]  # of each answer that is a Coding, with its path from the resource


class About:
    """The resource whose invariants are asked for; what several of them look at is looked up once."""

    def __init__(self, resource: Element) -> None:
        self.resource = resource

    @cached_property
    def asked(self) -> list[Asked]:
        return [
            _asked(("item", outer, "item", inner), item)
            for outer, group in many(self.resource, "item")
            if group.get("linkId") == "imr"
            for inner, item in many(group, "item")
        ]

    @cached_property
    def rated(self) -> list[tuple[int, Element, str]]:
        """Place, component and item code ("06") of each component of a score that is an item."""
        found = []
        for place, component in many(self.resource, "component"):
            items = [code for system, code in codings(one(component, "code")) if system in SCALES]
            found += [(place, component, code) for code in items]
        return found

    @property
    def ratings(self) -> list[int]:
        values = [component.get("valueInteger") for _, component, _ in self.rated]
        return [value for value in values if isinstance(value, int) and not isinstance(value, bool)]


def _asked(path: Path, item: Element) -> Asked:
    codes = tuple(
        ((*path, "answer", place, "valueCoding", "code"), text(coding, "code"))
        for place, answer in many(item, "answer")
        if "code" in (coding := one(answer, "valueCoding"))
    )
    return Asked(path, item, text(item, "linkId"), codes)
