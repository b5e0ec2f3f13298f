"""The next rung of the plan after a refusal: the same answers as new parts under the same identifier, by a press."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from imr_fhir.bundle import Part, in_order
from imr_fhir.ehr.ladder import LADDERS, Artefact, RungName
from imr_fhir.score_shape import SHAPES
from smart_app.config import SiteConfig
from smart_app.delivery import Courier, deliver
from smart_app.placing import Down, is_change, part_of, place_now, placed_now, source_of, told_of
from smart_app.plan import Plan, plan_from
from smart_app.rungs import is_note, leading, placed, rating_parts, score_on
from smart_app.sealing import Act, frozen
from smart_app.site_codes import coding
from smart_app.store.filing import Filing, NewPart
from smart_app.store.filing import Part as StoredPart
from smart_app.store.filing_states import State
from smart_app.store.refusals import FORBIDDEN


@dataclass(frozen=True)
class _Again:
    """What a rating is written with once more."""

    site: SiteConfig
    plan: Plan
    options: Mapping[str, Any]


def next_rung(filing: Filing, plan: Plan) -> Down | None:
    """What is left to try after a refusal; the lowest rung is to print it. ``plan`` is the one of this launch: answers
    that had no place when they were saved may have one now."""
    if filing.state is not State.REFUSED:
        return place_now(filing, plan)
    if filing.in_transaction:
        return Down("apart")
    refused = filing.current[0].request
    if refused["rung"] == "provenance":
        return Down("without", "audit", "app")
    if refused["update"] or is_change(filing):
        return Down("down")  # what stands in the record is changed where it stands, or not at all
    artefact = _artefact(filing, refused["rung"])
    return Down("down", artefact, plan_from(filing.plan).below(artefact, refused["rung"]))


def step_down(filing: Filing, courier: Courier, act: Act) -> Filing:
    """Takes the next rung, and on from there. ``act``: of who presses, now. Raises StaleFiling where there is none."""
    down, plan = next_rung(filing, act.plan), plan_from(filing.plan)
    bodies = courier.store.filings.bodies(filing)
    here = [NewPart(part.type, bodies[part.number], part.request, unsent=True) for part in filing.kept if part.unsent]
    rest = [NewPart(part.type, bodies[part.number], part.request) for part in filing.unaccepted]
    if down is None:
        rest = here
    elif down.do == "without":
        rest = [*here, *(each for each in rest if each.request["rung"] != "provenance")]
    elif down.do == "apart":
        rest = [*here, *rest]
    elif filing.state is not State.REFUSED:
        plan = act.plan
        rest = placed_now(filing, bodies, act)
    else:
        plan = plan.without(filing.current[0].request["rung"])
        lower = _lower(filing, bodies, down, plan, act.site)
        anew = any(part.unsent and part.type == "QuestionnaireResponse" for part in lower)
        rest = [*(each for each in here if not anew or each.type == "Provenance"), *lower]
    planned = courier.store.filings.replan(
        filing,
        rest,
        plan=plan.as_json(),
        in_transaction=False,
        by=courier.by,
        audit=courier.audit("decide", filing),
        now=courier.now,
    )
    done = deliver(planned, courier)
    if down is not None and down.do == "apart" and done.state is State.DONE:
        # each part may be written: what was refused was the transaction
        courier.store.refusals.note(courier.by.site, courier.by.user_key, "transaction", FORBIDDEN, courier.now)
    return done


def _artefact(filing: Filing, rung: RungName) -> Artefact:
    """Figures are the answers where nothing else holds them."""
    if rung in SHAPES and any(_is_filed_response(part) for part in filing.parts):
        return "score"
    return next(artefact for artefact, ladder in LADDERS.items() if rung in {each.name for each in ladder})


def _lower(filing: Filing, bodies: Mapping[int, bytes], down: Down, plan: Plan, site: SiteConfig) -> list[NewPart]:
    """All that is not accepted yet, on the rung below; what has none stays here to be printed."""
    rest = {part.number: part_of(bodies[part.number], part) for part in filing.unaccepted}
    writers = [part for part in rest.values() if part.type == "Provenance"]
    refused = {part.number for part in filing.unaccepted if part.request["rung"] == filing.current[0].request["rung"]}
    made = [part for number, part in rest.items() if part.type != "Provenance" and number not in refused]
    source = source_of(filing, bodies) if filing.details["kind"] == "response" else None
    if source and down.artefact in ("answers", "score"):
        labels = [coding(label) for label in site.security_labels]
        again = _Again(site, plan, {"filing": filing.id, "profile": site.profiles_loaded, "security": labels})
        if down.artefact == "score":  # the answers are in the record, and hold all that a score says
            made += score_on(again, source, down.rung, reference=_reference(filing))
        else:
            rating = rating_parts(again, source)
            holds = leading(placed(rating, plan), source)
            made = [*rating, *(_about(part, holds) for part in made if holds and is_note(part))]
    else:
        made = [*made, *(replace(rest[number], unsent=True) for number in sorted(refused))]
        if is_change(filing) and not _there(filing):
            # what was seen beside a rating is noted of the changed one: without the change it stays here, after it
            notes = [replace(part, unsent=True) for part in made if is_note(part)]
            made = [*(part for part in made if not is_note(part)), *notes]
    parts = placed(made, plan)
    # whose author is another (`drafting`), or which has no reason
    of = [part for part in parts if not ((source or is_change(filing)) and is_note(part))]
    return [frozen(part, plan) for part in in_order([*parts, *told_of(writers, of, plan, _there(filing))])]


def _about(note: Part, holds: Part) -> Part:
    return replace(note, resource={**note.resource, "derivedFrom": [{"reference": holds.full_url}]})


def _there(filing: Filing) -> list[str]:
    return [f"{part.receipt.type}/{part.receipt.id}" for part in filing.parts if part.receipt and part.receipt.id]


def _reference(filing: Filing) -> str:
    """What the EHR called the answers."""
    return next(f"{part.type}/{part.receipt.id}" for part in filing.parts if _is_filed_response(part) and part.receipt)


def _is_filed_response(part: StoredPart) -> bool:
    return part.type == "QuestionnaireResponse" and part.receipt is not None
