"""The report's figures (RULES, "The report's figures"): a query each, with its definition at its head.

A query in `sql/figures/` gives rows of ``part, total, row, unit, quarter, rater, n``: within a part, the rows of one
unit, quarter and rater sum to its total. The name of a quantity ("answered") is the same in every figure, so that a
number which one of them hides stays hidden in all.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from imr_fhir.reporting.words import LANGUAGES


@dataclass(frozen=True, slots=True)
class About:
    title: str
    counts: str  # what one of a total is
    quarter: str  # whose date places it
    definition: str


@dataclass(frozen=True, slots=True)
class Figure:
    name: str  # of its query's file, too
    about: Mapping[str, About]  # by language
    of_interest: tuple[str, ...]  # rows that the figure is about; the others say what became of the rest
    sql: str  # with its definition


# In the order of the rules.
_NAMES = (
    "offered", "answered", "timely", "left", "cannot_say", "reliable_change",
    "goals_set", "goals_followed_up", "goals_achieved",
)  # fmt: skip


@cache
def figures() -> tuple[Figure, ...]:
    """Those that count; change and agreement are worked out in `measured.py`."""
    return tuple(figure(name) for name in _NAMES)


@cache
def figure(name: str) -> Figure:
    """The figure of `sql/figures/<name>.sql`. In its head: what is said of it, and its definition, once a language."""
    sql = (files("imr_fhir.reporting") / "sql" / "figures" / f"{name}.sql").read_text(encoding="utf-8")
    head = "\n".join(line.removeprefix("--").strip() for line in sql.splitlines() if line.startswith("--"))
    blocks = head.split("\n\n")
    said = {
        language: _about(about, definition)
        for language, about, definition in zip(LANGUAGES, blocks[::2], blocks[1::2], strict=True)
    }
    interest = re.search("^of interest: (.*)$", blocks[0], re.MULTILINE)
    return Figure(name, said, tuple(interest[1].split("; ")) if interest else (), sql)


def _about(about: str, definition: str) -> About:
    title, *more = about.splitlines()
    said = dict(line.split(": ", 1) for line in more)
    return About(title, said["counts"], said.get("quarter", ""), " ".join(definition.split()))
