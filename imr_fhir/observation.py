"""The score of one response as an Observation: mean, sum, number rated, 15 items. For other shapes: score_parts.py."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from imr_fhir import artefacts
from imr_fhir.answers import COMMENT_MAX
from imr_fhir.element import (
    Element,
    plain_reference,
    require_patient,
    resource,
    server_id,
    shown,
    uuid_identifier,
    version_id,
)
from imr_fhir.errors import ResponseError
from imr_fhir.fhir_time import format_date_time, format_instant
from imr_fhir.resource import SURVEY, Coding, checked, concept, identifier, meta, patient_reference, words
from imr_fhir.response import Response
from imr_fhir.scale import NA, NA_ITEM, RATERS, RATING_MAX, Rater, Ratings, Scale, scale_of

# R4's Observation has no such element; the FHIR validator takes the core extension on it.
INSTANTIATES = "http://hl7.org/fhir/StructureDefinition/workflow-instantiatesCanonical"

_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_ABSENT_DISPLAYS = {
    "asked-unknown": "Asked But Unknown",
    "not-applicable": "Not Applicable",
    "not-performed": "Not Performed",
}

# Of the response -> of the Observation. A draft has no score.
_STATUSES = {"completed": "final", "stopped": "final", "amended": "corrected", "entered-in-error": "entered-in-error"}


@dataclass(frozen=True, slots=True)
class StoredScore:
    """A score Observation as the EHR has it: its ratings, and what a correction needs. Its figures are not read."""

    id: str
    version_id: str
    identifier: str  # "urn:uuid:...", or "" where the EHR kept none
    rater: Rater
    status: str  # final | corrected | entered-in-error
    whole: bool  # it has a value, so the form was not ended early
    derived_from: str  # reference of the response, or ""
    questionnaire: str  # "url|version", "" where single figures do not tell
    measured: datetime
    issued: datetime
    ratings: Ratings
    comment: str
    performer: str  # reference, or ""
    encounter: str  # reference, or ""
    language: str  # "en" | "nb", "" where single figures do not tell


def score_observation(
    response: Response,
    *,
    response_reference: str,
    urn: str,
    filing: str,
    observation_id: str = "",
    profile: bool = False,
    security: Sequence[Coding] = (),
) -> dict[str, Any]:
    """The score Observation of ``response``; without a value where the form was ended early (``stopped``).

    ``response_reference``: "urn:uuid:..." of its Bundle entry or "QuestionnaireResponse/id"; "" where the EHR takes no
    responses. ``urn``: the Observation's own identifier, "urn:uuid:...", kept through corrections, as is
    ``observation_id``, the server's ("" while new). ``filing``: UUID of the filing. ``profile``: name our profile in
    ``meta``, where the server has it. ``security``: the site's labels. Raises ResponseError, RatingError.
    """
    if response.status not in _STATUSES:
        raise ResponseError(
            f"A response that is {response.status} has no score.", next_step="Complete it, or end it early."
        )
    form = response.form
    score = response.score
    # What a response would say of it has no other place.
    alone = (
        []
        if response_reference or not response.language
        else [{"url": artefacts.SHOWN_LANGUAGE, "valueCode": response.language}]
    )
    scored = response.status != "stopped" and score.mean is not None
    built: dict[str, Any] = {
        "resourceType": "Observation",
        **({"id": observation_id} if observation_id else {}),
        "meta": meta(filing, profile=artefacts.SCORE_PROFILE if profile else "", security=security),
        "extension": [{"url": INSTANTIATES, "valueCanonical": form.canonical}, *alone],
        "identifier": [identifier(urn)],
        "status": _STATUSES[response.status],
        "category": [SURVEY],
        "code": concept(f"score-{response.rater}"),
        "subject": patient_reference(response.patient),
        **({"encounter": {"reference": response.encounter}} if response.encounter else {}),
        "effectiveDateTime": format_date_time(response.measured),
        "issued": format_instant(response.authored),
        **({"performer": [{"reference": response.source}]} if response.source else {}),
    }
    if scored:
        built["valueQuantity"] = {
            "value": score.mean,
            "unit": "score",
            "system": "http://unitsofmeasure.org",
            "code": "{score}",
        }
    else:
        built["dataAbsentReason"] = _absent("not-performed")
    if response.comment.strip():
        built["note"] = [{"text": words(response.comment, COMMENT_MAX, "The comment", ResponseError)}]
    if response_reference:
        built["derivedFrom"] = [{"reference": response_reference}]
    built["component"] = [
        *([{"code": concept("sum"), "valueInteger": score.sum}] if scored else []),
        {"code": concept("rated"), "valueInteger": score.rated},
        *_items(form, response.ratings),
    ]
    return checked(built, ResponseError)


def _items(form: Scale, ratings: Ratings) -> Iterator[dict[str, Any]]:
    for item in form.items:
        rating = ratings.get(item.number)
        code = {"system": form.system, "version": form.version, "code": item.link_id, "display": item.label.en}
        component: dict[str, Any] = {"code": {"coding": [code]}}
        if rating is None:
            component["dataAbsentReason"] = _absent("asked-unknown")
        elif rating == NA:
            component["dataAbsentReason"] = _absent("not-applicable")
        else:
            component["valueInteger"] = rating
        yield component


def _absent(code: str) -> dict[str, Any]:
    return {"coding": [{"system": _ABSENT, "code": code, "display": _ABSENT_DISPLAYS[code]}]}


def from_resource(raw: Mapping[str, Any], *, patient: str) -> StoredScore:
    """The score Observation ``raw`` of the patient with id ``patient``.

    Raises ResponseError where it is not one of ours, or other software wrote it with our codes and not our meaning;
    WrongPatient for another's.
    """
    found = resource(raw, "Observation", ResponseError)
    require_patient(found, "subject", patient)
    codes = found.codes("code", artefacts.CODES)
    rater = next((rater for rater in RATERS if codes == (f"score-{rater}",)), None)
    if rater is None:
        raise found.fault(f"has code {shown(', '.join(codes))}, which is no score of an IMR Scale")
    measured = found.moment("effectiveDateTime")
    if measured is None:
        raise found.fault("does not say when it was measured (effectiveDateTime)")
    instantiates = found.extension(INSTANTIATES)
    questionnaire = instantiates.text("valueCanonical") if instantiates else ""
    form = scale_of(questionnaire)
    if form is None or form.rater != rater:
        raise found.fault(f"scores {shown(questionnaire)}, a form or version that is not known here")
    derived, performers = found.many("derivedFrom"), found.many("performer")
    performer = performers[0].text("reference") if performers else ""
    comment = comment_in(found, performer)
    language = found.extension(artefacts.SHOWN_LANGUAGE)
    return StoredScore(
        id=server_id(found),
        version_id=version_id(found),
        identifier=uuid_identifier(found.many("identifier")),
        rater=rater,
        status=found.code("status", tuple(dict.fromkeys(_STATUSES.values()))),
        whole="valueQuantity" in raw,
        derived_from=derived[0].text("reference") if derived else "",
        questionnaire=questionnaire,
        measured=measured,
        issued=found.moment("issued") or measured,
        ratings=_ratings(found, form),
        comment=comment,
        performer=performer,
        encounter=found.reference("encounter"),
        language=language.code("valueCode", ("en", "nb")) if language else "en",
    )


def comment_in(found: Element, performer: str) -> str:
    """The comment of who answered, ``performer``: what others wrote beside it is no answer."""
    return "\n".join(note.text("text") for note in found.many("note") if not is_others(note, performer))


def is_others(note: Element, performer: str) -> bool:
    """Whether somebody else than ``performer`` signed it (R4, Annotation.author)."""
    signed = note.text("authorString") or note.reference("authorReference")
    return bool(signed) and plain_reference(signed) != plain_reference(performer)


def _ratings(found: Element, form: Scale) -> dict[int, int]:
    numbers = {item.link_id: item.number for item in form.items}
    ratings: dict[int, int] = {}
    seen: set[str] = set()
    for component in found.many("component"):
        component.unmodified()
        for code in component.codes("code", form.system):
            if code not in numbers or code in seen:
                raise component.fault(f"has code {shown(code)}, which is no item, or a second time")
            seen.add(code)
            rating = _rating(component, numbers[code])
            if rating is not None:
                ratings[numbers[code]] = rating
    return ratings


def _rating(component: Element, number: int) -> int | None:
    """None where the item was not answered."""
    if any(key.startswith("value") and key != "valueInteger" for key in component.raw):
        raise component.fault("has a rating that is no whole number")
    rating = component.integer("valueInteger")
    if rating is None:
        not_applicable = "not-applicable" in component.codes("dataAbsentReason", _ABSENT)
        if not_applicable and number != NA_ITEM:
            raise component.fault(f"says that item {number} is not applicable, which only item {NA_ITEM} can be")
        return NA if not_applicable else None
    if not 1 <= rating <= RATING_MAX:
        raise component.fault(f"has a rating outside 1 to {RATING_MAX}")
    return rating
