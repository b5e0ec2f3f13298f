"""A rater's scale, its items and anchors, built from a Questionnaire."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from imr_fhir import artefacts
from imr_fhir.errors import ArtefactError
from imr_fhir.translation_status import statuses
from imr_fhir.translations import translation

Rater = Literal["client", "clinician"]
RATERS: tuple[Rater, ...] = ("client", "clinician")

NA = 0  # a rating "not applicable": item 13 only
NA_ITEM = 13
ITEM_COUNT = 15
RATING_MAX = 5

Ratings = Mapping[int, int]  # item number 1..15 -> 1..5 or NA; an unanswered item is absent

# Layout of panel and form, social items first; not subscales: no item list of a factor could be verified.
GROUPS: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("social", (3, 4, 5, 12)),
    ("planning", (1, 2, 8)),
    ("symptoms", (6, 7, 11)),
    ("relapse", (9, 10)),
    ("substances", (13, 14, 15)),
)

_SHORT_TEXT = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-shortText"
_BOKMAL = ("nb", "no", "nn")  # who reads nynorsk reads bokmål rather than English


@dataclass(frozen=True, slots=True)
class Text:
    en: str
    nb: str | None = None

    def in_(self, language: str) -> str:
        """The text in ``language`` (BCP 47, e.g. "nb-NO"); English where there is no such translation."""
        return self.nb if self.nb and language.lower().split("-")[0] in _BOKMAL else self.en


@dataclass(frozen=True, slots=True)
class Anchor:
    code: str  # "06-3", "13-na"
    rating: int  # 1..5, or NA
    text: Text


@dataclass(frozen=True, slots=True)
class Item:
    number: int
    link_id: str  # "06"; also its code
    label: Text  # the instrument's name of the item: "Symptom distress"
    prompt: Text  # what is asked
    anchors: tuple[Anchor, ...]  # by rating, 1 first; "not applicable" last, in item 13 only

    def anchor(self, rating: int) -> Anchor:
        """The anchor of ``rating`` (1..5 or NA). Raises KeyError where the item has none."""
        for anchor in self.anchors:
            if anchor.rating == rating:
                return anchor
        raise KeyError(f"item {self.number} has no rating {rating}")


@dataclass(frozen=True, slots=True)
class Scale:
    rater: Rater
    url: str
    version: str
    system: str  # CodeSystem of its answers
    title: Text
    introduction: Text | None
    verified: bool  # its English wording was checked against a published copy (status active)
    validated: frozenset[str]  # the languages whose translation was tested with those who answer
    items: tuple[Item, ...]  # the 15, by number

    @property
    def canonical(self) -> str:
        return f"{self.url}|{self.version}"

    def validated_in(self, language: str) -> bool:
        """Whether the words shown in ``language`` are no translation, or one that was validated."""
        return language == "en" or language in self.validated

    def item(self, number: int) -> Item:
        """Item ``number``, 1..15. Raises KeyError for another number."""
        if not 1 <= number <= ITEM_COUNT:
            raise KeyError(f"the scale has no item {number}")
        return self.items[number - 1]


@cache
def scale(rater: Rater) -> Scale:
    """The packaged scale of ``rater``."""
    return scale_from(artefacts.questionnaire(rater))


def scale_of(canonical: str) -> Scale | None:
    """The scale that ``url|version`` names, in use or of an earlier version; None where it is not packaged here."""
    return _scales().get(canonical)


def only_version(rater: Rater) -> str:
    """The canonical of the scale of ``rater`` where there has been no other version of it, and "" where there has: what
    does not say on which it was given may be of either."""
    known = [form.canonical for form in _scales().values() if form.rater == rater]
    return known[0] if len(known) == 1 else ""


@cache
def _scales() -> Mapping[str, Scale]:
    return {form.canonical: form for form in map(scale_from, artefacts.questionnaires())}


def scale_from(questionnaire: Mapping[str, Any]) -> Scale:
    """The scale that ``questionnaire`` holds. Raises ArtefactError where it is not one of ours, or not whole."""
    url = questionnaire.get("url")
    rater = next((r for r in RATERS if url == f"{artefacts.BASE}/Questionnaire/imr-{r}"), None)
    if rater is None:
        raise ArtefactError(
            f"The Questionnaire {url!r} is no IMR Scale.", next_step="Load the packaged Questionnaires."
        )
    try:
        top = {item["linkId"]: item for item in questionnaire["item"]}
        items = tuple(_item(number, item) for number, item in enumerate(top["imr"]["item"], 1))
        if len(items) != ITEM_COUNT:
            raise ValueError(f"group imr has {len(items)} items")
        return Scale(
            rater=rater,
            url=questionnaire["url"],
            version=questionnaire["version"],
            system=f"{artefacts.BASE}/CodeSystem/imr-{rater}",
            title=_text(questionnaire, "title"),
            introduction=_text(top["introduction"], "text") if "introduction" in top else None,
            verified=questionnaire["status"] == "active",
            validated=frozenset(each.lang for each in statuses(questionnaire) if each.status == "validated"),
            items=items,
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise ArtefactError(
            f"The Questionnaire {url} is not whole: {fault}.", next_step="Load the packaged Questionnaire again."
        ) from fault


def _item(number: int, item: Mapping[str, Any]) -> Item:
    if item["linkId"] != f"{number:02}":
        raise ValueError(f"item {number} has linkId {item['linkId']!r}")
    codes = [f"{number:02}-{rating}" for rating in range(1, RATING_MAX + 1)] + ["13-na"] * (number == NA_ITEM)
    codings = [option["valueCoding"] for option in item["answerOption"]]
    if [coding["code"] for coding in codings] != codes:
        raise ValueError(f"item {number} has answers {[coding['code'] for coding in codings]}")
    return Item(
        number=number,
        link_id=item["linkId"],
        label=_text(_extension(item["extension"], _SHORT_TEXT), "valueString"),
        prompt=_text(item, "text"),
        anchors=tuple(
            Anchor(coding["code"], (place if place <= RATING_MAX else NA), _text(coding, "display"))
            for place, coding in enumerate(codings, 1)
        ),
    )


def _text(element: Mapping[str, Any], key: str) -> Text:
    """The string ``element[key]`` with its bokmål translation, where it has one."""
    return Text(element[key], translation(element, key, "nb"))


def _extension(extensions: Sequence[Mapping[str, Any]], url: str) -> Mapping[str, Any]:
    for extension in extensions:
        if extension["url"] == url:
            return extension
    raise KeyError(url)
