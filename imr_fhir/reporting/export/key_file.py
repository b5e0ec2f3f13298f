"""The key of the pseudonyms: made on first use, 0600, never where the export lies."""

import base64
import os
import secrets
import stat
from pathlib import Path

from imr_fhir.errors import ExportError
from imr_fhir.reporting.export.pseudonym import KEY_BYTES, Pseudonyms


def pseudonyms(path: Path, *, outside: Path) -> tuple[Pseudonyms, bool]:
    """The key in the file ``path``, and whether it was made just now. ``outside``: the folder of the export, which
    leaves the hospital, so that the key may not lie in it.

    Raises ExportError.
    """
    require_outside(path, outside, "--pseudonym-key")
    where = path.resolve()
    made = _make(where)
    if stat.S_IMODE(where.stat().st_mode) & 0o077:
        raise ExportError(f"Others on this machine may read the key {path}.", next_step=f"Run: chmod 600 {path}")
    try:
        return Pseudonyms(base64.b64decode(where.read_text(encoding="ascii").strip(), validate=True)), made
    except ValueError:  # of UnicodeDecodeError, binascii.Error and Pseudonyms alike
        raise ExportError(
            f"{path} does not hold a key: {KEY_BYTES} bytes in base64, in one line.",
            next_step="Restore it from where you keep your secrets, or name another file with --pseudonym-key.",
        ) from None


def _make(path: Path) -> bool:
    """Complete or not at all: of two that begin at once, one makes it."""
    if path.exists():
        return False
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
        file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def require_outside(path: Path, folder: Path, option: str) -> None:
    """Raises ExportError where ``path`` is in ``folder``, which leaves the hospital."""
    if path.resolve().is_relative_to(folder.resolve()):
        raise ExportError(
            f"{path} would lie in {folder}, which may leave the hospital.",
            next_step=f"Name another place with {option}.",
        )
