"""The elements that a repeat leads to, however deep, as one list: each as a struct of what its select reads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from imr_fhir.reporting.views.columns import several
from imr_fhir.reporting.views.expression import Scope
from imr_fhir.reporting.views.fhirpath import PathError
from imr_fhir.reporting.views.needed import Needed
from imr_fhir.reporting.views.value import Names, NoElement, Value, fault, sql_of

# How deep a repeat of so many paths is followed. What lies deeper is an error when it is run, and never left out.
_DEEPEST = {1: 8, 2: 5}


@dataclass(frozen=True, slots=True)
class Tree:
    paths: Sequence[str]
    scope: Scope
    unknown: dict[str, NoElement | None] = field(default_factory=dict)  # paths that no element has

    def __post_init__(self) -> None:
        paths: Any = self.paths
        if (
            not isinstance(paths, list)
            or len(paths) not in _DEEPEST
            or not all(isinstance(path, str) for path in paths)
        ):
            raise PathError("is not one path or two in a list, and more are not known here")

    def first(self, focus: Value) -> Value:
        """What the paths lead to at first, which is of the type of all. Raises PathError."""
        found = list(self._foci(focus))
        if not found:
            raise next(filter(None, self.unknown.values()))
        for other in found:
            _check(other, found[0].type)
        return found[0]

    def listed(self, focus: Value, read: Needed) -> str:
        """All of them, with what of each is ``read``. Raises PathError."""
        sql = self._under(focus, read, 0)
        for error in filter(None, self.unknown.values()):
            raise error
        return sql

    def _foci(self, node: Value) -> Iterator[Value]:
        for path in self.paths:
            try:
                found = several(self.scope.value(path, node))
            except NoElement as error:  # answer.item begins in an item, not in the response
                self.unknown.setdefault(path, error)
            else:
                self.unknown[path] = None
                yield found

    def _under(self, node: Value, read: Needed, depth: int) -> str:
        return _concatenated([self._branch(foci, node, read, depth) for foci in self._foci(node)])

    def _branch(self, foci: Value, node: Value, read: Needed, depth: int) -> str:
        _check(foci, node.type if depth else foci.type)
        if depth == _DEEPEST[len(self.paths)]:
            return f"CASE WHEN len({foci.sql}) > 0 THEN {fault('repeat leads deeper than is known here')} END"
        assert foci.needed
        foci.needed.add(read)
        one = self.scope.names.new()
        under = self._under(replace(foci, sql=one, many=False, root=False), read, depth + 1)
        own = [f"[{_only(read, one, self.scope.names)}]", *([under] if under else [])]
        return f"flatten(list_transform({foci.sql}, lambda {one}: {_concatenated(own)}))"


def _check(foci: Value, type_: str) -> None:
    if not foci.needed or foci.choice or foci.type != type_:
        raise PathError(f"leads through {foci}, which is not known here")


def _concatenated(lists: Sequence[str]) -> str:
    return f"list_concat({', '.join(lists)})" if len(lists) > 1 else "".join(lists)


def _only(read: Needed, sql: str, names: Names) -> str:
    """The struct ``sql`` with what is ``read`` and nothing else, for the members of a list are of one type."""
    fields = []
    for key, (what, many) in read.children.items():
        inner = sql_of(sql, key)
        if isinstance(what, Needed) and many:
            one = names.new()
            inner = f"list_transform({inner}, lambda {one}: {_only(what, one, names)})"
        elif isinstance(what, Needed):
            inner = _only(what, inner, names)
        fields.append(f"'{key}': {inner}")
    made = ", ".join(fields) or "'id': CAST(NULL AS VARCHAR)"  # only whether it is there is asked
    return f"CASE WHEN {sql} IS NULL THEN NULL ELSE {{{made}}} END"
