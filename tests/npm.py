"""What a package-lock.json names, installed once beside the other tools; nothing of it runs at installation."""

import fcntl
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests import parts


@cache
def node_modules(folder: Path) -> Path:
    """Of the package.json and the package-lock.json in ``folder``; one worker installs, the others wait."""
    there = parts.tools_folder().absolute() / folder.name
    there.mkdir(parents=True, exist_ok=True)
    lock = (folder / "package-lock.json").read_bytes()
    installed = there / "installed"  # the lock of what is there
    with (there / "installing").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not installed.is_file() or installed.read_bytes() != lock:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(folder / name, there)
            npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            ran = subprocess.run(npm, cwd=there, capture_output=True, text=True, check=False)
            assert ran.returncode == 0, ran.stdout + ran.stderr
            installed.write_bytes(lock)
    return there / "node_modules"
