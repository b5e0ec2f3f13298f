"""Sealed values and look-ups: AES-256-GCM bound to its place, and HMACs for what must be found again.

A sealed value is ``1`` (format), the length of the key id, the key id, a 12-byte nonce, ciphertext and tag. Its
associated data is ``table|row|column|key id``, so a value copied to another row does not open.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from smart_app.store.errors import Damaged, KeyFileError
from smart_app.store.keys import Key, Keys, load_keys

FORMAT = 1
_Stamp = tuple[int, int]
NONCE_BYTES = 12


class _Ring:
    """The keys of one moment, ready to be used."""

    def __init__(self, keys: Keys, stamp: _Stamp | None) -> None:
        self.path = keys.path
        self.stamp = stamp
        self.first = keys.values[0].id
        self.values = {key.id: AESGCM(key.secret) for key in keys.values}
        self.audit_first = keys.audit[0]
        self.audit = {key.id: key for key in keys.audit}


class Cipher:
    """Seals with the first key for values, opens with any of them; look-ups and audit have keys of their own.

    A key that came into the key file since is read once something was sealed with it, or on ``reread``.
    """

    def __init__(self, keys: Keys) -> None:
        self._ring = _Ring(keys, _stamp(keys.path))
        self._lookups = keys.lookups.secret

    def reread(self) -> None:
        """Takes what the key file says now, where it was changed. Raises KeyFileError, NotPrivate."""
        path = self._ring.path
        try:
            if path is not None and (stamp := _stamp(path)) != self._ring.stamp:
                self._ring = _Ring(load_keys(path), stamp)
        except OSError as error:
            raise KeyFileError(
                f"The key file {path} can't be read ({type(error).__name__}).",
                next_step="The keys read before are used on. Put it back where it was.",
            ) from error

    @property
    def prefix(self) -> bytes:
        """What each value begins with that is sealed from now on."""
        key_id = self._ring.first
        return bytes((FORMAT, len(key_id))) + key_id.encode()

    def seal(self, table: str, row: str, column: str, plaintext: bytes) -> bytes:
        ring = self._ring
        key_id = ring.first
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = ring.values[key_id].encrypt(nonce, plaintext, _place(table, row, column, key_id))
        return bytes((FORMAT, len(key_id))) + key_id.encode() + nonce + sealed

    def open(self, table: str, row: str, column: str, sealed: bytes) -> bytes:
        """Raises Damaged where the value was changed, cut, moved from another place, or its key is not at hand."""
        start = 2 + (sealed[1] if len(sealed) > 1 else 0)
        key_id = sealed[2:start].decode("ascii", "replace")
        aead = self._ring.values.get(key_id) or self._reread().values.get(key_id)
        if sealed[:1] != bytes((FORMAT,)) or aead is None or len(sealed) < start + NONCE_BYTES:
            raise _damaged(table, row, column)
        nonce, ciphertext = sealed[start : start + NONCE_BYTES], sealed[start + NONCE_BYTES :]
        try:
            return aead.decrypt(nonce, ciphertext, _place(table, row, column, key_id))
        except InvalidTag:
            raise _damaged(table, row, column) from None

    def _reread(self) -> _Ring:
        self.reread()
        return self._ring

    def seal_json(self, table: str, row: str, column: str, value: Any) -> bytes:
        return self.seal(table, row, column, canonical(value))

    def open_json(self, table: str, row: str, column: str, sealed: bytes) -> Any:
        return json.loads(self.open(table, row, column, sealed))

    def lookup(self, kind: str, *parts: str) -> str:
        """HMAC-SHA256 in hex of the parts, each apart from its neighbours; ``kind`` keeps columns apart."""
        return hmac.new(self._lookups, canonical([kind, *parts]), hashlib.sha256).hexdigest()

    def secret_mac(self, secret: str) -> str:
        """What is kept of a cookie's secret: a hash that nobody can make without the key file."""
        return self.lookup("secret", secret)

    @property
    def audit_key(self) -> Key:
        """The key that new audit rows are chained with. To be asked for once a row: the next time it may be another."""
        return self._ring.audit_first

    def audit_mac(self, key_id: str, content: bytes) -> str | None:
        """HMAC-SHA256 in hex under the audit key of that id; None where the key file does not have it."""
        key = self._ring.audit.get(key_id) or self._reread().audit.get(key_id)
        return None if key is None else sign(key, content)


def sign(key: Key, content: bytes) -> str:
    """HMAC-SHA256 in hex."""
    return hmac.new(key.secret, content, hashlib.sha256).hexdigest()


def _stamp(path: Path | None) -> _Stamp | None:
    found = None if path is None else path.stat()
    return found and (found.st_mtime_ns, found.st_ino)


def canonical(value: Any) -> bytes:
    """One spelling for one JSON value: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sha256_hex(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def _place(table: str, row: str, column: str, key_id: str) -> bytes:
    parts = (table, row, column, key_id)
    if any("|" in part for part in parts):
        raise ValueError(f"'|' in the place {table}, {column}: it would stand for two places.")
    return "|".join(parts).encode()


def _damaged(table: str, row: str, column: str) -> Damaged:
    return Damaged(
        f"The value in {table}.{column} of row {row} does not open: it was changed, moved, or sealed with a key "
        "that the key file no longer has.",
        next_step="Compare the store and the key file with the last backup.",
    )
