"""Files and directories that nobody else on this machine may open: 0600 and 0700."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from smart_app.store.errors import NotPrivate


def private_directory(path: Path) -> None:
    """Makes the directory (and its parents) 0700 where it is missing; refuses one that others may enter."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    check_private(path)


def private_file(path: Path) -> None:
    """Makes an empty file 0600 where it is missing; refuses one that others may read."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        check_private(path)


def check_private(path: Path) -> None:
    """Raises NotPrivate where group or others have any right."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        right = "700" if path.is_dir() else "600"
        raise NotPrivate(
            f"{path} has mode {mode:04o}: others on this machine may open it.",
            next_step=f"Run: chmod {right} {path}",
        )
