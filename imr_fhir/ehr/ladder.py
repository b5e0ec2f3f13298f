"""The ladders: where each kind of thing can be kept, best first, and which rungs of it this EHR leaves open."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from imr_fhir.ehr.capability import Reason as NotWritten
from imr_fhir.ehr.capability import WritePlan
from imr_fhir.score_shape import SHAPES, Shape

Artefact = Literal["answers", "score", "goal", "review", "audit", "events"]
RungName = Literal[
    "form", "components", "members", "flat", "text", "pdf", "goal", "note", "provenance", "event", "app", "print"
]
Reason = Literal[NotWritten, "refused-before", "never", "other-shape", "no-codes", "no-encounter", "no-pdf"]

DOCUMENTS: tuple[RungName, ...] = ("text", "pdf")


@dataclass(frozen=True, slots=True)
class Rung:
    """``creates``: the type that the EHR must take; "" where nothing leaves the app."""

    name: RungName
    creates: str = ""


_FIGURES = (Rung("components", "Observation"), Rung("members", "Observation"), Rung("flat", "Observation"))
_DOCUMENTS = (Rung("text", "DocumentReference"), Rung("pdf", "DocumentReference"))
_PRINT = Rung("print")

# The lowest rung asks nothing of the EHR: on paper and said as such, or for the audit in the app's own log.
LADDERS: Mapping[Artefact, tuple[Rung, ...]] = {
    "answers": (Rung("form", "QuestionnaireResponse"), *_FIGURES, *_DOCUMENTS, _PRINT),
    "score": (*_FIGURES, _PRINT),
    "goal": (Rung("goal", "Goal"), _PRINT),
    "review": (Rung("note", "Observation"), _PRINT),
    "audit": (Rung("provenance", "Provenance"), Rung("app")),
    "events": (Rung("event", "AuditEvent"), Rung("app")),
}
TYPES: Mapping[str, str] = {rung.name: rung.creates for ladder in LADDERS.values() for rung in ladder}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a site and a launch say. ``never``: types that the site keeps the app from writing.

    ``flat``: the site has a code of its own for each figure. ``encounter``: the launch has one; EHRs that take notes
    file them under a contact (Epic demands it). ``pdf``: the extra that makes one is installed.
    """

    never: Collection[str] = ()
    shape: Shape = "components"
    flat: bool = False
    encounter: bool = True
    documents: tuple[RungName, ...] = DOCUMENTS  # in the site's order
    pdf: bool = False


def reasons(plan: WritePlan, limits: Limits) -> dict[Artefact, dict[RungName, Reason]]:
    """Each artefact's rungs, best first, and why each is closed; "" where it is open."""
    return {
        artefact: {rung.name: _why_not(rung, plan, limits) for rung in _ordered(ladder, limits)}
        for artefact, ladder in LADDERS.items()
    }


def _ordered(ladder: tuple[Rung, ...], limits: Limits) -> Iterator[Rung]:
    documents = [rung for name in limits.documents for rung in ladder if rung.name == name]
    yield from (rung for rung in ladder if rung.name not in DOCUMENTS and rung.name != "print")
    yield from documents
    yield from (rung for rung in ladder if rung.name == "print")


def _why_not(rung: Rung, plan: WritePlan, limits: Limits) -> Reason:
    if not rung.creates:
        return ""
    if reason := plan.reason(rung.creates):
        return reason
    return "never" if rung.creates in limits.never else _site_says(rung.name, limits)


def _site_says(name: RungName, limits: Limits) -> Reason:
    if name in DOCUMENTS and not limits.encounter:
        return "no-encounter"
    if name == "pdf" and not limits.pdf:
        return "no-pdf"
    if name == "flat":  # the last of the shapes, wherever the site has its codes
        return "" if limits.flat else "no-codes"
    if name == "note":  # a record that takes figures in rows of its own has none for our notes
        return "other-shape" if limits.shape == "flat" else ""
    return "other-shape" if name in SHAPES and name != limits.shape else ""
