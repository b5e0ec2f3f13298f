"""Audit rows that the EHR was not told of yet. The log itself has them all; here they stay until told, or a day."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, insert, select, update

from smart_app.store.engine import Database
from smart_app.store.launches import LIVE
from smart_app.store.schema import audit, audit_unsent, launch
from smart_app.store.times import to_ms

PAUSE = timedelta(minutes=1)
_SOME = 100

# Only a log-in of the same person for the same patient may tell: of several, the youngest.
_DUE = (
    select(audit_unsent.c.seq, audit_unsent.c.tries, launch.c.id)
    .join(audit, audit.c.seq == audit_unsent.c.seq)
    .join(launch, and_(launch.c.user_key == audit.c.user_key, launch.c.patient == audit.c.patient))
    .where(launch.c.state.in_(LIVE))
    .order_by(audit_unsent.c.seq, launch.c.created_at.desc())
    .limit(_SOME)
)


@dataclass(frozen=True, slots=True)
class Due:
    """An audit row that may be told of now, by the launch of that id; ``tries`` came before."""

    seq: int
    tries: int
    launch_id: str


class Unsent:
    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, now: datetime, *, after: int = 0, silent: Collection[str] = ()) -> tuple[Due, ...]:
        """In order, some at a time: numbered above ``after``, and of no site that is ``silent``."""
        which = (audit_unsent.c.due_at <= to_ms(now), audit_unsent.c.seq > after, launch.c.site.not_in(silent))
        with self._database.reading() as connection:
            rows = connection.execute(_DUE.where(*which)).all()
        youngest = {row.seq: row for row in reversed(rows)}
        return tuple(Due(row.seq, row.tries, row.id) for _, row in sorted(youngest.items()))

    def claim(self, due: Due, now: datetime, *, repeatable: bool) -> bool:
        """One more try, by this process alone. What may be repeated comes again where nobody says what became of it,
        a minute later for each try that came before; what may not is gone, until it is ``put_back``."""
        mine = (audit_unsent.c.seq == due.seq, audit_unsent.c.tries == due.tries)
        again = update(audit_unsent).where(*mine).values(_next_try(due, now))
        with self._database.writing() as connection:
            return connection.execute(again if repeatable else delete(audit_unsent).where(*mine)).rowcount == 1

    def put_back(self, due: Due, now: datetime) -> None:
        with self._database.writing() as connection:
            connection.execute(insert(audit_unsent).values(seq=due.seq, **_next_try(due, now)))

    def leave(self, *numbers: int) -> None:
        """They are told, or never will be."""
        with self._database.writing() as connection:
            connection.execute(delete(audit_unsent).where(audit_unsent.c.seq.in_(numbers)))


def _next_try(due: Due, now: datetime) -> dict[str, int]:
    return {"tries": due.tries + 1, "due_at": to_ms(now + PAUSE * (due.tries + 1))}
