"""Renewing a launch's tokens by a lease: one request calls the EHR, the others wait and read what it got.

An EHR that rotates refresh tokens ends the session when one is used twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import or_, update

from smart_app.store.cipher import Cipher
from smart_app.store.engine import DATABASE_MS, Database
from smart_app.store.errors import NoAccess, NotRefreshed, StoreBusy
from smart_app.store.launch import Launch, Tokens
from smart_app.store.launches import LIVE, Launches
from smart_app.store.schema import launch

LEASE_MS = 40_000
RENEWAL_SECONDS = 30.0
"""For all that one renewal may ask of the EHR: under the lease by what the store may take to note it (5 s to be let
in, 5 s to write), else another request would spend the same refresh token meanwhile."""
PAUSE_SECONDS = 0.05


class TokenRefresh:
    def __init__(
        self, database: Database, cipher: Cipher, launches: Launches, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._launches = launches
        self._pause = pause

    def refresh(self, stale: Launch, renew: Callable[[Launch], Tokens]) -> Launch:
        """The launch with tokens newer than those of ``stale``; ``renew`` calls the EHR, in one request at a time.

        What ``renew`` raises goes on to its caller; requests that waited for it get NotRefreshed instead of calling
        again. Raises NoAccess where the launch is over.
        """
        self._database.outside("Renewing a token")
        while not self._claim(stale):
            current = self._read(stale)
            if current.tokens.access_token != stale.tokens.access_token:
                return current
            if current.tokens_version != stale.tokens_version:
                raise NotRefreshed("The hospital did not renew this session.", next_step="Try again in a moment.")
            self._pause(PAUSE_SECONDS)
        ends = time.monotonic() + RENEWAL_SECONDS
        try:
            tokens = renew(stale)
        except BaseException:
            self._write(stale, stale.tokens)  # a new version with the old tokens: tells those who wait that it failed
            raise
        if not self._noted(stale, tokens, ends):
            return self._read(stale)
        return replace(stale, tokens=tokens, tokens_version=stale.tokens_version + 1)

    def _noted(self, stale: Launch, tokens: Tokens, ends: float) -> bool:
        """Written, also where the store is busy at first: the EHR may have ended the tokens before, and then a launch
        without these is over. As long as the lease leaves the store's time for it. Raises StoreBusy."""
        while True:
            try:
                return self._write(stale, tokens)
            except StoreBusy:
                if time.monotonic() > ends:
                    raise

    def _claim(self, stale: Launch) -> bool:
        with self._database.writing() as connection:
            claimed = connection.execute(
                update(launch)
                .where(
                    launch.c.id == stale.id,
                    launch.c.state.in_(LIVE),
                    launch.c.tokens_version == stale.tokens_version,
                    or_(launch.c.refresh_until.is_(None), launch.c.refresh_until < DATABASE_MS),
                )
                .values(refresh_until=DATABASE_MS + LEASE_MS)
            )
            return claimed.rowcount == 1

    def _write(self, stale: Launch, tokens: Tokens) -> bool:
        sealed = self._cipher.seal_json("launch", stale.owner.row(stale.id), "tokens", tokens.as_json())
        with self._database.writing() as connection:
            written = connection.execute(
                update(launch)
                .where(
                    launch.c.id == stale.id,
                    launch.c.state.in_(LIVE),
                    launch.c.tokens_version == stale.tokens_version,
                )
                .values(tokens=sealed, tokens_version=stale.tokens_version + 1, refresh_until=None)
            )
            return written.rowcount == 1

    def _read(self, stale: Launch) -> Launch:
        with self._database.reading() as connection:
            row = self._launches.row(connection, stale.id)
            if row is None or row.state not in LIVE:
                raise NoAccess
            return self._launches.read(row)
