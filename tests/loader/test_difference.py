"""Differences as a person reads them."""

from copy import deepcopy
from typing import Any

import pytest

from imr_fhir.artefacts import content_hash, questionnaire
from imr_fhir.loader.difference import Change, changes

FORM = questionnaire("client")
ITEMS = FORM["item"][1]["item"]


def edited(edit: Any) -> dict[str, Any]:
    form = deepcopy(FORM)
    edit(form, form["item"][1]["item"])
    return form


# fmt: off
CASES: list[tuple[str, Any, list[tuple[str, str, str]]]] = [
    ("a title", lambda form, items: form.update(title="By hand"),
     [("title", f'"{FORM["title"]}"', '"By hand"')]),
    ("a word of an item", lambda form, items: items[3].update(text="What?"),
     [("item[imr].item[04].text", f'"{ITEMS[3]["text"]}"', '"What?"')]),
    ("an anchor", lambda form, items: items[0]["answerOption"][1]["valueCoding"].update(display="Now and then"),
     [("item[imr].item[01].answerOption[01-2].valueCoding.display",
       f'"{ITEMS[0]["answerOption"][1]["valueCoding"]["display"]}"', '"Now and then"')]),
    ("one taken out is one difference", lambda form, items: items.pop(3),
     [("item[imr].item[04]", f'"{ITEMS[3]["text"]}"', "")]),
    ("one put in is one difference", lambda form, items: items.insert(2, {"linkId": "x", "type": "string"}),
     [("item[imr].item[x]", "", '{"linkId":"x","type":"string"}')]),
    ("their order", lambda form, items: items[0]["answerOption"].reverse(),
     [("item[imr].item[01].answerOption", "order: 01-1, 01-2, 01-3, 01-4, 01-5",
       "order: 01-5, 01-4, 01-3, 01-2, 01-1")]),
    ("control characters of a server go nowhere", lambda form, items: form.update(title="\x1b[31mred\u202e"),
     [("title", f'"{FORM["title"]}"', '"[31mred"')]),
]
# fmt: on


@pytest.mark.parametrize(("edit", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_shown(edit: Any, expected: list[tuple[str, str, str]]) -> None:
    assert changes(FORM, edited(edit)) == tuple(Change(*each) for each in expected)


@pytest.mark.parametrize(
    "edit",
    [
        lambda form, items: form.update(id="77", meta={"versionId": "3"}, text={"status": "generated"}),
        lambda form, items: form["extension"].reverse(),
        lambda form, items: items[0].update(dict(reversed(items[0].items()))),
    ],
    ids=["what a server gives", "order of extensions", "order of names"],
)
def test_what_says_nothing_is_not_shown(edit: Any) -> None:
    assert changes(FORM, edited(edit)) == ()
    assert content_hash(edited(edit)) == content_hash(FORM)
