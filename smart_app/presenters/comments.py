"""What raters wrote beside their answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from imr_fhir.response import Response
from imr_fhir.scale import Rater
from smart_app.language import Words


@dataclass(frozen=True, slots=True)
class Comment:
    rater: Rater
    who: str  # "Eva, 3 November 2026"
    text: str


def comments(words: Words, responses: Iterable[Response], names: Mapping[Rater, str]) -> tuple[Comment, ...]:
    return tuple(
        Comment(one.rater, f"{names[one.rater]}, {words.day(one.measured)}", one.comment.strip())
        for one in responses
        if one.comment.strip()
    )
