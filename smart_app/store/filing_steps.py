"""The steps of a filing between SEALED and DONE: sending, what came of it, and what a person decides.

Whoever sends does so between two steps and with no transaction open: ``claim``, send the current parts' bodies, then
say what came of it. A person's steps take an audit entry, committed with the step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update

from smart_app.store.audit import Audit, Entry
from smart_app.store.cipher import Cipher
from smart_app.store.engine import DATABASE_MS, Database
from smart_app.store.errors import NoAccess
from smart_app.store.filing import Filing, Held, NewPart, Receipt
from smart_app.store.filing_moves import accept, move, not_before, read_one, stale
from smart_app.store.filing_rows import FilingRows
from smart_app.store.filing_states import Event, State
from smart_app.store.owner import Owner
from smart_app.store.schema import part
from smart_app.store.times import span_ms

LEASE = timedelta(seconds=90)
STEP = timedelta(seconds=80)
"""For all that one claim may send, its read-back too: under the lease by what the store may take to note the outcome
(5 s to be let in, 5 s to write)."""
SETTLED = timedelta(seconds=10)
"""How long after a lost reply a search that finds nothing is believed."""


class FilingSteps:
    def __init__(self, database: Database, cipher: Cipher, audit: Audit) -> None:
        self._database = database
        self._cipher = cipher
        self._rows = FilingRows(cipher)
        self._audit = audit

    # Sending, and what came of it

    def hold(self, before: Filing, why: Held, audit: Entry, now: datetime) -> Filing:
        """Nothing may be sent now. The next claim forgets it; ``audit`` tells of the refusal."""
        reason = self._reason(before, "", held=why)
        with self._database.writing() as connection:
            after = move(connection, self._rows, before, Event.HOLD, parts=(), reason=reason)
            self._audit.record(audit, now)
            return after

    def claim(self, before: Filing, by: Owner, audit: Entry, now: datetime) -> Filing:
        """Takes the lease for the next send; by a person's POST only. The result's ``current`` parts go out.

        Another user than the author files as enterer and says why in ``audit.purpose``. Raises StaleFiling where
        somebody else is sending it, TooSoon before the time that the EHR asked for.
        """
        self._database.outside("Claiming a filing")  # the lease is durable before the first byte leaves
        _may(before, by, audit)
        if not before.current:
            raise stale(before, "All its parts are accepted.")
        lease: dict[str, Any] = {"attempt": before.attempt + 1, "lease_until": DATABASE_MS + span_ms(LEASE)}
        if before.held:
            lease["reason"] = None
        with self._database.writing() as connection:
            claimed = move(connection, self._rows, before, Event.CLAIM, **lease)
            not_before(connection, claimed.not_before, "The hospital's system asked us to wait.")
            self._audit.record(audit, now)
            return claimed

    def accepted(self, before: Filing, receipts: Sequence[Receipt]) -> Filing:
        """Sent, read back and equal: one receipt for each current part."""
        with self._database.writing() as connection:
            return accept(connection, self._rows, before, Event.ACCEPTED, receipts)

    def lost(self, before: Filing, reason: str) -> Filing:
        """Something was sent and no whole reply came, or one that means "read back" (409, 412, 5xx, HTML)."""
        return self._step(before, Event.LOST, reason, lease_until=None, lost_at=DATABASE_MS)

    def wait(self, before: Filing, reason: str, *, retry_after: int | None = None) -> Filing:
        """Nothing was taken (401, 429, 503 with Retry-After in seconds, not connected)."""
        earliest = None if retry_after is None else DATABASE_MS + retry_after * 1000
        return self._step(before, Event.WAIT, reason, lease_until=None, not_before=earliest)

    def refused(self, before: Filing, reason: str, *, plan: Mapping[str, Any] | None = None) -> Filing:
        """403, 405, 422 or another 4xx, with the plan as it is after this."""
        sealed = self._rows.seal(before.id, before.owner, "plan", before.plan if plan is None else plan)
        return self._step(before, Event.REFUSE, reason, lease_until=None, plan=sealed)

    def finish(self, before: Filing) -> Filing:
        """All parts are accepted: DONE. Raises StaleFiling where one is not."""
        if before.unaccepted:
            raise stale(before, f"{len(before.unaccepted)} of its parts are not accepted.")
        return self._step(before, Event.FINISH, None)

    # After UNKNOWN: what a search found

    def found(self, before: Filing, receipts: Sequence[Receipt]) -> Filing:
        """One for each current part, and equal."""
        with self._database.writing() as connection:
            return accept(connection, self._rows, before, Event.FOUND, receipts)

    def not_found(self, before: Filing) -> Filing:
        """None. Raises TooSoon within ten seconds of the lost reply."""
        with self._database.writing() as connection:
            after = self._step(before, Event.NOT_FOUND, "It did not reach the chart.")
            assert after.lost is not None
            not_before(connection, after.lost + SETTLED, "It may still arrive in the chart.")
            return after

    def duplicate(self, before: Filing, candidates: Sequence[str], reason: str) -> Filing:
        """Several, or one that is not equal; ``candidates`` as Type/id."""
        sealed = self._reason(before, reason, candidates=list(candidates))
        with self._database.writing() as connection:
            return move(connection, self._rows, before, Event.CLASH, reason=sealed)

    # What a person decides

    def vouch(self, before: Filing, by: Owner, audit: Entry, now: datetime) -> Filing:
        """ "It is there": the EHR can't be searched and a person looked."""
        receipts = [Receipt(each.type, "", "", 0, "vouched") for each in before.current]
        return self._accept(before, Event.VOUCH, receipts, by, audit, now)

    def choose(self, before: Filing, receipts: Sequence[Receipt], by: Owner, audit: Entry, now: datetime) -> Filing:
        """Of a DUPLICATE: these are the ones, for the current parts, or for all that are not accepted."""
        return self._accept(before, Event.CHOOSE, receipts, by, audit, now)

    def send_again(self, before: Filing, by: Owner, audit: Entry, now: datetime) -> Filing:
        """The EHR can't be searched and a person wants it sent again, though it may double, as the page said."""
        _may(before, by, audit)
        with self._database.writing() as connection:
            after = move(connection, self._rows, before, Event.SEND_AGAIN)
            self._audit.record(audit, now)
            return after

    def withdraw(self, before: Filing, why: str, by: Owner, audit: Entry, now: datetime) -> Filing:
        """Ends it for what the EHR does not have; who, when and why stay with the filing. A part that may have arrived
        stays UNKNOWN: nobody knows that it is not there."""
        _may(before, by, audit)
        reason = self._reason(before, why, who=audit.who.display)
        unsent = [part for part in before.unaccepted if part.state is not State.UNKNOWN]
        with self._database.writing() as connection:
            after = move(connection, self._rows, before, Event.WITHDRAW, parts=unsent, reason=reason)
            self._audit.record(audit, now)
            return after

    def replan(
        self,
        before: Filing,
        parts: Sequence[NewPart],
        *,
        plan: Mapping[str, Any],
        in_transaction: bool,
        by: Owner,
        audit: Entry,
        now: datetime,
    ) -> Filing:
        """The next rung of the plan as new parts with the same identifier, instead of what was refused or unsent."""
        _may(before, by, audit)
        some = len(before.unaccepted) < sum(not each.replaced for each in before.parts)
        event = Event.REPLAN_REST if some else Event.REPLAN
        old = [each.number for each in before.unaccepted]
        columns = {"plan": self._rows.seal(before.id, before.owner, "plan", plan), "in_transaction": in_transaction}
        with self._database.writing() as connection:
            move(connection, self._rows, before, event, parts=(), reason=None, **columns)
            connection.execute(
                update(part).where(part.c.filing_id == before.id, part.c.number.in_(old)).values(replaced=True)
            )
            gone = [each.number for each in before.kept if each.unsent]
            connection.execute(
                update(part).where(part.c.filing_id == before.id, part.c.number.in_(gone)).values(state=State.WITHDRAWN)
            )
            self._rows.add_parts(connection, before.id, parts, after=len(before.parts))
            self._audit.record(audit, now)
            return read_one(connection, self._rows, before.id)

    def _accept(
        self, before: Filing, event: Event, receipts: Sequence[Receipt], by: Owner, audit: Entry, now: datetime
    ) -> Filing:
        _may(before, by, audit)
        with self._database.writing() as connection:
            after = accept(connection, self._rows, before, event, receipts)
            self._audit.record(audit, now)
            return after

    def _step(self, before: Filing, event: Event, reason: str | None, **columns: Any) -> Filing:
        sealed = None if reason is None else self._reason(before, reason)
        with self._database.writing() as connection:
            return move(connection, self._rows, before, event, **{"reason": sealed} | columns)

    def _reason(self, before: Filing, text: str, **more: Any) -> bytes:
        return self._rows.seal(before.id, before.owner, "reason", {"text": text, **more})


def _may(before: Filing, by: Owner, audit: Entry) -> None:
    """The author, or another user of the same patient's chart who says why; raises NoAccess."""
    same_patient = (by.site, by.patient_key) == (before.owner.site, before.owner.patient_key)
    if not same_patient or (by.user_key != before.owner.user_key and not audit.purpose):
        raise NoAccess
