"""A path is found in a JSON text, however it is written."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imr_fhir.validation.positions import Positions

TEXT = """{
  "resourceType": "Bundle",
  "entry": [
    {"resource": {"id": "a", "item": [1, {"text": "\\"}{"}]}},
    {"resource": {
      "id": "b",
      "id": "c"
    }}
  ]
}
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), (1, 1)),
        (("resourceType",), (2, 3)),
        (("entry",), (3, 3)),
        (("entry", 0), (4, 5)),
        (("entry", 0, "resource", "item", 1, "text"), (4, 43)),
        (("entry", 1, "resource", "id"), (6, 7)),
        (("entry", 1, "resource", "status"), (5, 6)),  # what is missing: where it should stand
        (("entry", 7, "resource"), (3, 3)),
        (("type", "x"), (1, 1)),
    ],
)
def test_a_path_has_its_line_and_column(path: tuple[Any, ...], place: tuple[int, int]) -> None:
    assert Positions(TEXT).place(path) == place


def test_of_a_name_that_stands_twice_the_second() -> None:
    assert Positions(TEXT).place(("entry", 1, "resource", "id"), last=True) == (7, 7)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, each in inner for found in [((*path, key), each), *places(each, (*path, key))]]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=15,
)


@given(JSON, st.sampled_from([None, 0, 1, "\t"]))
def test_what_stands_there_is_what_was_meant(value: Any, indent: Any) -> None:
    text = json.dumps(value, indent=indent)
    lines = text.split("\n")
    for path, there in places(value):
        line, column = Positions(text).place(path)
        rest = lines[line - 1][column - 1 :] + "\n" + "\n".join(lines[line:])
        decoder = json.JSONDecoder()
        found, end = decoder.raw_decode(rest)
        if isinstance(path[-1], str):
            assert found == path[-1]
            found, _ = decoder.raw_decode(rest[end:].lstrip(" \n:"))
        assert found == there
