"""The key file: separate keys for values, look-ups and the audit chain; the first of a kind writes, the rest read.

    {"values": [{"id": "3f2a9c01", "made": "2026-...", "key": "<base64, 32 bytes>"}], "lookups": [one], "audit": [...]}

The look-up key stays for the life of the store: secrets of cookies, users and patients are kept as HMACs alone, so they
can't be worked out under another key. Who has it and the database can try guesses against these, and reads nothing.
The old audit keys stay too: the rows of their time are verified with them.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from smart_app.store.errors import KeyFileError
from smart_app.store.private import check_private, private_directory

KEY_BYTES = 32

Kind = Literal["values", "audit"]
"""Of keys that have successors."""


@dataclass(frozen=True, slots=True)
class Key:
    """``made`` is a time (ISO 8601, UTC); "" for a key of the time before there was any other."""

    id: str
    secret: bytes = field(repr=False)
    made: str = ""


@dataclass(frozen=True, slots=True)
class Keys:
    """``path`` is the file that they were read from."""

    values: tuple[Key, ...]
    lookups: Key
    audit: tuple[Key, ...]
    path: Path | None = field(default=None, compare=False)

    def of(self, kind: Kind) -> tuple[Key, ...]:
        return self.values if kind == "values" else self.audit

    def with_keys(self, kind: Kind, keys: tuple[Key, ...]) -> Keys:
        return replace(self, values=keys) if kind == "values" else replace(self, audit=keys)


def new_key() -> Key:
    return Key(secrets.token_hex(4), secrets.token_bytes(KEY_BYTES), datetime.now(UTC).isoformat())


def new_keys() -> Keys:
    return Keys(values=(new_key(),), lookups=new_key(), audit=(new_key(),))


def load_keys(path: Path, *, create: bool = False) -> Keys:
    """The keys in the file. A missing file is made only where ``create`` says so (the demo); else KeyFileError."""
    if not path.exists():
        if not create:
            raise KeyFileError(
                f"There is no key file at {path}.",
                next_step="Restore it from where you keep your secrets; for a new store run: imr-app keys make",
            )
        create_key_file(path)
    check_private(path.parent)
    check_private(path)
    return _parse(path)


def create_key_file(path: Path) -> None:
    """Writes new keys, complete or not at all; keys that another process wrote meanwhile are left as they are."""
    private_directory(path.parent)
    with _written_beside(path, new_keys()) as draft, suppress(FileExistsError):
        path.hardlink_to(draft)


def add_key(path: Path, kind: Kind) -> None:
    """One more key that only reads for now: first it has to be in the file of every machine that runs the app."""
    with _changing(path) as keys:
        _replace(path, keys.with_keys(kind, (*keys.of(kind), new_key())))


def lead_with_youngest(path: Path, kind: Kind) -> Keys:
    """The youngest key writes from now on; where there is one alone, it gets a successor. Returns what stands now."""
    with _changing(path) as keys:
        known = keys.of(kind)
        if len(known) == 1:
            known = (*known, new_key())
        youngest = max(known, key=lambda key: key.made)
        changed = keys.with_keys(kind, (youngest, *(key for key in known if key is not youngest)))
        if changed != keys:
            _replace(path, changed)
    return load_keys(path)


@contextmanager
def _changing(path: Path) -> Iterator[Keys]:
    """One at a time: of two that each add a key, the first one's would be lost with all that it sealed."""
    with path.with_name(f".{path.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield load_keys(path)


def _replace(path: Path, keys: Keys) -> None:
    before = path.stat()
    with _written_beside(path, keys) as draft:
        os.chown(draft, before.st_uid, before.st_gid)  # the app's user reads it, whoever changes it
        draft.rename(path)


@contextmanager
def _written_beside(path: Path, keys: Keys) -> Iterator[Path]:
    """A file 0600 of its own, complete and on the disk, gone on leaving unless it was renamed."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            json.dump(_as_json(keys), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _as_json(keys: Keys) -> dict[str, Any]:
    def entry(key: Key) -> dict[str, str]:
        return {"id": key.id, "made": key.made, "key": base64.b64encode(key.secret).decode("ascii")}

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
    return Keys(values=parsed["values"], lookups=parsed["lookups"][0], audit=parsed["audit"], path=path)


def _key(entry: dict[str, str]) -> Key:
    try:
        secret = base64.b64decode(entry["key"], validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
    key_id = entry["id"]
    if len(secret) != KEY_BYTES or not (isinstance(key_id, str) and key_id.isalnum() and len(key_id) <= 32):
        raise ValueError("a key is 32 bytes and its id up to 32 letters and digits")
    return Key(key_id, secret, str(entry.get("made", "")))
