"""Whether a Questionnaire is one of the two IMR Scales, whole and unchanged: then each form filler scores it alike."""

from collections.abc import Iterator, Mapping
from typing import Any

from imr_fhir import artefacts
from imr_fhir.artefacts import content_hash
from imr_fhir.element import shown
from imr_fhir.errors import ArtefactError
from imr_fhir.same import same_content
from imr_fhir.scale import NA_ITEM, RATERS, Rater, scale_from
from imr_fhir.validation.finding import Fault, Path, many, one, text

_HL7 = "http://hl7.org/fhir/StructureDefinition/"
_ORDINAL, _WEIGHT = f"{_HL7}ordinalValue", f"{_HL7}itemWeight"
_CALCULATED = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression"
_FIGURES = ("sum", "rated", "mean")
_NAMED = 10  # differences; then only how many more


def questionnaire_faults(form: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with ``form``, whose url is ours; any shape is taken."""
    rater = next((rater for rater in RATERS if form.get("url") == f"{artefacts.BASE}/Questionnaire/imr-{rater}"), None)
    if rater is None:
        known = ", ".join(f"{artefacts.BASE}/Questionnaire/imr-{rater}" for rater in RATERS)
        said = f"There is no Questionnaire {shown(form.get('url'))}."
        yield Fault(("url",), "unknown-form", said, f"Those of IMR on FHIR are {known}.")
        return
    yield from _expressions(form, rater)
    yield from _weights(form)
    try:
        scale_from(form)
    except ArtefactError as fault:
        yield Fault(
            ("item",), "not-whole", fault.message, "The app shows forms from 15 items, 01 to 15, in their order."
        )
    except (AttributeError, IndexError):  # a shape so odd that the structure tells of it
        pass
    yield from _changes(form)


def _changes(form: Mapping[str, Any]) -> Iterator[Fault]:
    known = {each["version"]: each for each in artefacts.questionnaires() if each["url"] == form["url"]}
    packaged = known.get(text(form, "version"))
    if packaged is None:
        said = f"version is {shown(form.get('version'))}, and known here is {', '.join(known)}: it was not compared."
        yield Fault(("version",), "unknown-version", said, "Compare it with the release that has it.", "warning")
    elif content_hash(form) != content_hash(packaged):
        differ = [path for path in same_content(packaged, form) if not path.startswith("meta")]
        for place in differ[:_NAMED]:
            said = f"This is not as in version {packaged['version']} of the Questionnaire: it was edited."
            yield Fault(_path(place), "edited", said, "Load the packaged one again, or give the new one a new version.")
        if len(differ) > _NAMED:
            said = f"{len(differ) - _NAMED} more places are not as in that version."
            yield Fault((), "edited", said, "Load the packaged one again.")


def _path(place: str) -> Path:
    """A place as `imr_fhir.same` names it ("item[0].text") as a path."""
    steps: list[str | int] = []
    for step in place.split("."):
        name, *numbers = step.replace("]", "").split("[")
        steps += [name, *map(int, numbers)]
    return tuple(steps)


# ---- expressions


def _expressions(form: Mapping[str, Any], rater: Rater) -> Iterator[Fault]:
    """Only the shape that five engines work out alike may stand on a figure; any other must at least be whole."""
    right = {name: said for name, (_, said) in _calculated(artefacts.questionnaire(rater)).items()}
    found = _calculated(form)
    for name in _FIGURES:
        if name not in found:
            said = f"The figure {name} has no calculatedExpression, so form fillers leave it empty."
            yield Fault(("item",), "missing-expression", said, f"Give the item {name} its expression: {right[name]}")
            continue
        path, said = found[name]
        broken = broken_expression(said)
        if broken:
            yield Fault(path, "broken-expression", f"The expression of {name} {broken}.", f"It must be: {right[name]}")
        elif "".join(said.split()) != "".join(right[name].split()):
            what = f"The expression of {name} is not the one that all form fillers work out alike."
            yield Fault(path, "other-expression", what, f"It must be: {right[name]}")
    for path, said in _all_expressions(form, ()):
        if path not in [place for place, _ in found.values()] and (broken := broken_expression(said)):
            yield Fault(path, "broken-expression", f"The expression {broken}.", "Mend it, or take it out.")


def _calculated(form: Mapping[str, Any]) -> dict[str, tuple[Path, str]]:
    """linkId -> path and text of each calculatedExpression in the group score."""
    return {
        text(item, "linkId"): (
            ("item", outer, "item", inner, "extension", place, "valueExpression", "expression"),
            text(one(extension, "valueExpression"), "expression"),
        )
        for outer, group in many(form, "item")
        if group.get("linkId") == "score"
        for inner, item in many(group, "item")
        for place, extension in many(item, "extension")
        if extension.get("url") == _CALCULATED
    }


def _all_expressions(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        if value.get("language") == "text/fhirpath" and isinstance(value.get("expression"), str):
            yield (*path, "expression"), value["expression"]
        for name, inner in value.items():
            yield from _all_expressions(inner, (*path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _all_expressions(inner, (*path, place))


def broken_expression(said: str) -> str:
    """Why ``said`` can't be FHIRPath, as the end of a sentence: brackets and quotes that don't close; "" otherwise.

    Not a parser: what else may be wrong in it shows where the form is filled in.
    """
    open_: list[tuple[str, int]] = []
    quote = ""
    escaped = False
    for place, character in enumerate(said, 1):
        if quote:
            if not escaped and character == quote:
                quote = ""
            escaped = character == "\\" and not escaped
        elif character in "'`\"":
            quote, began = character, place
        elif character in "([{":
            open_.append((character, place))
        elif character in ")]}" and (not open_ or open_.pop()[0] != {")": "(", "]": "[", "}": "{"}[character]):
            return f"has a {character} at character {place} that closes nothing"
    if quote:
        return f"has a {quote} at character {began} that nothing closes"
    if open_:
        return f"has a {open_[-1][0]} at character {open_[-1][1]} that nothing closes"
    if not said.strip():
        return "is empty"
    return "ends in the middle" if said.rstrip()[-1] in ".+-*/=&|," else ""


# ---- weights


def _weights(form: Mapping[str, Any]) -> Iterator[Fault]:
    """Each renderer reads the rating from another place; one that is missing or wrong is another score there."""
    for outer, group in many(form, "item"):
        for inner, item in many(group, "item") if group.get("linkId") == "imr" else ():
            for place, option in many(item, "answerOption"):
                path: Path = ("item", outer, "item", inner, "answerOption", place)
                coding, code = one(option, "valueCoding"), text(one(option, "valueCoding"), "code")
                right = int(code[3:]) if code[3:].isdecimal() and code[3:].isascii() else None
                if right is None and code != f"{NA_ITEM}-na":
                    continue  # no code of ours: scale_from tells of it
                for there, element, url in (
                    (path, option, _ORDINAL),
                    (path, option, _WEIGHT),
                    ((*path, "valueCoding"), coding, _ORDINAL),
                ):
                    yield from _weight(element, there, url, right, code)


def _weight(element: Mapping[str, Any], path: Path, url: str, right: int | None, code: str) -> Iterator[Fault]:
    found = [(place, each.get("valueDecimal")) for place, each in many(element, "extension") if each.get("url") == url]
    name = url.rpartition("/")[2]
    if not found and right is not None:
        said = f"The answer {code} has no {name} here, and some form fillers read its rating from it."
        yield Fault((*path, "extension"), "missing-weight", said, f"Add the extension {url} with valueDecimal {right}.")
    for place, value in found:
        if value != right:
            said = f"{name} of the answer {code} is {value}, and its rating is {'none' if right is None else right}."
            next_step = f"Make it {right}." if right is not None else "Take the extension out."
            yield Fault((*path, "extension", place), "wrong-weight", said, next_step)
