"""Translations into the artefacts: `translation` extensions in the Questionnaire, designations in its CodeSystem.

Displays of answers come from both, so the two change together, and get one new version: a response names both by one.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imr_fhir.errors import ArtefactError
from imr_fhir.translation.strings import String, strings
from imr_fhir.translation_status import TranslationStatus, with_status
from imr_fhir.translations import TRANSLATION

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Taken:
    questionnaire: Resource
    code_system: Resource
    changed: int  # strings that read differently now


def take(
    questionnaire: Resource,
    code_system: Resource,
    translations: Mapping[str, str],
    status: TranslationStatus,
    *,
    version: str = "",
) -> Taken:
    """Both artefacts with ``translations`` (key -> text, each a key of `strings`) into ``status.lang``, and ``status``.

    ``version``: of both from now on; "" for the next minor one, or the same where nothing changes. The arguments stay
    as they are. Raises ArtefactError where the two are not in step.
    """
    form, codes = copy.deepcopy(questionnaire), copy.deepcopy(code_system)
    concepts = {concept["code"]: concept for concept in _concepts(codes)}
    found = [string for string in strings(form) if string.key in translations]
    changed = sum(string.in_(status.lang) != translations[string.key] for string in found)
    for string in found:
        text = translations[string.key]
        _translate(string, status.lang, text)
        if string.coding is not None and string.coding.get("system") == codes["url"]:
            _designate(_concept(concepts, string, codes["url"]), status.lang, text)
    form, codes = with_status(form, status), with_status(codes, status)
    if version or (form, codes) != (questionnaire, code_system):
        new = version or next_minor(questionnaire["version"])
        form, codes = _versioned(form, codes, new, status.on)
    return Taken(form, codes, changed)


def next_minor(version: str) -> str:
    """ "0.2.0" of "0.1.3". Raises ArtefactError for what is not three numbers."""
    parts = version.split(".")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        raise ArtefactError(f"{version!r} is no version like 0.1.0.", next_step="Say with --version which comes next.")
    return f"{parts[0]}.{int(parts[1]) + 1}.0"


def _translate(string: String, lang: str, text: str) -> None:
    beside = f"_{string.name}"
    if beside not in string.element:
        _insert(string.element, string.name, beside, {})
    extensions = string.element[beside].setdefault("extension", [])
    for extension in extensions:
        if extension["url"] == TRANSLATION:
            parts = {part["url"]: part for part in extension["extension"]}
            if parts["lang"]["valueCode"] == lang:
                parts["content"]["valueString"] = text
                return
    content = [{"url": "lang", "valueCode": lang}, {"url": "content", "valueString": text}]
    extensions.append({"url": TRANSLATION, "extension": content})


def _designate(concept: Resource, lang: str, text: str) -> None:
    if "designation" not in concept:
        _insert(concept, "definition" if "definition" in concept else "display", "designation", [])
    for designation in concept["designation"]:
        if designation.get("language") == lang and "use" not in designation:
            designation["value"] = text
            return
    concept["designation"].append({"language": lang, "value": text})


def _concept(concepts: Mapping[str, Resource], string: String, url: str) -> Resource:
    assert string.coding is not None
    concept = concepts.get(string.coding["code"], {})
    if concept.get("display") != string.english:
        raise ArtefactError(
            f"{string.key} is {string.english!r} in the Questionnaire and {concept.get('display')!r} in {url}.",
            next_step="Use a Questionnaire and a CodeSystem of one version.",
        )
    return concept


def _concepts(parent: Mapping[str, Any]) -> Iterator[Resource]:
    for concept in parent.get("concept", ()):
        yield concept
        yield from _concepts(concept)


def _versioned(form: Resource, codes: Resource, version: str, date: str) -> tuple[Resource, Resource]:
    before = {"system": codes["url"], "version": codes["version"]}

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            ours = before.items() <= value.items()
            return {key: version if ours and key == "version" else walk(inner) for key, inner in value.items()}
        return [walk(inner) for inner in value] if isinstance(value, list) else value

    return _renamed(walk(form), version, date), _renamed(codes, version, date)


def _renamed(resource: Resource, version: str, date: str) -> Resource:
    """Each version has an id of its own: HAPI resolved url|version to the first form loaded (its issue 7354)."""
    identity = resource["id"].removesuffix(f"-{resource['version']}")
    new = {"id": f"{identity}-{version}", "version": version, "date": date}
    return {key: new.get(key, value) for key, value in resource.items()} | new


def _insert(element: Resource, after: str, name: str, value: Any) -> None:
    """``name`` right after ``after``, where the files have it: their order is kept."""
    items = list(element.items())
    place = [key for key, _ in items].index(after) + 1
    element.clear()
    element.update([*items[:place], (name, value), *items[place:]])
