"""Rows of the parts of a select: multiplied with each other, or one after the other (unionAll)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from imr_fhir.reporting.views.columns import Column
from imr_fhir.reporting.views.fhirpath import PathError
from imr_fhir.reporting.views.value import Names

Sql = Mapping[str, str]  # name -> expression


@dataclass(frozen=True, slots=True)
class Level:
    """Of each row as many as ``lists`` have members: side by side, and NULL in those that are shorter.

    ``keep``: which rows stay; "": all. Unnested in place, for a list that is made anew copies all that is in it.
    """

    lists: Sql
    keep: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """``single``: columns that have one value for the resource or element; ``inner``: those known after ``levels``."""

    columns: tuple[Column, ...]
    single: Sql
    levels: tuple[Level, ...] = ()
    inner: Sql = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def values(self) -> Sql:
        return {**self.single, **self.inner}


def joined(parts: Sequence[Rows]) -> Rows:
    """Each row of each part with each row of the others. Raises PathError where a column stands twice."""
    columns = tuple(column for part in parts for column in part.columns)
    seen: set[str] = set()
    for column in columns:
        if column.name.lower() in seen:  # SQL does not tell a from A
            raise PathError(f"has the column {column.name} twice")
        seen.add(column.name.lower())
    return Rows(
        columns,
        {name: sql for part in parts for name, sql in part.single.items()},
        tuple(level for part in parts for level in part.levels),
        {name: sql for part in parts for name, sql in part.inner.items()},
    )


def union(branches: Sequence[Rows], names: Names) -> Rows:
    """One after the other. Raises PathError where their columns are not the same."""
    if not branches:
        raise PathError("has a unionAll without a branch")
    first, *others = branches
    for other in others:
        if _said(first) != _said(other):
            raise PathError(
                f"has a unionAll of branches with the columns {', '.join(first.names)} and {', '.join(other.names)}, "
                "which differ in name, order or type"
            )
    if not others:
        return first
    branch = names.new()
    numbers = ", ".join(str(number) for number, _ in enumerate(branches))
    levels = [
        _side_by_side([each.levels[depth] if depth < len(each.levels) else None for each in branches], branch, names)
        for depth in range(max(len(each.levels) for each in branches))
    ]
    inner = {name: _by(branch, [each.values[name] for each in branches]) for name in first.names}
    return Rows(first.columns, {}, (Level({branch: f"[{numbers}]"}), *levels), inner)


def _said(of: Rows) -> list[tuple[str, str, bool]]:
    return [(column.name, column.kind, column.collection) for column in of.columns]


def _by(branch: str, values: Sequence[str]) -> str:
    if len(set(values)) == 1:
        return values[0]
    return f"CASE {branch} {' '.join(f'WHEN {number} THEN {sql}' for number, sql in enumerate(values))} END"


def _side_by_side(levels: Sequence[Level | None], branch: str, names: Names) -> Level:
    """One level of all branches; None where a branch has no more of them, and its rows go on as they are."""
    lists: dict[str, str] = {}
    # Where all go through the same elements no CASE is needed, which would copy them.
    same = len({tuple(level.lists.values()) if level else () for level in levels}) == 1
    for number, level in enumerate(levels):
        for name, sql in (level.lists if level else {names.new(): "[NULL]"}).items():
            lists[name] = sql if same else f"CASE {branch} WHEN {number} THEN {sql} END"
    keeps = [level.keep if level and level.keep else "true" for level in levels]
    keep = _by(branch, keeps)
    return Level(lists, "" if keep == "true" else keep)
