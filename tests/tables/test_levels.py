"""Rows below rows: which there are, and in which order, where SQL on FHIR's own cases don't say."""

from pathlib import Path
from typing import Any

import pytest

from imr_fhir.reporting.views.compile import compile_view
from tests.tables.in_duckdb import run

Json = dict[str, Any]

RESPONSES: list[Json] = [
    {
        "id": "1",
        "item": [
            {"linkId": "x", "answer": [{"valueString": "x1"}, {"valueString": "x2"}]},
            {"linkId": "g", "item": [{"linkId": "a", "answer": [{"valueString": "a1"}]}, {"linkId": "_v3"}]},
            {"linkId": "y", "answer": []},
        ],
    },
    {"id": "2"},
    {"id": "3", "item": [{"linkId": "g", "item": [None, {"linkId": "c", "item": [{"linkId": "d"}]}]}]},
]
LINK = [{"name": "link", "path": "linkId"}]
PLACE = [{"name": "place", "path": "%rowIndex"}]
VALUE = [{"name": "value", "path": "value.ofType(string)"}]
ANSWERS = {"forEachOrNull": "answer", "column": VALUE}
INNER, OUTER = "item.where(linkId = 'g').item", "item.where(linkId != 'g')"

CASES: list[tuple[str, Json, list[tuple[Any, ...]]]] = [
    (
        "branches through the same elements come one after the other",
        {"unionAll": [{"forEach": path, "column": LINK, "select": [ANSWERS]} for path in (INNER, OUTER)]},
        [
            ("1", "a", "a1"), ("1", "_v3", None), ("1", "x", "x1"), ("1", "x", "x2"), ("1", "y", None),
            ("3", None, None), ("3", "c", None),
        ],
    ),
    (
        "a branch that goes through more than another, and one through nothing",
        {
            "unionAll": [
                {"column": [{"name": "link", "path": "questionnaire"}]},
                {"forEach": "item", "select": [{"forEach": "item", "column": LINK}]},
                {"forEach": OUTER, "column": LINK},
            ]
        },
        [
            ("1", None), ("1", "a"), ("1", "_v3"), ("1", "x"), ("1", "y"), ("2", None), ("3", None), ("3", None),
            ("3", "c"),
        ],
    ),
    (
        "a union within a union",
        {"forEach": "item", "unionAll": [{"unionAll": [{"column": LINK}, {"forEach": "item", "column": LINK}]},
                                         {"forEach": "answer.where(value.ofType(string) = 'x2')",
                                          "column": [{"name": "link", "path": "value.ofType(string)"}]}]},
        [
            ("1", "x"), ("1", "x2"), ("1", "g"), ("1", "a"), ("1", "_v3"), ("1", "y"), ("3", "g"), ("3", None),
            ("3", "c"),
        ],
    ),
    (
        "where there is no element, all below it is empty, and there is one row of it",
        {
            "forEachOrNull": "item.where(linkId = 'x')",
            "column": [*LINK, *PLACE, {"name": "text", "path": "'said'"}, {"name": "none", "path": "answer.empty()"}],
            "unionAll": [ANSWERS, {"forEach": "answer.where(value.exists())", "column": VALUE}],
        },
        [
            ("1", "x", 0, "said", False, "x1"), ("1", "x", 0, "said", False, "x2"), ("1", "x", 0, "said", False, "x1"),
            ("1", "x", 0, "said", False, "x2"), ("2", None, 0, None, None, None), ("3", None, 0, None, None, None),
        ],
    ),
    (
        "each place is that in its own forEach, of all that its path leads to",
        {"forEach": "item.item", "column": [*LINK, *PLACE],
         "select": [{"forEachOrNull": "item", "column": [{"name": "inner", "path": "%rowIndex + 1"}]}]},
        [("1", "a", 0, None), ("1", "_v3", 1, None), ("3", None, 0, None), ("3", "c", 1, 1)],
    ),
    (
        "the place in a repeat is that among all elements, and another below it is its own",
        {"repeat": ["item"], "column": [*LINK, {"name": "place", "path": "%rowIndex + 1"}],
         "select": [{"forEach": "answer", "column": [*VALUE, {"name": "inner", "path": "%rowIndex"}]}]},
        [("1", "x", 1, "x1", 0), ("1", "x", 1, "x2", 1), ("1", "a", 3, "a1", 0)],
    ),
    (
        "of an element that a repeat leads to only whether it is there is asked",
        {"repeat": ["item"], "column": [{"name": "has", "path": "item.exists()"}]},
        [("1", False), ("1", True), ("1", False), ("1", False), ("1", False),
         ("3", True), ("3", False), ("3", True), ("3", False)],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("select", "rows"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_rows(select: Json, rows: list[tuple[Any, ...]], tmp_path: Path) -> None:
    view = {"resource": "QuestionnaireResponse", "select": [{"column": [{"name": "id", "path": "id"}]}, select]}
    responses = [{"resourceType": "QuestionnaireResponse", **each} for each in RESPONSES]
    assert [tuple(row.values()) for row in run(view, responses, tmp_path)] == rows


def test_what_branches_go_through_together_is_not_copied() -> None:
    """A CASE around it would: half as much time again for our table of items."""
    branches = [{"forEach": path, "column": LINK} for path in (INNER, OUTER)]
    sql = compile_view({"resource": "QuestionnaireResponse", "select": [{"unionAll": branches}]}).sql("source")
    assert sql.count('unnest(r."item")') == 2
    assert 'THEN r."item"' not in sql
