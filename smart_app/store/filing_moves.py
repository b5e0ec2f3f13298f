"""One step of a filing: one UPDATE with the expected state and attempt, and its parts' rows in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import ceil
from typing import Any

from sqlalchemy import Connection, select, update

from smart_app.store.engine import DATABASE_MS
from smart_app.store.errors import StaleFiling, TooSoon
from smart_app.store.filing import Filing, Part, Receipt
from smart_app.store.filing_rows import FilingRows
from smart_app.store.filing_states import TARGETS, Event, State
from smart_app.store.schema import filing, part
from smart_app.store.times import from_ms


def move(
    connection: Connection,
    rows: FilingRows,
    before: Filing,
    event: Event,
    *,
    parts: Sequence[Part] | None = None,
    **columns: Any,
) -> Filing:
    """Takes the step, with ``parts`` (else the current ones) into its target state; returns the filing as it is now.

    Raises StaleFiling where the table has no such step, or the filing is not as ``before`` says.
    """
    target = TARGETS.get((before.state, event))
    if target is None:
        raise stale(before, f"There is no step from {before.state}: {event.value}.")
    attempt = columns.get("attempt", before.attempt)
    moved = connection.execute(
        update(filing)
        .where(filing.c.id == before.id, filing.c.state == before.state, filing.c.attempt == before.attempt)
        .values(state=target, changed_at=DATABASE_MS, **columns)
    )
    if moved.rowcount != 1:
        raise stale(before, f"It is no longer {before.state} in attempt {before.attempt}.")
    for each in before.current if parts is None else parts:
        change = connection.execute(
            update(part)
            .where(part.c.filing_id == before.id, part.c.number == each.number, part.c.state == each.state)
            .values(state=target, attempt=attempt)
        )
        if change.rowcount != 1:
            raise stale(before, f"Its part {each.number} is no longer {each.state}.")
    return read_one(connection, rows, before.id)


def accept(
    connection: Connection, rows: FilingRows, before: Filing, event: Event, receipts: Sequence[Receipt]
) -> Filing:
    """A step to PART_OK with a receipt for each current part; where a person chose, or for all not accepted."""
    most = before.unaccepted if event is Event.CHOOSE else before.current
    if len(receipts) not in (len(before.current), len(most)):
        raise ValueError(f"{len(receipts)} receipts for {len(before.current)} parts.")
    parts = most[: len(receipts)]
    after = move(connection, rows, before, event, parts=parts, reason=None, lease_until=None, not_before=None)
    for each, receipt in zip(parts, receipts, strict=True):
        connection.execute(
            update(part)
            .where(part.c.filing_id == before.id, part.c.number == each.number)
            .values(receipt=rows.seal_receipt(before.id, each.number, receipt))
        )
    if any(each.state is State.UNKNOWN for each in after.current):
        return move(connection, rows, after, Event.NEXT_UNKNOWN, parts=())
    return read_one(connection, rows, before.id)


def read_one(connection: Connection, rows: FilingRows, filing_id: str) -> Filing:
    (found,) = rows.read(connection, filing.c.id == filing_id)
    return found


def not_before(connection: Connection, earliest: datetime | None, why: str) -> None:
    """Raises TooSoon by the database's clock, which undoes the step."""
    now = from_ms(connection.execute(select(DATABASE_MS)).scalar_one())
    if earliest is not None and now < earliest:
        seconds = ceil((earliest - now).total_seconds())
        raise TooSoon(why, next_step=f"Try again in {seconds} seconds.", seconds=seconds)


def stale(before: Filing, what: str) -> StaleFiling:
    return StaleFiling(f"Filing {before.id}: {what}", next_step="Look at it again: another tab was faster.")
