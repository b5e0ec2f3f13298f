"""Launches: who opened which patient's chart, with which tokens, and for how long this browser may go on.

Access is the id in the URL, the launch's own cookie secret (only an HMAC of it is kept), and a live launch. A launch
ends after 15 idle minutes (two hours while the screen is with the patient) and after eight hours in any case.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, or_, select, update

from smart_app.store.cipher import Cipher
from smart_app.store.engine import Database
from smart_app.store.errors import NoAccess
from smart_app.store.launch import Context, Launch, Started, Tokens
from smart_app.store.owner import Owner
from smart_app.store.schema import handover, launch
from smart_app.store.times import from_ms, span_ms, to_ms

IDLE = timedelta(minutes=15)
IDLE_HANDED_OVER = timedelta(hours=2)
ABSOLUTE = timedelta(hours=8)
PER_BROWSER = 12  # 131 cookies make a header of 10.6 kB, over what servers take

LIVE = ("active", "handed_over")

# Built once: every request runs it, and SQLAlchemy needs longer to build it than to run it.
_BY_ID = select(launch).where(launch.c.id == bindparam("launch_id"))


class Launches:
    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    def start(self, context: Context, tokens: Tokens, presented: Collection[str], now: datetime) -> Started:
        """A new launch, after the callback has verified everything in ``context``.

        ``presented`` are the secrets of all launch cookies that came with the callback: they are the browser. Its
        launches of another (site, iss, sub) end, and the longest unseen ones beyond twelve; their tokens, returned
        in ``Started.ended``, are the caller's to revoke. While this user's screen is with a patient, here or in any
        other browser, the launch begins locked behind that hand-over, and its PIN opens it.
        """
        launch_id, secret = secrets.token_hex(16), new_secret()
        user_key = self.user_key(context, launch_id)
        started = Launch(
            id=launch_id,
            state="active",
            user_key=user_key,
            patient_key=self.patient_key(context.site, context.patient),
            context=context,
            tokens=tokens,
            tokens_version=1,
            created=now,
            seen=now,
        )
        with self._database.writing() as connection:
            mine = self._of_browser(connection, presented, now)
            others = [each for each in mine if each.user_key != user_key]
            same = sorted((each for each in mine if each.user_key == user_key), key=lambda each: each.seen)
            ended = [self.end_in(connection, each, "another user", now) for each in others]
            spare = max(0, len(same) - PER_BROWSER + 1)  # a negative end would count from the other side
            ended += [self.end_in(connection, each, "too many", now) for each in same[:spare]]
            handed_over = self._handed_over(connection, user_key, now)
            if handed_over:
                started = replace(started, state="handed_over")
            connection.execute(
                insert(launch).values(
                    id=launch_id,
                    handover_id=handed_over,
                    secret_mac=self._cipher.secret_mac(secret),
                    state=started.state,
                    site=context.site,
                    user_key=user_key,
                    patient=started.patient_key,
                    context=self._cipher.seal_json(
                        "launch", started.owner.row(launch_id), "context", context.as_json()
                    ),
                    tokens=self._cipher.seal_json("launch", started.owner.row(launch_id), "tokens", tokens.as_json()),
                    tokens_version=1,
                    created_at=to_ms(now),
                    seen_at=to_ms(now),
                )
            )
        return Started(started, secret, tuple(ended))

    def access(self, launch_id: str, secret: str, now: datetime) -> Launch:
        """The active launch; raises NoAccess for wrong, missing, unknown, handed-over, idle and ended alike."""
        with self._database.reading() as connection:
            row = self.row(connection, launch_id)
        matches = hmac.compare_digest(row.secret_mac if row else "", self._cipher.secret_mac(secret))
        if row is None or not matches or row.state != "active" or not is_live(row, now):
            raise NoAccess
        return self.read(row)

    def live(self, launch_id: str, now: datetime) -> Launch | None:
        """For what the app does by itself in a person's name, never for a page: that needs the cookie's secret."""
        with self._database.reading() as connection:
            row = self.row(connection, launch_id)
        return self.read(row) if row and is_live(row, now) else None

    def site_of(self, launch_id: str, secret: str) -> str:
        """The site of a launch, over or not, that this cookie belongs to; empty otherwise. It opens nothing."""
        with self._database.reading() as connection:
            row = self.row(connection, launch_id)
        digest = self._cipher.secret_mac(secret)
        known = [each for each in (row.secret_mac, row.old_secret_mac) if each] if row else []
        return str(row.site) if row and any(hmac.compare_digest(each, digest) for each in known) else ""

    def of_browser(self, presented: Collection[str], now: datetime) -> tuple[Launch, ...]:
        """The live launches that the presented cookie secrets belong to, handed-over ones too."""
        with self._database.reading() as connection:
            return tuple(self._of_browser(connection, presented, now))

    def touch(self, launch_id: str, now: datetime) -> None:
        """A person did something here: the idle time begins again. Never for a page that reloads by itself."""
        with self._database.writing() as connection:
            connection.execute(
                update(launch).where(launch.c.id == launch_id, launch.c.state.in_(LIVE)).values(seen_at=to_ms(now))
            )

    def change(self, launch_id: str, edit: Callable[[Context], Context]) -> Launch:
        """Replaces the context by ``edit`` of what stands there now, so that two tabs lose nothing of each other's.

        Site, issuer, subject and patient never change: ValueError. Raises NoAccess where the launch is over.
        """
        with self._database.writing() as connection:
            row = self.row(connection, launch_id)
            if row is None or row.state not in LIVE:
                raise NoAccess
            before = self.read(row)
            context = edit(before.context)
            if context.binding != before.context.binding:
                raise ValueError("A launch's site, issuer, subject and patient never change.")
            sealed = self._cipher.seal_json("launch", before.owner.row(launch_id), "context", context.as_json())
            connection.execute(update(launch).where(launch.c.id == launch_id).values(context=sealed))
        return replace(before, context=context)

    def end(self, launch_id: str, why: str, now: datetime) -> Launch | None:
        """Ends it (log-out) and returns it as it was, its tokens to be revoked; None where it was over already."""
        with self._database.writing() as connection:
            row = self.row(connection, launch_id)
            return None if row is None or row.state not in LIVE else self.end_in(connection, self.read(row), why, now)

    def end_active(self, presented: Collection[str], why: str, now: datetime) -> tuple[Launch, ...]:
        """Ends what is open in the browser of these cookie secrets; what waits behind a hand-over stays locked."""
        with self._database.writing() as connection:
            mine = self._of_browser(connection, presented, now)
            return tuple(self.end_in(connection, each, why, now) for each in mine if each.state == "active")

    def end_all(self, why: str, now: datetime) -> tuple[Launch, ...]:
        with self._database.writing() as connection:
            rows = connection.execute(select(launch).where(launch.c.state.in_(LIVE))).all()
            return tuple(self.end_in(connection, self.read(row), why, now) for row in rows)

    def expire(self, now: datetime) -> tuple[Launch, ...]:
        """Ends all that idled out or are eight hours old; returned as in ``end``."""
        with self._database.writing() as connection:
            rows = connection.execute(select(launch).where(launch.c.state.in_(LIVE))).all()
            over = [row for row in rows if not is_live(row, now)]
            return tuple(self.end_in(connection, self.read(row), "idle or too old", now) for row in over)

    def user_key(self, context: Context, launch_id: str) -> str:
        """HMAC of (site, iss, sub) of the id_token. Without a verified id_token each launch is a user of its own."""
        if not context.sub:
            return self._cipher.lookup("unidentified", launch_id)
        return self._cipher.lookup("user", context.site, context.issuer, context.sub)

    def patient_key(self, site: str, patient: str) -> str:
        return self._cipher.lookup("patient", site, patient)

    # The rest is for the store's own modules, inside their transactions.

    def row(self, connection: Connection, launch_id: str) -> Row[Any] | None:
        return connection.execute(_BY_ID, {"launch_id": launch_id}).one_or_none()

    def read(self, row: Row[Any]) -> Launch:
        place = Owner(row.user_key, row.site, row.patient).row(row.id)
        return Launch(
            id=row.id,
            state=row.state,
            user_key=row.user_key,
            patient_key=row.patient,
            context=Context.from_json(self._cipher.open_json("launch", place, "context", row.context)),
            tokens=Tokens.from_json(self._cipher.open_json("launch", place, "tokens", row.tokens)),
            tokens_version=row.tokens_version,
            created=from_ms(row.created_at),
            seen=from_ms(row.seen_at),
        )

    def end_in(self, connection: Connection, ended: Launch, why: str, now: datetime) -> Launch:
        values = {"state": "ended", "context": None, "tokens": None, "ended_at": to_ms(now), "ended_why": why}
        connection.execute(update(launch).where(launch.c.id == ended.id).values(**values))
        return ended

    def _handed_over(self, connection: Connection, user_key: str, now: datetime) -> str | None:
        """The hand-over that this user has not taken back, while a launch that waits behind it lives."""
        query = select(launch).join(handover, handover.c.id == launch.c.handover_id)
        waiting = query.where(
            launch.c.user_key == user_key, launch.c.state == "handed_over", handover.c.state != "closed"
        )
        return next((row.handover_id for row in connection.execute(waiting) if is_live(row, now)), None)

    def _of_browser(self, connection: Connection, presented: Collection[str], now: datetime) -> Sequence[Launch]:
        digests = [self._cipher.secret_mac(secret) for secret in presented]
        query = select(launch).where(
            launch.c.state.in_(LIVE),
            or_(launch.c.secret_mac.in_(digests), launch.c.old_secret_mac.in_(digests)),
        )
        return [self.read(row) for row in connection.execute(query) if is_live(row, now)]


def new_secret() -> str:
    """256 bits, for a cookie."""
    return secrets.token_urlsafe(32)


def is_live(row: Row[Any], now: datetime) -> bool:
    idle = IDLE_HANDED_OVER if row.state == "handed_over" else IDLE
    moment = to_ms(now)
    live: bool = (
        row.state in LIVE and moment <= row.seen_at + span_ms(idle) and moment <= row.created_at + span_ms(ABSOLUTE)
    )
    return live
