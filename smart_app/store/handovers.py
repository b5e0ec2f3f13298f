"""Hand-over of the screen to the patient: the clinician's launches are locked, one draft opens, a PIN leads back.

All live launches of the user are locked, and those that begin meanwhile, not this browser's alone: a frame and a tab
have cookie jars that do not see each other. While locked, a launch's cookie has one right left: to try the PIN.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from smart_app.store.cipher import Cipher
from smart_app.store.drafts import Draft, Drafts
from smart_app.store.engine import Database
from smart_app.store.errors import NoAccess, PinRefused
from smart_app.store.launch import Launch
from smart_app.store.launches import LIVE, Launches, is_live, new_secret
from smart_app.store.owner import Owner
from smart_app.store.pin import TRIES, hash_pin, pin_matches
from smart_app.store.schema import handover, launch
from smart_app.store.times import to_ms

FINISHED_SHOWN = timedelta(minutes=10)
"""How long "finished" is shown after the screen was taken back."""


@dataclass(frozen=True, slots=True)
class Handover:
    """``state``: offered (a window is still to open), open, submitted, closed. Only an open one may touch the draft.

    ``value`` is what the patient's pages need to show, put in at hand-over: they read nothing from the EHR.
    """

    id: str
    state: str
    launch_id: str
    draft_id: str
    owner: Owner
    tries_left: int
    submitted: bool
    value: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class HandedOver:
    """``launch_secret`` is the new cookie of the launch that handed over; until the PIN it opens the PIN page only."""

    handover: Handover
    launch_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unlocked:
    """``secrets`` by launch id: new cookies for each launch that this browser holds a cookie of."""

    handover: Handover
    launch: Launch
    secrets: Mapping[str, str] = field(repr=False)


class Handovers:
    def __init__(self, database: Database, cipher: Cipher, launches: Launches, drafts: Drafts) -> None:
        self._database = database
        self._cipher = cipher
        self._launches = launches
        self._drafts = drafts

    def create(self, given: Launch, draft: Draft, pin: str, value: Mapping[str, Any], now: datetime) -> HandedOver:
        """Locks all live launches of this user and offers the draft. An earlier hand-over of the user is closed.

        Raises PinRefused for an unfit PIN, NoAccess where the launch is no longer active or the draft not its own.
        """
        hid, secret, hashed = secrets.token_hex(16), new_secret(), hash_pin(pin)
        with self._database.writing() as connection:
            if self._drafts.get(draft.id, given.owner).state != "open":
                raise NoAccess
            mine = connection.execute(
                select(launch).where(launch.c.user_key == given.user_key, launch.c.state.in_(LIVE))
            ).all()
            live = [row for row in mine if is_live(row, now)]
            if given.id not in {row.id for row in live if row.state == "active"}:
                raise NoAccess
            self._close(connection, now, handover.c.user_key == given.user_key)
            connection.execute(
                insert(handover).values(
                    id=hid,
                    state="offered",
                    launch_id=given.id,
                    draft_id=draft.id,
                    site=given.owner.site,
                    user_key=given.user_key,
                    patient=given.patient_key,
                    pin=self._cipher.seal("handover", given.owner.row(hid), "pin", hashed),
                    tries=0,
                    value=self._cipher.seal_json("handover", given.owner.row(hid), "value", dict(value)),
                    created_at=to_ms(now),
                )
            )
            for row in live:
                locked: dict[str, Any] = {"handover_id": hid, "seen_at": to_ms(now)}
                if row.state == "active":
                    replaced = secret if row.id == given.id else new_secret()
                    locked |= {"state": "handed_over", "old_secret_mac": row.secret_mac}
                    locked |= {"secret_mac": self._cipher.secret_mac(replaced)}
                connection.execute(update(launch).where(launch.c.id == row.id).values(**locked))
            return HandedOver(self._read(self._row(connection, hid)), secret)

    def open(self, hid: str, now: datetime) -> tuple[Handover, str]:
        """Opens an offered hand-over once, and gives the secret for the patient's cookie. Raises NoAccess."""
        secret = new_secret()
        with self._database.writing() as connection:
            opened = connection.execute(
                update(handover)
                .where(handover.c.id == hid, handover.c.state == "offered")
                .values(state="open", secret_mac=self._cipher.secret_mac(secret))
            )
            if opened.rowcount != 1 or not self._locks(connection, hid, now):
                raise NoAccess
            return self._read(self._row(connection, hid)), secret

    def access(self, hid: str, secret: str, now: datetime) -> Handover:
        """The patient's authority. ``state`` submitted or closed means: show "finished" and nothing else.

        Raises NoAccess for wrong, missing and unknown, for an open one whose launches are all over, and for one that
        was closed ten minutes ago: a tablet may lie in a waiting room.
        """
        with self._database.reading() as connection:
            query = select(handover).where(handover.c.id == hid)
            row = connection.execute(query).one_or_none()
            known = (row.secret_mac if row else None) or ""
            if not hmac.compare_digest(known, self._cipher.secret_mac(secret)) or row is None:
                raise NoAccess
            if row.state == "open" and not self._locks(connection, hid, now):
                raise NoAccess
            if row.closed_at is not None and row.closed_at < to_ms(now - FINISHED_SHOWN):
                raise NoAccess
            return self._read(row)

    def touch(self, hid: str, now: datetime) -> None:
        """The patient did something: the two hours begin again."""
        with self._database.writing() as connection:
            connection.execute(update(launch).where(*_locked_by(hid)).values(seen_at=to_ms(now)))

    def go_on_with(self, hid: str, draft: Draft) -> None:
        """The draft that is answered from now on, begun in place of the one that was handed over; to be called in one
        transaction with that. Raises NoAccess where the hand-over is not open."""
        with self._database.writing() as connection:
            mine = (handover.c.id == hid, handover.c.state == "open", handover.c.user_key == draft.owner.user_key)
            if connection.execute(update(handover).where(*mine).values(draft_id=draft.id)).rowcount != 1:
                raise NoAccess

    def submit(self, hid: str, now: datetime) -> Handover:
        """The patient is finished; to be called in one transaction with the seal. A second call changes nothing.

        Raises NoAccess where the hand-over was closed meanwhile.
        """
        with self._database.writing() as connection:
            connection.execute(
                update(handover)
                .where(handover.c.id == hid, handover.c.state == "open")
                .values(state="submitted", submitted_at=to_ms(now))
            )
            row = self._row(connection, hid)
            if row.submitted_at is None:
                raise NoAccess
            return self._read(row)

    def locked(self, launch_id: str, secret: str, now: datetime) -> Handover:
        """The hand-over that this launch waits behind: its old or its new cookie may see "enter the PIN".

        Raises NoAccess without such a cookie, else anyone could burn the five tries.
        """
        with self._database.reading() as connection:
            return self._read(self._locked(connection, launch_id, secret, now))

    def unlock(self, launch_id: str, secret: str, pin: str, presented: Collection[str], now: datetime) -> Unlocked:
        """Takes the screen back. Launches that ``presented`` cookies belong to are active again under new secrets.

        Others of the user (another cookie jar) stay locked and take the same PIN. Raises NoAccess as ``locked``, and
        PinRefused; the fifth failure ends all locked launches and closes the hand-over, the draft stays.
        """
        self._database.outside("Trying a PIN")  # a spent try must last, whatever the caller's transaction becomes
        with self._database.writing() as connection:
            row = self._locked(connection, launch_id, secret, now)
            spent = connection.execute(
                update(handover)
                .where(handover.c.id == row.id, handover.c.tries < TRIES)
                .values(tries=handover.c.tries + 1)
            )
            left = TRIES - row.tries - spent.rowcount
        hashed = self._cipher.open("handover", _owner(row).row(row.id), "pin", row.pin)
        if spent.rowcount != 1 or not pin_matches(pin, hashed):
            raise PinRefused(
                "This is not the PIN.",
                next_step=f"{left} tries are left." if left else "Open the app again from the patient's chart.",
                left=left,
                ended=() if left else self._end(row.id, now),
            )
        return self._activate(row.id, launch_id, {secret, *presented}, now)

    def _activate(self, hid: str, launch_id: str, presented: Collection[str], now: datetime) -> Unlocked:
        digests = {self._cipher.secret_mac(each) for each in presented}
        with self._database.writing() as connection:
            mine = [
                row
                for row in connection.execute(select(launch).where(*_locked_by(hid))).all()
                if is_live(row, now) and {row.secret_mac, row.old_secret_mac} & digests
            ]
            fresh = {row.id: new_secret() for row in mine}
            if launch_id not in fresh:
                raise NoAccess
            for each, secret in fresh.items():
                active = {"state": "active", "handover_id": None, "seen_at": to_ms(now)}
                hashes = {"secret_mac": self._cipher.secret_mac(secret), "old_secret_mac": None}
                connection.execute(update(launch).where(launch.c.id == each).values(**active, **hashes))
            connection.execute(update(handover).where(handover.c.id == hid).values(tries=0))
            self._close(connection, now, handover.c.id == hid)
            row = self._launches.row(connection, launch_id)
            assert row is not None
            return Unlocked(self._read(self._row(connection, hid)), self._launches.read(row), fresh)

    def _end(self, hid: str, now: datetime) -> tuple[Launch, ...]:
        with self._database.writing() as connection:
            if self._row(connection, hid).tries < TRIES:
                return ()  # the right PIN came in between
            rows = connection.execute(select(launch).where(*_locked_by(hid))).all()
            self._close(connection, now, handover.c.id == hid)
            return tuple(
                self._launches.end_in(connection, self._launches.read(row), "five wrong PINs", now) for row in rows
            )

    def _close(self, connection: Connection, now: datetime, which: Any) -> None:
        connection.execute(
            update(handover).where(which, handover.c.state != "closed").values(state="closed", closed_at=to_ms(now))
        )

    def _locks(self, connection: Connection, hid: str, now: datetime) -> bool:
        return any(is_live(row, now) for row in connection.execute(select(launch).where(*_locked_by(hid))))

    def _locked(self, connection: Connection, launch_id: str, secret: str, now: datetime) -> Row[Any]:
        row = self._launches.row(connection, launch_id)
        digest = self._cipher.secret_mac(secret)
        known = (row.secret_mac, row.old_secret_mac or "") if row else ("", "")
        matches = [hmac.compare_digest(each, digest) for each in known]
        if row is None or not any(matches) or row.state != "handed_over" or not is_live(row, now):
            raise NoAccess
        return self._row(connection, row.handover_id)

    def _row(self, connection: Connection, hid: str) -> Row[Any]:
        row = connection.execute(select(handover).where(handover.c.id == hid)).one_or_none()
        if row is None:
            raise NoAccess
        return row

    def _read(self, row: Row[Any]) -> Handover:
        return Handover(
            id=row.id,
            state=row.state,
            launch_id=row.launch_id,
            draft_id=row.draft_id,
            owner=_owner(row),
            tries_left=TRIES - row.tries,
            submitted=row.submitted_at is not None,
            value=self._cipher.open_json("handover", _owner(row).row(row.id), "value", row.value),
        )


def _owner(row: Row[Any]) -> Owner:
    return Owner(row.user_key, row.site, row.patient)


def _locked_by(hid: str) -> tuple[Any, ...]:
    return (launch.c.handover_id == hid, launch.c.state == "handed_over")
