"""Canary rows: known values under each kind of key, so that a wrong key file is refused before anything is written."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from smart_app.store.cipher import Cipher, sign
from smart_app.store.errors import Damaged, WrongKey
from smart_app.store.schema import canary

_SONG = b"imr-fhir"


def lay_canary(connection: Connection, cipher: Cipher) -> None:
    """Once, when the store is made."""
    key = cipher.audit_key
    rows = [
        {"name": "values", "value": cipher.seal("canary", "values", "value", _SONG)},
        {"name": "lookups", "value": cipher.lookup("canary").encode()},
        {"name": "audit", "value": f"{key.id}:{sign(key, _SONG)}".encode()},
    ]
    connection.execute(insert(canary), rows)


def check_canary(connection: Connection, cipher: Cipher) -> None:
    """Raises WrongKey, naming the kind of key."""
    rows = {row.name: row.value for row in connection.execute(select(canary))}
    for name in ("values", "lookups", "audit"):
        if not _sings(name, rows.get(name, b""), cipher):
            raise WrongKey(
                f"The key file does not fit this store: its {name!r} key is another one.",
                next_step="Start with the key file that the store was made with; nothing was changed.",
            )


def _sings(name: str, value: bytes, cipher: Cipher) -> bool:
    if name == "values":
        try:
            return cipher.open("canary", "values", "value", value) == _SONG
        except Damaged:
            return False
    if name == "lookups":
        return value == cipher.lookup("canary").encode()
    key_id, _, mac = value.decode("ascii", "replace").partition(":")
    return mac == cipher.audit_mac(key_id, _SONG)
