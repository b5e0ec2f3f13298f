"""Our three CodeSystems and four ValueSets, to look up a code, how it reads, and where it may stand."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

from imr_fhir import artefacts
from imr_fhir.element import shown
from imr_fhir.validation.finding import Fault, Path, codings, text
from imr_fhir.validation.formats import is_absolute
from imr_fhir.validation.shapes import hl7_codes

_OURS = f"{artefacts.BASE}/"


@dataclass(frozen=True, slots=True)
class System:
    url: str
    version: str
    versions: frozenset[str]  # also those of the forms, in use and earlier: an answer has its form's version
    displays: Mapping[str, tuple[str, ...]]  # code -> English first, then its translations


@cache
def systems() -> Mapping[str, System]:
    """By URL."""
    found = [each for each in artefacts.artefact_resources() if each["resourceType"] == "CodeSystem"]
    return {each["url"]: _system(each) for each in found}


def _system(resource: Mapping[str, Any]) -> System:
    displays = dict(_concepts(resource["concept"]))
    options = [coding for coding in _options() if coding["system"] == resource["url"]]
    for coding in options:
        known = displays.get(coding["code"], ())
        displays[coding["code"]] = (*known, *(each for each in reads(coding, "display") if each not in known))
    forms = {form["version"] for form in artefacts.questionnaires()} if options else set()
    versions = frozenset({resource["version"], *forms, *(coding["version"] for coding in options)})
    return System(resource["url"], resource["version"], versions, displays)


def _options() -> Iterator[Mapping[str, Any]]:
    """The codings of all answers in all versions of the forms."""
    for form in artefacts.questionnaires():
        for group in form["item"]:
            for item in group.get("item", ()):
                yield from (option["valueCoding"] for option in item.get("answerOption", ()))


def reads(element: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The string ``name`` of one of our artefacts, and its translations."""
    others = [
        inner["valueString"]
        for extension in element.get(f"_{name}", {}).get("extension", ())
        for inner in extension.get("extension", ())
        if inner["url"] == "content"
    ]
    return (element[name], *others)


def _concepts(concepts: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for concept in concepts:
        others = [each["value"] for each in concept.get("designation", ())]
        yield concept["code"], (concept["display"], *others)
        yield from _concepts(concept.get("concept", ()))


@cache
def value_sets() -> Mapping[str, frozenset[tuple[str, str]]]:
    """URL, with its version and without -> the (system, code) in it."""
    sets = [each for each in artefacts.artefact_resources() if each["resourceType"] == "ValueSet"]
    return {
        url: frozenset(
            (part["system"], concept["code"]) for part in each["compose"]["include"] for concept in part["concept"]
        )
        for each in sets
        for url in (each["url"], f"{each['url']}|{each['version']}")
    }


def is_in(concept: Mapping[str, Any], value_set: str) -> bool:
    """Whether a coding of the CodeableConcept is in ``value_set``, one of ours."""
    return bool(value_sets()[value_set].intersection(codings(concept)))


def coding_faults(coding: Mapping[str, Any], path: Path, within: str) -> Iterable[Fault]:  # noqa: ARG001
    """What is wrong with a Coding in one of our systems, or of those of HL7's that we use; others' are not known."""
    url = text(coding, "system")
    system = systems().get(url)
    if system:
        return _in(system, coding, path)
    if url.startswith(_OURS):
        return _no_system(url, path)
    return _of_others(url, text(coding, "code"), path) if url else ()


def _of_others(url: str, code: str, path: Path) -> Iterator[Fault]:
    if not is_absolute(url):
        said = f"system is {shown(url)}, and must be a whole address."
        yield Fault((*path, "system"), "bad-format", said, "Write it with its beginning: http://, urn:.")
    codes = hl7_codes().get(url)
    if codes and code not in codes:
        near = get_close_matches(code, codes, 1)
        next_step = f"Did you mean {near[0]}?" if near else "Use a code of that system."
        yield Fault((*path, "code"), "unknown-code", f"{shown(code)} is no code of {url}.", next_step)


def _no_system(url: str, path: Path) -> Iterator[Fault]:
    if url not in (artefacts.FILING, artefacts.LOADED):  # our tags: any UUID, any SHA-256
        known = ", ".join(systems())
        said = f"system is {shown(url)}, and there is no such CodeSystem."
        yield Fault((*path, "system"), "unknown-system", said, f"Use one of {known}.")


def _in(system: System, coding: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    code, version, display = (text(coding, name) for name in ("code", "version", "display"))
    known = system.displays.get(code)
    if version and version not in system.versions:
        said = f"version is {shown(version)}, and the codes known here are of {', '.join(sorted(system.versions))}."
        yield Fault((*path, "version"), "unknown-version", said, "Check with the release that has this version.")
    elif known is None:
        near = get_close_matches(code, system.displays, 1)
        next_step = f"Did you mean {near[0]}?" if near else "Use a code of that CodeSystem."
        said = f"{shown(code)} is no code of {system.url}."
        yield Fault((*path, "code"), "unknown-code", said if code else "The coding has no code.", next_step)
    elif display and display not in known:
        said = f"display is {shown(display)}, and {code} reads {shown(known[0])}."
        next_step = "Find out which of the two was meant: code and words say different things to different readers."
        yield Fault((*path, "display"), "wrong-display", said, next_step)
