"""Whether a resource is R4 at all: structure by fhir.resources' models, codes by R4's required bindings."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from .outcome import FhirError, bad_request
from .search_parameters import PARAMETERS

# The models know these lists cut short (they are read from the "a | b | +" of the short descriptions).
_MORE_STATUS: Mapping[str, tuple[str, ...]] = {
    "Observation": ("corrected", "cancelled", "entered-in-error", "unknown"),
    "Encounter": ("entered-in-error", "unknown"),
    "EpisodeOfCare": (),
}
OPEN = "+"


def check_type(resource_type: str) -> None:
    if resource_type not in PARAMETERS:
        raise FhirError(404, "not-supported", f"Unknown resource type {resource_type!r}")


def check_resource(resource: dict[str, Any], resource_type: str) -> None:
    """Raises FhirError 400 where it is another type than the URL says, or not valid R4."""
    if resource.get("resourceType") != resource_type:
        raise bad_request(f"the body's resourceType is {resource.get('resourceType')!r}, the URL says {resource_type}")
    model = get_fhir_model_class(resource_type)
    try:
        model.model_validate(_without_translations(resource))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, (resource_type, *first["loc"])))
        raise FhirError(400, "structure", f"{where}: {first['msg']}") from None
    except (KeyError, ValueError) as error:
        raise FhirError(400, "structure", f"{resource_type}: {error}") from None
    for name, codes in _codes(resource_type).items():
        value = resource.get(name)
        if isinstance(value, str) and value not in codes:
            raise FhirError(400, "code-invalid", f"{resource_type}.{name}: {value!r} is not one of {sorted(codes)}")


@cache
def _codes(resource_type: str) -> dict[str, frozenset[str]]:
    """The codes of the top-level elements that the models list in full."""
    found = {}
    for name, field in get_fhir_model_class(resource_type).model_fields.items():
        extra = field.json_schema_extra
        listed = extra.get("enum_values") if isinstance(extra, dict) else None
        codes = {str(code) for code in listed} if isinstance(listed, list) else set()
        if name == "status":
            codes = codes.union(_MORE_STATUS[resource_type]) - {OPEN} if resource_type in _MORE_STATUS else codes
        if codes and OPEN not in codes:
            found[name] = frozenset(codes)
    return found


def _without_translations(part: Any) -> Any:
    """A copy without the ``_value[x]`` of extensions: valid R4 (translated text has it) that the models refuse."""
    if isinstance(part, list):
        return [_without_translations(each) for each in part]
    if isinstance(part, dict):
        extension = "url" in part
        return {
            name: _without_translations(each)
            for name, each in part.items()
            if not (extension and name.startswith("_value") and name[1:] in part)
        }
    return part
