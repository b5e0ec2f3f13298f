"""The rung of the plan that each part of a filing stands on, and what a rating becomes on it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from imr_fhir import record
from imr_fhir.artefacts import BASE, CODES
from imr_fhir.bundle import Part
from imr_fhir.document import document_reference
from imr_fhir.ehr.ladder import DOCUMENTS, TYPES, RungName
from imr_fhir.response import Response, to_resource
from imr_fhir.score_parts import score_parts
from imr_fhir.score_shape import SHAPES, Shape, StoredRating, score_urn, stored_urns
from smart_app.config import SiteConfig
from smart_app.plan import Plan
from smart_app.site_codes import coding, figure_codes

# No rung: the answers themselves, of which any rung can be made, and why it was written where no record is told of it.
SOURCE = "source"


class Writing(Protocol):
    """What a rating is written with: an act of a person, or one that was refused and goes a rung lower."""

    @property
    def site(self) -> SiteConfig: ...
    @property
    def plan(self) -> Plan: ...
    @property
    def options(self) -> Mapping[str, Any]: ...


def rating_parts(of: Writing, response: Response, *, stored: StoredRating | None = None) -> tuple[Part, ...]:
    """``response`` on the best rung that is open, else kept here; a correction on the one where it stands."""
    rung: RungName = response.kept if response.id else of.plan.rung("answers")
    if response.id and rung in DOCUMENTS:
        rung = of.plan.document_rung()  # a document is never rewritten: the correction is another that replaces it
    urn = response.identifier or f"urn:uuid:{uuid.uuid4()}"
    if rung == "form":
        parts = [Part(to_resource(response, **of.options), urn, response.version_id)]
        reference = response.reference or urn
        new = "print" if response.status == "entered-in-error" else of.plan.rung("score")
        shape = stored.shape if stored else new
        return (*parts, *score_on(of, response, shape, urn=score_urn(urn), reference=reference, stored=stored))
    # of a correction of figures that tell no language, the figures tell none either
    kept = replace(response, id="", version_id="", language=response.language or "en")
    source = Part(to_resource(kept, **of.options), f"urn:uuid:{uuid.uuid4()}", unsent=True)
    # of a rating that stands on its score alone, the identifier is the score's own
    own = urn if response.id else score_urn(urn)
    if rung in DOCUMENTS:
        return (source, _document(of, response, rung, urn))
    return (source, *score_on(of, response, rung, urn=own, stored=stored))


def score_on(
    of: Writing,
    response: Response,
    rung: RungName,
    *,
    urn: str = "",
    reference: str = "",
    stored: StoredRating | None = None,
) -> tuple[Part, ...]:
    """The score in the shape that ``rung`` is, none where it is no shape. ``reference``: of the response, filed too."""
    shape = next((shape for shape in SHAPES if shape == rung), None)
    if shape is None:
        return ()
    return score_parts(
        response,
        shape=shape,
        urn=urn or score_urn(response.identifier),
        response_reference=reference,
        stored=stored,
        codes=figure_codes(of.site),
        **of.options,
    )


def leading(parts: Sequence[Part], response: Response) -> Part | None:
    """Of the ``placed`` parts of a new rating the one that it is known by in the record: the form, else the score. None
    where neither is sent."""
    sent = {part.full_url: part for part in parts if not part.unsent}
    names = (response.identifier, *stored_urns(response.identifier))
    return next((sent[name] for name in names if name in sent), None)


def _document(of: Writing, response: Response, rung: RungName, urn: str) -> Part:
    own = f"urn:uuid:{uuid.uuid5(uuid.UUID(urn), 'document')}"
    options = {name: value for name, value in of.options.items() if name != "profile"}
    site = of.site
    built = document_reference(
        response, urn=own, pdf=rung == "pdf", type_coding=coding(site.document_type), zone=site.zone, **options
    )
    return Part(built, own)


def placed(parts: Sequence[Part], plan: Plan) -> tuple[Part, ...]:
    """``parts`` with those marked that this EHR takes nowhere, and those that refer to one of them."""
    unsent = {part.full_url for part in parts if part.unsent or not _taken(part, plan)}
    # a score goes nowhere without the response that it says it comes from
    ids = {f"{part.type}/{part.resource.get('id')}" for part in parts if part.full_url in unsent}
    unsent |= {part.full_url for part in parts if _named(part.resource.get("derivedFrom")) & ids}
    while more := {part.full_url for part in parts if _named(part.resource) & unsent} - unsent:
        unsent |= more
    return tuple(replace(part, unsent=part.full_url in unsent) for part in parts)


def _taken(part: Part, plan: Plan) -> bool:
    if "id" in part.resource:
        return part.type in plan.updates
    return {"goal": plan.rung("goal") == "goal", "note": plan.rung("review") == "note"}.get(_kind(part.resource), True)


def is_note(part: Part) -> bool:
    return _kind(part.resource) == "note"


def _kind(resource: Mapping[str, Any]) -> str:
    if resource["resourceType"] == "Goal":
        return "goal"
    if resource["resourceType"] != "Observation":
        return ""
    codes = {each.get("code") for each in resource["code"]["coding"] if each.get("system") == CODES}
    return "note" if codes & set(record.CODES) else "score"


def rung_of(part: Part, plan: Plan) -> str:
    """ "print" for what stays here; else the name of its rung."""
    kind = _kind(part.resource)
    if part.unsent:
        new = part.type == "QuestionnaireResponse" and "id" not in part.resource
        return SOURCE if (new and plan.rung("answers") != "print") or part.type == "Provenance" else "print"
    if kind == "score":
        return _shape(part.resource)
    if part.type == "DocumentReference":
        first = part.resource["content"][0]["attachment"]["contentType"]
        return "pdf" if first == "application/pdf" else "text"
    return kind or {resource_type: name for name, resource_type in TYPES.items()}[part.type]


def _shape(resource: Mapping[str, Any]) -> Shape:
    ours = any(str(each.get("system", "")).startswith(BASE) for each in resource["code"]["coding"])
    return "components" if "component" in resource else "members" if ours else "flat"


def _named(value: Any) -> set[str]:
    """What a resource refers to."""
    if isinstance(value, Mapping):
        own = {value["reference"]} if isinstance(value.get("reference"), str) else set()
        return own.union(*(_named(inner) for inner in value.values()))
    return set().union(*(_named(inner) for inner in value)) if isinstance(value, list) else set()
