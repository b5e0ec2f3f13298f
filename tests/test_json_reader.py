"""Strict, fast JSON: what would harm us is refused, everything else is read as it is."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imr_fhir.ehr.json_reader import read_json
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.errors import BadReply, NotJson

CHARACTERS = st.characters(codec="utf-8", exclude_characters="\0")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(CHARACTERS),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(CHARACTERS), inner),
    max_leaves=20,
)


@given(VALUES, st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : "), ("\n,", "\t:")]))
def test_reads_what_json_writes(value: object, ascii_only: bool, separators: tuple[str, str]) -> None:
    assert read_json(json.dumps(value, ensure_ascii=ascii_only, separators=separators).encode()) == value


@given(VALUES)
def test_reads_what_we_write(value: object) -> None:
    assert read_json(write_json(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '{"a":1,"a" :1}',  # the count of names alone would not see it
        '{"a":1,"a"\n:1}',
        '{"note":"he said \\": yes","a":1,"a" :1}',  # nor this one: as many `":` as there are names
        '[{"b":{"a":1,"\\u0061":2}}]',
        '{"a":NaN}',
        '{"a":Infinity}',
        '{"a":-Infinity}',
        '{"a":"\\u0000"}',
        '{"a":"\0"}',
        '{"\\ud800":1}',
        '{"a":"\\udc00\\ud800"}',
        '{"a":"\\ud83d\\u0041"}',
        '{"a":"\\\\\\ud83d"}',
        '{"a":1234567890123456789}',
        '{"a":1.234567890123456789}',
        '{"a":1e1000000}',
        '{"a":1e19}',
        '{"a":1e-19}',
        '{"a":1e99999999999999999999}',
        '{"a":0.' + "0" * 5_000_000 + "1}",
        '{"a":' + "1" * 5_000_000 + "}",
        "[" * 65 + "]" * 65,
        '{"a":' * 65 + "1" + "}" * 65,
        "[" * 200_000 + "]" * 200_000,
        "{'a': 1}",
        '{"a":1} x',
        "",
        "<html>",
    ],
)
def test_refuses(text: str) -> None:
    with pytest.raises(NotJson) as refusal:
        read_json(text.encode())
    assert isinstance(refusal.value, BadReply)
    assert len(str(refusal.value)) < 200


def test_refuses_what_is_not_utf_8() -> None:
    for data in (b'{"a":"\xe5"}', b'{"a":"\xed\xa0\x80"}'):
        with pytest.raises(NotJson):
            read_json(data)


def test_refusal_quotes_nothing_of_the_text() -> None:
    with pytest.raises(NotJson) as refusal:
        read_json(b'{"family":"Nordmann"')
    assert "Nordmann" not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[" * 64 + "]" * 64, None),
        ('{"a":"\\ud83d\\ude00 \\\\ud83d \\\\u0000"}', {"a": "\N{GRINNING FACE} \\ud83d \\u0000"}),
        ("3.40", Decimal("3.40")),
        ("1e2", Decimal("1E+2")),
        ("-123456789012345678", -123456789012345678),
        ("0.000000000000000001", Decimal("0.000000000000000001")),
        ('\N{ZERO WIDTH NO-BREAK SPACE}{"a":1}', {"a": 1}),  # a byte order mark, which .NET servers send
    ],
)
def test_takes(text: str, value: object) -> None:
    found = read_json(text.encode())
    if value is not None:
        assert found == value
        assert str(found) == str(value)


def test_writes_decimals_as_they_are() -> None:
    assert (
        write_json({"a": [Decimal("3.40"), Decimal("1E+2"), True, None, "å"]})
        == '{"a":[3.40,1E+2,true,null,"å"]}'.encode()
    )


@pytest.mark.parametrize("value", [Decimal("NaN"), {1: 2}, {"a": object()}])
def test_writes_no_other_thing(value: object) -> None:
    with pytest.raises(TypeError):
        write_json(value)
