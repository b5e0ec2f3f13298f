"""docs/operating.md names commands, options and log lines that there are."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from smart_app.cli import main

TOP = Path(__file__).parent.parent
PAGE = (TOP / "docs" / "operating.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"imr-app ([a-z-]+(?: (?:[a-z]+|--[a-z]+))*)", PAGE)))


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_is_there(line: str) -> None:
    command: click.Command = main
    for word in line.split():
        if word.startswith("--"):
            assert word in {option for parameter in command.params for option in parameter.opts}, line
        elif isinstance(command, click.Group):
            assert word in command.commands, line
            command = command.commands[word]
        else:
            break  # the sentence goes on


@pytest.mark.parametrize("group", [(), ("audit",), ("keys",)])
def test_no_command_s_line_is_cut_off(group: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main, [*group, "--help"], terminal_width=80)
    assert "Commands:" in shown.output
    assert "..." not in shown.output.partition("Commands:")[2]


def test_each_log_line_is_there() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (TOP / "smart_app").glob("*.py"))
    lines = re.findall(r"^\| ((?:The|Not|Unexpected)[^|.:]*?)(?:\.\.\.|[:|])", PAGE, re.MULTILINE)
    assert len(lines) == 7
    for line in lines:
        assert line.strip() in source, line
