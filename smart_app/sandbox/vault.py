"""Secrets that the hospital hands out (launch tokens, codes, access and refresh tokens), kept as hashes only.

A ``family`` holds all that came of one launch: what is revoked is revoked together.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from .database import Database

Kind = Literal["launch", "code", "access", "refresh", "assertion"]


@dataclass(frozen=True)
class Entry:
    key: str
    kind: str
    family: str
    body: Mapping[str, Any]
    expires: float
    spent: bool


class Vault:
    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def issue(self, kind: Kind, body: Mapping[str, Any], *, seconds: float, family: str = "") -> str:
        """A new secret (256 bits) that lives ``seconds``."""
        secret = secrets.token_urlsafe(32)
        self.keep(kind, secret, body, seconds=seconds, family=family or secrets.token_hex(16))
        return secret

    def keep(self, kind: Kind, secret: str, body: Mapping[str, Any], *, seconds: float, family: str = "") -> bool:
        """Keep a secret that another party made; False where it is there already (an assertion's jti, replayed)."""
        now = self._clock().timestamp()
        row = (_key(kind, secret), kind, family, json.dumps(dict(body)), now + seconds)
        with self._database.write() as connection:
            connection.execute("DELETE FROM secret WHERE expires < ?", (now - 86400,))
            sql = "INSERT OR IGNORE INTO secret (key, kind, family, body, expires) VALUES (?, ?, ?, ?, ?)"
            return connection.execute(sql, row).rowcount == 1

    def look(self, kind: Kind, secret: str) -> Entry | None:
        """The entry, spent or not; None where it is unknown, revoked, or expired."""
        row = self._database.connection.execute(
            "SELECT key, kind, family, body, expires, spent FROM secret WHERE key = ?", (_key(kind, secret),)
        ).fetchone()
        if row is None or row[4] <= self._clock().timestamp():
            return None
        return Entry(row[0], row[1], row[2], json.loads(row[3]), row[4], bool(row[5]))

    def spend(self, entry: Entry) -> bool:
        """True for exactly one caller."""
        with self._database.write() as connection:
            sql = "UPDATE secret SET spent = 1 WHERE key = ? AND spent = 0"
            return connection.execute(sql, (entry.key,)).rowcount == 1

    def revoke(self, family: str, kind: Kind | None = None) -> None:
        """All of a family, or only its secrets of one kind."""
        with self._database.write() as connection:
            connection.execute(
                "DELETE FROM secret WHERE family = ? AND kind = ifnull(?, kind) AND kind IN ('access', 'refresh')",
                (family, kind),
            )


def _key(kind: str, secret: str) -> str:
    return hashlib.sha256(f"{kind}|{secret}".encode()).hexdigest()
