"""Drafts: each answer kept as it is given, encrypted, until the form is saved or 30 days after the last touch.

A draft opens for its own user, site and patient alone. There is one open draft a user, patient, rater and purpose, so
two tabs work on the same one: each writes what its person changed on it (``shown``), and each answer counts its
versions. One that another was begun in place of is set aside: it can be read as long as any.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from imr_fhir.scale import Rater
from smart_app.store.cipher import Cipher
from smart_app.store.engine import Database
from smart_app.store.errors import DraftSealed, NoAccess, StaleAnswer, StaleDraft
from smart_app.store.owner import Owner
from smart_app.store.schema import answer, draft
from smart_app.store.shown import Answer, Shown, changes
from smart_app.store.times import from_ms, to_ms

KEPT = timedelta(days=30)
WARNED = timedelta(days=7)
"""How long before its end a draft is warned of."""

COMMENT = "comment"


_TAKES = ("open",)  # the states in which a draft takes answers

# Built once: each panel runs it, and SQLAlchemy needs longer to build it than to run it.
_IN_STATE = (
    select(draft.c.id)
    .where(
        draft.c.user_key == bindparam("user_key"),
        draft.c.site == bindparam("site"),
        draft.c.patient == bindparam("patient"),
        draft.c.state == bindparam("state"),
    )
    .order_by(draft.c.started_at)
)


@dataclass(frozen=True, slots=True)
class Draft:
    """``about`` names the response that is being corrected, empty for a new rating; ``state`` is open, sealed or aside.

    ``handed_over``: the patient may have given answers alone. ``seen_by`` then is the reference of the clinician who
    opened them before rating, "" where none did.
    """

    id: str
    owner: Owner
    rater: Rater
    questionnaire: str
    language: str
    identifier: str
    about: str
    state: str
    revision: int
    started: datetime
    touched: datetime
    answers: Mapping[str, Answer] = field(repr=False)
    handed_over: bool = False
    seen_by: str = ""

    @property
    def codes(self) -> dict[str, str]:
        """Item (linkId) to code, answered items only."""
        return {item: given.value for item, given in self.answers.items() if given.value and item != COMMENT}

    @property
    def comment(self) -> str:
        given = self.answers.get(COMMENT)
        return given.value if given else ""

    @property
    def expires(self) -> datetime:
        return self.touched + KEPT

    def expiring(self, now: datetime) -> bool:
        """Time to warn of its end."""
        return self.state == "open" and now >= self.expires - WARNED

    @property
    def empty(self) -> bool:
        return not self.codes and not self.comment.strip()


class Drafts:
    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    def start(
        self,
        owner: Owner,
        rater: Rater,
        *,
        questionnaire: str,
        language: str,
        identifier: str,
        now: datetime,
        about: str = "",
        answers: Mapping[str, str] = MappingProxyType({}),
    ) -> Draft:
        """The open draft of this owner, rater and purpose, touched; or a new one with ``answers`` (a correction's).

        ``questionnaire`` is url|version, ``identifier`` the urn:uuid of the response to be. An open draft keeps what
        it was begun with.
        """
        slot = self._slot(owner, rater, about)
        with self._database.writing() as connection:
            found = connection.execute(select(draft.c.id).where(draft.c.slot == slot)).scalar_one_or_none()
            if found is not None:
                connection.execute(update(draft).where(draft.c.id == found).values(touched_at=to_ms(now)))
                return self._get(connection, found, owner)
            value = {"questionnaire": questionnaire, "language": language, "identifier": identifier, "about": about}
            return self._insert(connection, owner, rater, value, answers, now)

    def begin_anew(
        self,
        read: Draft,
        owner: Owner,
        *,
        questionnaire: str,
        language: str,
        identifier: str,
        answers: Mapping[str, str],
        now: datetime,
    ) -> Draft:
        """A new draft of ``owner`` in place of ``read``, a new rating's, which is set aside with all that is in it.

        ``answers`` are those of ``read`` that hold still. ``owner`` may be of another patient than ``read.owner``:
        where records were merged. Who saw what was answered alone goes with it. Raises StaleDraft where ``read``
        changed meanwhile, or ``owner`` has a form open that holds anything; DraftSealed, NoAccess.
        """
        value: dict[str, Any] = {"questionnaire": questionnaire, "language": language, "identifier": identifier}
        value |= {"about": read.about, "handed_over": read.handed_over, "seen_by": read.seen_by}
        with self._database.writing() as connection:
            self._leave(connection, read, read.owner, "aside", touched_at=to_ms(now))
            slot = self._slot(owner, read.rater, read.about)
            found = connection.execute(select(draft.c.id).where(draft.c.slot == slot)).scalar_one_or_none()
            if found is not None:
                there = self._get(connection, found, owner)
                if not there.empty:
                    raise _stale()
                value["seen_by"] = value["seen_by"] or there.seen_by
                self._leave(connection, there, owner, "aside")
            return self._insert(connection, owner, read.rater, value, answers, now)

    def _insert(
        self,
        connection: Connection,
        owner: Owner,
        rater: Rater,
        value: Mapping[str, Any],
        answers: Mapping[str, str],
        now: datetime,
    ) -> Draft:
        draft_id = secrets.token_hex(16)
        connection.execute(
            insert(draft).values(
                id=draft_id,
                slot=self._slot(owner, rater, value["about"]),
                state="open",
                site=owner.site,
                user_key=owner.user_key,
                patient=owner.patient_key,
                rater=rater,
                value=self._cipher.seal_json("draft", owner.row(draft_id), "value", value),
                revision=1,
                started_at=to_ms(now),
                touched_at=to_ms(now),
            )
        )
        for item, given in answers.items():
            self._write(connection, draft_id, item, Answer(given, 1), new=True)
        return self._get(connection, draft_id, owner)

    def get(self, draft_id: str, owner: Owner) -> Draft:
        """Raises NoAccess for an unknown draft and for another owner's."""
        with self._database.reading() as connection:
            return self._get(connection, draft_id, owner)

    def find(self, owner: Owner, rater: Rater, about: str = "") -> Draft | None:
        """The open draft, untouched."""
        with self._database.reading() as connection:
            query = select(draft.c.id).where(draft.c.slot == self._slot(owner, rater, about))
            found = connection.execute(query).scalar_one_or_none()
            return None if found is None else self._get(connection, found, owner)

    def open_for(self, owner: Owner) -> tuple[Draft, ...]:
        """All open drafts of this user for this patient, oldest first."""
        return self._in_state(owner, "open")

    def aside_for(self, owner: Owner) -> tuple[Draft, ...]:
        """Those that another was begun in place of, oldest first."""
        return self._in_state(owner, "aside")

    def _in_state(self, owner: Owner, state: str) -> tuple[Draft, ...]:
        wanted = {"user_key": owner.user_key, "site": owner.site, "patient": owner.patient_key, "state": state}
        with self._database.reading() as connection:
            found = connection.execute(_IN_STATE, wanted).scalars().all()
            return tuple(self._get(connection, draft_id, owner) for draft_id in found)

    def set_answers(
        self, draft_id: str, owner: Owner, values: Mapping[str, str], now: datetime, shown: Shown | None = None
    ) -> Draft:
        """Several answers of one page, of which those count that were changed on it since it showed ``shown``.

        Answers that are the same already keep their version, and where all are, the draft keeps its revision: a form
        sent twice does not come between itself and its filing. Raises StaleAnswer where some were changed on another
        page too: these are as that one left them, the rest is kept. Raises DraftSealed and NoAccess.
        """
        with self._database.writing() as connection:
            there = self._get(connection, draft_id, owner).answers
            found = changes(values, there, shown)
            self._touch(connection, draft_id, owner, now, revised=bool(found.changed))
            for item, given in found.answers.items():
                self._write(connection, draft_id, item, given, new=item not in there)
            kept = self._get(connection, draft_id, owner)
        if found.clashes:
            raise StaleAnswer(
                "An answer was changed in another tab since this page was opened.",
                next_step="Look at it as it is now, and answer again.",
                values=found.clashes,
            )
        return kept

    def set_language(self, draft_id: str, owner: Owner, language: str, now: datetime) -> Draft:
        """The language that the form is shown in from now on."""
        return self._change(draft_id, owner, now, language=language)

    def set_about(self, draft_id: str, owner: Owner, about: str, now: datetime) -> Draft:
        """The version that is being corrected from now on, where the record has a newer one."""
        return self._change(draft_id, owner, now, about=about)

    def set_handed_over(self, draft_id: str, owner: Owner, now: datetime) -> Draft:
        """From now on answers may be the patient's, given alone."""
        return self._change(draft_id, owner, now, handed_over=True)

    def set_seen(self, draft_id: str, owner: Owner, by: str, now: datetime) -> Draft:
        """A clinician (reference) opened what the patient answered alone before rating, also where it is set aside."""
        return self._change(draft_id, owner, now, states=("open", "aside"), seen_by=by)

    def discard(self, read: Draft, owner: Owner) -> None:
        """Deletes an open draft with its answers as they were read; the caller audits it.

        Raises StaleDraft, DraftSealed and NoAccess.
        """
        with self._database.writing() as connection:
            self._leave(connection, read, owner, "discarded")
            connection.execute(delete(draft).where(draft.c.id == read.id))

    def seal_in(self, connection: Connection, read: Draft, owner: Owner) -> None:
        """For the filing's transaction: read-only from now on. Raises StaleDraft, DraftSealed and NoAccess."""
        self._leave(connection, read, owner, "sealed")

    def _leave(self, connection: Connection, read: Draft, owner: Owner, state: str, **values: Any) -> None:
        changed = connection.execute(
            update(draft)
            .where(draft.c.id == read.id, *_owned_by(owner), draft.c.state == "open", draft.c.revision == read.revision)
            .values(state=state, slot=None, **values)
        )
        if changed.rowcount != 1:
            if self._row(connection, read.id, owner).state == "open":
                raise _stale()
            raise _sealed()

    def _change(
        self, draft_id: str, owner: Owner, now: datetime, states: Sequence[str] = _TAKES, **changed: str | bool
    ) -> Draft:
        with self._database.writing() as connection:
            self._touch(connection, draft_id, owner, now, states=states)
            row = self._row(connection, draft_id, owner)
            value = self._cipher.open_json("draft", owner.row(draft_id), "value", row.value) | changed
            columns = {
                "value": self._cipher.seal_json("draft", owner.row(draft_id), "value", value),
                "slot": self._slot(owner, row.rater, value["about"]) if row.slot else None,
            }
            connection.execute(update(draft).where(draft.c.id == draft_id).values(**columns))
            return self._get(connection, draft_id, owner)

    def _touch(
        self,
        connection: Connection,
        draft_id: str,
        owner: Owner,
        now: datetime,
        *,
        revised: bool = True,
        states: Sequence[str] = _TAKES,
    ) -> None:
        changed = connection.execute(
            update(draft)
            .where(draft.c.id == draft_id, *_owned_by(owner), draft.c.state.in_(states))
            .values(revision=draft.c.revision + int(revised), touched_at=to_ms(now))
        )
        if changed.rowcount != 1:
            self._row(connection, draft_id, owner)
            raise _sealed()

    def _write(self, connection: Connection, draft_id: str, item: str, given: Answer, *, new: bool) -> None:
        sealed = self._cipher.seal_json("answer", f"{draft_id}/{item}", "value", given.value)
        row = {"value": sealed, "version": given.version, "page": given.page, "sent": given.sent}
        if new:
            connection.execute(insert(answer).values(draft_id=draft_id, item=item, **row))
        else:
            connection.execute(update(answer).where(answer.c.draft_id == draft_id, answer.c.item == item).values(**row))

    def _row(self, connection: Connection, draft_id: str, owner: Owner) -> Row[Any]:
        row = connection.execute(select(draft).where(draft.c.id == draft_id, *_owned_by(owner))).one_or_none()
        if row is None:
            raise NoAccess
        return row

    def _get(self, connection: Connection, draft_id: str, owner: Owner) -> Draft:
        row = self._row(connection, draft_id, owner)
        rows = connection.execute(select(answer).where(answer.c.draft_id == draft_id).order_by(answer.c.item))
        answers = {
            given.item: Answer(
                self._cipher.open_json("answer", f"{draft_id}/{given.item}", "value", given.value),
                given.version,
                given.page,
                given.sent,
            )
            for given in rows
        }
        return Draft(
            id=row.id,
            owner=owner,
            rater=row.rater,
            state=row.state,
            revision=row.revision,
            started=from_ms(row.started_at),
            touched=from_ms(row.touched_at),
            answers=answers,
            **self._cipher.open_json("draft", owner.row(draft_id), "value", row.value),
        )

    def _slot(self, owner: Owner, rater: Rater, about: str) -> str:
        return self._cipher.lookup("slot", owner.user_key, owner.site, owner.patient_key, rater, about)


def _owned_by(owner: Owner) -> tuple[Any, ...]:
    return (
        draft.c.user_key == owner.user_key,
        draft.c.site == owner.site,
        draft.c.patient == owner.patient_key,
    )


def _stale() -> StaleDraft:
    return StaleDraft(
        "An answer was changed in another tab meanwhile.",
        next_step="Look at the answers as they are now, and save again.",
    )


def _sealed() -> DraftSealed:
    return DraftSealed("This form is saved already.", next_step="Correct it from the panel, with a reason.")
