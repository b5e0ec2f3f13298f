"""What the app writes, tried on a test patient: by the app's own code, in its own shapes, and taken back after."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from imr_fhir.bundle import Part, if_none_exist, resolved
from imr_fhir.checking.failed import failed
from imr_fhir.checking.finding import Finding, verdict
from imr_fhir.checking.needs import needed, without
from imr_fhir.checking.reads import by_questionnaire
from imr_fhir.checking.samples import Samples
from imr_fhir.checking.statement import Statement
from imr_fhir.checking.trial import Trial, receipt_of, told
from imr_fhir.ehr.filing import SendOutcome
from imr_fhir.ehr.ladder import TYPES, RungName
from imr_fhir.ehr.scopes import NEEDED
from imr_fhir.errors import Conflict, ImrError
from imr_fhir.pdf import can_make_pdf
from imr_fhir.response import corrected
from imr_fhir.version import etag


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
        yield self._once(form, receipt.id)
        client, patient = self.trial.client, self.samples.patient
        yield from by_questionnaire(client, self.statement, patient, said.questionnaire, receipt.id)
        now = replace(said, id=receipt.id, version_id=receipt.version_id)
        change = corrected(
            now, ratings={**said.ratings, 1: 4}, comment=said.comment, author=said.author, authored=said.authored
        )
        update = self.samples.form(change)
        yield self._updated(update)
        yield self._guarded(update)

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

    def _once(self, form: Part, first: str) -> Finding:
        what = "QuestionnaireResponse: conditional create"
        advertised = self.statement.says("QuestionnaireResponse", "conditionalCreate")
        try:
            again = self.trial.client.create(form.resource, if_none_exist=if_none_exist(form.resource))
        except Conflict as error:
            return Finding("write", what, verdict(advertised=advertised, works=False), error.message, _LOOKS)
        except ImrError as error:
            self.trial.doubtful.append(form)
            return failed("write", what, error, advertised=advertised, needed=False)
        self.trial.note(again.reference)
        works = again.id == first
        evidence = f"{again.status}, {'the first one again' if works else 'a second copy'}"
        return Finding(
            "write", what, verdict(advertised=advertised, works=works), evidence, "" if works else _LOOKS, needed=False
        )

    def _updated(self, part: Part) -> Finding:
        works, evidence = self._told(part)
        found = verdict(advertised=self.statement.offers(part.type, "update"), works=works)
        step = "" if works else "What was filed can't be corrected by the app; it says so."
        return Finding("write", f"{part.type}: update", found, evidence, step)

    def _guarded(self, part: Part) -> Finding:
        """The same update again names a version that is no longer there."""
        what = f"{part.type}: update with If-Match"
        said = self.statement.says(part.type, "versioning")
        advertised = None if said is None else said == "versioned-update"
        if not etag(part.if_match):
            return Finding(
                "write",
                what,
                verdict(advertised=advertised, works=False),
                "it gives no versions",
                _COMPARES,
                needed=False,
            )
        try:
            self.trial.client.update(part.resource, if_match=part.if_match)
        except Conflict as error:
            return Finding(
                "write",
                what,
                verdict(advertised=advertised, works=True),
                f"{error.status} for an old version, as it should",
                needed=False,
            )
        except ImrError as error:
            return failed("write", what, error, advertised=advertised, needed=False)
        return Finding(
            "write",
            what,
            verdict(advertised=advertised, works=False),
            "an old version was taken, and the newer one written over",
            _COMPARES,
            needed=False,
        )


def not_tried(statement: Statement) -> Iterator[Finding]:
    """What is advertised; the app itself goes by that."""
    for need in NEEDED:
        wanted = [name for letter, name in (("c", "create"), ("u", "update")) if letter in need.operations]
        if not wanted:
            continue
        always = needed(need.resource)
        said = {name: statement.offers(need.resource, name) for name in wanted}
        if all(said.values()):
            what = f"{need.resource}: {', '.join(wanted)}"
            yield Finding("write", what, "unknown", "advertised, not tried", _WRITE, always)
            continue
        for name in wanted:
            what = f"{need.resource}: {name}"
            if said[name]:
                yield Finding("write", what, "unknown", "advertised, not tried", _WRITE, always)
            else:
                why = "not advertised; the app goes by that"
                yield Finding("write", what, "no", why, without(need.resource), always)


_VISIT = "Some EHRs take a document under a visit only: give --encounter."
_TOGETHER = "transaction of answers and score"
_WRITE = "Give --write and --patient with a test patient to try it."
_LOOKS = "The app looks before it sends again; after a lost answer a person decides."
_COMPARES = "The app compares what is there before it writes, which leaves a moment in between."
_ONE_BY_ONE = "Without it the app sends one by one."
