"""Filings: what a person saved, sealed, listed, recovered, and purged once the EHR has it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, insert, update

from smart_app.store.audit import Audit, Entry
from smart_app.store.cipher import Cipher, sha256_hex
from smart_app.store.drafts import Drafts
from smart_app.store.engine import DATABASE_MS, Database
from smart_app.store.errors import BodyPurged, Damaged, NoAccess
from smart_app.store.filing import Filing, Sealing
from smart_app.store.filing_moves import read_one
from smart_app.store.filing_rows import those
from smart_app.store.filing_states import FINISHED, TARGETS, Event, State
from smart_app.store.filing_steps import FilingSteps
from smart_app.store.owner import Owner
from smart_app.store.schema import filing
from smart_app.store.times import to_ms

# Built once: each panel runs it, and SQLAlchemy needs longer to build it than to run it.
_OUTBOX = those(
    and_(
        filing.c.site == bindparam("site"),
        filing.c.patient == bindparam("patient"),
        filing.c.user_key == bindparam("user_key"),
        filing.c.state.not_in(FINISHED),
    )
)


class Filings(FilingSteps):
    def __init__(self, database: Database, cipher: Cipher, drafts: Drafts, audit: Audit) -> None:
        super().__init__(database, cipher, audit)
        self._drafts = drafts

    # A person saves

    def seal(self, sealing: Sealing, audit: Entry, now: datetime) -> Filing:
        """Freezes the bytes; only when this returns may a page say "we have it".

        What was sealed before (same draft, same form) gives the first filing, unchanged and without a second audit
        row. Raises StaleDraft where an answer came in after ``sealing.draft`` was read, NoAccess for another's draft.
        """
        if bool(sealing.draft) == bool(sealing.form) or not sealing.parts or str(uuid.UUID(sealing.id)) != sealing.id:
            raise ValueError("A filing has a UUID, one part or more, and either a draft or a form.")
        owner, draft = sealing.owner, sealing.draft
        origin = self._origin(owner, draft.id if draft else sealing.form)
        with self._database.writing() as connection:
            first = self._rows.read(connection, filing.c.origin == origin)
            if first:
                return first[0]
            if draft:
                self._drafts.seal_in(connection, draft, owner)
            connection.execute(
                insert(filing).values(
                    id=sealing.id,
                    origin=origin,
                    draft_id=draft.id if draft else None,
                    state=TARGETS[State.DRAFT, Event.SEAL],
                    attempt=0,
                    site=owner.site,
                    user_key=owner.user_key,
                    patient=owner.patient_key,
                    in_transaction=sealing.in_transaction,
                    value=self._rows.seal(sealing.id, owner, "value", sealing.details),
                    plan=self._rows.seal(sealing.id, owner, "plan", sealing.plan),
                    sealed_at=to_ms(now),
                    changed_at=DATABASE_MS,
                )
            )
            self._rows.add_parts(connection, sealing.id, sealing.parts)
            self._audit.record(audit, now)
            return read_one(connection, self._rows, sealing.id)

    # Reading

    def get(self, filing_id: str, viewer: Owner) -> Filing:
        """A filing for the viewer's patient, another user's too (to print it). Raises NoAccess."""
        which = and_(filing.c.id == filing_id, *_same_patient(viewer))
        with self._database.reading() as connection:
            found = self._rows.read(connection, which)
        if not found:
            raise NoAccess
        return found[0]

    def outbox(self, owner: Owner) -> tuple[Filing, ...]:
        """What this user saved for this patient and is not in the EHR yet, oldest first."""
        mine = {"site": owner.site, "patient": owner.patient_key, "user_key": owner.user_key}
        with self._database.reading() as connection:
            return self._rows.run(connection, _OUTBOX, mine)

    def left_by_others(self, owner: Owner) -> tuple[Filing, ...]:
        """The same by other users, for this patient."""
        return self._find(*_same_patient(owner), filing.c.user_key != owner.user_key, filing.c.state.not_in(FINISHED))

    def filed(self, owner: Owner) -> tuple[Filing, ...]:
        """What this user saved for this patient and is in the EHR, with its receipts, oldest first."""
        return self._find(*_same_patient(owner), filing.c.user_key == owner.user_key, filing.c.state == State.DONE)

    def of_patient(self, viewer: Owner, *, since: datetime) -> tuple[Filing, ...]:
        """What anybody saved for this patient from ``since`` on, oldest first."""
        return self._find(*_same_patient(viewer), filing.c.sealed_at >= to_ms(since))

    def of_draft(self, draft_id: str, viewer: Owner) -> Filing | None:
        """The filing that this draft became."""
        found = self._find(*_same_patient(viewer), filing.c.draft_id == draft_id)
        return found[0] if found else None

    def of_form(self, form: str, owner: Owner) -> Filing | None:
        """What the form of this name was sealed as by this user for this patient."""
        found = self._find(filing.c.origin == self._origin(owner, form))
        return found[0] if found else None

    def seen(self, filing_id: str, viewer: Owner, who: str) -> Filing:
        """``who`` (a reference) opened its answers before rating, in whatever state it is; kept until and after it is
        noted in the record. Raises NoAccess."""
        with self._database.writing() as connection:
            found = self.get(filing_id, viewer)
            by = dict.fromkeys((*found.details.get("seen_by", ()), who))
            value = self._rows.seal(found.id, found.owner, "value", {**found.details, "seen_by": list(by)})
            connection.execute(update(filing).where(filing.c.id == found.id).values(value=value))
            return read_one(connection, self._rows, found.id)

    def bodies(self, of: Filing) -> Mapping[int, bytes]:
        """The sealed bytes of the parts by number but for those that gave way to others. Raises BodyPurged, Damaged."""
        bodies = {}
        with self._database.reading() as connection:
            for each in of.kept:
                body = self._rows.body(connection, of.id, each.number)
                if body is None:
                    raise BodyPurged(f"Filing {of.id} is no longer kept here.", next_step="Read it in the chart.")
                if sha256_hex(body) != each.sha256:
                    raise Damaged(f"Part {each.number} of filing {of.id} changed.", next_step="Compare a backup.")
                bodies[each.number] = body
        return bodies

    # After a crash, after a restore

    def recover(self) -> tuple[Filing, ...]:
        """What was being sent when its process died, and whose lease is out, becomes UNKNOWN; at start and later."""
        with self._database.writing() as connection:
            over = and_(filing.c.state == State.SENDING, filing.c.lease_until < DATABASE_MS)
            return tuple(
                self._step(each, Event.LEASE_OUT, "The app stopped while it was sending.", lost_at=DATABASE_MS)
                for each in self._rows.read(connection, over)
            )

    def restored(self) -> tuple[Filing, ...]:
        """After a restore from backup: any part not known as accepted may have been sent since."""
        with self._database.writing() as connection:
            return tuple(
                self._step(each, Event.RESTORED, "The store was restored.", parts=each.unaccepted, lost_at=DATABASE_MS)
                if each.unaccepted
                else self.finish(each)
                for each in self._rows.read(connection, filing.c.state.not_in(FINISHED))
                if each.unaccepted or each.receipts  # what only stays here was not sent
            )

    def _origin(self, owner: Owner, name: str) -> str:
        return self._cipher.lookup("origin", owner.user_key, owner.patient_key, name)

    def _find(self, *which: Any) -> tuple[Filing, ...]:
        with self._database.reading() as connection:
            return self._rows.read(connection, and_(*which))


def _same_patient(viewer: Owner) -> tuple[Any, ...]:
    return filing.c.site == viewer.site, filing.c.patient == viewer.patient_key
