"""The store: launches, hand-overs, drafts, filings and the audit log, encrypted; nothing that the EHR holds already.

A transaction is never open across a call to a hospital.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.engine import URL

from smart_app.store.audit import Audit, Entry
from smart_app.store.canary import check_canary, lay_canary
from smart_app.store.cipher import Cipher
from smart_app.store.code_tries import CodeTries
from smart_app.store.codes import Codes
from smart_app.store.drafts import Drafts
from smart_app.store.engine import Database
from smart_app.store.errors import SchemaError
from smart_app.store.filings import Filings
from smart_app.store.goal_drafts import GoalDrafts
from smart_app.store.handovers import Handovers
from smart_app.store.keys import Keys
from smart_app.store.launch import Launch
from smart_app.store.launches import Launches
from smart_app.store.migrations import MIGRATIONS, migrate, version_of
from smart_app.store.postgresql import open_postgresql
from smart_app.store.purge import Purged, purge
from smart_app.store.refusals import Refusals
from smart_app.store.rotation import Rotation
from smart_app.store.sqlite import open_sqlite
from smart_app.store.tickets import Tickets
from smart_app.store.token_refresh import TokenRefresh
from smart_app.store.unsent import Unsent
from smart_app.store.used_states import UsedStates


@dataclass(frozen=True, slots=True)
class Restored:
    """``ended`` are launches whose tokens are the caller's to revoke; ``unknown`` counts filings."""

    ended: tuple[Launch, ...]
    unknown: int


class Store:
    """One a process, opened after any fork."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self.cipher = cipher
        self.audit = Audit(database, cipher)
        self.unsent = Unsent(database)
        self.states = UsedStates(database, cipher)
        self.tickets = Tickets(database, cipher)
        self.codes = Codes(database, cipher)
        self.code_tries = CodeTries(database, cipher)
        self.launches = Launches(database, cipher)
        self.tokens = TokenRefresh(database, cipher, self.launches)
        self.drafts = Drafts(database, cipher)
        self.goal_drafts = GoalDrafts(database, cipher)
        self.filings = Filings(database, cipher, self.drafts, self.audit)
        self.rotation = Rotation(database, cipher)
        self.handovers = Handovers(database, cipher, self.launches, self.drafts)
        self.refusals = Refusals(database)

    @classmethod
    def open(cls, place: Path | URL, keys: Keys) -> Store:
        """Opens the store (a SQLite file or a PostgreSQL database), makes its tables where there are none, and brings
        it forward to this app's version.

        Raises WrongKey, SchemaError, NotPrivate, StoreGone and StoreUnready; then nothing was changed.
        """
        store = cls(open_postgresql(place) if isinstance(place, URL) else open_sqlite(place), Cipher(keys))
        try:
            store._prepare()
        except BaseException:
            store.close()
            raise
        return store

    def writing(self) -> AbstractContextManager[Connection]:
        """Several steps of this thread as one transaction: all of them or none."""
        return self._database.writing()

    def reading(self) -> AbstractContextManager[Connection]:
        """Several reads of this thread that see one moment."""
        return self._database.reading()

    def check(self) -> None:
        """For ``/readyz``: raises what stands in the way (schema, key, disk); says nothing of the EHR."""
        with self._database.reading() as connection:
            self._database.check()
            found = version_of(connection)
            if found != len(MIGRATIONS):
                raise SchemaError(
                    f"The store has version {found}, this app wants {len(MIGRATIONS)}.",
                    next_step="Restart the app: it brings the store forward.",
                )
            check_canary(connection, self.cipher)

    def purge(self, now: datetime) -> Purged:
        """Deletes what has served its time; see ``smart_app.store.purge.RULES``."""
        return purge(self._database, self.launches, now)

    def restored(self, now: datetime) -> Restored:
        """After a restore from backup: ends all sessions, and every filing that is not finished becomes UNKNOWN, since
        it may have been sent after the backup was made."""
        with self._database.writing():
            doubted = [each for each in self.filings.restored() if not each.finished]
            ended = self.launches.end_all("restored from backup", now)
            for each in ended:
                of = each.context
                told = Entry("session-ended", "success", each.who, of.site, f"Patient/{of.patient}", each.patient_key)
                self.audit.record(replace(told, purpose="restored from backup"), now)
            return Restored(ended, len(doubted))

    def close(self) -> None:
        self._database.close()

    def _prepare(self) -> None:
        with self._database.writing() as connection:
            found = version_of(connection)
            if found:
                check_canary(connection, self.cipher)
            migrate(connection)
            if not found:
                lay_canary(connection, self.cipher)
                self.audit.begin()
