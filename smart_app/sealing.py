"""What a person's act becomes: the parts of one filing, frozen. Nothing is sent here and no EHR is asked."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from imr_fhir import goal as goals
from imr_fhir import record
from imr_fhir.artefacts import CODES
from imr_fhir.bundle import Part, in_order
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.goal_update import kept
from imr_fhir.provenance import Activity, provenance
from imr_fhir.response import Response
from imr_fhir.score_shape import StoredRating
from smart_app.config import SiteConfig
from smart_app.plan import Plan
from smart_app.rungs import placed, rating_parts, rung_of
from smart_app.session import Session
from smart_app.site_codes import coding
from smart_app.store import Store
from smart_app.store.audit import Entry
from smart_app.store.drafts import Draft
from smart_app.store.filing import Filing, NewPart, Sealing
from smart_app.store.owner import Owner

Kind = Literal["response", "correction", "withdrawal", "goal", "review", "note"]

# What an act is called in the audit log, where it is not "save".
_ACTIONS: Mapping[Kind, str] = {"correction": "correct", "withdrawal": "withdraw"}


@dataclass(frozen=True)
class Act:
    """One act of a person, on its way into the record. ``filing`` is the UUID that tags every part."""

    filing: str
    site: SiteConfig
    session: Session
    now: datetime

    @property
    def plan(self) -> Plan:
        return self.session.plan

    @property
    def options(self) -> dict[str, Any]:
        labels = [coding(label) for label in self.site.security_labels]
        return {"filing": self.filing, "profile": self.site.profiles_loaded, "security": labels}

    @property
    def local_now(self) -> datetime:
        """The act's time in the hospital's zone, to the second: what FHIR servers keep alike."""
        return self.now.astimezone(self.site.zone).replace(microsecond=0)


def new_act(site: SiteConfig, session: Session, now: datetime) -> Act:
    return Act(str(uuid.uuid4()), site, session, now)


def urn() -> str:
    return f"urn:uuid:{uuid.uuid4()}"


def answers(
    act: Act,
    response: Response,
    *,
    activity: Activity,
    author: str,
    reason: str = "",
    stored: StoredRating | None = None,
) -> tuple[Part, ...]:
    """Response, its score, and who recorded it, or the best rung that this EHR has instead. ``stored`` is the score
    that a correction or withdrawal changes with it."""
    parts = placed(rating_parts(act, response, stored=stored), act.session.plan)
    return (*parts, *told(act, parts, activity=activity, author=author, reason=reason))


def goal_part(act: Act, goal: goals.Goal, base: Mapping[str, Any] | None = None) -> Part:
    """A new goal or step, or a change of the one that was read as ``base``."""
    built = goals.to_resource(goal, **act.options)
    return Part(kept(built, base) if base else built, goal.identifier or urn(), goal.version_id if base else "")


def note_part(act: Act, note: record.Note) -> Part:
    return Part(record.to_resource(note, **act.options), note.identifier or urn(), note.version_id)


def told(act: Act, parts: Sequence[Part], *, activity: Activity, author: str, reason: str = "") -> tuple[Part, ...]:
    """The Provenance of those of ``parts`` that are sent, where this EHR takes one. Else one with a reason stays here
    with them: it is read and printed with what was written."""
    targets = [target(part) for part in parts if not part.unsent]
    sent = bool(targets) and act.session.plan.rung("audit") == "provenance"
    if not (sent or reason):
        return ()
    options = {name: value for name, value in act.options.items() if name != "profile"}
    written = provenance(
        activity,
        targets=targets or [target(part) for part in parts],
        author=author,
        enterer=act.session.clinician,
        recorded=act.local_now,
        reason=reason,
        **options,
    )
    return (Part(written, urn(), unsent=not sent),)


def target(part: Part) -> str:
    return f"{part.type}/{part.resource['id']}" if "id" in part.resource else part.full_url


def seal(
    store: Store,
    act: Act,
    owner: Owner,
    parts: Sequence[Part],
    *,
    kind: Kind,
    details: Mapping[str, Any],
    draft: Draft | None = None,
    form: str = "",
) -> Filing:
    """Freezes the parts with the audit row; once this returns, "we have it". The same draft or form seals once."""
    parts = _apart(parts)
    sealing = Sealing(
        id=act.filing,
        owner=owner,
        parts=tuple(frozen(part, act.session.plan) for part in in_order(placed(parts, act.session.plan))),
        in_transaction=act.session.plan.in_transaction,
        plan=act.session.plan.as_json(),
        details={"kind": kind, "at": act.local_now.isoformat(), "by": act.session.user_name, **details},
        draft=draft,
        form=form,
    )
    reasons = [each["text"] for part in parts for each in part.resource.get("reason", ()) if part.type == "Provenance"]
    entry = Entry(
        action=_ACTIONS.get(kind, "save"),
        outcome="success",
        who=act.session.who,
        site=act.site.name,
        patient=act.session.patient_reference,
        patient_key=owner.patient_key,
        purpose="; ".join(reasons),
        objects=tuple(part.full_url for part in parts),
    )
    return store.filings.seal(sealing, entry, act.now)


def _apart(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Somebody's copy has the identifier of the first, and is a part of its own when both are changed; what is in the
    record is referred to by its address."""
    seen: set[str] = set()
    found = []
    for part in parts:
        one = replace(part, full_url=urn()) if part.full_url in seen and "id" in part.resource else part
        seen.add(one.full_url)
        found.append(one)
    return tuple(found)


def frozen(part: Part, plan: Plan) -> NewPart:
    rung = rung_of(part, plan)
    request = {
        "full_url": part.full_url,
        "if_match": part.if_match,
        "name": name_of(part.resource),
        "rung": rung,
        "update": "id" in part.resource,
    }
    return NewPart(part.type, write_json(part.resource), request, unsent=part.unsent)


def name_of(resource: Mapping[str, Any]) -> str:
    """What a part is, for screens: response, score, figure, document, superseded (a document that another replaces),
    goal, step, provenance, or a note's code."""
    kind: str = resource["resourceType"]
    if kind == "DocumentReference" and resource["status"] == "superseded":
        return "superseded"
    if kind == "Goal":
        codes = [coding.get("code") for category in resource["category"] for coding in category.get("coding", ())]
        return "step" if "step" in codes else "goal"
    if kind == "Observation":
        ours = [each["code"] for each in resource["code"]["coding"] if each.get("system") == CODES]
        code = ours[0] if ours else ""  # others may have put theirs before it
        return code if code in record.CODES else "score" if code.startswith("score-") else "figure"
    return {"QuestionnaireResponse": "response", "Provenance": "provenance", "DocumentReference": "document"}[kind]
