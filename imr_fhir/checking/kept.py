"""Where the app will keep each kind of thing at this server: its own write plan, less what was tried and refused."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from imr_fhir.checking.statement import Statement
from imr_fhir.ehr.capability import WritePlan, write_plan
from imr_fhir.ehr.ladder import LADDERS, Artefact, Limits, Reason, RungName, reasons
from imr_fhir.pdf import can_make_pdf
from imr_fhir.score_shape import SHAPES, Shape

RUNGS: Mapping[RungName, str] = {
    "form": "QuestionnaireResponse",
    "components": "one Observation with components",
    "members": "an Observation with members",
    "flat": "an Observation for each figure, in the EHR's own codes",
    "text": "document in plain text",
    "pdf": "document in PDF",
    "goal": "Goal",
    "note": "Observation",
    "provenance": "Provenance",
    "event": "AuditEvent",
    "app": "the app's own log",
    "print": "to be printed, not in the record",
}
REASONS: Mapping[Reason, str] = {
    "": "",
    "not-offered": "not advertised",
    "no-scope": "no scope for it",
    "refused-before": "tried and refused",
    "never": "never_write",
    "other-shape": "another shape was chosen",
    "no-codes": "needs flat_codes",
    "no-encounter": "needs a visit",
    "no-pdf": "needs the extra pdf",
}
ARTEFACTS: Mapping[Artefact, str] = {
    "answers": "answers",
    "score": "scores",
    "goal": "goals",
    "review": "reviews and notes",
    "audit": "who wrote what",
    "events": "who looked",
}


@dataclass(frozen=True, slots=True)
class Kept:
    """``rung``: the best that is open. ``closed``: those above it, and why."""

    artefact: Artefact
    rung: RungName
    closed: tuple[tuple[RungName, Reason], ...]


def kept(
    statement: Statement, scopes: Collection[str], *, refused: Collection[RungName] = (), shape: Shape = "components"
) -> tuple[Kept, ...]:
    """``scopes``: what the app will be granted."""
    plan: WritePlan = write_plan(statement.raw, scopes)
    return tuple(
        _best(artefact, {name: _after(name, reason, refused) for name, reason in rungs.items()})
        for artefact, rungs in reasons(plan, Limits(shape=shape, pdf=can_make_pdf())).items()
    )


def shape_of(refused: Collection[RungName]) -> Shape:
    """The best that was not refused; the last of them needs codes of the EHR's own."""
    return next((shape for shape in SHAPES if shape not in refused), SHAPES[-1])


def _after(name: RungName, reason: Reason, refused: Collection[RungName]) -> Reason:
    return "refused-before" if name in refused else reason


def _best(artefact: Artefact, rungs: Mapping[RungName, Reason]) -> Kept:
    names = list(rungs)
    rung = next((name for name in names if not rungs[name]), LADDERS[artefact][-1].name)
    above = names[: names.index(rung)]
    return Kept(artefact, rung, tuple((name, rungs[name]) for name in above if rungs[name] != "other-shape"))
