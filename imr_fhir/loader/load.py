"""Puts the artefacts into a FHIR server: a plan first, then what it says, then a look at what the server has of it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from imr_fhir.artefacts import content_hash
from imr_fhir.checking.statement import read_statement
from imr_fhir.ehr.client import FhirClient
from imr_fhir.errors import EhrError, ImrError, LoadError
from imr_fhir.loader import apply
from imr_fhir.loader.applies import Entry, current, ownership
from imr_fhir.loader.difference import Change, changes
from imr_fhir.loader.meanwhile import met
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

    What somebody else did while this ran: ``met`` is what it was written over, ``copies`` all that have its url and
    version now, where there are several; ``unseen``: the server does not tell whether anything was written over.
    """

    step: Step
    state: State
    place: str
    changes: tuple[Change, ...] = ()
    kept: str = ""
    met: Resource | None = None
    copies: tuple[Resource, ...] = ()
    unseen: bool = False

    @property
    def by_another(self) -> bool:
        """Another load put the same there: nothing was written over."""
        return self.met is not None and content_hash(self.met) == content_hash(self.step.resource)

    @property
    def clean(self) -> bool:
        return self.state != "otherwise" and not self.copies and (self.met is None or self.by_another)


@dataclass(frozen=True, slots=True)
class Loaded:
    """``done``: each step that was to be written, as the server has it now; () where nothing was to be.

    ``error``: why it broke off; None where it is whole. ``single``: it was done one by one.
    """

    plan: Plan
    done: tuple[Done, ...] = ()
    error: ImrError | None = None
    single: bool = False

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
    with record.begin("apply"):
        error, single = _written(client, plan, record, single=single, each=each)
        done = _read_back(client, steps, record)
        error = _remembered(done, record) or error
        if all(one.state in ("in", "otherwise") for one in done):
            error = _whole(done, record)  # none, also where an answer was lost on its way
        elif error is None:
            error = LoadError(
                "The server said that it had saved all, and does not have it now.",
                next_step="Look at it there; its administrator can see what became of it.",
            )
    return Loaded(plan, done, error, single)


def _written(
    client: FhirClient, plan: Plan, record: Record, *, single: bool, each: apply.Each
) -> tuple[ImrError | None, bool]:
    """Why it broke off, and whether it was done one by one."""
    single = single or not plan.transaction
    try:
        single = single or not apply.in_one(client, plan.writes, record)
        if single:
            apply.one_by_one(client, plan.writes, record, each)
    except ImrError as fault:
        return fault, single
    except KeyboardInterrupt:
        return LoadError("It was stopped."), single
    return None, single


def _whole(done: tuple[Done, ...], record: Record) -> LoadError | None:
    try:
        for one in done:
            if one.state == "otherwise":
                record.write("kept", target=one.step.target, hash=one.kept, sent=content_hash(one.step.resource))
        record.write("applied")
    except LoadError as fault:
        return fault
    return None


def _remembered(done: tuple[Done, ...], record: Record) -> LoadError | None:
    """What a rollback is to put back, or to leave as another load made it."""
    try:
        for one in done:
            if one.met is not None and one.step.target in current(record.rows).entries:
                record.write("met", target=one.step.target, before=one.met)
    except LoadError as fault:
        return fault
    return None


def _read_back(client: FhirClient, steps: tuple[Step, ...], record: Record) -> tuple[Done, ...]:
    try:
        there = look(client.reading_back(), [step.resource for step in steps])
    except ImrError:
        return tuple(Done(step, "unknown", step.target) for step in steps)
    known = current(record.rows).entries
    entries = [known.get(step.target) for step in steps]
    done = [_became(step, there, entry) for step, entry in zip(steps, entries, strict=True)]
    begun = [client.beside(partial(_seen, client, *each, there)) for each in zip(done, entries, strict=True)]
    return tuple(each.result() for each in begun)


def _seen(client: FhirClient, done: Done, entry: Entry | None, there: There) -> Done:
    """And what somebody else did meanwhile."""
    copies = there.copies(done.step.resource)
    several = copies if len(copies) > 1 else ()
    now = next((copy for copy in copies if reference(copy) == done.place), None)
    if done.state not in ("in", "otherwise") or now is None:
        return replace(done, copies=several)
    if entry is None or not entry.place:  # ours was refused, or its answer never came
        return replace(done, copies=several, met=now if entry is None else None)
    try:
        return replace(done, copies=several, met=met(client, entry, now))
    except EhrError:
        return replace(done, copies=several, unseen=True)


def _became(step: Step, there: There, entry: Entry | None) -> Done:
    copies = there.copies(step.resource)
    for copy in copies:
        if content_hash(copy) == content_hash(step.resource):
            return Done(step, "in", reference(copy))
    for copy in copies:
        if entry and reference(copy) == entry.place and entry.version_id in ("", stored_version(copy)):
            return Done(step, "otherwise", entry.place, changes(step.resource, copy), content_hash(copy))
    return Done(step, "not in", step.target)
