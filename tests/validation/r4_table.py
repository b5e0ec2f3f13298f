"""Makes imr_fhir/validation/r4.json from HL7's own R4 definitions, which come with the FHIR validator.

python -m tests.validation.r4_table        writes it anew (needs the validator, built by the tests that use it)
"""

import json
import zipfile
from collections import deque
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from tests.parts import tools_folder

TABLE = Path(__file__).parents[2] / "imr_fhir/validation/r4.json"

# What the app writes, and what it comes in.
RESOURCES = (
    "AuditEvent", "Bundle", "DocumentReference", "Goal", "Observation", "Provenance", "Questionnaire",
    "QuestionnaireResponse",
)  # fmt: skip

# The code systems of HL7's from which the app takes codes.
SYSTEMS = tuple(
    f"http://terminology.hl7.org/CodeSystem/{name}"
    for name in (
        "audit-event-type", "data-absent-reason", "goal-achievement", "object-role", "observation-category",
        "provenance-participant-type", "v3-DataOperation",
    )
)  # fmt: skip

RESOURCE_TYPES = "http://hl7.org/fhir/ValueSet/resource-types"

_MODEL = "org/hl7/fhir/r4/model"
_PROFILES = "http://hl7.org/fhir/StructureDefinition/"
_LONG = 600  # codes; such a list (time zones, media types, currencies) is not copied


def definitions() -> Path:
    """The jar with R4's definitions; raises StopIteration where the validator is not built."""
    return next((tools_folder() / "servers/validator/lib").glob("hapi-fhir-validation-resources-r4-*.jar"))


def table(jar: Path) -> dict[str, Any]:
    """``types``: name -> its elements, each [types, min, max (0: any number), codes, targets], and its invariants.

    A part of a type stands under its path ("QuestionnaireResponse.item"). ``codes``: name of a required list -> codes;
    ``systems``: URL -> codes.
    """
    with zipfile.ZipFile(jar) as opened:
        structures = {
            value(each, "id"): each
            for name in ("types", "resources")
            for each in _resources(opened, f"profile/profiles-{name}.xml", "StructureDefinition")
        }
        lists = _Lists(opened)
    types: dict[str, Any] = {}
    used: dict[str, list[str]] = {}
    used[RESOURCE_TYPES] = sorted(lists.codes(RESOURCE_TYPES))
    waiting = deque(RESOURCES)
    seen = set(RESOURCES)
    while waiting:
        structure = structures[waiting.popleft()]
        for path, shape in _shapes(structure, lists, used):
            types[path] = shape
            for kinds, *_ in shape["elements"].values():
                new = [kind for kind in kinds if kind in structures and kind not in seen and kind[0].isupper()]
                new = [kind for kind in new if kind not in ("Element", "BackboneElement", "Resource")]
                seen.update(new)
                waiting.extend(new)
    return {
        "fhirVersion": "4.0.1",
        "formats": dict(_formats(structures)),
        "codes": dict(sorted(used.items())),
        "systems": {url: lists.all_codes(url) for url in SYSTEMS},
        "types": dict(sorted(types.items())),
    }


def _shapes(structure: Element, lists: "_Lists", used: dict[str, list[str]]) -> Iterator[tuple[str, dict[str, Any]]]:
    shapes: dict[str, dict[str, Any]] = {}
    for element in structure.iterfind("snapshot/element"):
        path = value(element, "path")
        parent, _, name = path.rpartition(".")
        if parent:
            shapes[parent]["elements"][name] = _element(element, lists, used)
        has_parts = not parent or [value(kind, "code") for kind in element.iterfind("type")] in (
            ["BackboneElement"],
            ["Element"],
        )
        if has_parts:
            shapes[path] = {"elements": {}, "invariants": {}}
        for constraint in element.iterfind("constraint"):
            owner = path if path in shapes else parent
            universal = value(constraint, "key") in (
                "ele-1",
                "ext-1",
            )  # of every element: stands once, where it is said
            if value(constraint, "severity") == "error" and owner and not (universal and parent):
                shapes[owner]["invariants"][value(constraint, "key")] = value(constraint, "human")
    for path, shape in shapes.items():
        yield path, shape


def _element(element: Element, lists: "_Lists", used: dict[str, list[str]]) -> list[Any]:
    path, same = value(element, "path"), value(element, "contentReference")
    kinds = [_kind(kind, path) for kind in element.iterfind("type")] or [same.removeprefix("#")]
    targets = sorted(
        {
            value(target).removeprefix(_PROFILES)
            for kind in element.iterfind("type")
            for target in kind.iterfind("targetProfile")
        }
        - {"Resource"}
    )
    named = ""
    binding = element.find("binding")
    if binding is not None and value(binding, "strength") == "required" and kinds == ["code"]:
        named = value(binding, "valueSet").partition("|")[0]
        codes = lists.codes(named)
        if 0 < len(codes) <= _LONG:
            used[named] = sorted(codes)
        else:
            named = ""
    if path.count(".") == 1 and path.endswith(".id") and path.partition(".")[0] in RESOURCES:
        kinds = ["id"]  # the definitions of 4.0.1 say string by mistake; R4's text, and later releases, say id
    most = value(element, "max")
    return [kinds, int(value(element, "min")), 0 if most == "*" else int(most), named, targets]


def _kind(kind: Element, path: str) -> str:
    code = value(kind, "code")
    if code.startswith("http://hl7.org/fhirpath/System."):  # id, url and the values of primitives
        said = [value(each, "valueUrl") for each in kind.iterfind("extension")]
        return next(iter(said), code.rpartition(".")[2].lower())
    return path if code in ("BackboneElement", "Element") else code


def _formats(structures: Mapping[str, Element]) -> Iterator[tuple[str, str]]:
    """Primitive -> its regular expression, as the definition of its value has it."""
    for name, structure in sorted(structures.items()):
        if name[0].islower():
            for element in structure.iterfind("snapshot/element"):
                for extension in element.iterfind("type/extension"):
                    if extension.get("url") == f"{_PROFILES}regex" and value(element, "path").endswith(".value"):
                        yield name, value(extension, "valueString")


class _Lists:
    def __init__(self, opened: zipfile.ZipFile) -> None:
        self._sets: dict[str, Element] = {}
        self._systems: dict[str, Element] = {}
        for file in ("valuesets", "v3-codesystems", "v2-tables"):
            self._sets |= {value(each, "url"): each for each in _resources(opened, f"valueset/{file}.xml", "ValueSet")}
            self._systems |= {
                value(each, "url"): each for each in _resources(opened, f"valueset/{file}.xml", "CodeSystem")
            }

    @cache  # noqa: B019
    def codes(self, url: str) -> frozenset[str]:
        """Empty where the list is not written out, e.g. all media types."""
        found = self._sets.get(url)
        if found is None:
            return frozenset()
        return frozenset(code for part in found.iterfind("compose/include") for code in self._part(part))

    def all_codes(self, system: str) -> list[str]:
        return [value(each, "code") for each in self._systems[system].iter("concept")]

    def _part(self, part: Element) -> Iterator[str]:
        named = [value(each, "code") for each in part.iterfind("concept")]
        if named:
            yield from named
        elif part.find("filter") is None:
            for inner in part.iterfind("valueSet"):
                yield from self.codes(value(inner).partition("|")[0])
            system = self._systems.get(value(part, "system"))
            if system is not None:
                yield from (value(each, "code") for each in system.iter("concept"))


def _resources(opened: zipfile.ZipFile, name: str, resource_type: str) -> Iterator[Element]:
    for entry in ElementTree.fromstring(_plain(opened.read(f"{_MODEL}/{name}"))).iterfind("entry/resource"):
        yield from entry.iterfind(resource_type)


def _plain(xml: bytes) -> bytes:
    return xml.replace(b' xmlns="http://hl7.org/fhir"', b"")


def value(element: Element, child: str = "") -> str:
    found = element.find(child) if child else element
    return found.get("value", "") if found is not None else ""


def text(made: Mapping[str, Any]) -> str:
    """One element a line, so that a change can be read."""
    types = ",\n".join(
        f'{json.dumps(name)}: {{"elements": {{\n'
        + ",\n".join(f" {json.dumps(key)}: {json.dumps(each)}" for key, each in shape["elements"].items())
        + '},\n "invariants": {'
        + ",".join(f"\n  {json.dumps(key)}: {json.dumps(human)}" for key, human in shape["invariants"].items())
        + "}}"
        for name, shape in made["types"].items()
    )
    parts = {name: json.dumps(each) for name, each in made.items() if name != "types"}
    head = ",\n".join(f"{json.dumps(name)}: {each}" for name, each in parts.items())
    return f'{{\n{head},\n"types": {{\n{types}}}}}\n'


if __name__ == "__main__":
    TABLE.write_text(text(table(definitions())), encoding="utf-8")
