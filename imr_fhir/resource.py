"""What every resource that we write shares: meta, identifier, codes of ``imr``, and the check before it goes."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from imr_fhir import artefacts
from imr_fhir.element import URI_IDENTIFIER, is_id
from imr_fhir.errors import ResourceError

Coding = Mapping[str, str]

# The one category of all our Observations: one search and one granular scope (category=survey) reach them.
SURVEY: Mapping[str, Any] = {
    "coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "survey", "display": "Survey"}
    ]
}

# What FHIR can't carry in JSON and XML alike (R4, datatypes: string; XML 1.0, Char).
_UNCARRIED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def meta(filing: str, *, profile: str = "", security: Sequence[Coding] = ()) -> dict[str, Any]:
    """``meta`` with the tag of the filing (a UUID), and profile and security labels where a site has them."""
    tag = {"system": artefacts.FILING, "code": filing}
    return {
        **({"profile": [profile]} if profile else {}),
        **({"security": [dict(label) for label in security]} if security else {}),
        "tag": [tag],
    }


def identifier(urn: str) -> dict[str, str]:
    """The Identifier of ``urn`` ("urn:uuid:...")."""
    return {"system": URI_IDENTIFIER, "value": urn}


def patient_reference(patient: str) -> dict[str, str]:
    """Reference to the patient with the id ``patient``."""
    if not is_id(patient):
        raise ResourceError(f"{patient!r} is no id of a Patient.", next_step="Launch again from the patient's chart.")
    return {"reference": f"Patient/{patient}"}


@cache
def _displays() -> dict[str, str]:
    codes = next(found for found in artefacts.artefact_resources() if found["url"] == artefacts.CODES)
    return {concept["code"]: concept["display"] for concept in codes["concept"]}


def coding(code: str) -> dict[str, str]:
    """The Coding of ``code`` in our CodeSystem ``imr``, with its English display."""
    return {
        "system": artefacts.CODES, "version": artefacts.VERSION, "code": code, "display": _displays()[code],
    }  # fmt: skip


def concept(code: str) -> dict[str, Any]:
    """The CodeableConcept of ``code`` in our CodeSystem ``imr``."""
    return {"coding": [coding(code)]}


def length(text: str) -> int:
    """As browsers (``maxlength``) and the FHIR validator count: in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def uncarried(text: str) -> str:
    """The first character that a record can't keep and its place ("U+000B, place 3"); "" where there is none."""
    found = _UNCARRIED.search(text)
    return f"U+{ord(found[0]):04X}, place {found.start() + 1}" if found else ""


def words(text: str, most: int, what: str, error: type[ResourceError]) -> str:
    """``text`` itself, a person's own words: kept to the letter, or refused where FHIR can't carry them.

    ``most`` as ``length`` counts. ``what`` names the text: "The goal".
    """
    over = length(text) - most
    if over > 0:
        raise error(f"{what} is {over} characters too long.", next_step=f"Shorten it to {most}.")
    found = uncarried(text)
    if found:
        raise error(
            f"{what} holds a character that a record can't keep ({found}).", next_step="Take it out and save again."
        )
    if not text.strip():
        raise error(f"{what} is empty.", next_step="Write something first.")
    return text


def checked(built: dict[str, Any], error: type[ResourceError]) -> dict[str, Any]:
    """``built`` itself, once fhir.resources finds it sound; the model is dropped: it would write 3.40 as 3.4."""
    # Not above: half of a command's start, and a third of its memory, of which most commands use nothing.
    from fhir.resources.R4B import get_fhir_model_class
    from pydantic import ValidationError

    try:
        get_fhir_model_class(built["resourceType"]).model_validate(built)
    except ValidationError as fault:
        faults = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in fault.errors())
        raise error(f"The {built['resourceType']} to be filed is not sound: {faults}.") from fault
    return built
