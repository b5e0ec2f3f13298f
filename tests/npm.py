"""What a package-lock.json names, installed once beside the other tools; nothing of it runs at installation."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests import parts


@cache
def node_modules(folder: Path) -> Path:
    """Of the package.json and the package-lock.json in ``folder``."""
    there = parts.tools_folder().absolute() / folder.name
    lock = (folder / "package-lock.json").read_bytes()
    installed = there / "installed"  # the lock of what is there
    if not installed.is_file() or installed.read_bytes() != lock:
        there.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(folder / name, there)
        npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        ran = subprocess.run(npm, cwd=there, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        installed.write_bytes(lock)
    return there / "node_modules"
