"""docs/integration.md names commands and options that there are."""

import re
from pathlib import Path

import click
import pytest

from imr_fhir.cli import VERBS, main

PAGE = (Path(__file__).parent.parent / "docs" / "integration.md").read_text(encoding="utf-8")
# A command and what follows it, to the end of the line or of the code; a line that ends in \ goes on.
COMMANDS = sorted(set(re.findall(r"imr-fhir ([a-z][^`\n]*)", PAGE.replace("\\\n", " "))))


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_is_there(line: str) -> None:
    command: click.Command = main
    context = click.Context(main)
    for word in line.split():
        if word.startswith("--"):
            assert word in {option for parameter in command.params for option in parameter.opts}, line
        elif isinstance(command, click.Group):
            found = command.get_command(context, word)
            assert found, line
            command = found


def test_it_speaks_of_each_verb() -> None:
    told = {line.split()[0] for line in COMMANDS}
    assert told <= set(VERBS)
    assert {"package", "translate"} <= told
