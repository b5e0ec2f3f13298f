"""Filings and parts between rows and values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select

from smart_app.store.cipher import Cipher, sha256_hex
from smart_app.store.filing import Filing, NewPart, Part, Receipt
from smart_app.store.filing_states import State
from smart_app.store.owner import Owner
from smart_app.store.schema import filing, part
from smart_app.store.times import from_ms


def those(which: Any) -> Select[Any]:
    """The query for the filings that meet the condition, oldest first."""
    return select(filing).where(which).order_by(filing.c.sealed_at, filing.c.id)


class FilingRows:
    def __init__(self, cipher: Cipher) -> None:
        self._cipher = cipher

    def read(self, connection: Connection, which: Any) -> tuple[Filing, ...]:
        """The filings that meet the condition, oldest first, without their bodies."""
        return self.run(connection, those(which))

    def run(
        self, connection: Connection, query: Select[Any], values: Mapping[str, Any] = MappingProxyType({})
    ) -> tuple[Filing, ...]:
        """The same of a query that ``those`` built before, with the values of its parameters."""
        rows = connection.execute(query, dict(values)).all()
        return tuple(self._filing(connection, row) for row in rows)

    def body(self, connection: Connection, filing_id: str, number: int) -> bytes | None:
        query = select(part.c.body).where(part.c.filing_id == filing_id, part.c.number == number)
        sealed = connection.execute(query).scalar_one()
        return None if sealed is None else self._cipher.open("part", _row(filing_id, number), "body", sealed)

    def add_parts(self, connection: Connection, filing_id: str, parts: Sequence[NewPart], *, after: int = 0) -> None:
        """Numbers them from ``after`` + 1."""
        for number, each in enumerate(parts, start=after + 1):
            row = _row(filing_id, number)
            request = {
                "type": each.type,
                "request": dict(each.request),
                "sha256": sha256_hex(each.body),
                "unsent": each.unsent,
            }
            connection.execute(
                insert(part).values(
                    filing_id=filing_id,
                    number=number,
                    state=State.SEALED,
                    attempt=0,
                    replaced=each.unsent,
                    request=self._cipher.seal_json("part", row, "request", request),
                    body=self._cipher.seal("part", row, "body", each.body),
                )
            )

    def seal(self, filing_id: str, owner: Owner, column: str, value: Mapping[str, Any]) -> bytes:
        return self._cipher.seal_json("filing", owner.row(filing_id), column, dict(value))

    def seal_receipt(self, filing_id: str, number: int, receipt: Receipt) -> bytes:
        return self._cipher.seal_json("part", _row(filing_id, number), "receipt", asdict(receipt))

    def _filing(self, connection: Connection, row: Row[Any]) -> Filing:
        owner = Owner(row.user_key, row.site, row.patient)

        def opened(column: str) -> dict[str, Any]:
            sealed = getattr(row, column)
            return self._cipher.open_json("filing", owner.row(row.id), column, sealed) if sealed is not None else {}

        reason = opened("reason")
        parts = connection.execute(
            # the bodies stay behind: a list of filings needs none
            select(*(column for column in part.c if column.name != "body"))
            .where(part.c.filing_id == row.id)
            .order_by(part.c.number)
        )
        return Filing(
            id=row.id,
            owner=owner,
            draft_id=row.draft_id or "",
            state=State(row.state),
            attempt=row.attempt,
            in_transaction=row.in_transaction,
            plan=opened("plan"),
            details=opened("value"),
            reason=reason.get("text", ""),
            candidates=tuple(reason.get("candidates", ())),
            held=reason.get("held", ""),
            sealed=from_ms(row.sealed_at),
            changed=from_ms(row.changed_at),
            lost=from_ms(row.lost_at) if row.lost_at else None,
            not_before=from_ms(row.not_before) if row.not_before else None,
            parts=tuple(self._part(each) for each in parts),
        )

    def _part(self, row: Row[Any]) -> Part:
        place = _row(row.filing_id, row.number)
        request = self._cipher.open_json("part", place, "request", row.request)
        receipt = self._cipher.open_json("part", place, "receipt", row.receipt) if row.receipt is not None else None
        return Part(
            number=row.number,
            type=request["type"],
            state=State(row.state),
            attempt=row.attempt,
            replaced=row.replaced,
            unsent=request.get("unsent", False),
            sha256=request["sha256"],
            request=request["request"],
            receipt=Receipt(**receipt) if receipt else None,
        )


def _row(filing_id: str, number: int) -> str:
    return f"{filing_id}/{number}"
