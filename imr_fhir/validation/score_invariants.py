"""The invariants of the profile imr-score, each as its FHIRPath says."""

from collections import Counter
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from imr_fhir import artefacts
from imr_fhir.element import shown
from imr_fhir.scale import ITEM_COUNT, RATING_MAX
from imr_fhir.validation.about import SCALES, About, Broken, Element
from imr_fhir.validation.finding import codings, many, one


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
        if any(system in SCALES and system != right for system, _ in codings(one(component, "code"))):
            yield ("component", place, "code"), f"item {code} is the other rater's"


OF_SCORES: Mapping[str, Callable[[About], Broken]] = {
    "imr-ob-1": _ob_1, "imr-ob-2": _ob_2, "imr-ob-3": _ob_3, "imr-ob-4": _ob_4, "imr-ob-5": _ob_5,
    "imr-ob-6": _ob_6, "imr-ob-7": _ob_7, "imr-ob-8": _ob_8, "imr-ob-9": _ob_9, "imr-ob-10": _ob_10,
}  # fmt: skip
