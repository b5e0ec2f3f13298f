"""Who stands behind a write, as of the launch: carried into a hand-over as JSON, so that sealing asks no EHR."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from imr_fhir.ehr.address import local_reference
from smart_app.plan import Plan, plan_from
from smart_app.store.launch import Launch
from smart_app.store.who import Who


@dataclass(frozen=True)
class Session:
    """``encounter`` and ``clinician`` are relative references, "" where the launch had none."""

    patient: str  # id
    patient_name: str = field(repr=False)
    birth_date: str = field(repr=False)
    encounter: str
    clinician: str
    user_name: str = field(repr=False)
    who: Who = field(repr=False)
    plan: Plan

    @property
    def patient_reference(self) -> str:
        return f"Patient/{self.patient}"

    @property
    def person(self) -> str:
        """Reference of who acts: the clinician, or the patient in the own launch."""
        return self.clinician or self.patient_reference

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"plan": self.plan.as_json()}


def session_from(value: Mapping[str, Any]) -> Session:
    """Of ``Session.as_json``."""
    return Session(**{**value, "who": Who(**value["who"]), "plan": plan_from(value["plan"])})


def session_of(launch: Launch, plan: Plan) -> Session:
    """The session of an open launch. A ``fhirUser`` on another server is nobody that this EHR knows."""
    context = launch.context
    user = local_reference(context.fhir_user, context.fhir_base)
    return Session(
        patient=context.patient,
        patient_name=context.patient_name,
        birth_date=context.birth_date,
        encounter=f"Encounter/{context.encounter}" if context.encounter else "",
        clinician=f"{user.type}/{user.id}" if user and context.role == "clinician" else "",
        user_name=context.user_name,
        who=launch.who,
        plan=plan,
    )
