"""What this EHR lets this user write: worked out at launch and kept with it, for pages to say before anyone types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast

from imr_fhir.ehr.capability import write_plan
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.forms import check_forms
from imr_fhir.ehr.ladder import DOCUMENTS, LADDERS, Artefact, Limits, Reason, RungName, reasons
from imr_fhir.ehr.scopes import WRITTEN
from imr_fhir.pdf import can_make_pdf
from imr_fhir.scale import RATERS, Rater
from imr_fhir.score_shape import covers
from smart_app.config import SiteConfig
from smart_app.site_codes import figure_codes


@dataclass(frozen=True)
class Plan:
    """``ladders``: the rungs of each artefact, best first, and why each is closed ("": it is open).

    ``updates``: resource types. ``edited``: raters whose Questionnaire there is not the packaged. ``unknown``: types
    that the EHR does not have, of which nothing is asked.
    """

    in_transaction: bool
    conditional: bool  # the EHR has conditional creates
    versioned: bool  # ... and versions, so that no change is written over unseen
    updates: tuple[str, ...]
    ladders: Mapping[Artefact, Mapping[RungName, Reason]] = field(default_factory=dict)
    edited: tuple[Rater, ...] = ()
    unknown: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        # as lists: what is sealed is sorted by name, and a ladder has an order
        return asdict(self) | {"ladders": {name: list(rungs.items()) for name, rungs in self.ladders.items()}}

    def rung(self, artefact: Artefact) -> RungName:
        """Where it is kept."""
        return self.below(artefact)

    def below(self, artefact: Artefact, refused: RungName | None = None) -> RungName:
        """The best rung, or the best below ``refused``; the lowest is always open."""
        ladder = list(self.ladders.get(artefact, {}).items())
        names = [name for name, _ in ladder]
        rest = ladder[names.index(refused) + 1 :] if refused in names else ladder
        return next((name for name, reason in rest if not reason), LADDERS[artefact][-1].name)

    def reason(self, artefact: Artefact, rung: RungName) -> Reason:
        return self.ladders.get(artefact, {}).get(rung, "not-offered")

    def document_rung(self) -> RungName:
        """Where a document is kept that replaces another, whatever better place new answers have."""
        open_ = [name for name, reason in self.ladders.get("answers", {}).items() if name in DOCUMENTS and not reason]
        return open_[0] if open_ else "print"

    @property
    def documents(self) -> bool:
        """Whether this EHR may have answers of ours as documents."""
        return not {"not-offered", "no-scope", "never"} & {self.reason("answers", rung) for rung in DOCUMENTS}

    def may_file(self, rater: Rater) -> bool:
        return self.rung("answers") != "print" and rater not in self.edited

    def after(self, refusals: Iterable[tuple[str, int]]) -> Plan:
        """Without what this EHR refused lately: (rung, HTTP status).

        A 403 or 422 may be of one patient or one content: it never closes the only place that answers have.
        """
        plan = self
        for rung, status in refusals:
            if rung == "transaction":
                plan = replace(plan, in_transaction=False)
                continue
            closed = plan.without(cast("RungName", rung))
            last = closed.rung("answers") == "print" != plan.rung("answers")
            if status == 405 or not (last or (status == 422 and closed.rung("goal") != plan.rung("goal"))):
                plan = closed
        return plan

    def without(self, rung: RungName) -> Plan:
        """After the EHR refused what the plan said it takes."""
        ladders = {
            artefact: {
                name: ("refused-before" if name == rung and not reason else reason) for name, reason in of.items()
            }
            for artefact, of in self.ladders.items()
        }
        return replace(self, ladders=ladders)


def plan_from(value: Mapping[str, Any]) -> Plan:
    """Of ``Plan.as_json``; of nothing, a plan that writes nothing."""
    return Plan(
        in_transaction=bool(value.get("in_transaction")),
        conditional=bool(value.get("conditional")),
        versioned=bool(value.get("versioned")),
        updates=tuple(value.get("updates", ())),
        ladders={name: dict(rungs) for name, rungs in value.get("ladders", {}).items()},
        edited=tuple(value.get("edited", ())),
        unknown=tuple(value.get("unknown", ())),
    )


def limits_of(site: SiteConfig, *, encounter: bool) -> Limits:
    """What the site and this launch leave open."""
    raters = RATERS if site.allow_unverified_clinician_scale else RATERS[:1]
    formats = cast("tuple[RungName, ...]", ("pdf", "text") if site.document_format == "pdf" else ("text", "pdf"))
    return Limits(
        never=site.never_write,
        shape=site.observation_shape,
        flat=covers(figure_codes(site), raters),
        encounter=encounter,
        documents=formats,
        pdf=can_make_pdf(),
    )


def work_out(client: FhirClient, scopes: tuple[str, ...], limits: Limits) -> Plan:
    """Asks the EHR what it can do and which forms it holds. Raises EhrError where it can't say what it can do."""
    found = write_plan(client.capabilities(), scopes)
    return Plan(
        in_transaction=found.transaction,
        conditional=found.conditional_create,
        versioned=found.versioned,
        updates=tuple(kind for kind in WRITTEN if found.may(kind, "update") and kind not in limits.never),
        ladders=reasons(found, limits),
        unknown=found.unknown,
        edited=tuple(form.rater for form in check_forms(client) if form.state == "edited"),
    )
