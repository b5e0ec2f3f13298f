"""Style, types and the import rule hold for the whole tree."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent


TOOLS = (["ruff", "check", "."], ["mypy"], ["lint-imports", "--no-cache"])


@pytest.mark.parametrize("command", TOOLS, ids=lambda command: command[0])
def test_tool_finds_nothing(command: list[str]) -> None:
    tool = shutil.which(command[0], path=str(Path(sys.executable).parent))
    assert tool, f"{command[0]} is not installed beside {sys.executable}: run make test"
    ran = subprocess.run([tool, *command[1:]], cwd=TOP, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
