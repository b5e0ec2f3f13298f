"""The score of one response in the shape that a site wants, as parts of a filing; and the ratings back out of it.

``components``: one Observation. ``members``: a panel, and an Observation an item and figure that it refers to (as US
Core prefers). ``flat``: an Observation a figure in the site's own codes and no panel (as Epic's flowsheets).
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from imr_fhir.bundle import Part
from imr_fhir.element import Element, require_patient, resource, server_id, type_and_id, uuid_identifier, version_id
from imr_fhir.errors import ResourceError, ResponseError
from imr_fhir.observation import StoredScore, from_resource, score_observation
from imr_fhir.resource import Coding, checked, identifier
from imr_fhir.response import Response
from imr_fhir.scale import ITEM_COUNT, NA, NA_ITEM, RATERS, Rater, scale

Shape = Literal["components", "members", "flat"]
SHAPES: tuple[Shape, ...] = ("components", "members", "flat")

FIGURES = ("rated", "sum", "mean")
# What a site must have codes for, or an occasion could not be read back whole: a sum is there where the form was ended
# with all 15 answered, and as many items as were rated.
NEEDED = ("rated", "sum", *(f"{number:02}" for number in range(1, ITEM_COUNT + 1)))

Codes = Mapping[Rater, Mapping[str, Coding]]  # of a site: "06" or a figure -> its Coding
NO_CODES: Codes = {}

_SHARED = ("resourceType", "language", "status", "category", "subject", "encounter", "effectiveDateTime", "issued",
           "performer", "derivedFrom")  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoredFigure:
    """One Observation of several, as the EHR has it."""

    id: str
    version_id: str
    identifier: str


@dataclass(frozen=True, slots=True)
class StoredRating:
    """A score as the EHR has it in ``shape``. ``figures``: its Observations by code ("06", "sum") but for the panel."""

    shape: Shape
    score: StoredScore
    figures: Mapping[str, StoredFigure] = field(default_factory=dict)


def covers(codes: Codes, raters: Iterable[Rater]) -> bool:
    """Whether the site's codes hold a whole rating of each of ``raters``."""
    return all(name in codes.get(rater, {}) for rater in raters for name in NEEDED)


def score_urn(response_urn: str) -> str:
    """The score's own identifier, which follows from the response's, so that a retry never makes a second one."""
    return f"urn:uuid:{uuid.uuid5(uuid.UUID(response_urn), 'score')}"


def stored_urns(response_urn: str) -> tuple[str, str]:
    """By which of its scores' identifiers a rating is known where it is read from them: of the whole, and, where there
    is no whole, of the first figure."""
    whole = score_urn(response_urn)
    return whole, _figure_urn(whole, FIGURES[0])


def _figure_urn(whole: str, name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(uuid.UUID(whole), name)}"


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
        yield _part(whole, component, _code(component), urn, stored)


def _flat(
    whole: Mapping[str, Any], codes: Mapping[str, Coding], stored: Mapping[str, StoredFigure], urn: str
) -> Iterator[Part]:
    """Only what has a number: such servers know figures and nothing of why there is none. ``rated`` comes first, so
    that a reader knows how many are to follow; the comment goes with it."""
    urn = stored["rated"].identifier or urn if "rated" in stored else urn
    components = {_code(component): component for component in whole["component"]}
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
    own = there.identifier if there and there.identifier else _figure_urn(urn, name)
    built = {key: whole[key] for key in _SHARED if key in whole}
    built |= {**({"id": there.id} if there else {}), **component, **more, "identifier": [identifier(own)]}
    built["meta"] = {key: value for key, value in whole["meta"].items() if key != "profile"}
    return Part(checked(built, ResponseError), own, there.version_id if there else "")


def _reference(part: Part) -> str:
    return f"Observation/{part.resource['id']}" if "id" in part.resource else part.full_url


def _code(component: Mapping[str, Any]) -> str:
    return str(component["code"]["coding"][0]["code"])


# Reading back


def member_ids(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Ids of the Observations that the panel ``raw`` refers to."""
    found = Element(raw, "Observation", ResponseError)
    return tuple(type_and_id(member.text("reference"))[1] for member in found.many("hasMember"))


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
    shown = {name: value for name, value in raw.items() if name != "hasMember"}
    shown["component"] = [
        {key: value for key, value in member.raw.items() if key in ("code", "dataAbsentReason") or key[:5] == "value"}
        for member in own
    ]
    figures = {_code(member.raw): _stored(member) for member in own}
    score = replace(from_resource(shown, patient=patient), version_id=version_id(found))  # of what the EHR has
    return StoredRating("members", score, figures)


def _stored(found: Element) -> StoredFigure:
    return StoredFigure(server_id(found), version_id(found), uuid_identifier(found.many("identifier")))


def flat_codings(codes: Codes) -> dict[tuple[str, str], tuple[Rater, str]]:
    """(system, code) of the site -> whose figure it is, and which."""
    return {
        (coding["system"], coding["code"]): (rater, name)
        for rater in RATERS
        for name, coding in codes.get(rater, {}).items()
    }


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
    withdrawn = all(each.text("status") == "entered-in-error" for found in several.values() for each in found)
    one = {
        name: standing
        for name, found in several.items()
        if (standing := [each for each in found if withdrawn or each.text("status") != "entered-in-error"])
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
    if whole and NA_ITEM not in ratings:
        ratings = dict(sorted((ratings | {NA_ITEM: NA}).items()))
    performers = lead.many("performer")
    derived = lead.many("derivedFrom")
    changed = any(found.text("status") == "corrected" for found in figures.values())
    score = StoredScore(
        id=server_id(lead),
        version_id=version_id(lead),
        identifier=uuid_identifier(lead.many("identifier")),
        rater=rater,
        status="entered-in-error" if withdrawn else "corrected" if changed else "final",
        whole=whole,
        derived_from=derived[0].text("reference") if derived else "",
        questionnaire=scale(rater).canonical,
        measured=measured,
        issued=max(found.moment("issued") or measured for found in figures.values()),
        ratings=ratings,
        comment="\n".join(note.text("text") for note in lead.many("note")),
        performer=performers[0].text("reference") if performers else "",
        encounter=lead.reference("encounter"),
        language=_language(lead),
    )
    return StoredRating("flat", score, {name: _stored(found) for name, found in figures.items()})


def _language(found: Element) -> str:
    """ "" where the EHR kept none: what was shown is not known then."""
    said = found.text("language")[:2]
    return "nb" if said in ("nb", "no", "nn") else said if said == "en" else ""


_STATUSES = {"final": "completed", "corrected": "amended", "entered-in-error": "entered-in-error"}


def as_response(rating: StoredRating, patient: str) -> Response:
    """The answers that a score holds, where the EHR has no response. Who recorded them is not in it."""
    score = rating.score
    stopped = not score.whole and score.status != "entered-in-error"
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
    known = {one.key for one in filed}
    return tuple(one for one in waiting if known.isdisjoint({one.key, *stored_urns(one.identifier)}))
