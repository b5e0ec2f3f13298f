"""Rows of the parts of a select: multiplied with each other, or one after the other (unionAll)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from imr_fhir.reporting.views.columns import Column
from imr_fhir.reporting.views.fhirpath import PathError
from imr_fhir.reporting.views.value import Names

Sql = Mapping[str, str]  # column -> expression
# What a list of rows is, given the columns around it, which go into each row: SQL of a list of structs.
Listing = Callable[[Sql], str]


@dataclass(frozen=True, slots=True)
class Rows:
    """``single``: the columns that are the same in each row. ``many``: the list of rows; None where there is one."""

    columns: tuple[Column, ...]
    single: Sql
    many: Listing | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def listed(self, around: Sql) -> str:
        """All rows as a list of structs."""
        whole = {**around, **self.single}
        return self.many(whole) if self.many else f"[{struct(whole)}]"


def struct(fields: Sql) -> str:
    """Its fields by name, so that those of two branches are of one type."""
    return "{" + ", ".join(f"'{name}': {sql}" for name, sql in sorted(fields.items())) + "}"


def concatenated(lists: Sequence[str]) -> str:
    return lists[0] if len(lists) == 1 else f"list_concat({', '.join(lists)})"


def joined(parts: Sequence[Rows], names: Names) -> Rows:
    """Each row of each part with each row of the others. Raises PathError where a column stands twice."""
    columns = tuple(column for part in parts for column in part.columns)
    seen: set[str] = set()
    for column in columns:
        if column.name.lower() in seen:  # SQL does not tell a from A
            raise PathError(f"has the column {column.name} twice")
        seen.add(column.name.lower())
    one = {name: sql for part in parts for name, sql in part.single.items()}
    lists = [part for part in parts if part.many]
    if not lists:
        return Rows(columns, one)
    return Rows(columns, one, lambda around: _multiplied(lists, around, names))


def _multiplied(parts: Sequence[Rows], around: Sql, names: Names) -> str:
    first, *others = parts
    assert first.many
    if not others:
        return first.many(around)
    row = names.new()
    bound = {**around, **{column: f'{row}."{column}"' for column in first.names if column not in first.single}}
    return f"flatten(list_transform({first.many({})}, lambda {row}: {_multiplied(others, bound, names)}))"


def union(branches: Sequence[Rows]) -> Rows:
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
    return Rows(first.columns, {}, lambda around: concatenated([branch.listed(around) for branch in branches]))


def _said(of: Rows) -> list[tuple[str, str, bool]]:
    return [(column.name, column.kind, column.collection) for column in of.columns]
