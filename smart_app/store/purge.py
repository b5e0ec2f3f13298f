"""What goes when: nothing is kept here longer than its use, and nothing that a person saved goes before the EHR has it.

The audit log is never purged by the app.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Executable, and_, delete, or_, select, update

from smart_app.store.code_tries import WITHIN as TRIED_WITHIN
from smart_app.store.drafts import KEPT
from smart_app.store.engine import Database
from smart_app.store.filing_states import FINISHED, State
from smart_app.store.launch import Launch
from smart_app.store.launches import Launches
from smart_app.store.refusals import KEPT as REFUSED_KEPT
from smart_app.store.schema import (
    audit,
    audit_unsent,
    draft,
    filing,
    goal_draft,
    handover,
    launch,
    part,
    refusal,
    ticket,
    used_state,
    wrong_code,
)
from smart_app.store.times import to_ms

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Purged:
    """Rows gone by rule; ``ended`` are launches that were over, their tokens the caller's to revoke."""

    rows: Mapping[str, int]
    ended: tuple[Launch, ...]


def _filed(now: datetime) -> Any:
    """In the EHR for a day, or taken back: what was sent need not be kept."""
    done = and_(filing.c.state == State.DONE, filing.c.changed_at < to_ms(now - DAY))
    return or_(done, filing.c.state == State.WITHDRAWN)


RULES: Mapping[str, Callable[[datetime], Executable]] = {
    "used states after an hour: their cookie lives ten minutes": (
        lambda now: delete(used_state).where(used_state.c.used_at < to_ms(now - HOUR))
    ),
    "wrong one-time codes once they no longer count": (
        lambda now: delete(wrong_code).where(wrong_code.c.at < to_ms(now - TRIED_WITHIN))
    ),
    "tickets after their 30 seconds": lambda now: delete(ticket).where(ticket.c.expires_at < to_ms(now)),
    "what the EHR was not told of within a day: the audit log has it": (
        lambda now: delete(audit_unsent).where(
            audit_unsent.c.seq.in_(select(audit.c.seq).where(audit.c.at < to_ms(now - DAY)))
        )
    ),
    "launches a day after they ended": lambda now: delete(launch).where(launch.c.ended_at < to_ms(now - DAY)),
    "hand-overs a day after they began": lambda now: delete(handover).where(handover.c.created_at < to_ms(now - DAY)),
    "drafts that were never handed in, 30 days after the last touch": (
        lambda now: delete(draft).where(draft.c.state.in_(("open", "aside")), draft.c.touched_at < to_ms(now - KEPT))
    ),
    "goals and reviews that were not saved, 30 days after the last touch": (
        lambda now: delete(goal_draft).where(goal_draft.c.touched_at < to_ms(now - KEPT))
    ),
    "drafts that are filed": (
        lambda now: delete(draft).where(draft.c.id.in_(select(filing.c.draft_id).where(_filed(now))))
    ),
    "bodies of filings a day after DONE, and of withdrawn ones": (
        lambda now: (
            update(part)
            .where(part.c.body.is_not(None), part.c.filing_id.in_(select(filing.c.id).where(_filed(now))))
            .values(body=None)
        )
    ),
    "refusals after a week: they are asked again": (
        lambda now: delete(refusal).where(refusal.c.refused_at < to_ms(now - REFUSED_KEPT))
    ),
    "receipts 30 days after the end of the filing": (
        lambda now: delete(filing).where(filing.c.state.in_(FINISHED), filing.c.changed_at < to_ms(now - KEPT))
    ),
}


def purge(database: Database, launches: Launches, now: datetime) -> Purged:
    ended = launches.expire(now)
    with database.writing() as connection:
        return Purged({rule: connection.execute(statement(now)).rowcount for rule, statement in RULES.items()}, ended)
