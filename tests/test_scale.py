"""The scale that a Questionnaire holds, and what is refused."""

from typing import Any

import pytest

from imr_fhir import artefacts
from imr_fhir.errors import ArtefactError
from imr_fhir.scale import GROUPS, NA, RATERS, Rater, Text, scale, scale_from


@pytest.mark.parametrize("rater", RATERS)
def test_whole(rater: Rater) -> None:
    form = scale(rater)
    assert form.rater == rater
    assert form.canonical == f"{artefacts.BASE}/Questionnaire/imr-{rater}|{artefacts.VERSION}"
    assert form.system == f"{artefacts.BASE}/CodeSystem/imr-{rater}"
    assert [item.number for item in form.items] == list(range(1, 16))
    assert {len(item.anchors) for item in form.items if item.number != 13} == {5}
    assert [anchor.rating for anchor in form.item(13).anchors] == [1, 2, 3, 4, 5, NA]
    assert form.verified == (rater == "client")
    assert (form.introduction is None) == (rater == "clinician")


def test_texts_in_both_languages() -> None:
    item = scale("client").item(6)
    assert item.link_id == "06"
    assert item.label == Text("Symptom distress", "Hvor mye symptomene plager")
    assert item.prompt == Text("How much do your symptoms bother you?", "Hvor mye plager symptomene dine deg?")
    assert item.anchor(4).code == "06-4"
    assert item.anchor(4).text == Text("My symptoms bother me very little", "Symptomene mine plager meg veldig lite")
    assert scale("client").item(13).anchor(NA).text.en == "No medication is prescribed for me"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Well"), ("en-GB", "Well"), ("sv", "Well"), ("nbl", "Well"), ("", "Well"),
        ("nb", "Godt"), ("nb-NO", "Godt"), ("NB", "Godt"), ("no", "Godt"), ("nn", "Godt"),
    ],
)  # fmt: skip
def test_language(language: str, text: str) -> None:
    assert Text("Well", "Godt").in_(language) == text
    assert Text("Well").in_(language) == "Well"


@pytest.mark.parametrize("number", [0, 16, -1])
def test_no_such_item(number: int) -> None:
    with pytest.raises(KeyError, match=str(number)):
        scale("client").item(number)


@pytest.mark.parametrize(("number", "rating"), [(1, NA), (13, 6), (1, 6)])
def test_no_such_anchor(number: int, rating: int) -> None:
    with pytest.raises(KeyError, match=f"item {number} has no rating {rating}"):
        scale("client").item(number).anchor(rating)


def test_groups_hold_each_item_once() -> None:
    assert sorted(number for _, numbers in GROUPS for number in numbers) == list(range(1, 16))


def edited(*path: Any, to: Any = None) -> dict[str, Any]:
    """The client's Questionnaire with the value at ``path`` replaced, or removed."""
    form = artefacts.questionnaire("client")
    element: Any = form
    for step in path[:-1]:
        element = element[step]
    if to is None:
        del element[path[-1]]
    else:
        element[path[-1]] = to
    return form


@pytest.mark.parametrize(
    ("form", "told"),
    [
        (edited("url", to="https://example.org/Questionnaire/phq-9"), "phq-9"),
        (edited("url"), "None"),
        (edited("item"), "item"),
        (edited("version"), "version"),
        (edited("item", 1), "imr"),
        (edited("item", 1, "item", 14), "14 items"),
        (edited("item", 1, "item", 2), "item 3 has linkId '04'"),
        (edited("item", 1, "item", 2, "linkId", to="16"), "item 3 has linkId '16'"),
        (edited("item", 1, "item", 2, "answerOption", 0), "item 3 has answers"),
        (edited("item", 1, "item", 12, "answerOption", 5), "item 13 has answers"),
        (edited("item", 1, "item", 2, "answerOption", 0, "valueCoding", "code", to="04-1"), "item 3 has answers"),
        (edited("item", 1, "item", 2, "answerOption", 0, to={"valueString": "Not at all"}), "valueCoding"),
        (edited("item", 1, "item", 2, "extension"), "extension"),
        (edited("item", 1, "item", 2, "extension", 1), "shortText"),
        (edited("item", to="none"), "not whole"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_what_is_no_scale_is_refused(form: dict[str, Any], told: str) -> None:
    with pytest.raises(ArtefactError, match=told) as refused:
        scale_from(form)
    assert "Load the packaged Questionnaire" in refused.value.next_step


def test_untranslated_text_is_english_alone() -> None:
    form = edited("item", 1, "item", 5, "_text")
    assert scale_from(form).item(6).prompt == Text("How much do your symptoms bother you?", None)
