"""What the page of a profile or an extension says: each demand with its reason, its codes, and an example."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imr_fhir.ehr.json_writer import write_file

Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Demand:
    path: str  # "component:sum.value[x]"
    facts: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Rule:
    key: str
    human: str
    reason: str
    expression: str


@dataclass(frozen=True, slots=True)
class Codes:
    title: str
    canonical: str
    codes: tuple[tuple[str, str], ...]  # code, display


@dataclass(frozen=True, slots=True)
class Page:
    title: str
    kind: str
    status: str
    description: str
    purpose: str
    canonical: str
    base: str
    where: str  # of an extension: the elements that may carry it
    demands: tuple[Demand, ...]
    rules: tuple[Rule, ...]
    codes: tuple[Codes, ...]
    examples: tuple[tuple[str, str], ...]  # name, JSON
    copyright: str


def profile_page(structure: Resource, value_sets: Sequence[Resource], examples: Sequence[Resource]) -> Page:
    """The page of ``structure``, with those of ``value_sets`` that it binds and of ``examples`` that claim it."""
    elements = structure["differential"]["element"]
    canonical = f"{structure['url']}|{structure['version']}"
    bound = {each["binding"]["valueSet"] for each in elements if "binding" in each}
    return Page(
        title=structure["title"],
        kind="Extension" if structure["type"] == "Extension" else f"Profile of {structure['type']}",
        status=structure["status"] + (", experimental" if structure["experimental"] else ""),
        description=structure["description"],
        purpose=structure["purpose"],
        canonical=canonical,
        base=structure["baseDefinition"],
        where=", ".join(each["expression"] for each in structure.get("context", ())),
        demands=tuple(_demand(each) for each in elements if _facts(each)),
        rules=tuple(_rule(each) for element in elements for each in element.get("constraint", ())),
        codes=tuple(_codes(each) for each in value_sets if f"{each['url']}|{each['version']}" in bound),
        examples=tuple(
            (f"{each['resourceType']}/{each['id']}", write_file(each).decode())
            for each in examples
            if structure["url"] in each["meta"].get("profile", ())
        ),
        copyright=structure["copyright"],
    )


def _demand(element: Resource) -> Demand:
    _, _, below = element["id"].partition(".")
    reason = element.get("requirements") or element.get("comment") or element.get("short", "")
    return Demand(below or element["id"], _facts(element), reason)


def _facts(element: Resource) -> tuple[str, ...]:
    return (*_how_many(element), *_what(element))


def _how_many(element: Resource) -> Iterator[str]:
    least, most = element.get("min"), element.get("max")
    if most == "0":
        yield "not allowed"
    elif least and most:
        yield "exactly one" if (least, most) == (1, "1") else f"{least} to {most}"
    elif least:
        yield "required" if least == 1 else f"at least {least}"
    elif most:
        yield f"at most {'one' if most == '1' else most}"


def _what(element: Resource) -> Iterator[str]:
    for each in element.get("type", ()):
        targets = [_last(url) for url in each.get("targetProfile", each.get("profile", ()))]
        yield f"{each['code']}{f' ({chr(44).join(targets)})' if targets else ''}".replace(",", ", ")
    for name, value in element.items():
        if name.startswith(("fixed", "pattern")):
            yield f"always {_value(value)}"
    if "binding" in element:
        yield f"a code of {_last(element['binding']['valueSet'].split('|')[0])} ({element['binding']['strength']})"
    if "maxLength" in element:
        yield f"at most {element['maxLength']} characters"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        codings = value.get("coding", [value])
        return ", ".join(
            f"{_last(each['system'])}#{each['code']}" if "code" in each else str(dict(each)) for each in codings
        )
    return str(value)


def _last(url: str) -> str:
    return url.rsplit("/", 1)[-1]


def _rule(constraint: Resource) -> Rule:
    return Rule(constraint["key"], constraint["human"], constraint["requirements"], constraint["expression"])


def _codes(value_set: Resource) -> Codes:
    concepts = [each for include in value_set["compose"]["include"] for each in include["concept"]]
    return Codes(
        value_set["title"],
        f"{value_set['url']}|{value_set['version']}",
        tuple((each["code"], each["display"]) for each in concepts),
    )
