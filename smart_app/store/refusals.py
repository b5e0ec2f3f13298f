"""What a hospital's EHR refused although it had said that it takes it: remembered for a week, then asked again.

No patient data: a site, a user, the rung of the write plan, and when.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, insert, select

from smart_app.store.engine import Database
from smart_app.store.schema import refusal
from smart_app.store.times import to_ms

KEPT = timedelta(days=7)
NOT_ALLOWED = 405  # of the operation itself, whoever asks for it
FORBIDDEN = 403  # of this user


# Built once: each page of a launch runs it.
_FRESH = (
    select(refusal.c.rung, refusal.c.status)
    .where(
        refusal.c.site == bindparam("site"),
        refusal.c.user_key.in_(("", bindparam("user_key"))),
        refusal.c.refused_at > bindparam("after"),
    )
    .order_by(refusal.c.refused_at)
)


class Refusals:
    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, site: str, user_key: str, rung: str, status: int, now: datetime) -> None:
        """A create on ``rung`` ("transaction": a whole one) gave the HTTP ``status``.

        A 403 or 422 is remembered of this user alone: who may not write takes nothing from who may.
        """
        whose = "" if status == NOT_ALLOWED else user_key
        key = (refusal.c.site == site, refusal.c.rung == rung, refusal.c.user_key == whose)
        values = {"site": site, "rung": rung, "user_key": whose, "status": status, "refused_at": to_ms(now)}
        with self._database.writing() as connection:
            connection.execute(delete(refusal).where(*key))
            connection.execute(insert(refusal).values(**values))

    def of(self, site: str, user_key: str, now: datetime) -> tuple[tuple[str, int], ...]:
        """(rung, status) of the last seven days that this user meets."""
        asked = {"site": site, "user_key": user_key, "after": to_ms(now - KEPT)}
        with self._database.reading() as connection:
            return tuple((row.rung, row.status) for row in connection.execute(_FRESH, asked))
