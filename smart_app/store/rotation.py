"""Key rotation: every sealed value of the store again under the first key, some rows at a time, while the app runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, LargeBinary, Row, and_, func, or_, select, update

from smart_app.store.cipher import Cipher
from smart_app.store.engine import Database
from smart_app.store.owner import Owner
from smart_app.store.schema import metadata

BATCH = 200


def _owned(row: Row[Any]) -> str:
    return Owner(row.user_key, row.site, row.patient).row(row.id)


PLACES: Mapping[str, Callable[[Row[Any]], str]] = {
    "canary": lambda row: str(row.name),
    "ticket": lambda row: str(row.ticket_sha256),
    "launch": _owned,
    "draft": _owned,
    "goal_draft": _owned,
    "answer": lambda row: f"{row.draft_id}/{row.item}",
    "handover": _owned,
    "filing": _owned,
    "part": lambda row: f"{row.filing_id}/{row.number}",
    "audit": lambda row: str(row.seq),
}
"""Each table with sealed values, and what a row is called where they are sealed."""


def sealed_columns(table: str) -> tuple[str, ...]:
    return tuple(column.name for column in metadata.tables[table].c if isinstance(column.type, LargeBinary))


class Rotation:
    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    def left(self) -> int:
        """Rows with a value that is sealed with another key than the first."""
        with self._database.reading() as connection:
            counts = (select(func.count()).select_from(metadata.tables[name]).where(self._old(name)) for name in PLACES)
            return sum(connection.execute(count).scalar_one() for count in counts)

    def run(self) -> Iterator[int]:
        """Seals all anew, and says after each batch how many rows it had. To stop in between loses nothing."""
        for name in PLACES:
            while done := self._batch(name):
                yield done

    def _batch(self, name: str) -> int:
        table = metadata.tables[name]
        with self._database.writing() as connection:
            rows = connection.execute(select(table).where(self._old(name)).limit(BATCH)).all()
            for row in rows:
                self._reseal(connection, name, row)
            return len(rows)

    def _reseal(self, connection: Connection, name: str, row: Row[Any]) -> None:
        table, place = metadata.tables[name], PLACES[name](row)
        values = {
            column: self._cipher.seal(name, place, column, self._cipher.open(name, place, column, sealed))
            for column in sealed_columns(name)
            if (sealed := getattr(row, column)) is not None
        }
        key = (column == getattr(row, column.name) for column in table.primary_key)
        connection.execute(update(table).where(*key).values(**values))

    def _old(self, name: str) -> ColumnElement[bool]:
        table, prefix = metadata.tables[name], self._cipher.prefix
        columns = (table.c[column] for column in sealed_columns(name))
        old = or_(*(and_(c.is_not(None), func.substr(c, 1, len(prefix), type_=LargeBinary) != prefix) for c in columns))
        # the other canaries are no sealed values: they tell a wrong look-up or audit key
        return and_(old, table.c.name == "values") if name == "canary" else old
