"""Each rater's answer in the words of their own version; one line for both only where these are the same words."""

import pytest

from smart_app.presenters.items import ItemRow
from tests.presenters.build import chart, pair, shown
from tests.spec.build import answers


def row(number: int, language: str = "en", **said: int) -> ItemRow:
    """The row of an item that the two rated at one occasion."""
    of = chart(pair(0, answers(3, {number: said["client"]}), answers(3, {number: said["clinician"]})))
    items = shown(of, today=1, language=language).items
    assert items is not None
    return next(each for group in items.groups for each in group.rows if each.number == number)


@pytest.mark.parametrize("language", ["en", "nb"])
def test_the_same_words_stand_once(language: str) -> None:
    assert [answer.raters for answer in row(2, language, client=4, clinician=4).answers] == [("client", "clinician")]


@pytest.mark.parametrize("language", ["en", "nb"])
def test_the_same_rating_in_different_words_stands_in_each_raters_own(language: str) -> None:
    found = row(6, language, client=3, clinician=3).answers
    assert [answer.raters for answer in found] == [("client",), ("clinician",)]
    assert found[0].now != found[1].now


def test_another_rating_is_two_lines() -> None:
    assert [answer.names for answer in row(2, client=4, clinician=3).answers] == ["Anna", "Clinician"]


@pytest.mark.parametrize(
    ("number", "language", "label"),
    [
        (3, "en", "Family and friends in the treatment"),
        (3, "nb", "Familie og venner i behandlingen"),
        (4, "en", "Contact with people outside the family"),
        (4, "nb", "Kontakt med mennesker utenfor familien"),
    ],
)
def test_what_two_people_read_names_nobodys_family_as_mine(number: int, language: str, label: str) -> None:
    assert row(number, language, client=3, clinician=3).label == label
