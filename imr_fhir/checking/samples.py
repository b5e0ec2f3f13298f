"""What the app would file of one patient, built as it builds it: to be tried and taken back. Pure but for its UUIDs."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from imr_fhir import goal, record
from imr_fhir.audit_event import audit_event
from imr_fhir.bundle import Part
from imr_fhir.document import document_reference
from imr_fhir.goal import Goal
from imr_fhir.provenance import provenance
from imr_fhir.response import Response, to_resource
from imr_fhir.scale import scale
from imr_fhir.score_parts import score_parts
from imr_fhir.score_shape import Shape, score_urn

WORDS = "A trial of imr-fhir check, to be deleted."
OWN_ID = "imr-check-"
DOCUMENT_TYPE = {"system": "http://loinc.org", "code": "74465-6"}
_FORM = scale("client")


@dataclass(frozen=True, slots=True)
class Samples:
    """``patient``: an id. ``encounter``: a reference, or "". Each call makes a thing of its own."""

    patient: str
    now: datetime
    encounter: str = ""
    filing: str = field(default_factory=lambda: str(uuid.uuid4()))
    urns: list[str] = field(default_factory=list)

    def _urn(self) -> str:
        self.urns.append(f"urn:uuid:{uuid.uuid4()}")
        return self.urns[-1]

    def answers(self) -> Response:
        who = f"Patient/{self.patient}"
        return Response(
            rater="client",
            status="completed",
            ratings={item.number: 3 for item in _FORM.items},
            comment=WORDS,
            identifier=self._urn(),
            id="",
            version_id="",
            patient=self.patient,
            source=who,
            author=who,
            encounter=self.encounter,
            measured=self.now,
            authored=self.now,
            language="en",
            questionnaire=_FORM.canonical,
        )

    def form(self, answers: Response) -> Part:
        urn = answers.identifier
        return Part(to_resource(answers, filing=self.filing), urn, answers.version_id)

    def score(self, answers: Response, shape: Shape, reference: str = "") -> tuple[Part, ...]:
        urn = score_urn(answers.identifier)
        return score_parts(answers, shape=shape, urn=urn, response_reference=reference, filing=self.filing)

    def goal(self) -> Goal:
        return Goal(patient=self.patient, text=WORDS, identifier=self._urn(), start=self.now.date())

    def goal_part(self, aim: Goal) -> Part:
        return Part(goal.to_resource(aim, filing=self.filing), aim.identifier, aim.version_id)

    def note(self, goal: str) -> Part:
        """A review of ``goal``, a reference; where there is none, what became of a due rating, which is about none."""
        about: dict[str, Any] = {
            "patient": self.patient,
            "said": self.now,
            "performer": f"Patient/{self.patient}",
            "identifier": self._urn(),
            "encounter": self.encounter,
        }
        review = record.Review(**about, focus=goal, result="partly", helped=WORDS)
        note = review if goal else record.DueOutcome(**about, outcome="not-today")
        return Part(record.to_resource(note, filing=self.filing), note.identifier)

    def document(self, answers: Response, *, pdf: bool) -> Part:
        urn = self._urn()
        built = document_reference(answers, urn=urn, pdf=pdf, type_coding=DOCUMENT_TYPE, zone=UTC, filing=self.filing)
        return Part(built, urn)

    def provenance(self, target: str) -> Part:
        who = f"Patient/{self.patient}"
        built = provenance("create", targets=[target], author=who, enterer="", recorded=self.now, filing=self.filing)
        return Part(built, self._urn())

    def event(self) -> Part:
        who = {"reference": f"Patient/{self.patient}"}
        built = audit_event("view", user=who, patient=self.patient, recorded=self.now, filing=self.filing)
        return Part(built, self._urn())

    def is_one(self, resource: Mapping[str, Any]) -> bool:
        """Whether it is one of these, of which at least one mark is kept."""
        marks = (self.filing, WORDS, *self.urns)
        return str(resource.get("id")).startswith(OWN_ID) or any(
            mark in json.dumps(resource, default=str) for mark in marks
        )

    def one_of_each(self) -> tuple[Part, ...]:
        """Of each type that the app writes, for what it searches each by."""
        answers = self.answers()
        (score,) = self.score(answers, "components")
        goal_part = self.goal_part(self.goal())
        return (
            self.form(answers), score, goal_part, self.document(answers, pdf=False),
            self.provenance(goal_part.full_url), self.event(),
        )  # fmt: skip
