"""Versioned resources in SQLite. What is stored is the text that is served."""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .database import Database
from .indexing import Row, index_rows
from .json_text import read_object, write_text
from .search_parameters import COMPARTMENT


@dataclass(frozen=True)
class Stored:
    """One version; ``patient`` is the id of whose record it belongs to, "" where it is nobody's."""

    type: str
    id: str
    version: int
    updated: str
    patient: str
    body: str

    @property
    def reference(self) -> str:
        return f"{self.type}/{self.id}"

    @property
    def etag(self) -> str:
        return f'W/"{self.version}"'

    def resource(self) -> dict[str, Any]:
        return read_object(self.body.encode())


class FhirStore:
    """All writes happen inside ``database.write()``, which its callers open: one interaction is one transaction."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self.database = database
        self._clock = clock

    def read(self, resource_type: str, resource_id: str) -> Stored | None:
        row = self.database.connection.execute(
            "SELECT type, id, version, updated, ifnull(patient, ''), body FROM resource WHERE type = ? AND id = ?",
            (resource_type, resource_id),
        ).fetchone()
        return Stored(*row) if row else None

    def history(self, current: Stored) -> list[tuple[Stored, str]]:
        """Each version with the method that made it, newest first. All belong to the current version's patient."""
        rows = self.database.connection.execute(
            "SELECT version, updated, body, method FROM version WHERE type = ? AND id = ? ORDER BY version DESC",
            (current.type, current.id),
        )
        return [
            (Stored(current.type, current.id, version, updated, current.patient, body), method)
            for version, updated, body, method in rows
        ]

    def by_number(self, numbers: Iterable[int]) -> list[Stored]:
        """Resources by row number, in the order given."""
        wanted = list(numbers)
        rows = self.database.connection.execute(
            "SELECT number, type, id, version, updated, ifnull(patient, ''), body FROM resource "  # noqa: S608  # marks
            f"WHERE number IN ({','.join('?' * len(wanted))})",
            wanted,
        )
        found = {number: Stored(*rest) for number, *rest in rows}
        return [found[number] for number in wanted if number in found]

    def put(self, resource: dict[str, Any], resource_id: str, method: str) -> Stored:
        """Store a next version, without its index: references may still point forward inside a transaction."""
        connection = self.database.connection
        resource_type = resource["resourceType"]
        old = connection.execute(
            "SELECT version FROM resource WHERE type = ? AND id = ?", (resource_type, resource_id)
        ).fetchone()
        version = old[0] + 1 if old else 1
        now = self._clock().astimezone(UTC)
        updated = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        meta = {**resource.get("meta", {}), "versionId": str(version), "lastUpdated": updated}
        rest = {name: part for name, part in resource.items() if name not in ("resourceType", "id", "meta")}
        body = write_text({"resourceType": resource_type, "id": resource_id, "meta": meta, **rest})
        connection.execute(
            "INSERT INTO resource (type, id, version, updated, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (type, id) "
            "DO UPDATE SET version = excluded.version, updated = excluded.updated, body = excluded.body",
            (resource_type, resource_id, version, updated, body),
        )
        connection.execute(
            "INSERT INTO version VALUES (?, ?, ?, ?, ?, ?)",
            (resource_type, resource_id, version, updated, method, body),
        )
        return Stored(resource_type, resource_id, version, updated, "", body)

    def index(self, resource_type: str, resource_id: str) -> Stored:
        """Second step of a write: search rows and the owning patient, once all that it refers to is stored."""
        connection = self.database.connection
        (number,) = connection.execute(
            "SELECT number FROM resource WHERE type = ? AND id = ?", (resource_type, resource_id)
        ).fetchone()
        (stored,) = self.by_number([number])
        rows = index_rows(stored.resource())
        connection.execute("DELETE FROM search_index WHERE resource = ?", (number,))
        connection.executemany(
            "INSERT INTO search_index VALUES (?, ?, ?, ?, ?, ?, ?)", [(number, resource_type, *row) for row in rows]
        )
        patient = _owner(connection, stored, rows)
        connection.execute("UPDATE resource SET patient = ? WHERE number = ?", (patient, number))
        return Stored(resource_type, resource_id, stored.version, stored.updated, patient or "", stored.body)


def _owner(connection: sqlite3.Connection, stored: Stored, rows: list[Row]) -> str | None:
    """Whose record a resource belongs to. Provenance and AuditEvent: of what they are about."""
    if stored.type == "Patient":
        return stored.id
    if stored.type not in COMPARTMENT:
        return None
    direct = {row.value.removeprefix("Patient/") for row in rows if row.param == "patient"}
    if not direct and stored.type in ("Provenance", "AuditEvent"):
        about = [
            row.value.split("/") for row in rows if row.param in ("target", "entity") and row.value.count("/") == 1
        ]
        for target in about:
            found = connection.execute("SELECT patient FROM resource WHERE type = ? AND id = ?", target).fetchone()
            direct |= {found[0]} if found and found[0] else set()
    return direct.pop() if len(direct) == 1 else None
