"""The audit log: who did what to whose record, when, why and how it ended; never what it said.

A row is committed before data is shown or sent. Rows are numbered without gaps, and each carries an HMAC over its
content and the HMAC before it; the head row holds the last one, so that a cut-off tail is seen too. Who puts back an
older copy of the database, head and all, is seen only against a mark of the chain that was kept elsewhere (``head``).
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, insert, select, update

from imr_fhir.audit_event import Kind
from smart_app.store import schema
from smart_app.store.cipher import Cipher, canonical, sign
from smart_app.store.engine import Database
from smart_app.store.errors import Damaged
from smart_app.store.keys import Key
from smart_app.store.times import from_ms, to_ms
from smart_app.store.who import Who

Outcome = Literal["success", "refused", "failed", "unknown"]

ACTIONS: Mapping[str, Kind | None] = {
    "log-in": "log-in",
    "log-out": None,
    "session-ended": None,
    "view": "view",
    "foreign-dropped": "refusal",  # the EHR answered for another patient
    "print": "view",
    "hand-over": None,
    "take-back": None,
    "save": None,  # sealed: "we have it"; nothing was sent yet
    "send": "create",
    "send-update": "update",
    "look-back": "view",
    "decide": None,  # a person's word on an unknown or duplicate filing
    "correct": None,  # sealed, as "save"
    "withdraw": None,  # sealed, or taken back before it was sent
    "discard": None,  # a draft that was never saved
}
"""What can be done, each with the kind of AuditEvent that tells the EHR of it; None: it is the app's own affair."""


@dataclass(frozen=True, slots=True)
class Entry:
    """``objects`` are references (Type/id, urn:uuid:...), ``purpose`` says why in words of the app, not of the record.

    ``patient_key`` is ``Cipher.lookup`` of the patient as launches have it; both patient fields are empty where no
    patient is known yet.
    """

    action: str
    outcome: Outcome
    who: Who
    site: str
    patient: str = field(default="", repr=False)
    patient_key: str = ""
    purpose: str = ""
    objects: tuple[str, ...] = field(default=(), repr=False)

    @property
    def kind(self) -> Kind | None:
        return _kind(self.action, self.outcome)

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"Audit action {self.action!r} is not one of {', '.join(ACTIONS)}.")


@dataclass(frozen=True, slots=True)
class Verified:
    """``rows`` in order up to the first broken one; ``broken`` is its number (0: none), ``what`` says what is wrong."""

    rows: int
    broken: int = 0
    what: str = ""


# Built once: each page that shows a record runs them, and SQLAlchemy needs longer to build them than to run them.
_HEAD = select(schema.audit_head)
_MOVE_HEAD = update(schema.audit_head)
_ADD = insert(schema.audit)
_TO_TELL = insert(schema.audit_unsent)
_IN_ORDER = select(schema.audit).order_by(schema.audit.c.seq).execution_options(yield_per=500)


class Audit:
    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    def record(self, entry: Entry, now: datetime) -> int:
        """Appends the entry and returns its number. Durable on return, or with the caller's open transaction."""
        with self._database.writing() as connection:
            head = self._head(connection)
            seq: int = head.seq + 1
            key = self._cipher.audit_key
            value = {**asdict(entry.who), "site": entry.site, "patient": entry.patient}
            value |= {"purpose": entry.purpose, "objects": list(entry.objects)}
            row = {
                "seq": seq,
                "at": to_ms(now),
                "user_key": entry.who.user_key,
                "patient": entry.patient_key,
                "action": entry.action,
                "outcome": entry.outcome,
                "key_id": key.id,
            }
            mac = sign(key, canonical({**row, "value": value, "before": head.mac}))
            sealed = self._cipher.seal_json("audit", str(seq), "value", value)
            connection.execute(_ADD, {**row, "value": sealed, "mac": mac})
            connection.execute(_MOVE_HEAD, _head_row(seq, mac, key))
            if entry.kind and entry.who.user_key and entry.patient_key:
                connection.execute(_TO_TELL, {"seq": seq, "tries": 0, "due_at": row["at"]})
            return seq

    def entries(
        self,
        *,
        after: int = 0,
        limit: int = 500,
        patient_keys: Collection[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[dict[str, Any]]:
        """Up to ``limit`` rows numbered above ``after``, as dicts for AuditEvents and tables; ``until`` is not in it.

        Keys: id (a UUID), seq, at (datetime, UTC), action, kind (of AuditEvent; None: none), outcome, user_key,
        display, role, fhir_user, issuer, sub, site, patient, purpose, objects. Raises Damaged at a row that does not
        open.
        """
        query = select(schema.audit).where(schema.audit.c.seq > after).order_by(schema.audit.c.seq).limit(limit)
        if patient_keys:
            query = query.where(schema.audit.c.patient.in_(patient_keys))
        if since:
            query = query.where(schema.audit.c.at >= to_ms(since))
        if until:
            query = query.where(schema.audit.c.at < to_ms(until))
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [
            self._value(row)
            | {"id": str(uuid.UUID(row.mac[:32], version=4)), "seq": row.seq, "at": from_ms(row.at)}
            | {"action": row.action, "outcome": row.outcome, "kind": _kind(row.action, row.outcome)}
            for row in rows
        ]

    def head(self) -> str:
        """The mark of the chain as it is now, "SEQ:MAC", to be kept where this machine's administrators can't write."""
        with self._database.reading() as connection:
            head = connection.execute(_HEAD).one_or_none()
        if head is None or not self._head_holds(head):
            raise _damaged_head()
        return f"{head.seq}:{head.mac}"

    def verify(self, expect: str = "") -> Verified:
        """Walks the whole chain. With ``expect``, a ``head`` of an earlier time, rows that were there then and are gone
        or others now are seen too; without it a chain that was cut, with its head of that time put back, is whole."""
        with self._database.reading() as connection:
            checked, before, marks = 0, "", {"0:"}
            with connection.execute(_IN_ORDER) as rows:
                for row in rows:
                    what = self._fault(row, checked + 1, before)
                    if what:
                        return Verified(checked, min(row.seq, checked + 1), what)
                    checked, before = row.seq, row.mac
                    marks |= {expect} & {f"{row.seq}:{row.mac}"}
            head = connection.execute(_HEAD).one_or_none()
        if head is None or not self._head_holds(head):
            return Verified(checked, checked + 1, "the head of the chain was changed")
        if (head.seq, head.mac) != (checked, before):
            return Verified(checked, checked + 1, f"the chain ends here, its head says {head.seq}")
        if expect and expect not in marks:
            return Verified(checked, checked + 1, f"no row has the mark {expect}, so rows were cut off or written anew")
        return Verified(checked)

    def begin(self) -> None:
        """Lays the head of an empty chain: once, when the store is made."""
        with self._database.writing() as connection:
            connection.execute(insert(schema.audit_head).values(id=1, **_head_row(0, "", self._cipher.audit_key)))

    def _head(self, connection: Connection) -> Row[Any]:
        head = connection.execute(_HEAD).one_or_none()
        if head is None or not self._head_holds(head):
            raise _damaged_head()
        return head

    def _head_holds(self, head: Row[Any]) -> bool:
        return bool(head.head_mac == self._cipher.audit_mac(head.key_id, _head(head.seq, head.mac)))

    def _fault(self, row: Row[Any], expected: int, before: str) -> str:
        """What is wrong with the row, or nothing."""
        if row.seq != expected:
            return f"row {expected} is missing"
        try:
            value = self._value(row)
        except Damaged as error:
            return error.message
        content = {name: getattr(row, name) for name in ("seq", "at", "user_key", "patient", "action", "outcome")}
        content |= {"key_id": row.key_id, "value": value, "before": before}
        mac = self._cipher.audit_mac(row.key_id, canonical(content))
        return "" if mac == row.mac else f"row {expected} was changed, or its key is not in the key file"

    def _value(self, row: Row[Any]) -> dict[str, Any]:
        value: dict[str, Any] = self._cipher.open_json("audit", str(row.seq), "value", row.value)
        return value


def _kind(action: str, outcome: str) -> Kind | None:
    return "refusal" if outcome == "refused" else ACTIONS[action]


def _damaged_head() -> Damaged:
    return Damaged("The head of the audit log was changed.", next_step="Run: imr-app audit verify")


def _head_row(seq: int, mac: str, key: Key) -> dict[str, Any]:
    return {"seq": seq, "mac": mac, "key_id": key.id, "head_mac": sign(key, _head(seq, mac))}


def _head(seq: int, mac: str) -> bytes:
    return canonical(["head", seq, mac])
