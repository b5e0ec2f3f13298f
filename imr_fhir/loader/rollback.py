"""Takes the last apply back: what it made is deleted, what it changed is as before; what others rely on stays."""

from dataclasses import dataclass
from typing import Literal

from imr_fhir.artefacts import content_hash
from imr_fhir.checking.statement import read_statement
from imr_fhir.ehr.client import FhirClient
from imr_fhir.errors import (
    BadReply,
    Conflict,
    EhrError,
    Forbidden,
    ImrError,
    LoadError,
    LostReply,
    NotFound,
    ServerFault,
)
from imr_fhir.loader.applies import Apply, Entry, last
from imr_fhir.loader.plan import marked, tagged
from imr_fhir.loader.record import Record
from imr_fhir.loader.relied_on import relied_on
from imr_fhir.loader.there import Resource, There, look, reference
from imr_fhir.version import stored_version

Action = Literal["delete", "restore", "gone", "leave", "together"]

_UNKNOWN = (LostReply, BadReply, Conflict, ServerFault)


@dataclass(frozen=True, slots=True)
class Undo:
    """``now``: what stands there; ``why``: of one that is left, as a sentence. ``together``: left with such a one."""

    action: Action
    entry: Entry
    now: Resource | None = None
    why: str = ""

    @property
    def target(self) -> str:
        return reference(self.now) if self.now else self.entry.place or self.entry.target


@dataclass(frozen=True, slots=True)
class RolledBack:
    """``done``: (what, how) of what was taken back: "deleted", "restored", or "retired" where nothing is deleted.

    ``error``: why it broke off; None where it did not.
    """

    apply: Apply
    undos: tuple[Undo, ...]
    done: tuple[tuple[Undo, str], ...] = ()
    error: ImrError | None = None

    def of(self, *actions: Action) -> tuple[Undo, ...]:
        return tuple(undo for undo in self.undos if undo.action in actions)


def plan_rollback(client: FhirClient, record: Record) -> RolledBack:
    """Reads only. Raises LoadError where the record has nothing to take back, EhrError."""
    taken = last(record.rows)
    if taken is None:
        where = record.path or "The record"
        missing = record.path is not None and not record.path.exists()
        said = f"There is no record {where}." if missing else f"{where} has nothing to take back."
        raise LoadError(said, next_step="Name the record of the load with --record.")
    entries = taken.open()[::-1]
    try:
        there = look(client, [_named(entry) for entry in entries])
    except EhrError:
        read_statement(client)
        raise
    undos = [_undo(entry, _standing(entry, there)) for entry in entries]
    relied = relied_on(client, [undo.now for undo in undos if undo.action == "delete" and undo.now], there)
    undos = [_left(undo, relied.get(undo.entry.url, "")) for undo in undos]
    left = (undo for undo in undos if undo.action == "leave" and undo.entry.created)
    kept = next((undo for undo in left if _is_form(undo) or undo.entry.url in relied), None)
    return RolledBack(taken, tuple(_with(kept, undo) if kept else undo for undo in undos))


def roll_back(client: FhirClient, planned: RolledBack, record: Record) -> RolledBack:
    """Does what was planned, each recorded when done. What broke off goes on when it is planned and run again."""
    done: list[tuple[Undo, str]] = []
    error: ImrError | None = None
    with record.begin("rollback"):
        try:
            for undo in planned.undos:
                if undo.action not in ("leave", "together"):
                    how = _take_back(client, undo)
                    record.write("undone", target=undo.entry.target, how=how)
                    done += [(undo, how)] if how else []
        except ImrError as fault:
            error = fault
        except KeyboardInterrupt:
            error = LoadError("It was stopped.")
        if error is None and not planned.of("leave", "together"):
            record.write("rolled back")
    return RolledBack(planned.apply, planned.undos, tuple(done), error)


def _named(entry: Entry) -> Resource:
    kind, _, identity = entry.target.partition("/")
    return {"resourceType": kind, "id": identity, "url": entry.url, "version": entry.version}


def _standing(entry: Entry, there: There) -> Resource | None:
    """Where the server said that it is; where its answer never came, the one that says what was sent."""
    copies = there.copies(_named(entry))
    places = (entry.place,) if entry.place else ()
    at = [copy for copy in copies if reference(copy) in places or (not places and content_hash(copy) == entry.sent)]
    return next(iter(at), next((copy for copy in copies if reference(copy) == entry.target), None))


def _undo(entry: Entry, now: Resource | None) -> Undo:
    if now is None:
        return Undo("gone", entry) if entry.created else Undo("leave", entry, None, "It is no longer there.")
    if entry.before is not None and content_hash(now) == content_hash(entry.before):
        return Undo("gone", entry, now)
    if content_hash(now) not in (entry.sent, entry.kept):
        return Undo("leave", entry, now, "It was changed there since it was loaded.")
    return Undo("delete" if entry.created else "restore", entry, now)


def _left(undo: Undo, why: str) -> Undo:
    return Undo("leave", undo.entry, undo.now, why) if undo.action == "delete" and why else undo


def _is_form(undo: Undo) -> bool:
    return undo.target.startswith("Questionnaire/")


def _with(kept: Undo, undo: Undo) -> Undo:
    """What was made together with one that stays: a form's codes are defined there, a score's form stands there."""
    if undo.action != "delete":
        return undo
    return Undo("together", undo.entry, undo.now, f"It belongs to {kept.target}, which stays.")


def _take_back(client: FhirClient, undo: Undo) -> str:
    """How it was done; "" where there was nothing to do."""
    if undo.now is None or undo.action == "gone":
        return ""
    try:
        return _delete(client, undo.now) if undo.action == "delete" else _restore(client, undo)
    except _UNKNOWN:
        now = _standing(undo.entry, look(client.reading_back(), [_named(undo.entry)]))
        if undo.action == "delete" and now is None:
            return "deleted"
        if undo.entry.before and now and content_hash(now) == content_hash(undo.entry.before):
            return "restored"
        raise


def _delete(client: FhirClient, now: Resource) -> str:
    try:
        if content_hash(client.read(now["resourceType"], now["id"])) != content_hash(now):  # no delete names a version
            raise LoadError(
                f"{reference(now)} was changed there just now, and is left as it is.",
                next_step="Look at what a rollback would do again.",
            )
        client.delete(now["resourceType"], now["id"])
    except NotFound:
        return "deleted"
    except Forbidden:  # many servers delete nothing at all
        client.update(marked({**now, "status": "retired"}, now), if_match=stored_version(now))
        return "retired"
    return "deleted"


def _restore(client: FhirClient, undo: Undo) -> str:
    assert undo.now is not None
    assert undo.entry.before is not None
    before = {**undo.entry.before, "id": undo.now["id"]}
    # What somebody else had put there is not to be taken for our own.
    client.update(marked(before, before) if tagged(before) else before, if_match=stored_version(undo.now))
    return "restored"
