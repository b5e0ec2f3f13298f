"""Whether a resource has R4's form: its elements, their types, how many of each, required codes."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from imr_fhir.element import shown, type_and_id
from imr_fhir.validation import as_written
from imr_fhir.validation.finding import Fault, Path, many, text
from imr_fhir.validation.invariants import INVARIANTS
from imr_fhir.validation.shapes import Member, Shape, shapes

# Looks at each element of a type; ``within`` is the shape in which it stands: "QuestionnaireResponse.item.answer".
Look = Callable[[Mapping[str, Any], Path, str], Iterable[Fault]]


def structure_faults(resource: Mapping[str, Any], looks: Mapping[str, Look]) -> list[Fault]:
    """What R4 itself finds wrong with ``resource``, of a type that the table has.

    ``looks``: type -> what else to ask of each element of it ("Coding", "Extension").
    """
    walk = _Walk(resource, looks)
    walk.inside(shapes()[resource["resourceType"]], resource, (), "")
    return walk.faults


class _Walk:
    def __init__(self, root: Mapping[str, Any], looks: Mapping[str, Look]) -> None:
        self.root = root
        self.looks = looks
        self.faults: list[Fault] = []

    def fault(self, path: Path, code: str, message: str, next_step: str) -> None:
        self.faults.append(Fault(path, code, message, next_step))

    def inside(self, shape: Shape, value: Mapping[str, Any], path: Path, within: str) -> None:
        members = shape.members
        chosen: dict[str, str] = {}
        if not value:
            self.fault(path, "empty", "There is an empty object {}.", "Take it out; FHIR has no empty elements.")
            return
        for name, inner in value.items():
            member = members.get(name)
            if member is None:
                self._unknown(shape, name, path)
                continue
            if member.choice:
                other = chosen.setdefault(member.element, name)
                if other != name:
                    said = f"There is {name} beside {other}, and of {member.element} there can be one."
                    self.fault((*path, name), "too-many", said, "Keep the right one.")
            if member.many:
                self._many(member, name, inner, (*path, name), shape.name, value)
            elif (
                member.format is not None
                and inner.__class__ is str
                and (inner in member.codes if member.codes else inner in member.format.good)
            ):
                continue  # the way of nearly all values
            else:
                self._one(member, name, inner, (*path, name), shape.name)
        for element, names in shape.required:
            if not any(name in value or f"_{name}" in value for name in names):
                plain = element if len(names) > 3 else " or ".join(names)
                self.fault(
                    (*path, element), "missing", f"{shape.name} has no {plain}, and must have one.", f"Add {plain}."
                )
        for key, human in shape.invariants.items():
            holds = INVARIANTS.get(key)
            if holds is not None and not holds(value):
                self.fault(path, key, f"This breaks a rule of FHIR: {human}.", "Mend it as the rule says.")
        look = self.looks.get(shape.name)
        if look is not None:
            self.faults += look(value, path, within)

    def _many(self, member: Member, name: str, values: Any, path: Path, within: str, beside: Mapping[str, Any]) -> None:
        if not isinstance(values, list):
            said = f"{path[-1]} holds {shown(values)}, and must be a list."
            self.fault(path, "wrong-type", said, "Put it in [ ].")
            return
        if name == "modifierExtension":  # R4, extensibility: who does not know it must not read on
            said = "There is a modifierExtension, which may change the meaning of what stands beside it."
            self.fault(path, "not-understood", said, "Ask who wrote it; the app does not read such a resource.")
        if not values:
            self.fault(path, "empty", f"{path[-1]} is an empty list.", "Take it out; FHIR has no empty lists.")
        other = beside.get(name[1:] if name.startswith("_") else f"_{name}") if None in values else None
        for place, value in enumerate(values):
            if value is None and isinstance(other, list) and place < len(other) and other[place] is not None:
                continue  # a gap that the values beside it fill (R4, json: primitive elements that repeat)
            self._one(member, name, value, (*path, place), within)

    def _one(self, member: Member, name: str, value: Any, path: Path, within: str) -> None:
        if member.format is not None:
            code, wrong = member.format.fault(value)
            if code:
                self.fault(path, code, f"{name} {wrong}.", "Take it out or correct it.")
            elif member.codes and value not in member.codes:
                offered = ", ".join(sorted(member.codes)) if len(member.codes) < 20 else "the codes of R4"
                said = f"{name} holds {shown(value)}, which is none of {offered}."
                self.fault(path, "not-a-code", said, "Use one of them.")
        elif not isinstance(value, dict):
            said = f"{name} holds {shown(value)}, and must be an object."
            self.fault(path, "wrong-type", said, "Take it out or correct it.")
        elif member.shape is not None:
            if member.element == "item" and as_written.as_written(value):
                return
            self.inside(member.shape, value, path, within)
            if member.shape.name == "Reference":
                self._target(member, name, value, path)
        elif member.element == "contained":
            self._contained(value, path)

    def _unknown(self, shape: Shape, name: str, path: Path) -> None:
        near = get_close_matches(name, shape.members, 1)
        next_step = (
            f"Did you mean {near[0]}? Else take it out." if near else "Take it out, or carry it in an extension."
        )
        self.fault((*path, name), "unknown-element", f"{shown(name)} is no element of {shape.name}.", next_step)

    def _target(self, member: Member, name: str, value: Mapping[str, Any], path: Path) -> None:
        reference = value.get("reference")
        if not isinstance(reference, str):
            return
        if reference.split() != [reference]:
            said = f"{name} has the reference {shown(reference)}, which is no address."
            self.fault((*path, "reference"), "bad-format", said, "Write it as Patient/12, or as the whole address.")
        resource_type = type_and_id(reference)[0]
        if resource_type and member.targets and resource_type not in member.targets:
            said = f"{name} points to a {resource_type}, and can point to {' or '.join(sorted(member.targets))} only."
            self.fault((*path, "reference"), "wrong-target", said, "Point to the right resource.")
        if reference.startswith("#") and reference[1:] not in ("", *self._contained_ids()):
            said = f"{name} points to {shown(reference)}, and no contained resource has that id."
            self.fault((*path, "reference"), "ref-1", said, "Contain it, or point to the right resource.")

    def _contained_ids(self) -> list[str]:
        return [text(inner, "id") for _, inner in many(self.root, "contained")]

    def _contained(self, value: Mapping[str, Any], path: Path) -> None:
        resource_type = value.get("resourceType")
        shape = shapes().get(resource_type) if isinstance(resource_type, str) else None
        if shape is not None and "resourceType" in shape.members:
            self.inside(shape, value, path, "")
        else:
            said = f"The contained {shown(resource_type)} was not checked: its type is none that IMR on FHIR writes."
            self.faults.append(Fault(path, "not-checked", said, "Check it with --engine hl7.", "warning"))
