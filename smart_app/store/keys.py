"""The key file: separate keys for values, look-ups and the audit chain; the first of a kind writes, the rest read.

    {"values": [{"id": "3f2a9c01", "key": "<base64, 32 bytes>"}], "lookups": [one], "audit": [...]}

A look-up key has no successors in the file: a changed one makes every look-up column another, so it is changed
together with all rows or not at all.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smart_app.store.errors import KeyFileError
from smart_app.store.private import check_private, private_directory

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Key:
    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keys:
    values: tuple[Key, ...]
    lookups: Key
    audit: tuple[Key, ...]


def new_key() -> Key:
    return Key(secrets.token_hex(4), secrets.token_bytes(KEY_BYTES))


def new_keys() -> Keys:
    return Keys(values=(new_key(),), lookups=new_key(), audit=(new_key(),))


def load_keys(path: Path, *, create: bool = False) -> Keys:
    """The keys in the file. A missing file is made only where ``create`` says so (the demo); else KeyFileError."""
    if not path.exists():
        if not create:
            raise KeyFileError(
                f"There is no key file at {path}.",
                next_step="Restore it from where you keep your secrets; for a new store run: imr-app keys",
            )
        create_key_file(path)
    check_private(path.parent)
    check_private(path)
    return _parse(path)


def create_key_file(path: Path) -> None:
    """Writes new keys, complete or not at all; keys that another process wrote meanwhile are left as they are."""
    private_directory(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            json.dump(_as_json(new_keys()), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return
    finally:
        draft.unlink()


def _as_json(keys: Keys) -> dict[str, Any]:
    def entry(key: Key) -> dict[str, str]:
        return {"id": key.id, "key": base64.b64encode(key.secret).decode("ascii")}

    return {
        "values": [entry(key) for key in keys.values],
        "lookups": [entry(keys.lookups)],
        "audit": [entry(key) for key in keys.audit],
    }


def _parse(path: Path) -> Keys:
    """Messages name the place in the file, never what stands there."""
    try:
        content = json.loads(path.read_text(encoding="ascii"))
        parsed = {kind: tuple(_key(entry) for entry in content[kind]) for kind in ("values", "lookups", "audit")}
    except (ValueError, KeyError, TypeError) as error:
        raise KeyFileError(
            f"The key file {path} can't be read ({type(error).__name__}).",
            next_step="Restore it from where you keep your secrets.",
        ) from None
    for kind, keys in parsed.items():
        if not keys or len({key.id for key in keys}) != len(keys) or (kind == "lookups" and len(keys) != 1):
            raise KeyFileError(
                f"The key file {path} has {len(keys)} keys under {kind!r}, or two with one id.",
                next_step="Keep at least one key each with its own id, and exactly one under 'lookups'.",
            )
    return Keys(values=parsed["values"], lookups=parsed["lookups"][0], audit=parsed["audit"])


def _key(entry: dict[str, str]) -> Key:
    try:
        secret = base64.b64decode(entry["key"], validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
    key_id = entry["id"]
    if len(secret) != KEY_BYTES or not (isinstance(key_id, str) and key_id.isalnum() and len(key_id) <= 32):
        raise ValueError("a key is 32 bytes and its id up to 32 letters and digits")
    return Key(key_id, secret)
