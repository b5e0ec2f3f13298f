"""How many wrong one-time codes are taken, so that nobody finds one by trying: by device, and by the app as a whole.

They are counted in the store, since several processes of the app may answer. The address is kept as an HMAC.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select

from smart_app.store.cipher import Cipher
from smart_app.store.engine import Database
from smart_app.store.schema import wrong_code
from smart_app.store.times import to_ms

WITHIN = timedelta(minutes=10)  # as long as a code lives
# A whole hospital may have one address, and who uses it up shuts out the others: more than a ward gets wrong by chance.
# A code is one of 2^40 = 1.1 * 10^12. 100 in ten minutes are 14,400 a day, 300 are 43,200: with a hundred codes live at
# any time, one is found by trying once in 700 years.
FROM_ONE = 100  # by one address
FROM_ALL = 300


class CodeTries:
    """Once there are too many, right codes are refused as well until the oldest is old."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    def too_many(self, address: str, now: datetime) -> bool:
        lately = wrong_code.c.at >= to_ms(now - WITHIN)
        query = select(wrong_code.c.address, func.count()).where(lately).group_by(wrong_code.c.address)
        with self._database.reading() as connection:
            counted: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
        return counted.get(self._mac(address), 0) >= FROM_ONE or sum(counted.values()) >= FROM_ALL

    def wrong(self, address: str, now: datetime) -> None:
        row = {"id": secrets.token_hex(16), "address": self._mac(address), "at": to_ms(now)}
        with self._database.writing() as connection:
            connection.execute(insert(wrong_code).values(**row))

    def _mac(self, address: str) -> str:
        return self._cipher.lookup("address", address)
