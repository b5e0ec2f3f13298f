"""A Bundle read around its resources says what it says read as a whole, and is refused where that is."""

import json
import re
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imr_fhir.ehr.bundle_reader import LEVELS, read_bundle
from imr_fhir.ehr.json_reader import read_text, read_value
from imr_fhir.errors import NotJson

PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
NAMES = PLAIN | st.sampled_from(["resource", "entry", 'x"resource', "resource\\", "id"])
VALUES = st.recursive(
    st.none() | st.integers(0, 9) | PLAIN | st.sampled_from(['"resource":{', '\\"resource": {}', '{"resource":']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
RESOURCES = st.dictionaries(NAMES, VALUES, max_size=3)
ENTRIES = st.fixed_dictionaries({}, optional={"resource": RESOURCES | VALUES, "search": VALUES, "fullUrl": PLAIN})
BUNDLES = st.fixed_dictionaries({"entry": st.lists(ENTRIES, max_size=4) | VALUES}, optional={"link": VALUES}) | VALUES


def strictly(text: str, start: int) -> tuple[Any, int]:
    return read_value(text, start, levels=LEVELS)


def outcome(read: Any) -> Any:
    """Text, since 1 == True; a refusal as its sentence."""
    try:
        return json.dumps(read(), default=str)
    except NotJson as refusal:
        return str(refusal)


@given(BUNDLES, st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:\r\n")]), st.booleans())
def test_says_the_same(bundle: object, separators: tuple[str, str], ascii_only: bool) -> None:
    text = json.dumps(bundle, separators=separators, ensure_ascii=ascii_only)
    assert outcome(partial(read_bundle, text, strictly)) == outcome(partial(read_text, text))


@given(BUNDLES, st.data())
def test_refuses_the_same(bundle: object, data: st.DataObject) -> None:
    """A piece of it cut out, doubled, or put elsewhere: names twice, brackets that don't match, half a text."""
    text = json.dumps(bundle)
    marks = sorted({0, len(text), *(found.start() for found in re.finditer(r'[\[\]{},:"]', text))})
    start, end, to = (data.draw(st.sampled_from(marks)) for _ in range(3))
    start, end = sorted((start, end))
    for broken in (text[:start] + text[end:], text[:to] + text[start:end] + text[to:]):
        assert outcome(lambda broken=broken: read_bundle(broken, strictly)) == outcome(
            lambda broken=broken: read_text(broken)
        )


@pytest.mark.parametrize(
    "text",
    [
        '{"entry":[{"resource":{"id":"a"},"resource":{"id":"b"}}]}',
        '{"entry":[{"resource":{"id":"a","id":"b"}}]}',
        '{"entry":[{"resource":{"id":"a"}}],"entry":[]}',
        '{"entry":[{"resource":{"a":NaN}}]}',
        '{"entry":[{"resource":{"a":1234567890123456789}}]}',
        '{"entry":[{"resource":{"a":"\\ud800"}}]}',
        '{"entry":[{"resource":{"a":"\\u0000"}}]}',
        '{"entry":[{"resource":{"a":"\\u00e5\\n"},"fullUrl":"\\ud800"}]}',
        '{"entry":[{"resource":{"a":1}}]} x',
        '{"entry":[{"resource":{"a":1}]}',
        '{"entry":[{"resource":{"a":' + "[" * 60 + "]" * 60 + "}}]}",
        '{"entry":[{"resource":{"a":' + "[" * 61 + "]" * 61 + "}}]}",
    ],
)
def test_at_the_edges(text: str) -> None:
    assert outcome(partial(read_bundle, text, strictly)) == outcome(partial(read_text, text))


def test_takes_each_resource_where_it_stands() -> None:
    text = (
        '{"entry":[{"resource":{"id":"a"}},{"search":{"mode":"match"},"resource" : {"id":"b","of":{"resource":{}}}}]}'
    )
    asked = []

    def known(text: str, start: int) -> tuple[Any, int]:
        found, end = strictly(text, start)
        asked.append(found)
        return {"known": found["id"]}, end

    assert [entry["resource"] for entry in read_bundle(text, known)["entry"]] == [{"known": "a"}, {"known": "b"}]
    assert len(asked) == 2
