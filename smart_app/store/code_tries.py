"""How many wrong one-time codes are taken, so that nobody finds one by trying, nor shuts them for others.

They are counted in the store, since several processes of the app may answer.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select

from smart_app.store.cipher import Cipher
from smart_app.store.engine import Database
from smart_app.store.fair_share import Share, network_of
from smart_app.store.schema import wrong_code
from smart_app.store.times import to_ms

WITHIN = timedelta(minutes=10)  # as long as a code lives
# One network gets more wrong than a hospital behind one address does by chance; while many are at it, as few as a
# person who mistypes. Ten networks make it crowded, and it takes 400 more to shut out those who get none wrong.
#
# Whoever guesses from any number of networks: a code is one of 2^40 = 1.1 * 10^12, and 3,000 in ten minutes are
# 1.6 * 10^8 a year. With a hundred hand-overs waiting at any time, day and night, one is found in 70 years; and it
# opens the questions of one patient, not the record. A launch's code opens nothing without the log-in at the EHR.
SHARE = Share(one=100, few=5, crowded=1_000, most=3_000)


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
        return SHARE.is_used_up(self._mac(address), counted)

    def wrong(self, address: str, now: datetime) -> None:
        row = {"id": secrets.token_hex(16), "address": self._mac(address), "at": to_ms(now)}
        with self._database.writing() as connection:
            connection.execute(insert(wrong_code).values(**row))

    def _mac(self, address: str) -> str:
        return self._cipher.lookup("address", network_of(address))
