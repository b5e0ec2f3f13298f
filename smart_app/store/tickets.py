"""One-time tickets of 256 bits that carry something from a frame to a window of its own within 30 seconds."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert

from smart_app.store.cipher import Cipher, sha256_hex
from smart_app.store.engine import Database
from smart_app.store.errors import NoAccess
from smart_app.store.schema import ticket
from smart_app.store.times import to_ms

LIFETIME = timedelta(seconds=30)


class Tickets:
    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    def issue(self, purpose: str, value: Mapping[str, Any], now: datetime) -> str:
        """A ticket for one purpose, which gives back ``value`` (JSON) once."""
        secret = secrets.token_urlsafe(32)
        digest = sha256_hex(secret)
        sealed = self._cipher.seal_json("ticket", digest, "value", dict(value))
        with self._database.writing() as connection:
            connection.execute(
                insert(ticket).values(
                    ticket_sha256=digest, purpose=purpose, value=sealed, expires_at=to_ms(now + LIFETIME)
                )
            )
        return secret

    def redeem(self, purpose: str, secret: str, now: datetime) -> dict[str, Any]:
        """What the ticket carries. Raises NoAccess where it is unknown, spent, too old or for another purpose."""
        digest = sha256_hex(secret)
        with self._database.writing() as connection:
            row = connection.execute(
                delete(ticket)
                .where(ticket.c.ticket_sha256 == digest, ticket.c.purpose == purpose)
                .returning(ticket.c.value, ticket.c.expires_at)
            ).one_or_none()
        if row is None or row.expires_at < to_ms(now):
            raise NoAccess
        value: dict[str, Any] = self._cipher.open_json("ticket", digest, "value", row.value)
        return value
