"""The types of FHIR R4 and their elements, as r4.txt has them from the official StructureDefinitions."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

# Of primitive types: what kind of value they hold. Kinds are what can be compared with each other.
PRIMITIVES = {
    **dict.fromkeys(
        ("base64Binary", "canonical", "code", "id", "markdown", "oid", "string", "uri", "url", "uuid"), "string"
    ),
    **dict.fromkeys(("integer", "positiveInt", "unsignedInt"), "integer"),
    **dict.fromkeys(("date", "dateTime", "instant"), "moment"),
    "boolean": "boolean",
    "decimal": "decimal",
    "time": "time",
}


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type: ``types`` is ("HumanName",), or all that a choice allows."""

    name: str
    types: tuple[str, ...]
    many: bool
    choice: bool

    def key(self, type_: str) -> str:
        """Its name in JSON where its value is a ``type_``: valueCodeableConcept."""
        return f"{self.name}{type_[0].upper()}{type_[1:]}" if self.choice else self.name


@cache
def _lines() -> dict[str, list[str]]:
    text = (files("imr_fhir.reporting.views") / "r4.txt").read_text(encoding="utf-8")
    return {line.split()[0]: line.split()[1:] for line in text.splitlines() if not line.startswith("#")}


@cache
def elements(type_: str) -> dict[str, Element]:
    """Elements of a type ("Patient", "Patient.contact") by name, its bases' too; none of a primitive but its Element's.

    Raises KeyError for what is no type of R4.
    """
    base, *own = _lines()[type_]
    return (dict(elements(base)) if base != "-" else {}) | {found.name: found for found in map(_element, own)}


def _element(text: str) -> Element:
    name, _, types = text.partition(":")
    many = name.endswith("*")
    name = name.removesuffix("*")
    return Element(name.removesuffix("[x]"), tuple(types.split("|")), many, name.endswith("[x]"))


def is_type(name: str) -> bool:
    return name in _lines()


@cache
def is_resource(name: str) -> bool:
    """Whether it is a resource that can stand by itself."""
    if name == "DomainResource" or "." in name or name not in _lines():
        return False
    return _lines()[name][0] in ("Resource", "DomainResource")
