"""What a person's act becomes: the parts of one filing, frozen. Nothing is sent here and no EHR is asked."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from imr_fhir import goal as goals
from imr_fhir import record
from imr_fhir.bundle import Part, in_order
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.goal_update import kept
from imr_fhir.observation import StoredScore, score_observation
from imr_fhir.provenance import Activity, provenance
from imr_fhir.response import Response, to_resource
from smart_app.config import SiteConfig
from smart_app.session import Session
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
    def options(self) -> dict[str, Any]:
        labels = [dict(zip(("system", "code"), label.split("|"), strict=True)) for label in self.site.security_labels]
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
    stored: StoredScore | None = None,
) -> tuple[Part, ...]:
    """Response, its score, and who recorded it. ``stored`` is the score Observation that a correction replaces.

    An EHR that takes no responses keeps each rating in the Observation.
    """
    response_part = Part(to_resource(response, **act.options), response.identifier or urn(), response.version_id)
    parts: list[Part] = []
    reference = ""
    if "QuestionnaireResponse" in act.session.plan.creates or "Observation" not in act.session.plan.creates:
        parts.append(response_part)
        reference = f"QuestionnaireResponse/{response.id}" if response.id else response_part.full_url
    if "Observation" in act.session.plan.creates:
        # the score's own identifier follows from the response's, so that a retry never makes a second one
        score_urn = stored.identifier if stored and stored.identifier else _score_urn(response_part.full_url)
        score = score_observation(
            response,
            response_reference=reference,
            urn=score_urn,
            observation_id=stored.id if stored else "",
            **act.options,
        )
        parts.append(Part(score, score_urn, stored.version_id if stored else ""))
    return (*parts, *told(act, parts, activity=activity, author=author, reason=reason))


def goal_part(act: Act, goal: goals.Goal, base: Mapping[str, Any] | None = None) -> Part:
    """A new goal or step, or a change of the one that was read as ``base``."""
    built = goals.to_resource(goal, **act.options)
    return Part(kept(built, base) if base else built, goal.identifier or urn(), goal.version_id if base else "")


def note_part(act: Act, note: record.Note) -> Part:
    return Part(record.to_resource(note, **act.options), note.identifier or urn(), note.version_id)


def told(act: Act, parts: Sequence[Part], *, activity: Activity, author: str, reason: str = "") -> tuple[Part, ...]:
    """The Provenance of ``parts``, where this EHR takes one."""
    if "Provenance" not in act.session.plan.creates:
        return ()
    targets = [f"{part.type}/{part.resource['id']}" if "id" in part.resource else part.full_url for part in parts]
    options = {name: value for name, value in act.options.items() if name != "profile"}
    written = provenance(
        activity,
        targets=targets,
        author=author,
        enterer=act.session.clinician,
        recorded=act.local_now,
        reason=reason,
        **options,
    )
    return (Part(written, urn()),)


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
    sealing = Sealing(
        id=act.filing,
        owner=owner,
        parts=tuple(_frozen(part) for part in in_order(parts)),
        in_transaction=act.session.plan.in_transaction,
        plan=act.session.plan.as_json(),
        details={"kind": kind, "at": act.local_now.isoformat(), "by": act.session.user_name, **details},
        draft=draft,
        form=form,
    )
    entry = Entry(
        action=_ACTIONS.get(kind, "save"),
        outcome="success",
        who=act.session.who,
        site=act.site.name,
        patient=act.session.patient_reference,
        patient_key=owner.patient_key,
        objects=tuple(part.full_url for part in parts),
    )
    return store.filings.seal(sealing, entry, act.now)


def _frozen(part: Part) -> NewPart:
    request = {"full_url": part.full_url, "if_match": part.if_match, "name": name_of(part.resource)}
    return NewPart(part.type, write_json(part.resource), request)


def name_of(resource: Mapping[str, Any]) -> str:
    """What a part is, for screens: response, score, goal, step, provenance, or the code of a small Observation."""
    kind: str = resource["resourceType"]
    if kind == "Goal":
        codes = [coding.get("code") for category in resource["category"] for coding in category.get("coding", ())]
        return "step" if "step" in codes else "goal"
    if kind == "Observation":
        code: str = resource["code"]["coding"][0]["code"]
        return "score" if code.startswith("score-") else code
    return {"QuestionnaireResponse": "response", "Provenance": "provenance"}[kind]


def _score_urn(response_urn: str) -> str:
    return f"urn:uuid:{uuid.uuid5(uuid.UUID(response_urn), 'score')}"
