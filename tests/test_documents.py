"""Documents that name tests: each test is there, and each row names one, or says what is open."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
DOCUMENTS = TESTS.parent / "docs"
NAMED = re.compile(r"`([a-z_/0-9]+\.py)::(\w+)`")


def rows(name: str) -> Iterator[str]:
    """Each row of its tables, without their heads."""
    lines = (DOCUMENTS / name).read_text(encoding="utf-8").splitlines()
    heads = {number - 1 for number, line in enumerate(lines) if line.startswith("| ---")}
    for number, line in enumerate(lines):
        if line.startswith("|") and not line.startswith("| ---") and number not in heads:
            yield line


@cache
def names_in(file: str) -> frozenset[str]:
    path = TESTS / file
    if not path.is_file():
        return frozenset()
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return frozenset(node.name for node in tree if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


@pytest.mark.parametrize("name", ["asked-for.md", "security.md"])
def test_each_row_names_tests_that_are_there(name: str) -> None:
    found = list(rows(name))
    assert len(found) > 20
    gone = [f"{file}::{test}" for row in found for file, test in NAMED.findall(row) if test not in names_in(file)]
    assert gone == []
    assert [row for row in found if not NAMED.search(row) and "*Open*" not in row and "*Not kept*" not in row] == []
