"""What the app writes, tried on a test patient: by the app's own code, in its own shapes, and taken back after."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from imr_fhir.bundle import Part, resolved
from imr_fhir.checking.finding import Finding, verdict
from imr_fhir.checking.guards import guarded, once
from imr_fhir.checking.needs import without
from imr_fhir.checking.reads import by_questionnaire
from imr_fhir.checking.samples import Samples
from imr_fhir.checking.statement import Statement
from imr_fhir.checking.trial import Trial, receipt_of, told
from imr_fhir.ehr.filing import SendOutcome
from imr_fhir.ehr.ladder import TYPES, RungName
from imr_fhir.pdf import can_make_pdf
from imr_fhir.response import corrected


@dataclass
class Writes:
    """``refused``: rungs that were tried and are closed. ``open``: rungs that were tried and work."""

    samples: Samples
    statement: Statement
    trial: Trial
    refused: dict[RungName, str] = field(default_factory=dict)
    open: set[RungName] = field(default_factory=set)

    def findings(self) -> Iterator[Finding]:
        yield from self._answers()
        yield from self._scores()
        yield from self._goals()
        yield from self._documents()
        yield from self._about()
        yield from self._together()

    def _answers(self) -> Iterator[Finding]:
        said = self.samples.answers()
        form = self.samples.form(said)
        outcome = self.trial.send(form)
        yield self._rung("form", "", "QuestionnaireResponse", outcome)
        receipt = receipt_of(outcome)
        if receipt is None:
            return
        yield once(self.trial, self.statement, form, receipt.id)
        client, patient = self.trial.client, self.samples.patient
        yield from by_questionnaire(client, self.statement, patient, said.questionnaire, receipt.id)
        now = replace(said, id=receipt.id, version_id=receipt.version_id)
        change = corrected(
            now, ratings={**said.ratings, 1: 4}, comment=said.comment, author=said.author, authored=said.authored
        )
        update = self.samples.form(change)
        yield self._updated(update)
        yield guarded(self.trial, self.statement, update)

    def _scores(self) -> Iterator[Finding]:
        for shape in ("components", "members"):
            parts = self.samples.score(self.samples.answers(), shape)
            outcome = self._one_by_one(parts)
            yield self._rung(shape, f"score with {shape}", "Observation", outcome, needed=shape == "components")
            if shape in self.open:
                return

    def _one_by_one(self, parts: tuple[Part, ...]) -> SendOutcome:
        references: dict[str, str] = {}
        outcome = None
        for part in parts:
            known = replace(part, resource=resolved(part.resource, references))
            outcome = self.trial.send(known)
            receipt = receipt_of(outcome)
            if receipt is None:
                break
            references[part.full_url] = receipt.reference
        assert outcome is not None
        return outcome

    def _goals(self) -> Iterator[Finding]:
        aim = self.samples.goal()
        outcome = self.trial.send(self.samples.goal_part(aim))
        yield self._rung("goal", "", "Goal", outcome)
        receipt = receipt_of(outcome)
        if receipt is not None:
            now = replace(
                aim, id=receipt.id, version_id=receipt.version_id, achievement="in-progress", status_date=aim.start
            )
            yield self._updated(self.samples.goal_part(now))
        note = self.samples.note(receipt.reference if receipt else "")
        yield self._rung("note", "review" if receipt else "note", "Observation", self.trial.send(note))

    def _documents(self) -> Iterator[Finding]:
        """Wanted where the EHR takes no answers otherwise."""
        wanted = not self.open & {"form", "components", "members"}
        documents: tuple[tuple[RungName, str], ...] = (("text", "plain text"), ("pdf", "PDF"))
        for rung, what in documents:
            if rung == "pdf" and not can_make_pdf():
                continue
            wanted = wanted and "text" not in self.open
            if not (wanted or self._deletable("DocumentReference")):
                yield self._untried("DocumentReference", what)
                continue
            outcome = self.trial.send(self.samples.document(self.samples.answers(), pdf=rung == "pdf"))
            found = self._rung(rung, what, "DocumentReference", outcome, needed=wanted and rung == "text")
            if rung in self.refused and not self.samples.encounter:
                del self.refused[rung]
                found = replace(found, verdict="unknown", next_step=_VISIT)
            yield found

    def _about(self) -> Iterator[Finding]:
        """About what was written before; of use to nobody if it stays."""
        target = next(iter(self.trial.made), "")
        about: tuple[tuple[RungName, Part | None], ...] = (
            ("provenance", self.samples.provenance(target) if target else None),
            ("event", self.samples.event()),
        )
        for rung, part in about:
            resource_type = TYPES[rung]
            if part is None or not self._deletable(resource_type):
                yield self._untried(resource_type, "")
            else:
                yield self._rung(rung, "", resource_type, self.trial.send(part), needed=False)

    def _untried(self, resource_type: str, what: str) -> Finding:
        name = f"{resource_type}: create{what and f', {what}'}"
        if not self.statement.offers(resource_type, "create"):
            return Finding("write", name, "no", "not advertised, not tried", without(resource_type), needed=False)
        why = "advertised; not tried, since it could not be deleted again"
        return Finding("write", name, "unknown", why, needed=False)

    def _deletable(self, resource_type: str) -> bool:
        return self.statement.offers(resource_type, "delete") is True

    def _together(self) -> Iterator[Finding]:
        said = self.samples.answers()
        form = self.samples.form(said)
        (score,) = self.samples.score(said, "components", said.identifier)
        if not {"form", "components"} <= self.open:
            yield Finding(
                "write", _TOGETHER, "unknown", "not tried, since its parts are not taken one by one", needed=False
            )
            return
        works, evidence = self._told(form, score, in_transaction=True)
        found = verdict(advertised=self.statement.transactions, works=works)
        yield Finding("write", _TOGETHER, found, evidence, _ONE_BY_ONE, needed=False)

    def _told(self, *parts: Part, in_transaction: bool = False) -> tuple[bool | None, str]:
        outcome = self.trial.send(*parts, in_transaction=in_transaction)
        return told(outcome, self.trial.client.refusal)

    def _rung(
        self, rung: RungName, what: str, resource_type: str, outcome: SendOutcome, *, needed: bool = True
    ) -> Finding:
        works, evidence = told(outcome, self.trial.client.refusal)
        if works:
            self.open.add(rung)
        elif works is False:
            self.refused[rung] = evidence
        found = verdict(advertised=self.statement.offers(resource_type, "create"), works=works)
        return Finding("write", f"{resource_type}: create{what and f', {what}'}", found, evidence, needed=needed)

    def _updated(self, part: Part) -> Finding:
        works, evidence = self._told(part)
        found = verdict(advertised=self.statement.offers(part.type, "update"), works=works)
        step = "" if works else "What was filed can't be corrected by the app; it says so."
        return Finding("write", f"{part.type}: update", found, evidence, step)


_VISIT = "Some EHRs take a document under a visit only: give --encounter."
_TOGETHER = "transaction of answers and score"
_ONE_BY_ONE = "Without it the app sends one by one."
