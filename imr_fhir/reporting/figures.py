"""The report's figures (RULES, "The report's figures"): a query each, with its definition at its head.

A query in `sql/figures/` gives rows of ``part, total, row, unit, quarter, rater, n``: within a part, the rows of one
unit, quarter and rater sum to its total. The name of a quantity ("answered") is the same in every figure, so that a
number which one of them hides stays hidden in all.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Figure:
    name: str  # of its query's file, too
    title: str
    counts: str  # what one of a total is
    quarter: str  # whose date places it
    of_interest: tuple[str, ...]  # rows that the figure is about; the others say what became of the rest
    definition: str
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


def figure(name: str) -> Figure:
    """The figure of `sql/figures/<name>.sql`."""
    sql = (files("imr_fhir.reporting") / "sql" / "figures" / f"{name}.sql").read_text(encoding="utf-8")
    head = [line.removeprefix("--").strip() for line in sql.splitlines() if line.startswith("--")]
    blank = head.index("")
    said = dict(line.split(": ", 1) for line in head[1:blank])
    interest = tuple(row for row in said.get("of interest", "").split("; ") if row)
    return Figure(
        name, head[0], said.get("counts", ""), said.get("quarter", ""), interest, " ".join(head[blank + 1 :]), sql
    )
