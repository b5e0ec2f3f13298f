"""What this EHR lets this user write: worked out at launch and kept with it, for pages to say before anyone types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imr_fhir.ehr.capability import write_plan
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.forms import check_forms
from imr_fhir.ehr.scopes import WRITTEN
from imr_fhir.scale import Rater


@dataclass(frozen=True)
class Plan:
    """``creates``, ``updates``: resource types. ``edited``: raters whose Questionnaire there is not the packaged."""

    in_transaction: bool
    conditional: bool  # the EHR has conditional creates
    creates: tuple[str, ...]
    updates: tuple[str, ...]
    edited: tuple[Rater, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "in_transaction": self.in_transaction,
            "conditional": self.conditional,
            "creates": list(self.creates),
            "updates": list(self.updates),
            "edited": list(self.edited),
        }

    def may_file(self, rater: Rater) -> bool:
        return "QuestionnaireResponse" in self.creates and rater not in self.edited


def plan_from(value: Mapping[str, Any]) -> Plan:
    """Of ``Plan.as_json``; of nothing, a plan that writes nothing."""
    return Plan(
        in_transaction=bool(value.get("in_transaction")),
        conditional=bool(value.get("conditional")),
        creates=tuple(value.get("creates", ())),
        updates=tuple(value.get("updates", ())),
        edited=tuple(value.get("edited", ())),
    )


def work_out(client: FhirClient, scopes: tuple[str, ...]) -> Plan:
    """Asks the EHR what it can do and which forms it holds. Raises EhrError where it can't say what it can do."""
    found = write_plan(client.capabilities(), scopes)
    return Plan(
        in_transaction=found.transaction,
        conditional=found.conditional_create,
        creates=tuple(kind for kind in WRITTEN if found.may(kind, "create")),
        updates=tuple(kind for kind in WRITTEN if found.may(kind, "update")),
        edited=tuple(form.rater for form in check_forms(client) if form.state == "edited"),
    )
