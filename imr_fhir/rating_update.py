"""An update of a response or a score in the record that keeps what others wrote in it."""

from collections.abc import Iterable, Mapping
from typing import Any

from imr_fhir import artefacts
from imr_fhir.element import Element, resource, shown
from imr_fhir.errors import ResponseError
from imr_fhir.observation import INSTANTIATES

# What we say of a rating, and leave out where it says it no more. A narrative made of the old one would contradict it.
_OURS: Mapping[str, frozenset[str]] = {
    "QuestionnaireResponse": frozenset(
        (
            "identifier", "questionnaire", "status", "subject", "encounter", "authored", "author", "source", "item",
            "text",
        )
    ),
    "Observation": frozenset(
        (
            "status", "code", "subject", "encounter", "effectiveDateTime", "issued", "performer", "valueQuantity",
            "valueInteger", "dataAbsentReason", "note", "derivedFrom", "hasMember", "component", "text",
        )
    ),
}  # fmt: skip
# Of those, what a rating always keeps. Where it has none, others named it in a way that is not read (by number alone).
_THEIRS_TOO: Mapping[str, tuple[str, ...]] = {
    "QuestionnaireResponse": ("identifier", "encounter", "source"),
    "Observation": ("encounter", "performer"),
}
_OUR_EXTENSIONS = (artefacts.FIRST_COMPLETED, artefacts.SHOWN_LANGUAGE, INSTANTIATES)


def kept(built: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """``built`` (a QuestionnaireResponse or an Observation of a rating) with what others wrote in ``base``, the same
    one as it was read: labels, what it is based on or part of, other identifiers, categories, codings, extensions. Not
    others' notes in a score: our profile has room for the person's own comment alone, and the version before has them.

    Not checked again: fhir.resources refuses some sound FHIR. Raises ResponseError where ``base`` can't be read.
    """
    kind = str(built["resourceType"])
    found = resource(base, kind, ResponseError)
    ours = _OURS[kind] - {name for name in _THEIRS_TOO[kind] if name not in built}
    merged = {name: value for name, value in base.items() if name.lstrip("_") not in ours} | dict(built)
    merged["meta"] = merged_meta(built["meta"], found.one("meta"))
    theirs = {"extension": [each.raw for each in found.many("extension") if each.text("url") not in _OUR_EXTENSIONS]}
    if kind == "Observation":
        for name in ("identifier", "category"):
            theirs[name] = [each.raw for each in found.many(name) if each.raw not in built.get(name, [])]
        merged["code"] = _code(built["code"], found.one("code"))
        merged |= _components(built.get("component", ()), found.many("component"))
    for name, values in theirs.items():
        merged[name] = [*built.get(name, []), *values]
    return {name: value for name, value in merged.items() if value != []}


def _components(built: Iterable[Mapping[str, Any]], base: Iterable[Element]) -> dict[str, Any]:
    """Each with what others coded in the same one."""
    codes = [code for each in base if (code := each.one("code"))]
    merged = []
    for each in built:
        own = _names(each["code"]["coding"])
        same = (code for code in codes if any(name in own for name in _names(code.objects("coding"))))
        merged.append({**each, "code": _code(each["code"], next(same, None))})
    return {"component": merged} if merged else {}


def _code(built: Mapping[str, Any], base: Element | None) -> dict[str, Any]:
    """Our codings as we write them, and beside them those of others: another one of ours would be another item."""
    if base is None:
        return dict(built)
    own, others = _names(built["coding"]), base.objects("coding")
    theirs = [each for each in others if not _is_ours(each) and _names([each])[0] not in own]
    return {**base.raw, **built, "coding": [*built["coding"], *theirs]}


def _names(codings: Iterable[Mapping[str, Any]]) -> list[tuple[object, object]]:
    return [(each.get("system"), each.get("code")) for each in codings]


def _is_ours(coding: Mapping[str, Any]) -> bool:
    return str(coding.get("system")).startswith(f"{artefacts.BASE}/")


def merged_meta(built: Mapping[str, Any], base: Element | None) -> dict[str, Any]:
    """Our meta with the labels of others; the tag of an earlier filing gives way to the new one. Raises ``base``'s
    ResourceError."""
    if base is None:
        return dict(built)
    profiles = base.raw.get("profile", [])
    if not isinstance(profiles, list):
        raise base.fault(f"has {shown(profiles)} as profile, not a list")
    labels = {
        "profile": [url for url in profiles if url not in built.get("profile", [])],
        "security": [label.raw for label in base.many("security") if label.raw not in built.get("security", [])],
        "tag": [tag.raw for tag in base.many("tag") if tag.text("system") != artefacts.FILING],
    }
    merged = {name: [*built.get(name, []), *values] for name, values in labels.items()}
    return {name: values for name, values in merged.items() if values}
