"""Strings of a resource in other languages: the core extension `translation` on the element beside them."""

from collections.abc import Iterator, Mapping
from typing import Any

TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"


def translation(element: Mapping[str, Any], key: str, lang: str) -> str | None:
    """``element[key]`` in ``lang`` (BCP 47, as written there); None where there is no such translation."""
    return next((text for found, text in _translations(element.get(f"_{key}", {})) if found == lang), None)


def languages(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """Those into which something in ``resource`` is translated, in the order in which they come."""
    return tuple(dict.fromkeys(_languages(resource)))


def _languages(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from (lang for lang, _ in _translations(value))
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _languages(inner)


def _translations(element: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for extension in element.get("extension", ()):
        if extension["url"] == TRANSLATION:
            parts = {part["url"]: part for part in extension["extension"]}
            yield parts["lang"]["valueCode"], parts["content"]["valueString"]
