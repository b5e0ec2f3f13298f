"""One-time codes that open a hand-over on another device, or a launch in a window: typed, so short; live ten minutes.

40 bits, by chance once in 10^12 tries for each that is live; `code_tries` lets few be made. Kept is an HMAC:
of so few bits a bare hash could be tried out.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from smart_app.store.cipher import Cipher
from smart_app.store.engine import Database
from smart_app.store.errors import NoAccess, TooManyCodes
from smart_app.store.fair_share import Share, network_of
from smart_app.store.schema import ticket
from smart_app.store.times import to_ms

LIFETIME = timedelta(minutes=10)
LENGTH = 8
# Of launches, live at once: one network is a whole hospital whose frames keep no cookie.
LAUNCHES = Share(one=300, few=20, crowded=1_000, most=3_000)
_LAUNCH = "launch code "
# Crockford's base 32: nothing that is read as something else, and what is typed instead counts as what was meant.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MEANT = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None, "\u00a0": None})


class Codes:
    """They stand with the tickets, which are spent and purged alike."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    def issue(self, hid: str, now: datetime) -> str:
        """A code for one hand-over; the one that it had before is void."""
        with self._database.writing() as connection:
            connection.execute(delete(ticket).where(ticket.c.purpose == f"code {hid}"))
            return self._issue(connection, f"code {hid}", {"hid": hid}, now)

    def redeem(self, typed: str, now: datetime) -> str:
        """The hand-over's id, once. Raises NoAccess where the code is none, spent, void or too old."""
        hid: str = self._redeem(ticket.c.purpose.startswith("code "), typed, now)["hid"]
        return hid

    def issue_launch(self, asked: Mapping[str, Any], address: str, now: datetime) -> str:
        """A code for what an EHR opened the app with at ``address``. Raises TooManyCodes: anybody may ask for one, with
        no log-in."""
        purpose = _LAUNCH + self._cipher.lookup("address", network_of(address))
        live = (ticket.c.purpose.startswith(_LAUNCH), ticket.c.expires_at >= to_ms(now))
        with self._database.writing() as connection:
            found = connection.execute(select(ticket.c.purpose, func.count()).where(*live).group_by(ticket.c.purpose))
            if LAUNCHES.is_used_up(purpose, {row[0]: row[1] for row in found}):
                raise TooManyCodes("As many one-time codes are live as may be.", next_step="Try again in ten minutes.")
            return self._issue(connection, purpose, asked, now)

    def redeem_launch(self, typed: str, now: datetime) -> dict[str, Any]:
        """What the EHR opened the app with, once. Raises NoAccess, as ``redeem``."""
        return self._redeem(ticket.c.purpose.startswith(_LAUNCH), typed, now)

    def _issue(self, connection: Connection, purpose: str, value: Mapping[str, Any], now: datetime) -> str:
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        digest = self._cipher.lookup("code", code)
        sealed = self._cipher.seal_json("ticket", digest, "value", dict(value))
        connection.execute(
            insert(ticket).values(ticket_sha256=digest, purpose=purpose, value=sealed, expires_at=to_ms(now + LIFETIME))
        )
        return code

    def _redeem(self, which: ColumnElement[bool], typed: str, now: datetime) -> dict[str, Any]:
        digest = self._cipher.lookup("code", typed.upper().translate(_MEANT))
        with self._database.writing() as connection:
            row = connection.execute(
                delete(ticket)
                .where(ticket.c.ticket_sha256 == digest, which)
                .returning(ticket.c.value, ticket.c.expires_at)
            ).one_or_none()
        if row is None or row.expires_at < to_ms(now):
            raise NoAccess
        value: dict[str, Any] = self._cipher.open_json("ticket", digest, "value", row.value)
        return value
