"""One-time codes that open a hand-over on another device: typed by a person, so they are short, and live ten minutes.

40 bits, by chance once in 10^12 tries for each that is live; `code_tries` lets few be made. Kept is an HMAC:
of so few bits a bare hash could be tried out.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, insert

from smart_app.store.cipher import Cipher
from smart_app.store.engine import Database
from smart_app.store.errors import NoAccess
from smart_app.store.schema import ticket
from smart_app.store.times import to_ms

LIFETIME = timedelta(minutes=10)
LENGTH = 8
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
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        digest, purpose = self._cipher.lookup("code", code), self._purpose(hid)
        sealed = self._cipher.seal_json("ticket", digest, "value", {"hid": hid})
        with self._database.writing() as connection:
            connection.execute(delete(ticket).where(ticket.c.purpose == purpose))
            connection.execute(
                insert(ticket).values(
                    ticket_sha256=digest, purpose=purpose, value=sealed, expires_at=to_ms(now + LIFETIME)
                )
            )
        return code

    def redeem(self, typed: str, now: datetime) -> str:
        """The hand-over's id, once. Raises NoAccess where the code is none, spent, void or too old."""
        code = typed.upper().translate(_MEANT)
        digest = self._cipher.lookup("code", code)
        with self._database.writing() as connection:
            row = connection.execute(
                delete(ticket)
                .where(ticket.c.ticket_sha256 == digest)
                .returning(ticket.c.purpose, ticket.c.value, ticket.c.expires_at)
            ).one_or_none()
        if row is None or row.expires_at < to_ms(now):
            raise NoAccess
        hid: str = self._cipher.open_json("ticket", digest, "value", row.value)["hid"]
        return hid

    def _purpose(self, hid: str) -> str:
        return f"code {hid}"
