"""Makes imr_fhir/reporting/views/r4.txt: the elements of each type and resource of R4, from the official definitions.

    python -m tests.tables.r4

The definitions are those that HAPI FHIR packages for validation (fetched by Maven).
"""

import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from tests.parts import tools_folder

TABLE = Path(__file__).parents[2] / "imr_fhir" / "reporting" / "views" / "r4.txt"
_ARTIFACT = "ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r4:8.8.0"
_FOLDER = "org/hl7/fhir/r4/model/profile/"
_FHIR = "{http://hl7.org/fhir}"
_HEAD = """# FHIR R4 (4.0.1): a type a line, its base and its own elements. * repeats; [x] is one of the types.
# Made from the official StructureDefinitions by python -m tests.tables.r4; not written by hand.
"""


def definitions() -> Path:
    """The jar with the official definitions; fetched once."""
    folder = tools_folder() / "r4"
    jar = folder / "hapi-fhir-validation-resources-r4-8.8.0.jar"
    if not jar.exists():
        command = ["mvn", "-C", "-q", "-B", "-ntp", "dependency:copy", f"-Dartifact={_ARTIFACT}"]
        subprocess.run([*command, f"-DoutputDirectory={folder}"], check=True, cwd=tools_folder())
    return jar


def table(jar: Path) -> str:
    lines: dict[str, list[str]] = {}
    with zipfile.ZipFile(jar) as archive:
        for name in ("profiles-types.xml", "profiles-resources.xml"):
            with archive.open(_FOLDER + name) as file:
                for _, element in ElementTree.iterparse(file):
                    if element.tag == f"{_FHIR}StructureDefinition":
                        lines.update(_types(element))
                        element.clear()
    return _HEAD + "".join(f"{' '.join([name, *rest])}\n" for name, rest in sorted(lines.items()))


def _types(definition: ElementTree.Element) -> Iterator[tuple[str, list[str]]]:
    """Name -> base and elements, of a type and of the backbone elements in it; nothing of a profile."""
    if _value(definition, "derivation") == "constraint":
        return
    name = _value(definition, "type")
    base = _value(definition, "baseDefinition").rpartition("/")[2] or "-"
    found: dict[str, list[str]] = {name: [base]}
    for element in definition.iterfind(f"{_FHIR}differential/{_FHIR}element"):
        path = _value(element, "path")
        owner, _, own = path.rpartition(".")
        if not owner or _value(definition, "kind") == "primitive-type":
            continue
        types = _element_types(element, path)
        if types in (["BackboneElement"], ["Element"]) and name not in ("BackboneElement", "Element"):
            found[path] = [types[0]]
            types = [path]
        many = "" if _value(element, "max") in ("0", "1") else "*"
        found[owner].append(f"{own}{many}:{'|'.join(types)}")
    yield from found.items()


def _element_types(element: ElementTree.Element, path: str) -> list[str]:
    reference = _value(element, "contentReference")
    if reference:
        return [reference.removeprefix("#")]
    if path == "Resource.id":
        return ["id"]  # R4 says string; the text, R4B and R5 say id
    return [_type(each) for each in element.iterfind(f"{_FHIR}type")]


def _type(element: ElementTree.Element) -> str:
    for extension in element.iterfind(f"{_FHIR}extension"):
        if extension.get("url", "").endswith("structuredefinition-fhir-type"):
            return _value(extension, "valueUrl")
    return _value(element, "code")


def _value(element: ElementTree.Element, name: str) -> str:
    found = element.find(f"{_FHIR}{name}")
    return "" if found is None else found.get("value", "")


if __name__ == "__main__":
    TABLE.write_text(table(definitions()), encoding="utf-8")
