"""Resources in which every element that R4 has holds something of a person: what may leave of them holds none of it."""

import typing
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from fhir.resources.R4B import get_fhir_model_class

from imr_fhir import artefacts

NATIONAL_NUMBER = "13097248022"
MARKS = (
    "Kari Canarynordmann",
    NATIONAL_NUMBER,
    "+47 99 88 77 66",
    "Canarygata 1, 0155 Oslo",
    "Canary slept badly & rang Kari.",
    "1972-09-13 canary",
)
_DEPTH = 5
_ALLOWED_SYSTEM = "http://terminology.hl7.org/CodeSystem/observation-category"


def filled(resource_type: str, mark: str) -> dict[str, Any]:
    """``resource_type`` with ``mark`` wherever text can stand, and a national number wherever a number can."""
    return {**_object(resource_type, mark, _DEPTH), "resourceType": resource_type, "id": NATIONAL_NUMBER}


def _object(model: str, mark: str, depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for field in get_fhir_model_class(model).model_fields.values():
        name = str(field.alias)
        if name in ("fhir_comments", "resource_type", "resourceType") or name.startswith("_"):
            continue
        many, inner = _kind(field.annotation)
        value = _value(inner, mark, depth)
        if value is not None:
            made[name] = [*value] if many and isinstance(value, list) else [value] if many else value
    return made


def _kind(annotation: Any) -> tuple[bool, str]:
    """Whether it is a list, and the name of its type."""
    said = str(annotation)
    inner = next((arg for arg in _leaves(annotation) if arg is not type(None)), str)
    return "List[" in said or "list[" in said, inner.__name__


def _leaves(annotation: Any) -> Iterator[Any]:
    arguments = typing.get_args(annotation)
    if not arguments or typing.get_origin(annotation) is typing.Annotated:
        yield arguments[0] if arguments else annotation
        return
    for argument in arguments:
        yield from _leaves(argument)


def _value(kind: str, mark: str, depth: int) -> Any:
    if kind == "bool":
        return True
    if kind in ("int", "Decimal"):
        return int(NATIONAL_NUMBER) if kind == "int" else Decimal(NATIONAL_NUMBER)
    if not kind.endswith("Type"):
        return mark
    model = kind.removesuffix("Type")
    if depth == 0 or model == "Resource":
        return None if model != "Resource" else {"resourceType": "Patient", "id": mark, "name": [{"text": mark}]}
    if model == "Extension":
        return {"url": mark, "valueString": mark, "extension": [{"url": mark, "valueString": mark}]}
    made = _object(model, mark, depth - 1)
    if model == "Reference":
        made["reference"] = f"Patient/{NATIONAL_NUMBER}" if mark == NATIONAL_NUMBER else mark
    if model == "CodeableConcept":
        made["coding"] = [*made.get("coding", []), {"system": _ALLOWED_SYSTEM, "code": mark, "version": mark}]
    return made


def ours(resource_type: str, mark: str) -> dict[str, Any]:
    """The same, with what makes it IMR's, so that it is let out at all."""
    made = filled(resource_type, mark)
    known = [artefacts.FIRST_COMPLETED, artefacts.SHOWN_LANGUAGE]
    made["extension"] = [
        *({"url": url, "valueDateTime": mark, "valueCode": mark, "valueString": mark} for url in known),
        {"url": mark, "valueString": mark},
    ]
    coding = {"system": artefacts.CODES, "code": "goal", "display": mark, "version": mark}
    match resource_type:
        case "QuestionnaireResponse":
            made["questionnaire"] = f"{artefacts.BASE}/Questionnaire/imr-client|{mark}"
        case "Questionnaire":
            made["url"] = f"{artefacts.BASE}/Questionnaire/imr-client"
        case "Observation":
            made["code"]["coding"].append(coding)
        case "Goal":
            made["category"][0]["coding"].append(coding)
        case "Provenance" | "AuditEvent":
            made["meta"]["tag"].append({"system": artefacts.FILING, "code": mark, "display": mark})
    return made
