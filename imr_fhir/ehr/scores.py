"""Scores in the EHR, in whatever shape: those that belong to a response, and those that stand alone for one."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from imr_fhir.artefacts import CODES
from imr_fhir.ehr.address import local_reference
from imr_fhir.ehr.answer import id_of
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.resource_cache import once
from imr_fhir.errors import BadReply, NotFound, ResourceError, ResponseError
from imr_fhir.observation import StoredScore
from imr_fhir.response import Response
from imr_fhir.scale import RATERS, scale
from imr_fhir.score_reading import member_ids, read_flat, read_panel
from imr_fhir.score_shape import NO_CODES, Codes, StoredRating, flat_codings, stored_urns

SCORES = tuple(f"{CODES}|score-{rater}" for rater in RATERS)
_MEMBERS = ",".join(
    [f"{CODES}|{figure}" for figure in ("sum", "rated")]
    + [f"{form.system}|{item.link_id}" for form in map(scale, RATERS) for item in form.items]
)

Json = Mapping[str, Any]


def to_search(codes: Codes) -> tuple[str, ...]:
    """What a search for scores asks for by ``code``: panels, and figures in a site's own codes."""
    return (*SCORES, *_own(codes))


def _own(codes: Codes) -> tuple[str, ...]:
    return tuple(f"{system}|{code}" for system, code in flat_codings(codes))


def has_code(raw: Json, codes: Iterable[str]) -> bool:
    """Whether the Observation ``raw`` has one of ``codes``: an EHR that can't search by code gives all it has."""
    return not once(raw, "codings", lambda: codings(raw.get("code"))).isdisjoint(codes)


def codings(concept: object) -> frozenset[str]:
    """ "system|code" of what may be a CodeableConcept."""
    found = concept.get("coding") if isinstance(concept, Mapping) else None
    return frozenset(
        f"{coding.get('system')}|{coding.get('code')}"
        for coding in (found if isinstance(found, list) else [])
        if isinstance(coding, Mapping)
    )


def ratings_in(
    client: FhirClient, raws: Iterable[Json], *, patient: str, codes: Codes
) -> Iterator[StoredRating | tuple[str, ResourceError]]:
    """The ratings that the Observations ``raws`` hold, or a reference and why it can't be read. Raises EhrError."""
    raws = tuple(raws)
    panels = [raw for raw in raws if has_code(raw, SCORES)]
    members = _members(client, panels, patient)
    for panel in panels:
        try:
            yield read_panel(panel, members, patient=patient)
        except ResourceError as error:
            yield f"Observation/{panel.get('id', '')}", error
    figures = [raw for raw in raws if has_code(raw, _own(codes))]
    for found in read_flat(figures, codes, patient=patient):
        yield ("Observation", found) if isinstance(found, ResourceError) else found


def _members(client: FhirClient, panels: Sequence[Json], patient: str) -> dict[str, Json]:
    """By id; asked for only where a panel has any."""
    wanted: set[str] = set()
    for panel in panels:
        try:
            wanted.update(member_ids(panel))
        except ResourceError:
            continue  # told when the panel is read
    if not wanted:
        return {}
    found = client.search("Observation", [("patient", patient), ("code", _MEMBERS)])
    return {id_of(raw): raw for raw in found.resources if id_of(raw) in wanted}


def belongs_to(responses: Iterable[Response], base: str) -> Callable[[StoredScore], bool]:
    """Whether a score is of one of ``responses``: it says so, or has an identifier that follows from the response's.

    ``base`` is the EHR's: what another server calls by the same id is another response.
    """
    responses = tuple(responses)
    forms = {one.id for one in responses if one.kept == "form"}
    alone = {one.id for one in responses if one.kept != "form"}

    @cache
    def urns() -> frozenset[str]:
        named = (one.identifier for one in responses if one.kept == "form" and one.identifier)
        return frozenset(urn for identifier in named for urn in stored_urns(identifier))

    def belongs(score: StoredScore) -> bool:
        if score.id in alone:
            return True
        if score.derived_from:
            found = local_reference(score.derived_from, base)
            return found is not None and found.type == "QuestionnaireResponse" and found.id in forms
        return score.identifier in urns()

    return belongs


def derived_from(raw: Json, base: str) -> frozenset[str]:
    """Ids of the responses of this EHR that an Observation says it comes from."""
    return once(raw, ("derived from", base), lambda: _derived_from(raw, base))


def _derived_from(raw: Json, base: str) -> frozenset[str]:
    derived = raw.get("derivedFrom")
    references = (
        [each.get("reference") for each in derived if isinstance(each, Mapping)] if isinstance(derived, list) else []
    )
    named = [local_reference(each, base) for each in references]
    return frozenset(each.id for each in named if each and each.type == "QuestionnaireResponse")


def score_of(client: FhirClient, response: Response, codes: Codes = NO_CODES) -> StoredRating | None:
    """The score that a correction or withdrawal of ``response`` changes with it; None where the EHR has none.

    Raises EhrError, ResponseError where it has several, or one that can't be read: a second would stand beside it.
    """
    raws = _observations(client, response.patient, codes)
    is_own = belongs_to([response], client.base)
    own = [rating for rating in _ratings(client, raws, response.patient, codes) if is_own(rating.score)]
    if not own and any(_is_of(raw, response, client.base) for raw in raws if has_code(raw, to_search(codes))):
        raise ResponseError(
            f"The chart has a score of {response.reference} that can't be read.",
            next_step="Withdraw that score in the record, then correct the answers here.",
        )
    if len(own) > 1:
        raise ResponseError(
            f"The chart has {len(own)} scores of {response.reference}.",
            next_step="Withdraw all but one in the record, then correct it here.",
        )
    return own[0] if own else None


def rating_at(client: FhirClient, observation_id: str, *, patient: str, codes: Codes = NO_CODES) -> StoredRating:
    """The rating whose panel, or first figure, has this id. Raises EhrError, NotFound."""
    for rating in _ratings(client, _observations(client, patient, codes), patient, codes):
        if rating.score.id == observation_id:
            return rating
    raise NotFound("The record has no such rating.", status=404, next_step="Go back to the summary and look again.")


def _is_of(raw: Json, response: Response, base: str) -> bool:
    """Whether the Observation ``raw``, of which no more may be known, stands and says that it is of ``response``."""
    return raw.get("status") != "entered-in-error" and response.id in derived_from(raw, base)


def _observations(client: FhirClient, patient: str, codes: Codes) -> tuple[Json, ...]:
    found = client.search("Observation", [("patient", patient), ("code", ",".join(to_search(codes)))])
    if found.foreign or found.truncated:  # then "none" would make a second one
        raise BadReply("The EHR did not show all scores of the patient.", next_step="Try again in a minute.")
    return found.resources


def _ratings(client: FhirClient, raws: Iterable[Json], patient: str, codes: Codes) -> Iterator[StoredRating]:
    """Other software's, and another code's where the EHR can't search by it, are no scores of ours."""
    for rating in ratings_in(client, raws, patient=patient, codes=codes):
        if isinstance(rating, StoredRating):
            yield rating
