"""The invariants of our profiles, by their keys: what the FHIRPath of each says, in Python, and where it is broken.

An engine takes 2.8 ms for one sum. Each yields a path from the element that has the invariant, and what is wrong
there, as the end of a sentence. A test breaks each and asks the FHIR validator too.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Any

from imr_fhir import artefacts
from imr_fhir.answers import COMMENT_MAX
from imr_fhir.element import shown
from imr_fhir.goal import RELATIONSHIP
from imr_fhir.resource import length
from imr_fhir.scale import ITEM_COUNT, RATERS, RATING_MAX
from imr_fhir.validation.finding import Path, codings, many, one, text

Broken = Iterator[tuple[Path, str]]
Element = Mapping[str, Any]

_FORMS = tuple(f"{artefacts.BASE}/Questionnaire/imr-{rater}|" for rater in RATERS)
_SCALES = {f"{artefacts.BASE}/CodeSystem/imr-{rater}" for rater in RATERS}


@dataclass(frozen=True, slots=True)
class Asked:
    """One item of the group imr in a response."""

    path: Path
    item: Element
    link_id: str
    codes: tuple[tuple[Path, str], ...]  # of each answer that is a Coding, with its path from the resource


class About:
    """The resource whose invariants are asked for; what several of them look at is looked up once."""

    def __init__(self, resource: Element) -> None:
        self.resource = resource

    @cached_property
    def asked(self) -> list[Asked]:
        return [
            _asked(("item", outer, "item", inner), item)
            for outer, group in many(self.resource, "item")
            if group.get("linkId") == "imr"
            for inner, item in many(group, "item")
        ]

    @cached_property
    def rated(self) -> list[tuple[int, Element, str]]:
        """Place, component and item code ("06") of each component of a score that is an item."""
        found = []
        for place, component in many(self.resource, "component"):
            items = [code for system, code in codings(one(component, "code")) if system in _SCALES]
            found += [(place, component, code) for code in items]
        return found

    @property
    def ratings(self) -> list[int]:
        values = [component.get("valueInteger") for _, component, _ in self.rated]
        return [value for value in values if isinstance(value, int) and not isinstance(value, bool)]


def _asked(path: Path, item: Element) -> Asked:
    codes = tuple(
        ((*path, "answer", place, "valueCoding", "code"), text(coding, "code"))
        for place, answer in many(item, "answer")
        if "code" in (coding := one(answer, "valueCoding"))
    )
    return Asked(path, item, text(item, "linkId"), codes)


def _qr_1(about: About) -> Broken:
    if about.resource.get("status") in ("completed", "amended"):
        answered = [each.link_id for each in about.asked if each.codes]
        if len(answered) != ITEM_COUNT:
            open_ = [f"{number:02}" for number in range(1, ITEM_COUNT + 1) if f"{number:02}" not in answered]
            said = f"{len(answered)} of {ITEM_COUNT} are answered"
            yield ("item",), f"{said}; open are {', '.join(open_)}" if open_ else said


def _qr_2(about: About) -> Broken:
    for each in about.asked:
        answers = each.item.get("answer")
        if isinstance(answers, list) and len(answers) > 1:
            yield (*each.path, "answer", 1), f"question {each.link_id} has {len(answers)}"


def _qr_3(about: About) -> Broken:
    counted = Counter(each.link_id for each in about.asked)
    if len(counted) < len(about.asked):
        seen = set()
        for each in about.asked:
            if each.link_id in seen:
                yield (*each.path, "linkId"), f"{shown(each.link_id)} is there {counted[each.link_id]} times"
            seen.add(each.link_id)


def _qr_4(about: About) -> Broken:
    for each in about.asked:
        for path, code in each.codes[:1]:
            if each.link_id and code[:3] != f"{each.link_id}-":
                yield path, f"question {each.link_id} has the answer {shown(code)}"


def _qr_5(about: About) -> Broken:
    for each in about.asked:
        for path, code in each.codes:
            if code[3:] == "na" and code != "13-na":
                yield path, f"question {each.link_id} has the answer {shown(code)}"


def _qr_6(about: About) -> Broken:
    has = any(each.get("url") == artefacts.FIRST_COMPLETED for _, each in many(about.resource, "extension"))
    if about.resource.get("status") != "in-progress" and not has:
        yield ("extension",), f"there is no extension {artefacts.FIRST_COMPLETED}"


def _qr_7(about: About) -> Broken:
    source, subject = (text(one(about.resource, name), "reference") for name in ("source", "subject"))
    if text(about.resource, "questionnaire").startswith(_FORMS[0]) and source and source != subject:
        yield ("source", "reference"), f"source is {shown(source)}, and subject {shown(subject)}"


def _qr_8(value: Any) -> Broken:
    if isinstance(value, str) and not value.startswith(_FORMS):
        yield (), f"it is {shown(value)}"


def _qr_9(about: About) -> Broken:
    for place, item in many(about.resource, "item"):
        for at, answer in many(item, "answer") if item.get("linkId") == "comment" else ():
            long = length(text(answer, "valueString"))
            if long > COMMENT_MAX:
                yield ("item", place, "answer", at, "valueString"), f"it has {long}"


def _with_time(value: Any) -> Broken:
    if isinstance(value, str) and "T" not in value:
        yield (), f"it is {shown(value)}"


def _figure(score: Element, code: str) -> tuple[int, Any] | None:
    """Place and value of the component with a figure's ``code``."""
    for place, component in many(score, "component"):
        if (artefacts.CODES, code) in codings(one(component, "code")):
            return place, component.get("valueInteger")
    return None


def _reasons(raw: Element) -> set[str]:
    return {code for _, code in codings(one(raw, "dataAbsentReason"))}


def _has_value(raw: Element) -> bool:
    return any(name.startswith("value") for name in raw)


def _ob_1(about: About) -> Broken:
    if about.resource.get("status") not in ("final", "corrected", "entered-in-error"):
        yield ("status",), f"status is {shown(about.resource.get('status'))}"


def _ob_2(about: About) -> Broken:
    if _has_value(about.resource) == ("dataAbsentReason" in about.resource):
        yield ("dataAbsentReason",), "there are both" if _has_value(about.resource) else "there is neither"


def _ob_3(about: About) -> Broken:
    items = [code for _, _, code in about.rated]
    for code, often in Counter(items).items():
        if often > 1:
            second = [place for place, _, each in about.rated if each == code][1]
            yield ("component", second), f"item {code} is there {often} times"
    if len(items) != ITEM_COUNT:
        missing = [f"{number:02}" for number in range(1, ITEM_COUNT + 1) if f"{number:02}" not in items]
        yield ("component",), f"{len(items)} are; missing are {', '.join(missing)}"


def _ob_4(about: About) -> Broken:
    for place, component, code in about.rated:
        value = component.get("valueInteger")
        whole = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= RATING_MAX
        if not whole and (_has_value(component) or "dataAbsentReason" not in component):
            yield ("component", place), f"item {code} has {value if isinstance(value, int) else 'neither'}"


def _ob_5(about: About) -> Broken:
    for place, component, code in about.rated:
        if "not-applicable" in _reasons(component) and code != "13":
            yield ("component", place, "dataAbsentReason"), f"item {code} is said not to be"


def _ob_6(about: About) -> Broken:
    if _has_value(about.resource):
        for place, component, code in about.rated:
            if not _has_value(component) and "not-applicable" not in _reasons(component):
                yield ("component", place), f"item {code} is not rated"


def _ob_7(about: About) -> Broken:
    figure, right = _figure(about.resource, "rated"), len([each for _, each, _ in about.rated if _has_value(each)])
    if figure and figure[1] != right:
        yield ("component", figure[0], "valueInteger"), f"it says {figure[1]}, and {right} are rated"


def _ob_8(about: About) -> Broken:
    figure, right = _figure(about.resource, "sum"), sum(about.ratings)
    if figure and figure[1] != right:
        yield ("component", figure[0], "valueInteger"), f"it says {figure[1]}, and the ratings add up to {right}"


def _ob_9(about: About) -> Broken:
    ratings, value = about.ratings, one(about.resource, "valueQuantity").get("value")
    if ratings and isinstance(value, int | Decimal) and not isinstance(value, bool):
        right = (Decimal(sum(ratings)) / len(ratings)).quantize(Decimal("0.01"), ROUND_HALF_UP)
        if value != right:
            yield ("valueQuantity", "value"), f"it is {value}, and the ratings give {right}"


def _ob_10(about: About) -> Broken:
    client = (artefacts.CODES, "score-client") in codings(one(about.resource, "code"))
    right = f"{artefacts.BASE}/CodeSystem/imr-{'client' if client else 'clinician'}"
    for place, component, code in about.rated:
        if any(system in _SCALES and system != right for system, _ in codings(one(component, "code"))):
            yield ("component", place, "code"), f"item {code} is the other rater's"


def _go_1(about: About) -> Broken:
    step = any((artefacts.CODES, "step") in codings(each) for _, each in many(about.resource, "category"))
    part = any(
        "part-of" in {code for _, code in codings(one(inner, "valueCodeableConcept"))}
        for _, each in many(about.resource, "extension")
        if each.get("url") == RELATIONSHIP
        for _, inner in many(each, "extension")
        if inner.get("url") == "type"
    )
    if step != part:
        yield ("extension",), "it is a step, and names no goal" if step else "it is no step, and names a goal"


def _go_2(about: About) -> Broken:
    if "achievementStatus" in about.resource and "statusDate" not in about.resource:
        yield ("achievementStatus",), "there is no statusDate"


def _tr_1(about: About) -> Broken:
    for place, part in many(about.resource, "extension"):
        status = part.get("valueCode")
        if part.get("url") == "status" and status not in ("draft", "reviewed", "validated"):
            yield ("extension", place, "valueCode"), f"it is {shown(status)}"


OF_RESOURCES: Mapping[str, Callable[[About], Broken]] = {
    "imr-qr-1": _qr_1, "imr-qr-2": _qr_2, "imr-qr-3": _qr_3, "imr-qr-4": _qr_4, "imr-qr-5": _qr_5,
    "imr-qr-6": _qr_6, "imr-qr-7": _qr_7, "imr-qr-9": _qr_9,
    "imr-ob-1": _ob_1, "imr-ob-2": _ob_2, "imr-ob-3": _ob_3, "imr-ob-4": _ob_4, "imr-ob-5": _ob_5,
    "imr-ob-6": _ob_6, "imr-ob-7": _ob_7, "imr-ob-8": _ob_8, "imr-ob-9": _ob_9, "imr-ob-10": _ob_10,
    "imr-go-1": _go_1, "imr-go-2": _go_2, "imr-tr-1": _tr_1,
}  # fmt: skip
OF_ELEMENTS: Mapping[str, Callable[[Any], Broken]] = {"imr-qr-8": _qr_8, "imr-ext-1": _with_time}
