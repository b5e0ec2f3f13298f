"""Ratings back out of the scores that an EHR has, in whatever shape; and as responses where it has none."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from imr_fhir.artefacts import CODES
from imr_fhir.element import (
    Element,
    local_type_and_id,
    require_patient,
    resource,
    server_id,
    uuid_identifier,
    version_id,
)
from imr_fhir.errors import ResourceError, ResponseError
from imr_fhir.observation import StoredScore, comment_in, from_resource
from imr_fhir.response import Response
from imr_fhir.scale import ITEM_COUNT, NA, NA_ITEM, Rater, only_version, scale, scale_of
from imr_fhir.score_shape import Codes, StoredFigure, StoredRating, flat_codings, stored_urns

_WITHDRAWN = "entered-in-error"
_STANDING = ("final", "amended", "corrected")  # R4 observation-status: registered or cancelled is no result
_ANY = (*_STANDING, _WITHDRAWN)


def member_ids(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Ids of the Observations that the panel ``raw`` refers to."""
    found = Element(raw, "Observation", ResponseError)
    return tuple(local_type_and_id(member.text("reference"))[1] for member in found.many("hasMember"))


def read_panel(raw: Mapping[str, Any], members: Mapping[str, Mapping[str, Any]], *, patient: str) -> StoredRating:
    """The score Observation ``raw``, with the ``members`` by id that it may refer to. Raises as ``from_resource``."""
    named = member_ids(raw)
    if not named:
        return StoredRating("components", from_resource(raw, patient=patient))
    found = resource(raw, "Observation", ResponseError)
    missing = [name for name in named if name not in members]
    if missing:
        raise found.fault(f"has {len(named)} members, and {len(missing)} of them can't be had")
    own = [resource(members[name], "Observation", ResponseError) for name in named]
    for member in own:
        require_patient(member, "subject", patient)
        member.code("status", _ANY if raw.get("status") == _WITHDRAWN else _STANDING)
    shown = {name: value for name, value in raw.items() if name != "hasMember"}
    shown["component"] = [
        {key: value for key, value in member.raw.items() if key in ("code", "dataAbsentReason") or key[:5] == "value"}
        for member in own
    ]
    score = replace(from_resource(shown, patient=patient), version_id=version_id(found))  # of what the EHR has
    figures = {code: _stored(member) for member in own for code in _our_codes(member, score)}
    return StoredRating("members", score, figures)


def _our_codes(member: Element, score: StoredScore) -> tuple[str, ...]:
    """What it is of the score ("06", "sum"), wherever among its codings that stands: an EHR may put its own first."""
    form = scale_of(score.questionnaire) or scale(score.rater)
    return (*member.codes("code", form.system), *member.codes("code", CODES))


def _stored(found: Element) -> StoredFigure:
    return StoredFigure(server_id(found), version_id(found), uuid_identifier(found.many("identifier")))


def read_flat(
    raws: Iterable[Mapping[str, Any]], codes: Codes, *, patient: str
) -> Iterator[StoredRating | ResourceError]:
    """The ratings that the Observations ``raws`` in a site's codes hold, one a rater and time; else why not."""
    known = flat_codings(codes)
    occasions: dict[tuple[Rater, datetime], dict[str, list[Element]]] = {}
    for raw in raws:
        try:
            found, when, (rater, name) = _figure(raw, known, patient)
        except ResourceError as fault:
            yield fault
        else:
            occasions.setdefault((rater, when), {}).setdefault(name, []).append(found)
    for (rater, measured), figures in occasions.items():
        try:
            yield _occasion(rater, measured, figures)
        except ResourceError as fault:
            yield fault


def _figure(
    raw: Mapping[str, Any], known: Mapping[tuple[str, str], tuple[Rater, str]], patient: str
) -> tuple[Element, datetime, tuple[Rater, str]]:
    found = resource(raw, "Observation", ResponseError)
    require_patient(found, "subject", patient)
    measured = found.moment("effectiveDateTime")
    names = {known[key] for key in _codings(found) if key in known}
    if measured is None or len(names) != 1:
        raise found.fault("does not say when it was measured, or is two figures at once")
    return found, measured, names.pop()


def _codings(found: Element) -> Iterator[tuple[str, str]]:
    concept = found.one("code")
    for coding in concept.many("coding") if concept else ():
        yield coding.text("system"), coding.text("code")


def _occasion(rater: Rater, measured: datetime, several: Mapping[str, Sequence[Element]]) -> StoredRating:
    withdrawn = all(each.code("status", _ANY) == _WITHDRAWN for found in several.values() for each in found)
    one = {
        name: standing
        for name, found in several.items()
        if (standing := [each for each in found if withdrawn or each.code("status", _ANY) != _WITHDRAWN])
    }
    for name, found in one.items():
        if len(found) > 1:
            raise found[1].fault(f"is the figure {name} of the same time a second time")
    figures = {name: found[0] for name, found in one.items()}
    lead = figures.get("rated") or next(iter(figures.values()))
    ratings = {
        number: rating
        for number in range(1, ITEM_COUNT + 1)
        if (item := figures.get(f"{number:02}")) and (rating := item.integer("valueInteger")) is not None
    }
    for number, rating in ratings.items():
        if not 1 <= rating <= 5:
            raise figures[f"{number:02}"].fault("has a rating outside 1 to 5")
    rated = lead.integer("valueInteger") if "rated" in figures else None
    if rated != len(ratings):
        raise lead.fault(f"belongs to a rating of {rated} questions, and {len(ratings)} are in the record")
    whole = "sum" in figures
    if not whole and "sum" in several:  # no correction takes it back: without it this would be a form ended early
        raise several["sum"][0].fault("is the sum of answers that stand, and was withdrawn")
    if whole and NA_ITEM not in ratings:
        ratings = dict(sorted((ratings | {NA_ITEM: NA}).items()))
    performers = lead.many("performer")
    performer = performers[0].text("reference") if performers else ""
    comment = comment_in(lead, performer)
    derived = lead.many("derivedFrom")
    changed = any(found.text("status") in ("amended", "corrected") for found in figures.values())
    score = StoredScore(
        id=server_id(lead),
        version_id=version_id(lead),
        identifier=uuid_identifier(lead.many("identifier")),
        rater=rater,
        status=_WITHDRAWN if withdrawn else "corrected" if changed else "final",
        whole=whole,
        derived_from=derived[0].text("reference") if derived else "",
        questionnaire=only_version(rater),
        measured=measured,
        issued=max(found.moment("issued") or measured for found in figures.values()),
        ratings=ratings,
        comment=comment,
        performer=performer,
        encounter=lead.reference("encounter"),
        language=_language(lead),
    )
    return StoredRating("flat", score, {name: _stored(found) for name, found in figures.items()})


def _language(found: Element) -> str:
    """ "" where the EHR kept none: what was shown is not known then."""
    said = found.text("language")[:2]
    return "nb" if said in ("nb", "no", "nn") else said if said == "en" else ""


_STATUSES = {"final": "completed", "corrected": "amended", _WITHDRAWN: _WITHDRAWN}


def as_response(rating: StoredRating, patient: str) -> Response:
    """The answers that a score holds, where the EHR has no response. Who recorded them is not in it."""
    score = rating.score
    stopped = not score.whole and score.status != _WITHDRAWN
    return Response(
        rater=score.rater,
        status="stopped" if stopped else _STATUSES[score.status],
        ratings=score.ratings,
        comment=score.comment,
        identifier=score.identifier,
        id=score.id,
        version_id=score.version_id,
        patient=patient,
        source=f"Patient/{patient}" if score.rater == "client" else score.performer,
        author="",
        encounter=score.encounter,
        measured=score.measured,
        authored=score.issued,
        language=score.language,
        questionnaire=score.questionnaire,
        kept=rating.shape,
    )


def not_filed(waiting: Iterable[Response], filed: Iterable[Response]) -> tuple[Response, ...]:
    """Those of ``waiting`` (never filed, by their own identifiers) that the record does not have, in any shape."""
    known = {one.identifier for one in filed if one.identifier}
    return tuple(one for one in waiting if known.isdisjoint({one.identifier, *stored_urns(one.identifier)}))
