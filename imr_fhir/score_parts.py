"""The score of one response in the shape that a site wants, as parts of a filing."""

from collections.abc import Iterator, Mapping
from typing import Any

from imr_fhir.bundle import Part
from imr_fhir.errors import ResponseError
from imr_fhir.observation import score_observation
from imr_fhir.resource import Coding, checked, identifier
from imr_fhir.response import Response
from imr_fhir.score_shape import FIGURES, NO_CODES, Codes, Shape, StoredFigure, StoredRating, code_of, figure_urn

_SHARED = ("resourceType", "language", "status", "category", "subject", "encounter", "effectiveDateTime", "issued",
           "performer", "derivedFrom")  # fmt: skip


def score_parts(
    response: Response,
    *,
    shape: Shape,
    urn: str,
    response_reference: str = "",
    stored: StoredRating | None = None,
    codes: Codes = NO_CODES,
    **options: Any,
) -> tuple[Part, ...]:
    """What is filed of the score of ``response`` in ``shape``, each part after those it refers to.

    ``urn``: identifier of the whole, ``response_reference`` as of ``score_observation``, which takes ``options`` too.
    ``stored``: what a correction replaces, in the same shape. ``codes``: the site's, for ``flat``.
    """
    before = stored.score if stored else None
    whole = score_observation(
        response,
        response_reference=response_reference,
        urn=before.identifier if before and before.identifier else urn,
        observation_id=before.id if before and shape != "flat" else "",
        **options,
    )
    figures = stored.figures if stored else {}
    version = before.version_id if before else ""
    if shape == "components":
        return (Part(whole, whole["identifier"][0]["value"], version),)
    if shape == "flat":
        return tuple(_flat({**whole, **_shown_in(response)}, codes[response.rater], figures, urn))
    members = tuple(_members(whole, figures))
    panel = {name: value for name, value in whole.items() if name != "component"}
    panel["hasMember"] = [{"reference": _reference(part)} for part in members]
    return (*members, Part(checked(panel, ResponseError), panel["identifier"][0]["value"], version))


def _shown_in(response: Response) -> dict[str, str]:
    """FHIR's own element: of such rows an EHR keeps no extension."""
    return {"language": response.language} if response.language else {}


def _members(whole: Mapping[str, Any], stored: Mapping[str, StoredFigure]) -> Iterator[Part]:
    urn = whole["identifier"][0]["value"]
    for component in whole["component"]:
        yield _part(whole, component, code_of(component), urn, stored)


def _flat(
    whole: Mapping[str, Any], codes: Mapping[str, Coding], stored: Mapping[str, StoredFigure], urn: str
) -> Iterator[Part]:
    """Only what has a number: such servers know figures and nothing of why there is none. ``rated`` comes first, so
    that a reader knows how many are to follow; the comment goes with it."""
    urn = stored["rated"].identifier or urn if "rated" in stored else urn
    components = {code_of(component): component for component in whole["component"]}
    if "valueQuantity" in whole:
        components["mean"] = {"valueQuantity": whole["valueQuantity"]}
    order = ["rated", *sorted(set(components) - set(FIGURES)), "sum", "mean"]
    wanted = [name for name in order if name in codes and "dataAbsentReason" not in components.get(name, _ABSENT)]
    for name in wanted:
        found = {**components[name], "code": {"coding": [dict(codes[name])]}}
        more = {"note": whole["note"]} if name == "rated" and "note" in whole else {}
        yield _part(whole, found, name, urn, stored, **more)
    for name in stored.keys() - set(wanted):  # was rated, and is "not applicable" now
        gone = {"code": {"coding": [dict(codes[name])]}, "dataAbsentReason": {"text": "Rated in error"}}
        yield _part({**whole, "status": "entered-in-error"}, gone, name, urn, stored)


_ABSENT: Mapping[str, Any] = {"dataAbsentReason": {}}


def _part(
    whole: Mapping[str, Any],
    component: Mapping[str, Any],
    name: str,
    urn: str,
    stored: Mapping[str, StoredFigure],
    **more: Any,
) -> Part:
    there = stored.get(name)
    own = there.identifier if there and there.identifier else figure_urn(urn, name)
    built = {key: whole[key] for key in _SHARED if key in whole}
    built |= {**({"id": there.id} if there else {}), **component, **more, "identifier": [identifier(own)]}
    built["meta"] = {key: value for key, value in whole["meta"].items() if key != "profile"}
    return Part(checked(built, ResponseError), own, there.version_id if there else "")


def _reference(part: Part) -> str:
    return f"Observation/{part.resource['id']}" if "id" in part.resource else part.full_url
