"""R4's types as tables to look up in, made from r4.json, which is made from HL7's own definitions."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from imr_fhir.validation.formats import Format, formats


@dataclass(slots=True, eq=False)
class Member:
    """An element by its name in JSON ("valueCoding"): either ``format`` is set, or ``shape``, or it is a resource."""

    element: str  # "value[x]"
    choice: bool
    many: bool
    format: Format | None = None
    codes: frozenset[str] = frozenset()  # the only ones allowed, where there are any
    shape: "Shape | None" = None
    targets: frozenset[str] = frozenset()  # resource types to which a Reference may point; empty: any


@dataclass(slots=True, eq=False)
class Shape:
    """A type, or a part of one ("QuestionnaireResponse.item")."""

    name: str
    members: dict[str, Member] = field(default_factory=dict)
    required: tuple[tuple[str, tuple[str, ...]], ...] = ()  # element, and the names that it may have in JSON
    invariants: Mapping[str, str] = field(default_factory=dict)  # key -> what it says


@cache
def _table() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((files("imr_fhir.validation") / "r4.json").read_text(encoding="utf-8"))
    return found


@cache
def resource_types() -> frozenset[str]:
    """All of R4."""
    return frozenset(_table()["codes"]["http://hl7.org/fhir/ValueSet/resource-types"])


@cache
def hl7_codes() -> Mapping[str, frozenset[str]]:
    """URL of a code system of HL7's that we use -> its codes."""
    return {url: frozenset(codes) for url, codes in _table()["systems"].items()}


@cache
def shapes() -> Mapping[str, Shape]:
    """Each type that the table has, by name."""
    table = _table()
    known, found = formats(table["formats"]), {name: Shape(name) for name in table["types"]}
    lists = {name: frozenset(codes) for name, codes in table["codes"].items()}
    beside = Shape("Element")  # what stands beside a primitive, as "_text"
    beside.members = {
        "id": Member("id", False, False, known["string"]),
        "extension": Member("extension", False, True, shape=found["Extension"]),
    }
    for name, shape in found.items():
        elements = table["types"][name]["elements"]
        shape.invariants = table["types"][name]["invariants"]
        shape.required = tuple(
            (element, tuple(_names(element, kinds))) for element, (kinds, least, *_) in elements.items() if least
        )
        for element, (kinds, _, most, codes, targets) in elements.items():
            for kind, json_name in zip(kinds, _names(element, kinds), strict=True):
                member = Member(element, element.endswith("[x]"), most == 0)
                member.format, member.shape = known.get(kind), found.get(kind)
                member.codes, member.targets = lists.get(codes, frozenset()), frozenset(targets)
                shape.members[json_name] = member
                if member.format:
                    shape.members[f"_{json_name}"] = Member(element, False, member.many, shape=beside)
        if name[0].isupper() and "." not in name and "meta" in elements:
            shape.members["resourceType"] = Member("resourceType", False, False, known["code"])
    return found


def _names(element: str, kinds: Iterable[Any]) -> list[str]:
    if not element.endswith("[x]"):
        return [element]
    return [element.removesuffix("[x]") + kind[0].upper() + kind[1:] for kind in kinds]
