"""One patient's IMR in the EHR, read side by side: the chart that the panel shows."""

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import wait
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import partial
from operator import is_
from typing import Any, Literal, TypeVar

from imr_fhir import element, goal, record, response
from imr_fhir.course import Course, episode_course
from imr_fhir.document_reading import read_document
from imr_fhir.documented import Document
from imr_fhir.ehr import patient as patient_resource
from imr_fhir.ehr.answer import id_of
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.paging import Found
from imr_fhir.ehr.patient import Patient
from imr_fhir.ehr.resource_cache import once
from imr_fhir.ehr.scores import belongs_to, codings, derived_from, has_code, ratings_in, to_search
from imr_fhir.errors import EhrError, Forbidden, Invalid, NotFound, ResourceError, Unauthorized
from imr_fhir.fhir_time import in_zone
from imr_fhir.goal import Goal
from imr_fhir.record import Note
from imr_fhir.response import Response
from imr_fhir.scale import RATERS, scale
from imr_fhir.score_reading import as_response
from imr_fhir.score_shape import NO_CODES, Codes, StoredRating

T = TypeVar("T")

# Responses by patient alone: Azure can't search by questionnaire, and some EHRs ignore what they can't.
_PARAMS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "QuestionnaireResponse": (),
    "Observation": (),
    "Goal": (),
    "EpisodeOfCare": (),
}
_REFUSED = (Forbidden, NotFound, Invalid)  # it has none of it to give to this user


@dataclass(frozen=True, slots=True)
class Problem:
    """What the chart lacks, for the screen to say. ``about`` is a reference, or a type where it is about all of it.

    unreadable: one resource is not what it should be; not-available: the EHR did not give the type at all;
    other-patient: it answered for another patient ``count`` times, which was dropped; cut-short: it has more pages than
    are read; said: the EHR's own warning; modified: the Patient has an extension that may change its meaning, and R4
    forbids to pass that over.
    """

    kind: Literal["unreadable", "not-available", "other-patient", "cut-short", "said", "modified"]
    about: str
    reason: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Chart:
    """All that is ours as the EHR has it, withdrawn and stopped ones too; times are by the clock of the site.

    ``episodes`` is None where the EHR failed to say what courses hang on. An EHR without any leaves them to be told by
    the gaps between ratings, but these would be others, with another First and other due windows. So they would be
    without what measurements tell: ratings that have no response, and what became of what was due.
    """

    patient: Patient
    responses: tuple[Response, ...]  # those too that only a score stands for
    goals: tuple[Goal, ...]  # goals and steps, joined
    notes: tuple[Note, ...]
    episodes: tuple[Course, ...] | None
    problems: tuple[Problem, ...]
    documents: tuple[Document, ...] = ()  # each holds a rating that is read by people alone, and counts for nothing

    def repeats(self, other: "Chart") -> bool:
        """Whether both hold the same things, which were not read anew in between (`once`). It finds no two alike that
        may differ: equal is too little, as one instant in two time zones is."""
        mine, theirs = (
            (one.responses, one.goals, one.notes, one.episodes or (), one.documents) for one in (self, other)
        )
        read = all(len(one) == len(two) and all(map(is_, one, two)) for one, two in zip(mine, theirs, strict=True))
        told = (self.episodes is None) == (other.episodes is None)
        return read and told and (self.patient, self.problems) == (other.patient, other.problems)


def read_chart(
    client: FhirClient,
    patient: str,
    *,
    zone: tzinfo,
    episode_types: Collection[str] = (),
    codes: Codes = NO_CODES,
    document_type: str = "",
    unknown: Collection[str] = (),
) -> Chart:
    """The chart of the patient with the id ``patient``; ``zone`` is the site's, and decides on which day a rating was.

    ``episode_types``: "system|code" of the episodes of care that are IMR; none: each of the patient's is.
    ``codes`` are the site's own for figures, ``document_type`` is "system|code" of documents where the EHR has any of
    ours, ``unknown`` are types that it does not have: they are not asked for. It takes about as long as the slowest of
    its reads. Raises EhrError where the Patient can't be had, or the responses by a fault (an EHR that has none to give
    is read by its scores), Unauthorized and LaunchError where the log-in is over, WrongPatient where the EHR answers
    with another Patient.
    """
    params = {**_PARAMS, "Observation": (("code", ",".join((*record.TOKENS, *to_search(codes)))),)}
    if document_type:
        params["DocumentReference"] = (("type", document_type),)
    params = {name: more for name, more in params.items() if name not in unknown}
    afterwards, client = client, client.at_once()  # what is asked once these are read has its own time
    patient_read = client.beside(lambda: client.read("Patient", patient))
    searches = {
        name: client.beside(partial(client.search, name, [("patient", patient), *more]))
        for name, more in params.items()
    }
    wait([*searches.values()])
    raw_patient = patient_read.result()
    problems = [Problem("modified", "Patient")] if "modifierExtension" in raw_patient else []
    found: dict[str, Found] = {}
    failed: set[str] = set()
    for name, search in searches.items():
        try:
            found[name] = search.result()
        except EhrError as error:
            refused = isinstance(error, _REFUSED)
            if isinstance(error, Unauthorized) or (name == "QuestionnaireResponse" and not refused):
                raise
            failed |= set() if refused else {name}
            found[name] = Found(())
            problems.append(Problem("not-available", name, str(error)))
        problems.extend(_gaps(name, found[name]))

    def parsed(name: str, parse: Callable[[Mapping[str, Any]], T | None]) -> tuple[T, ...]:
        return tuple(_parsed(found.get(name, Found(())), parse, problems))

    goals = parsed("Goal", lambda raw: _goal(raw, patient))
    # an older goal names its steps itself, which say of themselves nothing of ours
    steps = {element.local_type_and_id(step) for each in goals for step in each.milestones}
    goals += parsed("Goal", lambda raw: _step(raw, patient, steps))
    scored = _scored(found.get("Observation", Found(())), codes, client.base)
    responses = parsed("QuestionnaireResponse", lambda raw: _response(raw, patient, zone, scored))
    alone = tuple(_alone(afterwards, found, responses, patient, codes, problems, failed))
    episodes = parsed("EpisodeOfCare", lambda raw: _episode(raw, patient, zone, episode_types))
    return Chart(
        patient=patient_resource.from_resource(raw_patient, client.base),
        responses=(*responses, *(one.in_zone(zone) for one in alone)),
        goals=goal.joined(goals),
        notes=parsed("Observation", lambda raw: _note(raw, patient, zone)),
        episodes=None if failed & {"EpisodeOfCare", "Observation"} else episodes,
        documents=parsed("DocumentReference", lambda raw: _document(raw, patient, zone)),
        problems=tuple(problems),
    )


def _alone(
    client: FhirClient,
    found: Mapping[str, Found],
    responses: Collection[Response],
    patient: str,
    codes: Codes,
    problems: list[Problem],
    failed: set[str],
) -> Iterator[Response]:
    """What only scores tell: of one rating, the response counts, even one that can't be read."""
    there = {id_of(raw) for raw in found.get("QuestionnaireResponse", Found(())).resources}
    raws = [raw for raw in found.get("Observation", Found(())).resources if not there & derived_from(raw, client.base)]
    try:
        ratings = list(ratings_in(client, raws, patient=patient, codes=codes))
    except EhrError as error:
        if isinstance(error, Unauthorized):
            raise
        problems.append(Problem("not-available", "Observation", str(error)))
        failed |= set() if isinstance(error, _REFUSED) else {"Observation"}
        return
    has_response = belongs_to(responses, client.base)
    for rating in ratings:
        if not isinstance(rating, StoredRating):
            problems.append(Problem("unreadable", rating[0], str(rating[1])))
        elif not has_response(rating.score):
            yield as_response(rating, patient)


def _scored(found: Found, codes: Codes, base: str) -> set[str]:
    """Ids of the responses from which a score of ours that stands says it comes."""
    ours = to_search(codes)
    standing = [raw for raw in found.resources if has_code(raw, ours) and raw.get("status") != "entered-in-error"]
    return {resource_id for raw in standing for resource_id in derived_from(raw, base)}


def _response(raw: Mapping[str, Any], patient: str, zone: tzinfo, scored: Collection[str]) -> Response | None:
    """None for one that is none of ours. One that no longer names our form, though a score of ours comes from it, is
    ours all the same: reading it tells why it can't be shown."""
    canonical = raw.get("questionnaire")
    named = isinstance(canonical, str) and canonical.partition("|")[0] in {scale(rater).url for rater in RATERS}
    if not named and id_of(raw) not in scored:
        return None
    return once(raw, ("response", patient, zone), lambda: response.from_resource(raw, patient=patient).in_zone(zone))


def _goal(raw: Mapping[str, Any], patient: str) -> Goal | None:
    return _read_goal(raw, patient) if once(raw, "ours", lambda: goal.is_ours(raw)) else None


def _step(raw: Mapping[str, Any], patient: str, named: Collection[tuple[str, str]]) -> Goal | None:
    if ("Goal", id_of(raw)) not in named or once(raw, "ours", lambda: goal.is_ours(raw)):
        return None
    return _read_goal(raw, patient)


def _read_goal(raw: Mapping[str, Any], patient: str) -> Goal:
    return once(raw, ("goal", patient), lambda: goal.from_resource(raw, patient=patient))


def _note(raw: Mapping[str, Any], patient: str, zone: tzinfo) -> Note | None:
    return once(raw, ("note", patient, zone), lambda: _read_note(raw, patient, zone))


def _read_note(raw: Mapping[str, Any], patient: str, zone: tzinfo) -> Note | None:
    if not has_code(raw, record.TOKENS):
        return None
    found = record.from_resource(raw, patient=patient)
    return replace(found, said=in_zone(found.said, zone))


def _episode(raw: Mapping[str, Any], patient: str, zone: tzinfo, types: Collection[str]) -> Course | None:
    listed = raw.get("type")
    if types and not any(codings(concept) & set(types) for concept in (listed if isinstance(listed, list) else [])):
        return None
    return once(raw, ("episode", patient, zone), lambda: episode_course(raw, patient=patient, zone=zone))


def _document(raw: Mapping[str, Any], patient: str, zone: tzinfo) -> Document | None:
    return once(raw, ("document", patient, zone), lambda: read_document(raw, patient=patient, zone=zone))


def _parsed(found: Found, parse: Callable[[Mapping[str, Any]], T | None], problems: list[Problem]) -> Iterator[T]:
    for raw in found.resources:
        try:
            value = parse(raw)
        except ResourceError as error:
            problems.append(Problem("unreadable", f"{raw['resourceType']}/{raw.get('id', '')}", str(error)))
        else:
            if value is not None:
                yield value


def _gaps(name: str, found: Found) -> Iterator[Problem]:
    if found.foreign:
        yield Problem("other-patient", name, count=found.foreign)
    if found.truncated:
        yield Problem("cut-short", name)
    for said in found.said:
        yield Problem("said", name, said)
