"""The invariants of the profile imr-response, each as its FHIRPath says."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from imr_fhir import artefacts
from imr_fhir.answers import COMMENT_MAX
from imr_fhir.element import shown
from imr_fhir.resource import length
from imr_fhir.scale import ITEM_COUNT, RATERS
from imr_fhir.validation.about import About, Broken
from imr_fhir.validation.finding import many, one, text

_FORMS = tuple(f"{artefacts.BASE}/Questionnaire/imr-{rater}|" for rater in RATERS)


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
    by_client = text(about.resource, "questionnaire").startswith(_FORMS[0])
    if by_client and "source" in about.resource and (not source or source != subject):
        yield ("source", "reference"), f"source is {shown(source)}, and subject {shown(subject)}"


def known_form(value: Any) -> Broken:
    if isinstance(value, str) and not value.startswith(_FORMS):
        yield (), f"it is {shown(value)}"


def _qr_9(about: About) -> Broken:
    for place, item in many(about.resource, "item"):
        for at, answer in many(item, "answer") if item.get("linkId") == "comment" else ():
            long = length(text(answer, "valueString"))
            if long > COMMENT_MAX:
                yield ("item", place, "answer", at, "valueString"), f"it has {long}"


OF_RESPONSES: Mapping[str, Callable[[About], Broken]] = {
    "imr-qr-1": _qr_1, "imr-qr-2": _qr_2, "imr-qr-3": _qr_3, "imr-qr-4": _qr_4, "imr-qr-5": _qr_5,
    "imr-qr-6": _qr_6, "imr-qr-7": _qr_7, "imr-qr-9": _qr_9,
}  # fmt: skip
