"""Whether a resource meets one of our profiles: the differential of its StructureDefinition is the rule."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from imr_fhir import artefacts
from imr_fhir.element import shown, type_and_id
from imr_fhir.resource import length
from imr_fhir.validation.about import About
from imr_fhir.validation.finding import Fault, Path, path_text, text
from imr_fhir.validation.own_invariants import OF_ELEMENTS, OF_RESOURCES
from imr_fhir.validation.terms import is_in, value_sets

_HL7 = "http://hl7.org/fhir/StructureDefinition/"


class Node:
    """An element of a differential, or a slice of one, and what it asks for."""

    def __init__(self, name: str, part: str = "") -> None:
        self.name, self.slice = name, part  # "value[x]"; the name of the slice, or ""
        self.stem = name.removesuffix("[x]")
        self.inner: list[Node] = []
        self.ask({})

    def ask(self, asks: Mapping[str, Any]) -> None:
        """``asks``: the element of the differential."""
        kinds = asks.get("type", ())
        self.asks = asks
        self.least, self.most = asks.get("min", 0), asks.get("max", "*")
        self.why: str = asks.get("requirements", "")
        self.pattern = next((value for key, value in asks.items() if key.startswith(("pattern", "fixed"))), None)
        self.value_set: str = asks.get("binding", {}).get("valueSet", "")
        self.targets = [each.removeprefix(_HL7) for kind in kinds for each in kind.get("targetProfile", ())]
        self.profiles = [each for kind in kinds for each in kind.get("profile", ())]
        self.allowed = (
            [self.stem + kind["code"][0].upper() + kind["code"][1:] for kind in kinds] if self.stem != self.name else []
        )
        self.closed = asks.get("slicing", {}).get("rules") == "closed"
        self.constraints = asks.get("constraint", ())
        self.counts = bool(self.least) or self.most != "*"
        self.judges = bool(
            self.allowed
            or self.targets
            or "maxLength" in asks
            or (not self.slice and (self.value_set or self.pattern is not None))
        )

    @property
    def next_step(self) -> str:
        return f"Correct it. Reason: {self.why}" if self.why else "Correct it."


@cache
def _definitions() -> Mapping[str, Mapping[str, Any]]:
    found = [each for each in artefacts.artefact_resources() if each["resourceType"] == "StructureDefinition"]
    return {each["url"]: each for each in found}


@cache
def _root(url: str) -> Node:
    root = Node("")
    for asks in _definitions()[url]["differential"]["element"]:
        node = root
        for step in asks["id"].split(".")[1:]:
            name, _, part = step.partition(":")
            there = next((each for each in node.inner if (each.name, each.slice) == (name, part)), None)
            if there is None:
                there = Node(name, part)
                node.inner.append(there)
            node = there
        node.ask(asks)
    return root


def profile_faults(resource: Mapping[str, Any], url: str) -> Iterator[Fault]:
    """What the profile ``url`` finds wrong with ``resource``, which may have any shape."""
    return _inside(_root(url), resource, (), About(resource))


def extension_faults(extension: Mapping[str, Any], path: Path, within: str) -> Iterable[Fault]:
    """What is wrong with one of our own extensions; of others' nothing is known here."""
    url = text(extension, "url")
    return _own(url, extension, path, within) if url.startswith(artefacts.BASE) else ()


def _own(url: str, extension: Mapping[str, Any], path: Path, within: str) -> Iterator[Fault]:
    definition = _definitions().get(url)
    if definition is None or definition["type"] != "Extension":
        ours = ", ".join(each["url"] for each in _definitions().values() if each["type"] == "Extension")
        said = f"There is no extension {shown(url)}."
        yield Fault((*path, "url"), "unknown-extension", said, f"Those of IMR on FHIR are {ours}.")
        return
    places = [context["expression"] for context in definition["context"]]
    if within not in places:
        said = f"The extension {definition['title']!r} stands in {within}, and belongs in {' or '.join(places)}."
        yield Fault((*path, "url"), "wrong-place", said, "Move it there.")
    yield from _inside(_root(url), extension, path, About(extension))


def _inside(node: Node, value: Any, path: Path, about: About) -> Iterator[Fault]:
    for constraint in node.constraints:
        key = constraint["key"]
        for there, what in OF_RESOURCES[key](about) if key in OF_RESOURCES else OF_ELEMENTS[key](value):
            said = f"{constraint['human']}: {what}."
            yield Fault((*path, *there), key, said, f"Correct it. Reason: {constraint['requirements']}")
    if not node.inner or not isinstance(value, dict):
        return
    for inner in node.inner:
        found = _values(inner, value)
        if inner.closed:
            yield from _outside([each for each in node.inner if each.slice and each.name == inner.name], found, path)
        if inner.counts:
            yield from _how_many(inner, found, path)
        for there, each in found:
            if inner.judges:
                yield from _each(inner, each, (*path, *there), str(there[0]))
            if inner.inner or inner.constraints:
                yield from _inside(inner, each, (*path, *there), about)


def _outside(slices: list[Node], found: list[tuple[Path, Any]], path: Path) -> Iterator[Fault]:
    for there, value in found:
        if not any(_is_of(each, value) for each in slices):
            names = ", ".join(each.slice for each in slices)
            said = f"There is a part that belongs to none of {names}."
            yield Fault((*path, *there), "unknown-element", said, "Take it out, or correct what names it.")


def _values(node: Node, parent: Mapping[str, Any]) -> list[tuple[Path, Any]]:
    """What stands in ``parent`` as ``node``, with its path in it."""
    if node.stem is not node.name:
        names = [name for name in parent if name.startswith(node.stem) and name[len(node.stem) :][:1].isupper()]
    else:
        names = [node.name] if node.name in parent else []
    found: list[tuple[Path, Any]] = []
    for name in names:
        values = parent[name]
        if isinstance(values, list):
            found += [((name, at), value) for at, value in enumerate(values) if not node.slice or _is_of(node, value)]
        else:
            found.append(((name,), values))
    return found


def _is_of(node: Node, value: Any) -> bool:
    """Whether ``value`` belongs to this slice: by its url, its own pattern or list of codes, or that of its code."""
    if not isinstance(value, dict):
        return False
    if node.value_set:
        return is_in(value, node.value_set)
    if node.profiles:
        return value.get("url") in node.profiles
    if node.pattern is not None:
        return _matches(node.pattern, value)
    return all(_matches(inner.pattern, value.get(inner.name)) for inner in node.inner if inner.pattern is not None)


def _matches(pattern: Any, value: Any) -> bool:
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(_matches(each, value.get(name)) for name, each in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(_matches(each, one) for one in value) for each in pattern)
    return bool(pattern == value)


def _how_many(node: Node, found: list[tuple[Path, Any]], path: Path) -> Iterator[Fault]:
    what = f"{node.name}:{node.slice}" if node.slice else node.name
    if len(found) < node.least:
        said = (
            f"{what} is there {len(found)} times, and must be {node.least} times." if found else f"{what} is missing."
        )
        yield Fault((*path, node.stem), "missing", f"{said} {node.why}".strip(), _add(node))
    if node.most != "*" and len(found) > int(node.most):
        said = f"{what} is there {len(found)} times, and may be {node.most} times at most. {node.why}"
        yield Fault((*path, *found[int(node.most)][0]), "too-many", said.strip(), "Keep the right one.")


def _add(node: Node) -> str:
    shape = next((each.pattern for each in (node, *node.inner) if each.pattern is not None), None)
    coding = next(iter(shape.get("coding", ())), None) if isinstance(shape, dict) else None
    if coding:
        return f"Add one with the code {coding['code']} of {coding['system']}."
    if node.slice and node.profiles:
        return f"Add the extension {node.profiles[0]}."
    return f"Add one with a code of {_offered(node)}." if node.value_set else f"Add {node.name}."


def _each(node: Node, value: Any, path: Path, name: str) -> Iterator[Fault]:
    if not node.slice and node.pattern is not None and not _matches(node.pattern, value):
        wrong = _first_difference(node.pattern, value)
        said = f"{path_text(name, wrong)} is {shown(_at(value, wrong))}, and must be {shown(_at(node.pattern, wrong))}."
        yield Fault((*path, *wrong), "wrong-value", said, node.next_step)
    if node.allowed and name not in node.allowed:
        said = f"There is {name}, and it must be {' or '.join(node.allowed)}."
        yield Fault(path, "wrong-type", said, node.next_step)
    if node.value_set and not node.slice and isinstance(value, dict) and not is_in(value, node.value_set):
        yield Fault(path, "not-a-code", f"{name} has no code of {_offered(node)}.", "Use one of them.")
    most = node.asks.get("maxLength")
    if most and isinstance(value, str) and length(value) > most:
        said = f"{name} is {length(value)} characters long, and may be {most}."
        yield Fault(path, "too-long", said, "Shorten it.")
    resource_type = type_and_id(text(value, "reference"))[0] if node.targets and isinstance(value, dict) else ""
    if resource_type and resource_type not in node.targets:
        said = f"{name} points to a {resource_type}, and must point to a {' or '.join(node.targets)}."
        yield Fault((*path, "reference"), "wrong-target", said, node.next_step)


def _offered(node: Node) -> str:
    return ", ".join(sorted(code for _, code in value_sets()[node.value_set]))


def _first_difference(pattern: Any, value: Any) -> Path:
    if isinstance(pattern, dict) and isinstance(value, dict):
        for name, each in pattern.items():
            if not _matches(each, value.get(name)):
                return (name, *_first_difference(each, value.get(name)))
    if isinstance(pattern, list) and isinstance(value, list) and len(pattern) == len(value) == 1:
        return (0, *_first_difference(pattern[0], value[0]))
    return ()


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else value[int(step)]
    return value
