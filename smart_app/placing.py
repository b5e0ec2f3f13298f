"""What this EHR took nowhere when it was saved, into the record once there is a place for it: by a press, as sealed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from imr_fhir import record, response
from imr_fhir.bundle import Part, in_order
from imr_fhir.ehr.ladder import Artefact, RungName
from imr_fhir.provenance import Activity
from imr_fhir.resource import meta
from imr_fhir.response import Response
from smart_app.delivery import references_of, stays, to_print
from smart_app.plan import Plan
from smart_app.rungs import is_note, placed
from smart_app.sealing import Act, answers, frozen, target, told
from smart_app.store.filing import Filing, NewPart
from smart_app.store.filing import Part as StoredPart
from smart_app.store.filing_states import State

# What others wrote in these is put into what was to be sent, and into nothing else (`correction`).
_MERGED_LATE = ("QuestionnaireResponse", "Observation")


@dataclass(frozen=True)
class Down:
    """``do`` is "apart" (the parts of a transaction one by one), "without" (who wrote it; the app's own log has it),
    "down", to ``rung`` of ``artefact``, or "change" (what stands in the record, which it did not let the app)."""

    do: str
    artefact: Artefact = "answers"
    rung: RungName = "print"


def place_now(filing: Filing, plan: Plan) -> Down | None:
    """Where all that stays of it could go now; a part of that alone never goes, or a step would stand without its goal.

    ``plan`` is the one of this launch: what had no place when it was saved may have one now.
    """
    left = stays(filing)
    if filing.state not in (State.SEALED, State.PART_OK) or not to_print(filing):
        return None
    if _holds_answers(filing):
        return None if plan.rung("answers") == "print" else Down("down", "answers", plan.rung("answers"))
    # what was seen beside a rating holds up no change of it: without a place it stays here
    needed = [part for part in left if not (is_change(filing) and _is_note(part))]
    if not all(_has_place(part, filing, plan) for part in needed or left):
        return None
    if needed and (is_change(filing) or all(part.request["update"] for part in left)):
        return Down("change")
    only_notes = filing.details["kind"] == "review" or all(_is_note(part) for part in left)
    return Down("down", "review", "note") if only_notes else Down("down", "goal", "goal")


def placed_now(filing: Filing, bodies: Mapping[int, bytes], act: Act) -> list[NewPart]:
    """As it was sealed, answers under the contact in which they are saved now; what is in the record already is not
    sent again."""
    act = replace(act, filing=filing.id)
    if _holds_answers(filing) and (source := source_of(filing, bodies)):
        source = replace(source, encounter=source.encounter or act.session.encounter)
        there = references_of(filing)
        made = answers(act, source, activity="create", author=source.source)
        return [frozen(part, act.plan) for part in in_order([part for part in made if part.full_url not in there])]
    parts = placed([part_of(bodies[part.number], part) for part in stays(filing)], act.plan)
    unsent = [part for part in filing.kept if part.unsent and part not in stays(filing)]
    writers = [part_of(bodies[part.number], part) for part in unsent if part.type == "Provenance"]
    sources = [NewPart(part.type, bodies[part.number], part.request, unsent=True)
               for part in unsent if part.type != "Provenance"]  # fmt: skip
    of = [
        part for part in parts if not (is_change(filing) and is_note(part))
    ]  # a note of what was seen gives no reason
    said = _told(act, filing, of, writers) if of else ()
    return [*sources, *(frozen(part, act.plan) for part in in_order([*parts, *said]))]


def is_change(filing: Filing) -> bool:
    """Of a rating that stands in the record."""
    return filing.details["kind"] in ("correction", "withdrawal")


def _told(act: Act, filing: Filing, parts: Sequence[Part], writers: Sequence[Part]) -> Sequence[Part]:
    """Who wrote it: as it was sealed where that was kept, else told now."""
    if writers:
        return told_of(writers, parts, act.plan)
    new = filing.details["kind"] in ("review", "note") or not any("id" in part.resource for part in parts)
    activity: Activity = "create" if new else "update"
    author = _author(parts) or act.session.clinician
    if not any(part.type == "Provenance" and part.receipt for part in filing.parts):
        return told(act, parts, activity=activity, author=author)
    # It is the second of this filing, and would be taken for the first: its first tag, by which it is searched for
    # (`imr_fhir.bundle`), is its own.
    own = replace(act, filing=str(uuid.uuid5(uuid.UUID(filing.id), f"placed {len(filing.parts)}")))
    return [_tagged(part, filing) for part in told(own, parts, activity=activity, author=author)]


def _tagged(part: Part, filing: Filing) -> Part:
    said = part.resource["meta"]
    tags = {"tag": [*said["tag"], *meta(filing.id)["tag"]]}
    return replace(part, resource={**part.resource, "meta": said | tags})


def told_of(writers: Sequence[Part], parts: Sequence[Part], plan: Plan, there: Sequence[str] = ()) -> list[Part]:
    """``writers`` (Provenance), by whom and when as sealed, of those of ``parts`` that are sent and of what the record
    has (``there``). Where that is nothing, or the record takes none, one with a reason stays here to be read."""
    targets = [*there, *(target(part) for part in parts if not part.unsent)]
    if targets and plan.rung("audit") == "provenance":
        references = [{"reference": each} for each in targets]
        return [replace(part, resource={**part.resource, "target": references}, unsent=False) for part in writers]
    return [replace(part, unsent=True) for part in writers if part.resource.get("reason")]


def part_of(body: bytes, part: StoredPart) -> Part:
    """As it was sealed."""
    resource = json.loads(body, parse_float=Decimal)
    return Part(resource, str(part.request["full_url"]), str(part.request["if_match"]))


def source_of(filing: Filing, bodies: Mapping[int, bytes]) -> Response | None:
    """The answers as they were sealed: the response itself, or what the figures were made of."""
    for part in filing.kept:
        if part.type == "QuestionnaireResponse":
            resource = json.loads(bodies[part.number], parse_float=Decimal)
            return response.from_resource(resource, patient=resource["subject"]["reference"].partition("/")[2])
    return None


def _holds_answers(filing: Filing) -> bool:
    """What stays are the answers of a new rating."""
    new = filing.details["kind"] == "response"
    return new and any(part.type == "QuestionnaireResponse" for part in stays(filing))


def _has_place(part: StoredPart, filing: Filing, plan: Plan) -> bool:
    if part.request["update"]:
        return part.type in plan.updates and (part.type not in _MERGED_LATE or _was_to_be_sent(part, filing))
    if part.type == "DocumentReference":
        return plan.document_rung() != "print"
    artefact: Mapping[str, Artefact] = {"goal": "goal", "step": "goal", "score": "score", "figure": "score"}
    name = artefact.get(part.request["name"], "review" if _is_note(part) else None)
    return name is not None and plan.rung(name) != "print"


def _was_to_be_sent(part: StoredPart, filing: Filing) -> bool:
    return any(each.request["full_url"] == part.request["full_url"] and not each.unsent for each in filing.parts)


def _is_note(part: StoredPart) -> bool:
    return part.type == "Observation" and part.request["name"] in record.CODES


def _author(parts: Sequence[Part]) -> str:
    """Who expressed the goal, or said how it went."""
    said = [part.resource.get("expressedBy") or next(iter(part.resource.get("performer", ())), None) for part in parts]
    return next((str(each["reference"]) for each in said if each), "")
