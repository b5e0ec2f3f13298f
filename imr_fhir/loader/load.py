"""Puts the artefacts into a FHIR server: a plan first, then what it says, then a look at what the server has of it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from imr_fhir.artefacts import content_hash
from imr_fhir.checking.statement import read_statement
from imr_fhir.ehr.client import FhirClient
from imr_fhir.errors import EhrError, ImrError, LoadError
from imr_fhir.loader import apply
from imr_fhir.loader.applies import Entry, last, ownership
from imr_fhir.loader.difference import Change, changes
from imr_fhir.loader.plan import Ours, Plan, Step, make_plan
from imr_fhir.loader.record import Record
from imr_fhir.loader.there import Resource, There, look, reference
from imr_fhir.version import stored_version

State = Literal["in", "otherwise", "not in", "unknown"]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one step. ``otherwise``: the server keeps it in another way, shown by ``changes``; ``kept`` is the
    content hash of that.

    ``place``: where it stands, e.g. "Questionnaire/imr-client-0.1.0".
    """

    step: Step
    state: State
    place: str
    changes: tuple[Change, ...] = ()
    kept: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """``done``: each step that was to be written, as the server has it now; () where nothing was to be.

    ``error``: why it broke off; None where it is whole.
    """

    plan: Plan
    done: tuple[Done, ...] = ()
    error: ImrError | None = None

    def of(self, *states: State) -> tuple[Done, ...]:
        return tuple(each for each in self.done if each.state in states)


def load(client: FhirClient, resources: Iterable[Resource], *, record: Record | None = None) -> Loaded:
    """Plans and applies in one go, for programs. What is in conflict is left as it is. Running it again writes nothing.

    Raises EhrError and LoadError where nothing could be done; see ``Loaded.error`` for what broke off in the middle.
    """
    record = record or Record()
    return carry_out(client, look_and_plan(client, resources, record), record)


def look_and_plan(
    client: FhirClient, resources: Iterable[Resource], record: Record, retire: Collection[str] = ()
) -> Plan:
    """Reads only. Raises EhrError, which says so where it is no server for them, and LoadError."""
    artefacts = tuple(resources)
    try:
        there = look(client, artefacts)
    except EhrError:
        read_statement(client)  # it may be no FHIR server at all, which says more
        raise
    plan = make_plan(artefacts, there, Ours(ownership(record.rows)), retire)
    if not plan.writes:
        return plan
    return replace(plan, transaction=read_statement(client).transactions)


def carry_out(
    client: FhirClient, plan: Plan, record: Record, *, single: bool = False, each: apply.Each = iter
) -> Loaded:
    """Writes what the plan says, and reads it back. ``single``: one by one also where there are transactions.

    ``each`` may show how far it is. Raises LoadError where the record can't be written: nothing was sent then.
    """
    steps = plan.writes
    if not steps:
        return Loaded(plan)
    record.begin("apply")
    error: ImrError | None = None
    try:
        if plan.transaction and not single:
            apply.in_one(client, steps, record)
        else:
            apply.one_by_one(client, steps, record, each)
    except ImrError as fault:
        error = fault
    except KeyboardInterrupt:
        error = LoadError("It was stopped.")
    done = _read_back(client, steps, record)
    if all(one.state in ("in", "otherwise") for one in done):
        error = _whole(done, record)  # none, also where an answer was lost on its way
    elif error is None:
        error = LoadError(
            "The server said that it had saved all, and does not have it now.",
            next_step="Look at it there; its administrator can see what became of it.",
        )
    return Loaded(plan, done, error)


def _whole(done: tuple[Done, ...], record: Record) -> LoadError | None:
    try:
        for one in done:
            if one.state == "otherwise":
                record.write("kept", target=one.step.target, hash=one.kept, sent=content_hash(one.step.resource))
        record.write("applied")
    except LoadError as fault:
        return fault
    return None


def _read_back(client: FhirClient, steps: tuple[Step, ...], record: Record) -> tuple[Done, ...]:
    try:
        there = look(client.reading_back(), [step.resource for step in steps])
    except ImrError:
        return tuple(Done(step, "unknown", step.target) for step in steps)
    taken = last(record.rows)
    return tuple(_became(step, there, taken.entries.get(step.target) if taken else None) for step in steps)


def _became(step: Step, there: There, entry: Entry | None) -> Done:
    copies = there.copies(step.resource)
    for copy in copies:
        if content_hash(copy) == content_hash(step.resource):
            return Done(step, "in", reference(copy))
    for copy in copies:
        if entry and reference(copy) == entry.place and entry.version_id in ("", stored_version(copy)):
            return Done(step, "otherwise", entry.place, changes(step.resource, copy), content_hash(copy))
    return Done(step, "not in", step.target)
