"""Goals and reviews as they are typed: encrypted, until they are saved or 30 days after the last touch.

One a user, site, patient and page: of two tabs, the last writer's words stand. A page that was saved or given up leaves
its own number (``once``) in its place, so that what it still had under way does not come back as a draft.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from smart_app.store.cipher import Cipher
from smart_app.store.drafts import KEPT, WARNED
from smart_app.store.engine import Database
from smart_app.store.errors import DraftSealed
from smart_app.store.owner import Owner
from smart_app.store.schema import goal_draft
from smart_app.store.times import from_ms, to_ms

Fields = Iterable[tuple[str, str]]

# Built once: each panel runs it, and SQLAlchemy needs longer to build it than to run it.
_OPEN = (
    select(goal_draft)
    .where(
        goal_draft.c.user_key == bindparam("user_key"),
        goal_draft.c.site == bindparam("site"),
        goal_draft.c.patient == bindparam("patient"),
        goal_draft.c.value.is_not(None),
    )
    .order_by(goal_draft.c.touched_at)
)


@dataclass(frozen=True, slots=True)
class GoalDraft:
    """``page`` is ``new``, ``<id of the Goal>/edit`` or ``…/review``; ``fields`` are those of its form."""

    page: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)
    touched: datetime

    @property
    def expires(self) -> datetime:
        return self.touched + KEPT

    def expiring(self, now: datetime) -> bool:
        """Time to warn of its end."""
        return now >= self.expires - WARNED


class GoalDrafts:
    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    def keep(self, owner: Owner, page: str, once: str, fields: Fields, now: datetime) -> None:
        """In place of what was kept of this page. Raises DraftSealed where the page ``once`` was closed."""
        key = self._key(owner, page)
        value = {"page": page, "fields": [list(pair) for pair in fields]}
        sealed = self._cipher.seal_json("goal_draft", owner.row(key), "value", value)
        with self._database.writing() as connection:
            there = connection.execute(select(goal_draft).where(goal_draft.c.id == key)).one_or_none()
            if there is not None and there.value is None and there.once == once:
                raise DraftSealed("This page is saved or given up.", next_step="Go back to the summary.")
            row = {"once": once, "value": sealed, "touched_at": to_ms(now)}
            self._put(connection, key, owner, row, new=there is None)

    def find(self, owner: Owner, page: str) -> GoalDraft | None:
        """What was typed on this page and not saved."""
        which = (goal_draft.c.id == self._key(owner, page), goal_draft.c.value.is_not(None))
        with self._database.reading() as connection:
            row = connection.execute(select(goal_draft).where(*which)).one_or_none()
            return self._read(owner, row) if row else None

    def open_for(self, owner: Owner) -> tuple[GoalDraft, ...]:
        """All of this user for this patient, oldest first."""
        mine = {"user_key": owner.user_key, "site": owner.site, "patient": owner.patient_key}
        with self._database.reading() as connection:
            return tuple(self._read(owner, row) for row in connection.execute(_OPEN, mine))

    def drop(self, owner: Owner, page: str) -> None:
        with self._database.writing() as connection:
            connection.execute(delete(goal_draft).where(goal_draft.c.id == self._key(owner, page)))

    def close(self, owner: Owner, page: str, once: str, now: datetime) -> None:
        """What the page ``once`` typed is saved or given up; what another tab typed meanwhile stays."""
        key = self._key(owner, page)
        with self._database.writing() as connection:
            there = connection.execute(select(goal_draft.c.once).where(goal_draft.c.id == key)).scalar_one_or_none()
            if there in (None, once):
                row = {"once": once, "value": None, "touched_at": to_ms(now)}
                self._put(connection, key, owner, row, new=there is None)

    def _put(self, connection: Connection, key: str, owner: Owner, row: dict[str, Any], *, new: bool) -> None:
        owned = {"id": key, "site": owner.site, "user_key": owner.user_key, "patient": owner.patient_key}
        statement = insert(goal_draft).values(**owned) if new else update(goal_draft).where(goal_draft.c.id == key)
        connection.execute(statement.values(**row))

    def _read(self, owner: Owner, row: Row[Any]) -> GoalDraft:
        value = self._cipher.open_json("goal_draft", owner.row(row.id), "value", row.value)
        fields = tuple((name, text) for name, text in value["fields"])
        return GoalDraft(value["page"], fields, from_ms(row.touched_at))

    def _key(self, owner: Owner, page: str) -> str:
        return self._cipher.lookup("goal-draft", owner.user_key, owner.site, owner.patient_key, page)
