"""Each ``state`` of the authorization request is used once: the insert comes before the code is spent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from imr_fhir.errors import StateError
from smart_app.store.cipher import Cipher
from smart_app.store.engine import Database
from smart_app.store.schema import used_state
from smart_app.store.times import to_ms


class UsedStates:
    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    def use(self, state: str, now: datetime) -> None:
        """Raises StateError where this state was used before: the code is not to be sent again."""
        try:
            with self._database.writing() as connection:
                connection.execute(insert(used_state).values(state=self._lookup(state), used_at=to_ms(now)))
        except IntegrityError:
            raise StateError(
                "This log-in answer was already used.", next_step="Open the app again from the patient's chart."
            ) from None

    def led_to(self, state: str, launch_id: str) -> None:
        """Remembers which launch a used state led to, for a callback that is replayed."""
        with self._database.writing() as connection:
            connection.execute(
                update(used_state).where(used_state.c.state == self._lookup(state)).values(launch_id=launch_id)
            )

    def launch_of(self, state: str) -> str:
        """The launch id that this state led to, else empty. It opens nothing: access needs the launch's own cookie."""
        with self._database.reading() as connection:
            query = select(used_state.c.launch_id).where(used_state.c.state == self._lookup(state))
            return connection.execute(query).scalar_one_or_none() or ""

    def _lookup(self, state: str) -> str:
        return self._cipher.lookup("state", state)
